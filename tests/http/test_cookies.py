"""Cookies: sent back during the attempt in which a service set them, to the site that set them, and nowhere else."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPResponse as RawResponse

from providers_sdk import Client, Registry
from providers_sdk._http.client import Http, HttpSession
from providers_sdk._http.cookies import AttemptSecrets, Cookies
from providers_sdk._redact import Redactor
from providers_sdk.plugin import FinishReason, Provider, Request
from providers_sdk.testing import Connection, FakeService, RawServer, Received, Response, json_response
from tests.http.steps import OK, OpenHttp, Serve, ServeTLS

HEAD = b"HTTP/1.1 %d OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n"
Table = dict[str, list[str]]


def sets(table: Table, *, status: int = 200, location: str = "") -> Callable[[Connection, Received], None]:
    """Return a script that sets the cookies of a path; those of ``/go`` come with a redirect to ``location``."""

    def script(connection: Connection, received: Received) -> None:
        lines = [f"set-cookie: {cookie}\r\n".encode() for cookie in table.get(received.path, ())]
        moved = received.path == "/go" and location
        lines += [f"location: {location}\r\n".encode()] if moved else []
        connection.send(HEAD % (302 if moved else status) + b"".join(lines) + b"\r\n{}")

    return script


def cookies_sent(site: RawServer) -> list[str | None]:
    return [received.headers.get("cookie") for received in site.requests]


def ask(http: Http, *paths: str) -> None:
    for path in paths:
        http.get(path).json()


def test_a_cookie_that_a_service_sets_is_sent_back_during_the_attempt(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(sets({"/": ["sid=abc; Path=/; HttpOnly", "theme=dark mode"]}))
    http = open_http(site.url)
    assert dict(http.get("/").cookies) == {"sid": "abc", "theme": "dark mode"}
    assert dict(http.post("/ask", json={}).cookies) == {}
    assert cookies_sent(site) == [None, "sid=abc; theme=dark mode"]


def test_a_cookie_of_one_attempt_is_not_sent_in_the_next(serve: Serve, open_http: OpenHttp) -> None:
    site, pool = serve(sets({"/": ["sid=abc"]})), HttpSession()
    for _ in range(2):
        ask(open_http(site.url, pool=pool), "/")
    pool.close()
    assert cookies_sent(site) == [None, None]


class Visited(Provider):
    """Begins with a visit, then asks."""

    url = "http://acme.invalid"
    default_model = "any"

    def complete(self, request: Request, http: Http) -> Any:
        http.post("/visit").check()
        yield str(http.post("/ask").json())
        yield FinishReason(None)


class VisitedSite(FakeService):
    """Counts visits in a cookie; answers the first question with 503 where it is told so."""

    def __init__(self, *, busy: int) -> None:
        super().__init__()
        self.visits, self.busy = 0, busy

    def respond(self, received: Received) -> Response:
        if received.path == "/visit":
            self.visits += 1
            return json_response({}, headers={"Set-Cookie": f"visit=visit-{self.visits}"})
        self.busy -= 1
        return json_response({}, status=503 if self.busy >= 0 else 200, headers={"Retry-After": "0"})


def test_neither_a_retry_nor_another_provider_gets_the_cookies_of_an_attempt() -> None:
    registry = Registry()
    registry.register("first", Visited)
    registry.register("second", Visited)
    with VisitedSite(busy=2) as first, VisitedSite(busy=0) as second:
        settings = {"first": {"url": first.url}, "second": {"url": second.url}}
        with Client(["first", "second"], registry=registry, settings=settings, retries=1) as client:
            assert client.chat("hello").provider == "second"
            assert client.chat("hello").provider == "first"
    assert [it.headers.get("cookie") for it in first.requests] == [
        *(None, "visit=visit-1", None, "visit=visit-2"),
        *(None, "visit=visit-3"),
    ]
    assert cookies_sent(second) == [None, "visit=visit-1"]


def test_two_sites_on_one_host_do_not_get_each_others_cookies(serve: Serve, open_http: OpenHttp) -> None:
    first, second = serve(sets({"/": ["sid=first"]})), serve(sets({"/": ["sid=second", "mine=2"]}))
    pool = HttpSession()
    http = open_http(first.url, pool=pool)
    for _ in range(2):
        ask(http, "/", f"{second.url}/")
    ask(open_http(second.url, pool=pool), "/")
    pool.close()
    assert cookies_sent(first) == [None, "sid=first"]
    assert cookies_sent(second) == [None, "sid=second; mine=2", None]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_cookie_does_not_follow_a_redirect_to_another_site(host: str, serve: Serve, open_http: OpenHttp) -> None:
    other = serve(sets({}))
    address = other.url.replace("127.0.0.1", host)
    site = serve(sets({"/": ["sid=abc"], "/go": ["more=1; Domain=127.0.0.1"]}, location=address))
    http = open_http(site.url)
    ask(http, "/")
    assert http.get("/go").status == 302  # not followed: and what the author then asks carries no cookie either
    ask(http, address)
    assert cookies_sent(site) == [None, "sid=abc"]
    assert cookies_sent(other) == [None]


def test_a_cookie_of_a_redirect_is_sent_to_its_target_on_the_same_site(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(sets({"/go": ["sid=abc"]}, location="/home"))
    ask(open_http(site.url), "/go")
    assert [(it.path, it.headers.get("cookie")) for it in site.requests] == [("/go", None), ("/home", "sid=abc")]


@pytest.mark.parametrize(
    ("cookie", "paths", "sent"),
    [
        ("a=1; Path=/api", ("/api/ask", "/other"), ["a=1", None]),
        ("a=1; Domain=127.0.0.1", ("/ask",), ["a=1"]),
        ("a=1; Domain=acme.example", ("/ask",), [None]),
        ("a=1; Secure", ("/ask",), [None]),
        ("a=1; Max-Age=0", ("/ask",), [None]),
        ("a=1; Max-Age=60", ("/ask",), ["a=1"]),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", ("/ask",), [None]),
        ("a=b=c==", ("/ask",), ["a=b=c=="]),
        ('a="1 2"', ("/ask",), ['a="1 2"']),
        (f"a={'x' * 4_095}", ("/ask",), [None]),
        ("a=1\x01", ("/ask",), [None]),
    ],
)
def test_attributes_decide_where_a_cookie_goes(
    cookie: str, paths: tuple[str, ...], sent: list[str | None], serve: Serve, open_http: OpenHttp
) -> None:
    site = serve(sets({"/": [cookie]}))
    ask(open_http(site.url), "/", *paths)
    assert cookies_sent(site)[1:] == sent


def test_a_service_changes_and_removes_its_cookies(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(sets({"/1": ["a=1", "b=1"], "/2": ["a=2"], "/3": ["a=; Max-Age=0"]}))
    ask(open_http(site.url), "/1", "/2", "/3", "/4")
    assert cookies_sent(site) == [None, "a=1; b=1", "a=2; b=1", "b=1"]


def test_no_more_than_fifty_cookies_are_kept(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(sets({"/": [f"a{index}=1" for index in range(60)], "/more": ["a0=2", "late=1"]}))
    ask(open_http(site.url), "/", "/more", "/ask")
    sent = (cookies_sent(site)[2] or "").split("; ")
    assert len(sent) == 50
    assert "a0=2" in sent
    assert "late=1" not in sent


def test_a_cookie_from_https_never_goes_over_http() -> None:
    cookies = Cookies(AttemptSecrets(Redactor))
    keep(cookies, "https://acme.example/", "sid=abc")
    assert header(cookies, "http://acme.example/") is None
    assert header(cookies, "https://acme.example/") == "sid=abc"


def test_a_cookie_goes_from_http_to_https_and_to_www_where_its_domain_says_so() -> None:
    cookies = Cookies(AttemptSecrets(Redactor))
    keep(cookies, "http://acme.example/", "wide=1; Domain=acme.example")
    keep(cookies, "http://acme.example/", "own=2")
    assert sorted((header(cookies, "https://acme.example/") or "").split("; ")) == ["own=2", "wide=1"]
    assert header(cookies, "https://www.acme.example/") == "wide=1"
    for other in ("https://api.acme.example/", "https://acme.example:8443/", "http://example/", "http://evil.example/"):
        assert header(cookies, other) is None


def test_user_info_in_the_address_is_no_part_of_the_host() -> None:
    cookies = Cookies(AttemptSecrets(Redactor))
    keep(cookies, "http://bob:sesame@acme.example/x", "sid=abc; Domain=acme.example; Path=/")
    assert header(cookies, "http://acme.example/") == "sid=abc"
    assert header(cookies, "http://bob:sesame@acme.example/") == "sid=abc"


def keep(cookies: Cookies, url: str, cookie: str) -> dict[str, str]:
    return cookies.keep(url, RawResponse(headers={"Set-Cookie": cookie}))


def header(cookies: Cookies, url: str) -> str | None:
    headers: dict[str, Any] = {}
    cookies.add_header(url, headers)
    return headers.get("cookie")


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=300))
def test_no_set_cookie_breaks_a_response(text: str) -> None:
    cookies = Cookies(AttemptSecrets(Redactor))
    kept = keep(cookies, "http://acme.example/", text)
    assert len(kept) <= 1
    sent = header(cookies, "http://acme.example/") or ""
    assert not any(character < " " or character == "\x7f" for character in sent)


# --- what the caller and the author give ---


def test_a_lent_sessions_cookies_go_on_and_it_learns_none(serve: Serve, open_http: OpenHttp) -> None:
    site, lent = serve(sets({"/": ["sid=service", "more=1"]})), requests.Session()
    lent.cookies.set("mine", "7")
    lent.cookies.set("sid", "lent")
    ask(open_http(site.url, session=lent), "/", "/ask")
    assert cookies_sent(site) == ["mine=7; sid=lent", "mine=7; sid=service; more=1"]
    assert lent.cookies.get_dict() == {"mine": "7", "sid": "lent"}


def test_a_header_of_the_author_takes_the_place_of_the_cookies(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(sets({"/": ["sid=abc"]}))
    http = open_http(site.url)
    ask(http, "/")
    http.post("/ask", headers={"Cookie": "own=1"}).json()
    assert cookies_sent(site) == [None, "own=1"]


def test_cookies_are_sent_over_tls(serve_tls: ServeTLS, open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch) -> None:
    site = serve_tls(sets({"/": ["sid=abc; Secure"]}))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
    ask(open_http(site.url), "/", "/ask")
    assert cookies_sent(site) == [None, "sid=abc"]


# --- secrets ---


def test_the_value_of_a_cookie_is_hidden_in_errors_and_logs(
    serve: Serve, open_http: OpenHttp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def echo(connection: Connection, received: Received) -> None:
        body = b'{"error": "no session open%2Fsesame, open/sesame"}'
        head = b"HTTP/1.1 %d OK\r\nset-cookie: sid=open%%2Fsesame\r\n" % (200 if received.path == "/" else 500)
        connection.send(head + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    http = open_http(serve(echo).url)
    earlier = http.get("/")
    error = http.get("/open/sesame").status_error()
    shown = [str(error), repr(error), str(error.url), str(http.url), http.redact("open/sesame"), caplog.text]
    assert "sesame" not in " ".join(shown)
    assert "[hidden]" in error.message
    assert earlier.url.endswith("/")


def test_the_secrets_that_an_attempt_has_received_are_bounded() -> None:
    secrets = AttemptSecrets(Redactor)
    for index in range(1_000):
        secrets.add(f"sesame-{index}")
    assert len(secrets.redactor().secrets) <= 64
    assert secrets.redactor()("sesame-999") == "[hidden]"


def test_a_response_without_cookies_costs_nothing(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(lambda connection, _: connection.send(OK))
    http = open_http(site.url)
    ask(http, "/")
    assert http.redact.secrets == frozenset()
