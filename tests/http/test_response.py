import json
import threading
import time
import zlib
from collections.abc import Callable
from email.utils import formatdate

import pytest

from providers_sdk import ProviderError, RateLimited, Refused
from providers_sdk._http.client import Http
from providers_sdk._http.response import HttpResponse
from providers_sdk.errors import (
    AuthenticationFailed,
    Blocked,
    Closed,
    EmptyAnswer,
    HTTPStatusError,
    IdleTimeout,
    InvalidAnswer,
    PromptRejected,
    ProxyFailed,
)
from providers_sdk.plugin import Event
from providers_sdk.testing import Connection, RawServer, Received, event

PATIENCE = 30.0
OpenHttp = Callable[..., Http]
Serve = Callable[..., RawServer]
Fetch = Callable[..., HttpResponse]


def caught(kind: type[ProviderError], step: Callable[[], object]) -> ProviderError:
    with pytest.raises(kind) as found:
        step()
    assert type(found.value) is kind
    return found.value


# --- arriving as sent ---


def one_piece_per_chunk(connection: Connection, piece: bytes) -> None:
    connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))


def trickled(connection: Connection, piece: bytes) -> None:
    for byte in piece:
        connection.send(bytes([byte]))


def at_once(connection: Connection, piece: bytes) -> None:
    connection.send(piece)


PIECES = [event({"text": f"piece {number}"}) for number in range(5)]
SIZE = sum(map(len, PIECES))
FRAMINGS: dict[str, tuple[str, bytes, Callable[[Connection, bytes], None], bytes]] = {
    "chunked": ("transfer-encoding: chunked", b"", one_piece_per_chunk, b"0\r\n\r\n"),
    "one big chunk": ("transfer-encoding: chunked", b"%x\r\n" % SIZE, trickled, b"\r\n0\r\n\r\n"),
    "content-length": (f"content-length: {SIZE}", b"", at_once, b""),
    "close-delimited": ("connection: close", b"", at_once, b""),
}


