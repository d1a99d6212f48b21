import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from providers_sdk import InvalidCall, ProviderError, RateLimited
from providers_sdk._http.client import Http, HttpSession
from providers_sdk._http.requests_session import USER_AGENT
from providers_sdk._http.response import HttpResponse
from providers_sdk.errors import (
    Blocked,
    Closed,
    HTTPStatusError,
    InvalidAnswer,
    InvalidArgument,
    TokenPageFailed,
    TokensNotFound,
    TooLarge,
)
from providers_sdk.plugin import Attr, TokenPage, Tokens
from providers_sdk.testing import Connection, RawServer, Received, Response, TLSServer, html, json_response

PATIENCE = 30.0
OpenHttp = Callable[..., Http]
Serve = Callable[..., RawServer]


def sends(answer: Callable[[Received], Response]) -> Callable[[Connection, Received], None]:
    """Return a script that answers requests."""

    def script(connection: Connection, received: Received) -> None:
        for piece in answer(received).encode():
            connection.send(piece)

    return script


@pytest.fixture
def site(serve: Serve) -> RawServer:
    """A site that answers everything with an empty object."""
    return serve(sends(lambda _: json_response({})))


# --- requests as they are sent ---


@pytest.mark.parametrize(
    ("base", "path", "target"),
    [
        ("", "/", "/"),
        ("/", "/", "/"),
        ("", "ask", "/ask"),
        ("/wp/", "/ask", "/wp/ask"),
        ("/wp", "ask?x=1", "/wp/ask?x=1"),
        ("/v1", "", "/v1/"),
    ],
)
def test_a_path_stands_below_the_base_address(
    base: str, path: str, target: str, site: RawServer, open_http: OpenHttp
) -> None:
    http = open_http(f"{site.url}{base}")
    assert [http.get(path).json(), http.post(path).json()] == [{}, {}]
    assert [it.target for it in site.requests] == [target, target]


def test_a_whole_address_is_taken_as_it_is(site: RawServer, open_http: OpenHttp) -> None:
    assert open_http("http://acme.invalid/v1").get(f"{site.url}/other").json() == {}
    assert site.requests[0].target == "/other"


def test_a_get_carries_query_and_headers_and_no_body(site: RawServer, open_http: OpenHttp) -> None:
    open_http(site.url).get("/ask", params={"q": "a b&é"}, headers={"X-Mine": "yes"}).json()
    got = site.requests[0]
    assert (got.method, got.target, got.body) == ("GET", "/ask?q=a+b%26%C3%A9", b"")
    assert (got.headers["x-mine"], got.headers["user-agent"]) == ("yes", USER_AGENT)


def test_a_post_carries_json_or_a_form_and_asks_for_plain_bytes(site: RawServer, open_http: OpenHttp) -> None:
    http = open_http(site.url)
    http.post("/", json={"text": "é\u2028"}).json()
    http.post("/", data={"text": "a&b=é", "n": "1"}).json()
    http.post("/", params={"q": "1"}, headers={"Accept-Encoding": "gzip"}).json()
    first, second, third = site.requests
    assert (first.json(), first.headers["content-type"]) == ({"text": "é\u2028"}, "application/json")
    assert second.form == {"text": "a&b=é", "n": "1"}
    assert second.headers["content-type"] == "application/x-www-form-urlencoded"
    assert [it.headers["accept-encoding"] for it in site.requests] == ["identity", "identity", "gzip"]
    assert (third.target, third.body) == ("/?q=1", b"")


def test_a_prompt_of_ten_megabytes_is_sent_whole(site: RawServer, open_http: OpenHttp) -> None:
    open_http(site.url).post("/", data={"text": "x" * 10_000_000}).json()
    assert len(site.requests[0].body) == 10_000_005


def test_nothing_handed_in_is_written_to(site: RawServer, open_http: OpenHttp) -> None:
    headers, body = {"X-Mine": "yes"}, {"text": "a"}
    open_http(site.url).post("/", json=body, headers=headers, params=body).json()
    assert (headers, body) == ({"X-Mine": "yes"}, {"text": "a"})


@pytest.mark.parametrize(
    "value",
    [
        *("sesame\n", "sesame\r\nx-evil: 1", "\nsesame", " sesame", "sesame ", "ses\0ame", "ses\x1bame"),
        *("sesame…", "sesämé", b"sesame\r\n", 7),
    ],
    ids=repr,
)
def test_a_header_value_that_cannot_be_sent_is_refused_before_anything_is_sent(
    value: Any, site: RawServer, open_http: OpenHttp
) -> None:
    http = open_http(site.url)
    for send in (http.get, http.post):
        with pytest.raises(InvalidArgument, match="the value of header 'authorization'") as caught:
            send("/", headers={"authorization": value})
        assert "sesame" not in str(caught.value)
    assert site.connections == 0


