"""What a page of tokens that fails says, and when it is fetched past a cache: over real sockets."""

import warnings
from collections.abc import Callable

import pytest

from providers_sdk import ProviderError
from providers_sdk._http.client import Http, HttpSession
from providers_sdk._http.response import HttpResponse
from providers_sdk.errors import AuthenticationFailed, TokenPageFailed, UnsupportedOption
from providers_sdk.plugin import Attr, PromptAltered, TokenPage, Tokens
from providers_sdk.testing import Connection, RawServer, Received, Response, TLSServer
from providers_sdk.testing.fake_service import html, json_response

Serve = Callable[[Callable[[Connection, Received], object]], RawServer]
OpenHttp = Callable[..., Http]

WHERE = TokenPage({"nonce": (Attr(".chat", "data-nonce"),)}, path="/talk", advice="look whether /talk is there")


def sends(answer: Callable[[Received], Response]) -> Callable[[Connection, Received], None]:
    def script(connection: Connection, received: Received) -> None:
        for piece in answer(received).encode():
            connection.send(piece)

    return script


def chat(nonce: str) -> Response:
    return html(f'<div class="chat" data-nonce="{nonce}">')


def ask(http: Http) -> str:
    def send(tokens: Tokens) -> HttpResponse:
        return http.post("/ajax", data=dict(tokens))

    return str(http.with_tokens(WHERE, send, refused=lambda answer: answer.status == 403).json())


@pytest.mark.parametrize("status", [401, 500, 502, 503, 504])
def test_a_page_that_fails_speaks_of_its_failure_and_of_no_tokens(
    status: int, serve: Serve, open_http: OpenHttp
) -> None:
    site = serve(sends(lambda _: html("<title>Oh dear</title>", status=status)))
    with pytest.raises(TokenPageFailed) as caught:
        ask(open_http(site.url))
    message = caught.value.message
    assert f"the page {site.url}/talk answered {status}" in message
    assert "Oh dear" in message
    assert ("password" if status == 401 else "ask again later") in message
    assert not any(word in message for word in ("nonce", "token", "/talk is there"))


def test_a_page_that_is_not_there_is_answered_with_the_advice(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(sends(lambda _: html("<title>Lost</title>", status=404)))
    with pytest.raises(TokenPageFailed, match=r"answered 404 Not Found: .*; look whether /talk is there"):
        ask(open_http(site.url))


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://elsewhere.invalid/x?y", "it redirects to http://elsewhere.invalid/x, another host"),
        ("/talk", "it redirects in a circle, back to {url}/talk"),
        ("/{}x", "it redirects too often, at last to {url}/talkxxxx"),
    ],
)
def test_a_redirect_that_leads_nowhere_is_named_with_its_target(
    location: str, words: str, serve: Serve, open_http: OpenHttp
) -> None:
    def answer(received: Received) -> Response:
        return html("", status=302, headers={"Location": location.format(received.path[1:])})

    site = serve(sends(answer))
    with pytest.raises(TokenPageFailed) as caught:
        ask(open_http(site.url))
    assert words.format(url=site.url) in caught.value.message
    assert caught.value.status == 302


class Cached:
    """A site behind a cache of pages, which asks the site only for a query that it has not seen."""

    def __init__(self) -> None:
        self.nonce = "n1"
        self.kept: dict[str, Response] = {}

    def respond(self, received: Received) -> Response:
        if received.method == "GET":
            return self.kept.setdefault(received.target, chat(self.nonce))
        return json_response(received.form) if received.form["nonce"] == self.nonce else html("expired", status=403)


def test_refused_tokens_are_fetched_past_the_cache_and_kept_for_the_page(serve: Serve, open_http: OpenHttp) -> None:
    cached, pool = Cached(), HttpSession(proxy="")
    cached.kept["/talk"] = chat("old")
    site = serve(sends(cached.respond))
    for _ in range(2):
        assert ask(open_http(site.url, pool=pool)) == "{'nonce': 'n1'}"
    assert [received.method for received in site.requests] == ["GET", "POST", "GET", "POST", "POST"]
    assert site.requests[2].target.startswith("/talk?nocache=")
    pool.close()


def test_tokens_just_refused_are_not_posted_again_while_the_page_holds_them(serve: Serve, open_http: OpenHttp) -> None:
    cached, pool = Cached(), HttpSession(proxy="")
    site = serve(sends(lambda it: chat("old") if it.method == "GET" else cached.respond(it)))
    for gets in (2, 3, 4):
        with pytest.raises(AuthenticationFailed, match=r"answered 403 .*expired.*probably a cached copy") as caught:
            ask(open_http(site.url, pool=pool))
        assert caught.value.status == 403
        methods = [received.method for received in site.requests]
        assert (methods.count("POST"), methods.count("GET")) == (1, gets)
    queries = {received.target for received in site.requests if received.method == "GET"}
    assert len(queries) == gets  # each fetch past the cache has a query of its own
    pool.close()


def test_once_the_page_has_new_tokens_they_are_used(serve: Serve, open_http: OpenHttp) -> None:
    cached, pool, nonce = Cached(), HttpSession(proxy=""), ["old"]
    site = serve(sends(lambda it: chat(nonce[0]) if it.method == "GET" else cached.respond(it)))
    with pytest.raises(ProviderError):
        ask(open_http(site.url, pool=pool))
    nonce[0] = "n1"
    assert ask(open_http(site.url, pool=pool)) == "{'nonce': 'n1'}"
    pool.close()


def test_the_tokens_say_where_their_page_was_found(serve: Serve, open_http: OpenHttp) -> None:
    def answer(received: Received) -> Response:
        if received.path == "/talk":
            return html("", status=301, headers={"Location": "/en/talk?x=1"})
        return chat("n1") if received.method == "GET" else json_response({})

    site, found = serve(sends(answer)), []
    http = open_http(site.url)

    def send(tokens: Tokens) -> HttpResponse:
        found.append(tokens.url)
        return http.post("/ajax")

    http.with_tokens(WHERE, send, refused=lambda _: False)
    assert found == [f"{site.url}/en/talk"]


def test_a_password_follows_to_https_on_the_same_host(
    serve: Serve, serve_tls: Callable[..., TLSServer], open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    safe = serve_tls(sends(lambda _: json_response({})))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", safe.ca)
    site = serve(sends(lambda _: html("", status=301, headers={"Location": f"{safe.url}/"})))
    http = open_http(site.url.replace("://", "://me:pw@"))
    assert http.get("/").json() == {}
    assert http.post(f"{safe.url}/ajax").json() == {}
    assert [received.headers["authorization"] for received in safe.requests] == ["Basic bWU6cHc="] * 2


def test_a_warning_is_given_once_for_each_client_and_site(open_http: OpenHttp) -> None:
    pool = HttpSession(proxy="")
    with pytest.warns(PromptAltered, match="first"):
        open_http("http://acme.invalid", pool=pool).warn_once(PromptAltered("first"))
    open_http("http://acme.invalid", pool=pool).warn_once(PromptAltered("second"))  # a warning here is an error
    pool.close()


def test_a_warning_that_is_an_error_is_one_each_time(open_http: OpenHttp) -> None:
    http = open_http("http://acme.invalid")
    for _ in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(UnsupportedOption, match=r"tags \(PromptAltered is an error in this script\)"):
                http.warn_once(PromptAltered("tags"))