@pytest.mark.parametrize("packed", [False, True], ids=["identity", "gzip"])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_an_event_arrives_before_the_next_is_sent(
    framing: str, packed: bool, serve: Serve, open_http: OpenHttp
) -> None:
    header, start, send, end = FRAMINGS[framing]
    arrived = threading.Semaphore(0)
    packer = zlib.compressobj(wbits=31)

    def wrapped(piece: bytes) -> bytes:
        return packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) if packed else piece

    pieces = [wrapped(piece) for piece in PIECES]
    if packed:
        header = header.replace(str(SIZE), str(sum(map(len, pieces))))
        start = b"%x\r\n" % sum(map(len, pieces)) if start else b""
        header += "\r\ncontent-encoding: gzip"

    def script(connection: Connection, _: Received) -> None:
        connection.send(f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{header}\r\n\r\n".encode() + start)
        for piece in pieces:
            send(connection, piece)
            assert arrived.acquire(timeout=PATIENCE), "the client waits for more before it gives what it has"
        connection.send(end)
        connection.sock.close()

    got = []
    for found in open_http(serve(script).url, first_token=PATIENCE).get("/").events():
        got.append(found)
        arrived.release()
    assert [json.loads(found.data)["text"] for found in got] == [f"piece {number}" for number in range(5)]


def test_the_status_is_there_before_the_body(serve: Serve, open_http: OpenHttp) -> None:
    known = threading.Event()

    def script(connection: Connection, _: Received) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n")
        assert known.wait(PATIENCE)
        connection.send(b"{}")

    answer = open_http(serve(script).url).get("/")
    assert answer.status == 200
    known.set()
    assert answer.json() == {}


# --- JSON ---


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize(
    "kind",
    ["application/json", "APPLICATION/JSON; charset=utf-8", "text/json", "application/problem+json", None],
)
def test_json_is_parsed_whatever_its_framing(kind: str | None, framing: str, fetch: Fetch) -> None:
    answer = fetch('{"a": "é"}'.encode(), headers={"content-type": kind}, framing=framing)
    assert answer.json() == {"a": "é"}
    assert answer.closed


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/xml", "application/jsonp", "garbage"])
def test_another_type_is_no_json_and_the_error_holds_the_sites_words(kind: str, fetch: Fetch) -> None:
    error = caught(InvalidAnswer, fetch(b"<title>Log in</title><input type=password>", kind).json)
    assert (error.status, f"with {kind} instead of application/json" in error.message) == (200, True)
    assert "Log in" in error.message
    assert ("asks for a password" in error.message) == (kind == "text/html")


def test_a_plugin_says_which_statuses_and_types_are_answers(fetch: Fetch) -> None:
    assert fetch(b"[]", "text/plain", status=201).json(status=(201,), types=("text/plain",)) == []
    assert caught(HTTPStatusError, lambda: fetch(b"[]").json(status=(201,))).status == 200


@pytest.mark.parametrize("body", [b"{", b"<html>", b"\xff", b"{}{}", b"[" * 300 + b"]" * 300], ids=repr)
def test_json_that_cannot_be_read_is_an_invalid_answer(body: bytes, fetch: Fetch) -> None:
    error = caught(InvalidAnswer, fetch(body).json)
    assert "answered 200 with JSON that cannot be read" in error.message


def test_broken_json_is_shown_by_the_message_in_it(fetch: Fetch) -> None:
    error = caught(InvalidAnswer, fetch(b'{"error": {"message": "no \xc3\xa9 credit", "code": 4').json)
    assert error.message == "answered 200 with JSON that cannot be read: no é credit"


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_an_empty_body_is_an_empty_answer(body: bytes, fetch: Fetch) -> None:
    assert caught(EmptyAnswer, fetch(body).json).status == 200


def test_a_body_can_be_read_once(fetch: Fetch) -> None:
    answer = fetch(b"{}")
    assert answer.json() == {}
    caught(Closed, answer.json)


# --- statuses ---


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (204, HTTPStatusError, "answered 204 No Content"),
        (400, HTTPStatusError, "answered 400 Bad Request"),
        (401, AuthenticationFailed, "answered 401 Unauthorized"),
        (403, AuthenticationFailed, "answered 403 Forbidden"),
        (404, HTTPStatusError, "answered 404 Not Found"),
        (407, ProxyFailed, "answered 407 Proxy Authentication Required"),
        (429, RateLimited, "answered 429 Too Many Requests"),
        (500, HTTPStatusError, "answered 500 Internal Server Error"),
        (599, HTTPStatusError, "answered 599"),
    ],
)
def test_a_status_is_an_error_of_its_own_class(
    status: int, kind: type[ProviderError], words: str, fetch: Fetch
) -> None:
    for read in (HttpResponse.json, HttpResponse.events, HttpResponse.check):
        error = caught(kind, lambda: read(fetch(status=status, framing="close")))  # noqa: B023
        assert (error.message, error.status) == (words, status)


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b'{"error": {"message": "no such\\nmodel", "code": 7}}', "json", "no such model"),
        (b'{"error": "no credit"}', "json", "no credit"),
        (b'{"message": "no credit"}', "json", "no credit"),
        (b'{"detail": "no credit"}', "json", "no credit"),
        (b'{"weird": 7}', "json", '{"weird": 7}'),
        (b'{"error": {"message": ["no"]}}', "json", "no"),
        (b'{"error": {"message": 7}}', "json", '{"error": {"message": 7}}'),
        (b'[{"error": {"message": "unknown field", "status": "INVALID_ARGUMENT"}}]', "json", "unknown field"),
        (
            b'{"detail": [{"loc": ["body", "messages", 0], "msg": "field required", "type": "missing"}]}',
            "json",
            "body.messages.0: field required",
        ),
        (
            b'{"object": "error", "message": {"detail": [{"loc": ["body", "seed"], "msg": "extra"}, {"msg": 7}]}}',
            "json",
            "body.seed: extra",
        ),
        (b'{"error": {"message": "no \\"credit\\"\n left", "code": 42', "json", 'no "credit" left'),
        (b'{"error": {"message": "no cred', "json", "no cred"),
        (b"[7]", "json", "[7]"),
        (b"The link you followed has expired.", "page", "an HTML page, 'The link you followed has expired.'"),
        (b"<title>Maintenance</title><p>back soon", "page", "an HTML page, 'Maintenance'"),
        (b"<p>" * 20_000, "page", "an HTML page, ''"),
        (b"<" * 60_000, "page", "an HTML page"),
        (b"plain \x1b[2J\xff words", "text", "plain \\x1b[2J\ufffd words"),
        (b"", "text", ""),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_errors_message_holds_the_sites_words(body: bytes, kind: str, words: str, fetch: Fetch) -> None:
    error = caught(HTTPStatusError, fetch(body, kind, status=500).json)
    assert error.message == "answered 500 Internal Server Error" + (f": {words}" if words else "")