@pytest.mark.parametrize("name", ["x\r\ny", "x y", "x:", "", "é", "x\0"], ids=repr)
def test_a_header_name_that_cannot_be_sent_is_refused(name: str, site: RawServer, open_http: OpenHttp) -> None:
    with pytest.raises(InvalidArgument, match="header name"):
        open_http(site.url).get("/", headers={name: "yes"})
    assert site.connections == 0


@pytest.mark.parametrize(
    "given",
    [{"json": {"x": object()}}, {"json": {"x": float("nan")}}, {"data": {"x": "\ud800"}}, {"json": {"x": {1, 2}}}],
    ids=["object", "NaN", "surrogate", "set"],
)
def test_what_cannot_be_written_is_the_callers_mistake(
    given: dict[str, Any], site: RawServer, open_http: OpenHttp
) -> None:
    with pytest.raises(InvalidCall):
        open_http(site.url).post("/", **given)
    assert site.connections == 0


@pytest.mark.parametrize("base", ["ftp://acme.invalid", "http://", "http://[::1", "http://acme.invalid:99999", "acme"])
def test_an_address_that_cannot_be_used_is_the_callers_mistake(base: str, open_http: OpenHttp) -> None:
    with pytest.raises(InvalidArgument):
        open_http(base).get("/")


# --- redirects ---


def redirects(table: Mapping[str, str], status: int = 302) -> Callable[[Connection, Received], None]:
    """Return a script that points from paths to locations and answers the others."""

    def answer(received: Received) -> Response:
        if received.path in table:
            return Response(status, {"Location": table[received.path]}, b"moved", "length")
        return json_response({"path": received.path})

    return sends(answer)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_get_follows_a_redirect_within_its_host(status: int, serve: Serve, open_http: OpenHttp) -> None:
    site = serve(redirects({"/a": "/b?x=1#top"}, status))
    answer = open_http(f"{site.url}/wp").get(f"{site.url}/a", headers={"X-Mine": "yes"})
    assert answer.json() == {"path": "/b"}
    assert [it.target for it in site.requests] == ["/a", "/b?x=1"]
    assert all(it.headers["x-mine"] == "yes" for it in site.requests)


def test_a_redirect_may_be_relative_or_a_whole_address_of_the_same_host(serve: Serve, open_http: OpenHttp) -> None:
    table = {"/a/b": "../c", "/c": "d?e=f"}
    site = serve(redirects(table))
    table["/d"] = f"{site.url}/end"
    assert open_http(site.url).get("/a/b").json() == {"path": "/end"}


def test_no_more_than_three_redirects_are_followed(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(redirects({"/1": "/2", "/2": "/3", "/3": "/4", "/4": "/5"}))
    assert open_http(site.url).get("/2").json() == {"path": "/5"}
    with pytest.raises(HTTPStatusError, match="it points to /5, which is not followed"):
        open_http(site.url).get("/1").json()


def test_a_circle_ends(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(redirects({"/": "/"}))
    with pytest.raises(HTTPStatusError) as caught:
        open_http(site.url).get("/").json()
    assert caught.value.status == 302
    assert len(site.requests) == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://elsewhere.invalid/",
        "//elsewhere.invalid/",
        "http://127.0.0.1:1/",
        "http://127.0.0.2:{port}/",
        "http://localhost:{port}/",
        "http://elsewhere.invalid\\@127.0.0.1:{port}/",
        "http://user:pass@127.0.0.1:{port}/",
        "file:///etc/hostname",
        "ftp://127.0.0.1/",
        "javascript:alert(1)",
        "http://[::1",
        "",
    ],
)
def test_a_redirect_that_leaves_the_host_is_never_followed(location: str, serve: Serve, open_http: OpenHttp) -> None:
    table: dict[str, str] = {}
    site = serve(redirects(table))
    table["/"] = location.format(port=site.address[1])
    answer = open_http(site.url).get("/", headers={"authorization": "Bearer sesame"})
    assert answer.status == 302
    with pytest.raises(HTTPStatusError) as caught:
        answer.json()
    assert len(site.requests) == 1
    assert "pass" not in str(caught.value)


