"""Tokens with the cookies that belong to them, and tokens that the page's tokens are exchanged for."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from typing import Any

import pytest

from providers_sdk._http.client import Http, HttpSession
from providers_sdk._http.response import HttpResponse
from providers_sdk.errors import AuthenticationFailed, HTTPStatusError, PluginContractError, TokensNotFound
from providers_sdk.plugin import CookieValue, Meta, TokenPage, Tokens
from providers_sdk.testing import FakeService, Received, Response, html, json_response
from tests.http.steps import PATIENCE, OpenHttp

WHERE = TokenPage({"csrf": (Meta("csrf"),)}, path="/talk", advice="look whether /talk is there")
THREADS = 12


class Site(FakeService):
    """Each fetch of its page begins a visit, with a token and a cookie; a question needs both of one visit."""

    def __init__(self) -> None:
        super().__init__()
        self.pages = self.exchanges = 0
        self.valid = 1
        self.token: Callable[[int], str] = lambda visit: f"csrf-{visit}"
        self.exchanged: dict[str, Any] = {}
        self._visits = Lock()

    def respond(self, received: Received) -> Response:
        cookie = received.headers.get("cookie", "")
        if received.path == "/talk":
            with self._visits:
                self.pages += 1
            page = f'<meta name="csrf" content="{self.token(self.pages)}">'
            return html(page, headers={"Set-Cookie": f"visit=visit-{self.pages}"})
        if received.path == "/session":
            with self._visits:
                self.exchanges += 1
            given = self.exchanged or {"session": f"session-{cookie}-{received.form['csrf']}"}
            return json_response(given, headers={"Set-Cookie": "second=step-2"})
        if f"visit=visit-{self.valid}" not in cookie:
            return json_response(
                {"error": f"expired {received.body.decode()}"}, status=403, headers={"Set-Cookie": "x=y"}
            )
        return json_response({"cookie": cookie, "form": received.form})


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as opened:
        yield opened


@pytest.fixture
def pool() -> Iterator[HttpSession]:
    opened = HttpSession(proxy="")
    yield opened
    opened.close()


def ask(http: Http, **given: Any) -> Any:
    def send(tokens: Tokens) -> HttpResponse:
        return http.post("/ask", data=dict(tokens))

    return http.with_tokens(WHERE, send, refused=lambda response: response.status == 403, **given).json()


def exchange_at(http: Http) -> Callable[[Tokens], Mapping[str, str]]:
    return lambda tokens: http.post("/session", data=dict(tokens)).json()


def test_the_cookies_of_the_page_are_kept_and_sent_with_its_tokens(
    site: Site, pool: HttpSession, open_http: OpenHttp
) -> None:
    for _ in range(2):
        assert ask(open_http(site.url, pool=pool)) == {"cookie": "visit=visit-1", "form": {"csrf": "csrf-1"}}
    assert site.pages == 1


def test_they_are_not_sent_without_the_tokens_nor_to_another_site(
    site: Site, pool: HttpSession, open_http: OpenHttp
) -> None:
    ask(open_http(site.url, pool=pool))
    open_http(site.url, pool=pool).post("/ask")
    assert "cookie" not in site.requests[-1].headers
    with Site() as other:
        http = open_http(site.url, pool=pool)

        def send(_: Tokens) -> HttpResponse:
            return http.post(f"{other.url}/ask")

        http.with_tokens(WHERE, send, refused=lambda _: False)
        assert "cookie" not in other.requests[0].headers


def test_refused_tokens_are_replaced_with_their_cookies(site: Site, pool: HttpSession, open_http: OpenHttp) -> None:
    assert ask(open_http(site.url, pool=pool))["cookie"] == "visit=visit-1"
    site.valid = 2
    for _ in range(2):
        assert ask(open_http(site.url, pool=pool)) == {"cookie": "visit=visit-2", "form": {"csrf": "csrf-2"}}
    fetched = [received for received in site.requests if received.path == "/talk"]
    assert [received.headers.get("cookie") for received in fetched] == [None, None]
    assert site.pages == 2


def test_the_cookies_of_the_attempt_go_on_beside_those_of_the_tokens(
    site: Site, pool: HttpSession, open_http: OpenHttp
) -> None:
    site.valid = 2
    http = open_http(site.url, pool=pool)
    http.post("/session", data={"csrf": ""}).json()
    assert sorted(ask(http)["cookie"].split("; ")) == ["second=step-2", "visit=visit-2"]
    http.post("/later")
    assert sorted(site.requests[-1].headers["cookie"].split("; ")) == ["second=step-2", "visit=visit-2"]


def test_tokens_that_stay_the_same_are_tried_once_with_new_cookies(
    site: Site, pool: HttpSession, open_http: OpenHttp
) -> None:
    site.token = lambda _: "for-ever"
    ask(open_http(site.url, pool=pool))
    site.valid = 2
    assert ask(open_http(site.url, pool=pool)) == {"cookie": "visit=visit-2", "form": {"csrf": "for-ever"}}


def test_tokens_of_a_cached_page_are_not_tried_again_and_again_because_its_cookies_are_new(
    site: Site, pool: HttpSession, open_http: OpenHttp
) -> None:
    site.token, site.valid = lambda _: "cached", 99
    with pytest.raises(AuthenticationFailed):
        ask(open_http(site.url, pool=pool))
    for _ in range(3):
        with pytest.raises(AuthenticationFailed, match="probably a cached copy"):
            ask(open_http(site.url, pool=pool))
    assert [received.path for received in site.requests].count("/ask") == 2


def test_a_cookie_of_the_page_may_be_a_token_itself(site: Site, open_http: OpenHttp) -> None:
    http = open_http(site.url)
    where = TokenPage({"copy": (CookieValue("visit"),)}, path="/talk")

    def send(tokens: Tokens) -> HttpResponse:
        return http.post("/ask", data=dict(tokens))

    response = http.with_tokens(where, send, refused=lambda _: False)
    assert response.json() == {"cookie": "visit=visit-1", "form": {"copy": "visit-1"}}


# --- exchange ---


def test_the_pages_tokens_are_exchanged_once_and_kept(site: Site, pool: HttpSession, open_http: OpenHttp) -> None:
    for _ in range(2):
        http = open_http(site.url, pool=pool)
        answer = ask(http, exchange=exchange_at(http))
        assert answer["form"] == {"csrf": "csrf-1", "session": "session-visit=visit-1-csrf-1"}
        assert sorted(answer["cookie"].split("; ")) == ["second=step-2", "visit=visit-1"]
    assert (site.pages, site.exchanges) == (1, 1)


def test_exchanged_tokens_are_renewed_when_they_are_refused(site: Site, pool: HttpSession, open_http: OpenHttp) -> None:
    for valid in (1, 2, 2):
        site.valid = valid
        http = open_http(site.url, pool=pool)
        assert ask(http, exchange=exchange_at(http))["form"]["csrf"] == f"csrf-{valid}"
    assert (site.pages, site.exchanges) == (2, 2)


def test_threads_share_one_exchange(site: Site, pool: HttpSession, open_http: OpenHttp) -> None:
    go = Event()

    def call(_: int) -> Any:
        http = open_http(site.url, pool=pool)
        assert go.wait(PATIENCE)
        return ask(http, exchange=exchange_at(http))["form"]["session"]

    with ThreadPoolExecutor(THREADS) as threads:
        calls = [threads.submit(call, index) for index in range(THREADS)]
        go.set()
        assert {call.result(PATIENCE) for call in calls} == {"session-visit=visit-1-csrf-1"}
    assert (site.pages, site.exchanges) == (1, 1)


def test_a_page_is_asked_for_its_own_tokens_and_for_exchanged_ones_apart(
    site: Site, pool: HttpSession, open_http: OpenHttp
) -> None:
    http = open_http(site.url, pool=pool)
    assert ask(http)["form"] == {"csrf": "csrf-1"}
    site.valid = 2
    assert set(ask(http, exchange=exchange_at(http))["form"]) == {"csrf", "session"}


@pytest.mark.parametrize("value", [None, "", 7, {}], ids=repr)
def test_an_exchange_that_gives_no_token_is_an_error_that_names_it(value: Any, site: Site, open_http: OpenHttp) -> None:
    site.exchanged = {"session": value, "other": "given"}
    http = open_http(site.url)
    with pytest.raises(TokensNotFound, match=r"exchanged, and that gave no session; look whether /talk is there"):
        ask(http, exchange=exchange_at(http))


def test_an_exchange_that_returns_no_mapping_is_the_plugins_fault(site: Site, open_http: OpenHttp) -> None:
    wrong: Any = lambda _: "token"  # noqa: E731
    with pytest.raises(PluginContractError, match="exchange= returned an object of type str, not a mapping"):
        ask(open_http(site.url), exchange=wrong)


def test_what_an_exchange_raises_is_raised_and_the_next_call_tries_again(
    site: Site, pool: HttpSession, open_http: OpenHttp
) -> None:
    site.valid = 99
    http = open_http(site.url, pool=pool)
    with pytest.raises(HTTPStatusError):
        ask(http, exchange=lambda _: http.post("/ask").json())
    site.valid = 2
    assert ask(http, exchange=exchange_at(http))["form"]["csrf"] == "csrf-2"


def test_exchanged_tokens_and_cookies_are_hidden_in_errors(site: Site, pool: HttpSession, open_http: OpenHttp) -> None:
    site.exchanged = {"session": "open-sesame"}
    for _ in range(2):
        site.valid += 1
        http = open_http(site.url, pool=pool)
        response = http.with_tokens(
            WHERE,
            lambda tokens, http=http: http.post("/ask", data={**tokens, "visit": "visit-1"}),  # type: ignore[misc]
            refused=lambda _: False,
            exchange=exchange_at(http),
        )
        message = response.status_error().message
        assert "expired" in message
        assert "sesame" not in message
        assert "visit-1" not in message