def test_a_long_error_is_cut(fetch: Fetch) -> None:
    for kind in ("text", "page", "json"):
        body = b'{"error": "' + b"x" * 5000 + b'"}'
        assert len(caught(HTTPStatusError, fetch(body, kind, status=500).json).message) < 300


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        (formatdate(0, usegmt=True), 0),
        ("soon", None),
        ("-5", None),
        ("9" * 400, 1e9),
        (None, None),
    ],
    ids=str,
)
def test_retry_after_is_carried_by_the_error(after: str | None, seconds: float | None, fetch: Fetch) -> None:
    for status, kind in ((429, RateLimited), (503, HTTPStatusError)):
        assert caught(kind, fetch(status=status, headers={"retry-after": after}).json).retry_after == seconds


@pytest.mark.parametrize(
    ("milliseconds", "after", "seconds"),
    [
        ("250", "7", 0.25),
        ("1500.5", None, 1.5005),
        ("0", None, 0),
        ("9" * 400, None, 1e9),
        ("soon", "7", 7),
        ("-5", "7", 7),
        ("", None, None),
    ],
    ids=str,
)
def test_milliseconds_are_more_exact_than_retry_after(
    milliseconds: str, after: str | None, seconds: float | None, fetch: Fetch
) -> None:
    headers = {"retry-after-ms": milliseconds, "retry-after": after}
    assert caught(RateLimited, fetch(status=429, headers=headers).json).retry_after == seconds


def test_a_prompt_that_is_rejected_for_its_content_is_a_refusal_whatever_the_status(fetch: Fetch) -> None:
    body = {"error": {"message": "The prompt was filtered", "code": "content_filter"}}
    error = caught(PromptRejected, fetch(json.dumps(body).encode(), status=400).json)
    assert (error.status, "The prompt was filtered" in error.message) == (400, True)


def test_retry_after_may_be_a_date(fetch: Fetch) -> None:
    after = caught(
        RateLimited, fetch(status=429, headers={"retry-after": formatdate(time.time() + 90)}).json
    ).retry_after
    assert after is not None
    assert 80 < after <= 90


def test_a_bot_wall_is_blocked_whatever_is_asked_of_it(fetch: Fetch) -> None:
    for read in (HttpResponse.json, HttpResponse.events, HttpResponse.page, HttpResponse.check):
        answer = fetch(b"<title>Just a moment</title>", "page", status=403, headers={"cf-mitigated": "challenge"})
        assert answer.bot_wall == "Cloudflare challenge"
        error = caught(Blocked, lambda: read(answer))  # noqa: B023
        assert (error.status, "Cloudflare" in error.message) == (403, True)