def test_a_redirect_from_https_to_http_is_never_followed(
    serve: Serve, serve_tls: Callable[..., TLSServer], open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    table: dict[str, str] = {}
    plain, site = serve(redirects({})), serve_tls(redirects(table))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
    table["/"] = f"{plain.url}/"
    assert open_http(site.url).get("/").status == 302
    table["/"] = f"http://127.0.0.1:{site.address[1]}/"
    assert open_http(site.url).get("/").status == 302
    assert plain.connections == 0


def test_a_redirect_from_http_to_https_is_followed(
    serve: Serve, serve_tls: Callable[..., TLSServer], open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    safe = serve_tls(redirects({}))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", safe.ca)
    site = serve(redirects({"/": f"{safe.url}/safe"}))
    assert open_http(site.url).get("/").json() == {"path": "/safe"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_post_is_never_redirected_nor_turned_into_a_get(status: int, serve: Serve, open_http: OpenHttp) -> None:
    site = serve(redirects({"/a": "/b"}, status))
    answer = open_http(site.url).post("/a", json={"prompt": "x"})
    assert answer.status == status
    with pytest.raises(HTTPStatusError, match="it points to /b, which is not followed; check the setting 'url'"):
        answer.json()
    assert [(it.method, it.target) for it in site.requests] == [("POST", "/a")]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_with_an_endless_body_does_not_hang(method: str, serve: Serve, open_http: OpenHttp) -> None:
    def script(connection: Connection, received: Received) -> None:
        if received.path == "/b":
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
            return
        connection.send(b"HTTP/1.1 302 Found\r\nlocation: /b\r\n\r\n")
        while True:
            connection.send(b"x" * 65_536)

    site, pool = serve(script), HttpSession(proxy="")
    http = open_http(site.url, pool=pool)
    if method == "GET":
        assert http.get("/").json() == {}
    else:
        assert http.post("/").status == 302
    assert http.received < 5_000_000
    http.close()
    pool.close()
    assert site.wait_idle(PATIENCE)


# --- scraped tokens ---

WHERE = TokenPage({"nonce": (Attr(".chat", "data-nonce"),)}, path="/talk")


class Blog:
    """A site whose chat wants the nonce that stands on its page."""

    def __init__(self) -> None:
        self.nonce = "n1"
        self.pages = 0
        self.gate = threading.Event()
        self.gate.set()
        self.page: Callable[[], Response] = self._chat
        self._lock = threading.Lock()

    def _chat(self) -> Response:
        return html(f'<title>Chat</title><div class="chat" data-nonce="{self.nonce}">')

    def respond(self, received: Received) -> Response:
        if received.method == "GET":
            with self._lock:
                self.pages += 1
            assert self.gate.wait(PATIENCE)
            return self.page()
        good = received.form["nonce"] == self.nonce
        return json_response({"said": received.form["text"]}) if good else html("expired", status=403)


@pytest.fixture
def blog() -> Blog:
    return Blog()


def ask(http: Http, text: str = "hi") -> Any:
    def send(tokens: Tokens) -> HttpResponse:
        return http.post("/ajax", data={"nonce": tokens["nonce"], "text": text})

    return http.with_tokens(WHERE, send, refused=lambda answer: answer.status == 403).json()


def test_tokens_are_scraped_once_and_fetched_anew_once_when_refused(
    blog: Blog, serve: Serve, open_http: OpenHttp
) -> None:
    site, pool = serve(sends(blog.respond)), HttpSession(proxy="")
    for _ in range(3):
        assert ask(open_http(site.url, pool=pool)) == {"said": "hi"}
    assert blog.pages == 1
    blog.nonce = "n2"
    assert ask(open_http(site.url, pool=pool)) == {"said": "hi"}
    assert blog.pages == 2
    assert site.requests[0].target == "/talk"
    pool.close()


def test_tokens_that_are_refused_twice_are_refused(blog: Blog, serve: Serve, open_http: OpenHttp) -> None:
    blog.page = lambda: html('<div class="chat" data-nonce="always wrong">')
    site = serve(sends(blog.respond))
    with pytest.raises(ProviderError) as caught:
        ask(open_http(site.url))
    assert caught.value.status == 403
    assert [it.method for it in site.requests] == ["GET", "POST", "GET"]


def test_fifty_threads_fetch_the_page_once_and_once_more_when_it_has_changed(
    blog: Blog, serve: Serve, open_http: OpenHttp
) -> None:
    site, pool = serve(sends(blog.respond)), HttpSession(proxy="")
    blog.gate.clear()
    with ThreadPoolExecutor(50) as threads:
        for pages in (1, 2):
            blog.nonce = f"n{pages}"
            asked = [threads.submit(ask, open_http(site.url, pool=pool), str(number)) for number in range(50)]
            blog.gate.set()
            assert [it.result(PATIENCE) for it in asked] == [{"said": str(number)} for number in range(50)]
            assert blog.pages == pages
    pool.close()


@pytest.mark.parametrize(
    ("page", "kind", "words"),
    [
        (html("<title>Log in</title><input type=password>"), TokensNotFound, "asks for a password"),
        (html("<title>Chat</title>"), TokensNotFound, "holds no nonce (looked for nonce: .chat data-nonce)"),
        (html("<title>Lost</title>", status=404), TokenPageFailed, "answered 404 Not Found: an HTML page, 'Lost'"),
        (html("<title>Down</title>", status=503, headers={"Retry-After": "7"}), TokenPageFailed, "answered 503"),
        (html("slow down", status=429, headers={"Retry-After": "7"}), RateLimited, "slow down"),
        (html("wait", status=403, headers={"cf-mitigated": "challenge"}), Blocked, "Cloudflare"),
        (json_response({"error": "down"}, status=500), TokenPageFailed, "down"),
        (json_response({}), InvalidAnswer, "with application/json instead of text/html"),
        (html("<p>" * 50_001), TooLarge, "tags"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_a_page_without_tokens_says_what_it_was(
    page: Response, kind: type[ProviderError], words: str, blog: Blog, serve: Serve, open_http: OpenHttp
) -> None:
    blog.page = lambda: page
    site = serve(sends(blog.respond))
    with pytest.raises(kind) as caught:
        ask(open_http(site.url))
    assert type(caught.value) is kind
    assert words in caught.value.message
    assert caught.value.url == f"{site.url}/talk"
    assert caught.value.status == page.status
    assert caught.value.retry_after == (7 if page.status in (429, 503) else None)


def test_a_page_is_given_parsed(blog: Blog, serve: Serve, open_http: OpenHttp) -> None:
    page = open_http(serve(sends(blog.respond)).url).page("/talk")
    assert (page.title, WHERE.extract(page)) == ("Chat", {"nonce": "n1"})


# --- what is known of it, and its end ---


def test_status_and_bytes_of_the_last_answer_are_known(serve: Serve, open_http: OpenHttp) -> None:
    http = open_http(serve(sends(lambda received: json_response({}, status=int(received.path[1:])))).url)
    assert (http.status, http.received) == (None, 0)
    http.get("/201")
    assert http.status == 201
    http.get("/500").text()
    assert http.status == 500
    assert http.received > 0


def test_closing_closes_every_answer_and_nothing_more_is_sent(serve: Serve, open_http: OpenHttp) -> None:
    def script(connection: Connection, _: Received) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: a\n\n")
        connection.wait_closed(PATIENCE)

    site = serve(script)
    http = open_http(site.url)
    answers = [http.get("/"), http.post("/")]
    http.close()
    http.close()
    assert all(answer.closed for answer in answers)
    assert site.wait_idle(PATIENCE)
    with pytest.raises(Closed):
        http.get("/")
    assert site.connections == 2


def test_closing_while_a_request_is_on_its_way_closes_its_answer(serve: Serve, open_http: OpenHttp) -> None:
    asked, closed = threading.Event(), threading.Event()

    def script(connection: Connection, _: Received) -> None:
        asked.set()
        assert closed.wait(PATIENCE)
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.wait_closed(PATIENCE)

    site = serve(script)
    http = open_http(site.url)
    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(http.get, "/")
        assert asked.wait(PATIENCE)
        http.close()
        closed.set()
        assert isinstance(asking.exception(PATIENCE), Closed)
    assert site.wait_idle(PATIENCE)


def test_closing_wakes_a_thread_that_waits_for_the_head(serve: Serve, open_http: OpenHttp) -> None:
    arrived = threading.Event()

    def script(connection: Connection, _: Received) -> None:
        arrived.set()
        connection.wait_closed()

    http = open_http(serve(script).url)
    with ThreadPoolExecutor(1) as executor:
        asking = executor.submit(http.get)
        assert arrived.wait(PATIENCE)
        http.close()
        assert isinstance(asking.exception(PATIENCE / 3), Closed)


def test_the_log_tells_of_requests_without_bodies_queries_or_secrets(
    site: RawServer, open_http: OpenHttp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "providers_sdk")
    http = open_http(site.url, secrets=["sesame-key"])
    http.post("/sesame-key/ask", json={"prompt": "private"}, params={"q": "private"}).json()
    with pytest.raises(ProviderError):
        open_http("http://acme.invalid/sesame-key", secrets=["sesame-key"]).get("/", params={"q": "private"})
    told = caplog.text
    assert f"POST {site.url}/[hidden]/ask -> 200" in told
    assert "GET http://acme.invalid/[hidden]/ failed: ConnectFailed" in told
    assert "private" not in told
    assert "sesame" not in told


def test_no_error_shows_a_key_that_stands_in_the_address(open_http: OpenHttp) -> None:
    http = open_http("http://acme.invalid/sesame-key", secrets=["sesame-key"])
    with pytest.raises(ProviderError) as caught:
        http.get("/x", params={"key": "sesame-key"})
    assert caught.value.url == "http://acme.invalid/[hidden]/x"
    shown = [str(caught.value), repr(caught.value), repr(caught.value.__cause__), str(vars(caught.value))]
    assert "sesame" not in "".join(shown)