def test_a_secret_that_the_site_echoes_is_hidden(fetch: Fetch) -> None:
    secret = 'sk-"0123/456789'
    for body, kind in (
        (json.dumps({"error": {"message": f"bad key {secret}"}}).encode(), "json"),
        (f"<title>bad key {secret}</title>".encode(), "page"),
        (f"bad key {secret}".encode(), "text"),
        (("x" * 190 + secret).encode(), "text"),
    ):
        error = caught(HTTPStatusError, fetch(body, kind, status=500, secrets=[secret]).json)
        assert "[hidden]" in error.message
        assert "sk-" not in error.message


# --- events ---


def test_events_are_read_to_the_end_mark_or_the_end(fetch: Fetch) -> None:
    body = [event("a"), b": keep alive\n\n", event("b"), event("[DONE]"), event("never")]
    assert list(fetch(body, "events").events()) == [Event(data="a"), Event(data="b"), Event(data="[DONE]")]
    assert len(list(fetch(body, "events").events(until=None))) == 4
    assert list(fetch(body[:1], "events", framing="close").events()) == [Event(data="a")]


@pytest.mark.parametrize("write_size", [1, 1 << 16], ids=["byte by byte", "at once"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b": ping\n\n", b"\r\n\n", b"id: 1\n", b"retry: 5\n"], ids=repr)
@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", "application/octet-stream", None])
def test_a_vague_type_is_an_event_stream_if_its_bytes_are(
    kind: str | None, start: bytes, write_size: int, fetch: Fetch
) -> None:
    body = start + event("a") + event("b")
    pieces = [body[at : at + write_size] for at in range(0, len(body), write_size)]
    answer = fetch(pieces, headers={"content-type": kind})
    assert not answer.is_json()
    assert [found.data for found in answer.events()] == ["a", "b"]


@pytest.mark.parametrize("body", [b'{"a": 1}', b' \r\n{"a": 1}', b'[{"a": 1}]'], ids=repr)
@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "text/event-stream", None])
def test_a_vague_type_is_json_if_its_bytes_are(kind: str | None, body: bytes, fetch: Fetch) -> None:
    answer = fetch([body[at : at + 1] for at in range(len(body))], headers={"content-type": kind})
    assert answer.is_json()
    assert answer.json() == json.loads(body)


def test_what_calls_itself_html_is_neither_json_nor_events(fetch: Fetch) -> None:
    assert not fetch(b'{"a": 1}', "page").is_json()
    caught(InvalidAnswer, fetch(b'{"a": 1}', "page").json)
    caught(InvalidAnswer, fetch(event("a"), "page").events)


@pytest.mark.parametrize("body", [b"", b"Sorry, we are down.", b"datum", b"<title>Log in", b" " * 5000], ids=repr)
def test_a_vague_type_with_other_bytes_is_an_error_that_holds_them(body: bytes, fetch: Fetch) -> None:
    for read in (HttpResponse.events, HttpResponse.json):
        answer = fetch([body[at : at + 1] for at in range(len(body))], "text/plain")
        error = caught(InvalidAnswer, lambda: read(answer))  # noqa: B023
        assert "with text/plain instead of" in error.message
        assert body.decode().strip() in error.message


@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_another_type_is_no_event_stream_and_that_is_known_at_once(kind: str, fetch: Fetch) -> None:
    answer = fetch(b"data: a\n\n", headers={"content-type": kind})
    error = caught(InvalidAnswer, answer.events)
    assert f"with {kind} instead of text/event-stream" in error.message


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"", EmptyAnswer, "an event stream that holds nothing"),
        (b"\n\n", EmptyAnswer, "an event stream that holds nothing"),
        (b"<html><title>Log in</title>", InvalidAnswer, "'Log in'"),
        (b'{"error": {"message": "no credit"}}', Refused, "the service says: no credit"),
        (b'{"error": {"message": "no cred', Refused, "the service says: no cred"),
        (b"no credit", InvalidAnswer, "holds no event: no credit"),
        (b": ping\n\n", InvalidAnswer, "holds no event: : ping"),
        (b"data: unfinished", InvalidAnswer, "holds no event"),
    ],
    ids=repr,
)
def test_a_stream_without_events_is_an_error(body: bytes, kind: type[ProviderError], words: str, fetch: Fetch) -> None:
    for pieces in ([body], [body[at : at + 1] for at in range(len(body))]):
        assert words in caught(kind, lambda: list(fetch(pieces, "events").events())).message  # noqa: B023


def test_an_abandoned_stream_closes_its_connection(serve: Serve, open_http: OpenHttp) -> None:
    gone = threading.Event()

    def script(connection: Connection, _: Received) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + event("a"))
        if connection.wait_closed(PATIENCE):
            gone.set()

    answer = open_http(serve(script).url).get("/")
    for _ in answer.events():
        break
    assert gone.wait(PATIENCE)
    assert answer.closed


def test_closing_wakes_a_thread_that_waits_for_more(serve: Serve, open_http: OpenHttp) -> None:
    def script(connection: Connection, _: Received) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + event("a"))
        connection.wait_closed(PATIENCE)

    answer = open_http(serve(script).url, first_token=PATIENCE, idle=PATIENCE).get("/")
    started, outcome = threading.Event(), []

    def read() -> None:
        try:
            for _ in answer.events():
                started.set()
        except ProviderError as error:
            outcome.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    assert started.wait(PATIENCE)
    closing = time.monotonic()
    answer.close()
    reader.join(PATIENCE)
    assert time.monotonic() - closing < PATIENCE / 2  # without being woken it would read on to its limit
    assert [type(error) for error in outcome] == [Closed]
    answer.close()


def test_a_stream_that_stalls_ends_at_its_limit(serve: Serve, open_http: OpenHttp) -> None:
    def script(connection: Connection, _: Received) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + event("a"))
        connection.wait_closed(PATIENCE)

    http = open_http(serve(script).url, idle=0.2)
    stream = http.get("/").events()
    assert next(stream) == Event(data="a")
    http.clock.stop_waiting(piece=True)
    caught(IdleTimeout, lambda: next(stream))


# --- pages and text ---


def test_a_page_is_parsed_whatever_its_status(fetch: Fetch) -> None:
    for status in (200, 404, 503):
        page = fetch("<title>é</title>".encode(), "text/html; charset=utf-8", status=status).page()
        assert (page.title, page.status) == ("é", status)
    assert fetch(b"<title>a</title>", "application/xhtml+xml").page().title == "a"


@pytest.mark.parametrize("kind", ["json", "text", "events", None])
def test_what_is_no_html_is_no_page(kind: str | None, fetch: Fetch) -> None:
    answer = fetch(b'{"a": 1}', kind or "", headers={} if kind else {"content-type": None})
    assert '{"a": 1}' in caught(InvalidAnswer, answer.page).message


def test_text_is_utf8_whatever_the_server_says_and_cut_where_wanted(fetch: Fetch) -> None:
    assert fetch("é\u2028".encode(), "text/plain; charset=windows-1252").text() == "é\u2028"
    assert fetch(b"a\xff", "text/plain; charset=bogus").text() == "a\ufffd"
    assert fetch(b"abcdef", "text").text(most=3) == "abc"
    answer = fetch(b"abc", "text", status=500)
    assert answer.text() == answer.text() == "abc"


@pytest.mark.parametrize("body", [b"[1]", b'"a"', b"null", b"7"])
def test_json_that_is_no_object_is_an_invalid_answer(body: bytes, fetch: Fetch) -> None:
    message = caught(InvalidAnswer, lambda: fetch(body, "json").object()).message
    assert message == f"the JSON of the response is no object: {body.decode()}"


def test_an_object_is_read_with_the_status_and_type_that_a_plugin_names(fetch: Fetch) -> None:
    assert fetch(b'{"id": 7}', "json", status=201).object(status=(201,))["id"] == 7
    assert fetch(b'{"id": 7}', "application/x-odd").object(types=("application/x-odd",)) == {"id": 7}
    assert caught(HTTPStatusError, lambda: fetch(b'{"id": 7}', "json", status=201).object()).status == 201
