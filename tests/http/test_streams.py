"""A response's body as lines, newline-delimited JSON and bytes: as it arrives, within bounds, closed at its end."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from providers_sdk import ProviderError
from providers_sdk._http.client import HttpSession
from providers_sdk._http.response import HttpResponse
from providers_sdk.errors import (
    AuthenticationFailed,
    Blocked,
    Closed,
    ConnectionLost,
    DeadlineExceeded,
    EmptyAnswer,
    InvalidAnswer,
    StreamTruncated,
    TooLarge,
)
from providers_sdk.testing import Connection, Received
from providers_sdk.testing.faults.bodies import chunk
from tests.http.steps import PATIENCE, SLACK, OpenHttp, Serve, assert_within, close, run_steps, send

Fetch = Callable[..., HttpResponse]
NDJSON = "application/x-ndjson"
READERS: dict[str, Callable[[HttpResponse], Iterator[Any]]] = {
    "lines": lambda response: response.lines(),
    "ndjson": lambda response: response.ndjson(),
    "iter_bytes": lambda response: response.iter_bytes(),
}
FIRST: dict[str, Any] = {"lines": '{"a": 1}', "ndjson": {"a": 1}, "iter_bytes": b'{"a": 1}\n'}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n"


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("framing", [b"transfer-encoding: chunked\r\n\r\n", b"content-length: 18\r\n\r\n", b"\r\n"])
def test_each_piece_is_there_before_the_next_is_sent(
    reader: str, framing: bytes, serve: Serve, open_http: OpenHttp
) -> None:
    go, wrap = threading.Event(), chunk if b"chunked" in framing else bytes

    def script(connection: Connection, _: Received) -> None:
        connection.send(HEAD + framing + wrap(b'{"a": 1}\n'))
        assert go.wait(PATIENCE)
        connection.send(wrap(b'{"b": 2}\n') + (b"0\r\n\r\n" if b"chunked" in framing else b""))
        connection.sock.close()

    pieces = READERS[reader](open_http(serve(script).url).get("/"))
    assert next(pieces) == FIRST[reader]
    go.set()
    assert len(list(pieces)) == 1


def test_lines_have_no_ends_and_what_follows_the_last_end_is_a_line(fetch: Fetch) -> None:
    body = "\ufeffä\r\nb\rc\n\nd\u2028e".encode() + b"\xff"
    assert list(fetch([body[:1], body[1:6], body[6:]], "text").lines()) == ["ä", "b", "c", "", "d\u2028e\ufffd"]


@pytest.mark.parametrize(
    "kind", [NDJSON, "application/jsonl", "application/json", "application/x.acme+json", "text", "", "events", None]
)
def test_ndjson_is_read_by_its_type_or_by_its_first_bytes(kind: str | None, fetch: Fetch) -> None:
    response = fetch(b'{"a": 1}\n{"a": 2}\n', "x", headers={"content-type": kind or None})
    response = fetch(b'{"a": 1}\n{"a": 2}\n', kind) if kind in ("text", "events") else response
    assert list(response.ndjson()) == [{"a": 1}, {"a": 2}]


def test_further_types_and_statuses_may_be_expected(fetch: Fetch) -> None:
    body = b"[1]\n"
    assert list(fetch(body, "application/acme", status=201).ndjson(status=(201,), types=("application/*",))) == [[1]]
    assert fetch(body, "image/png").bytes(types=("image/*",)) == body
    assert fetch(body, "text/html").bytes(types=("text/html",)) == body
    with pytest.raises(InvalidAnswer, match=r"answered 200 with image/png instead of audio/\*"):
        fetch(body, "image/png").bytes(types=("audio/*",))


@pytest.mark.parametrize("name", ["lines", "ndjson", "iter_bytes", "bytes"])
def test_a_page_is_none_of_them_and_neither_is_an_error_status(name: str, fetch: Fetch) -> None:
    page = b"<title>Please log in</title>"
    with pytest.raises(InvalidAnswer, match=r"with text/html instead of .*Please log in"):
        getattr(fetch(page, "page"), name)()
    with pytest.raises(AuthenticationFailed, match="answered 403"):
        getattr(fetch(page, "page", status=403), name)()
    with pytest.raises(Blocked):
        getattr(fetch(page, "page", status=403, headers={"cf-mitigated": "challenge"}), name)()


def test_a_stream_without_a_line_is_an_empty_answer(fetch: Fetch) -> None:
    for body in (b"", b"\n\r\n \n"):
        with pytest.raises(EmptyAnswer, match="answered 200 with a stream that holds no line"):
            list(fetch(body, NDJSON).ndjson())


def test_a_line_that_breaks_off_where_the_connection_ends_is_a_truncated_stream(fetch: Fetch) -> None:
    values = fetch(b'{"a": 1}\n{"b": ', NDJSON, framing="close").ndjson()
    assert next(values) == {"a": 1}
    with pytest.raises(StreamTruncated):
        next(values)


@pytest.mark.parametrize("reader", READERS)
def test_a_connection_that_is_lost_is_an_error(reader: str, serve: Serve, open_http: OpenHttp) -> None:
    def script(connection: Connection, _: Received) -> None:
        connection.send(HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunk(b'{"a": 1}\n'))
        connection.sock.close()

    pieces = READERS[reader](open_http(serve(script).url).get("/"))
    assert next(pieces) == FIRST[reader]
    with pytest.raises(ConnectionLost):
        next(pieces)


@pytest.mark.parametrize("reader", READERS)
def test_a_stream_that_stalls_ends_at_the_deadline(reader: str, serve: Serve, open_http: OpenHttp) -> None:
    def script(connection: Connection, _: Received) -> None:
        connection.send(HEAD + b"\r\n" + b'{"a": 1}\n')
        connection.wait_closed(PATIENCE)

    pieces = READERS[reader](open_http(serve(script).url, deadline=0.2).get("/"))
    assert next(pieces) == FIRST[reader]
    with assert_within(0.2 + SLACK), pytest.raises(DeadlineExceeded):
        next(pieces)


@pytest.mark.parametrize("reader", READERS)
def test_a_stream_that_is_left_closes_its_connection(reader: str, serve: Serve, open_http: OpenHttp) -> None:
    site = serve(lambda connection, _: [connection.send(HEAD + b'\r\n{"a": 1}\n'), connection.wait_closed(PATIENCE)])
    response = open_http(site.url).get("/")
    pieces = READERS[reader](response)
    assert next(pieces) == FIRST[reader]
    pieces.close()  # type: ignore[attr-defined]
    assert response.closed
    assert site.wait_idle(PATIENCE)


@pytest.mark.parametrize("reader", READERS)
def test_a_stream_that_was_read_to_its_end_keeps_its_connection(reader: str, serve: Serve, open_http: OpenHttp) -> None:
    body = b'{"a": 1}\n'
    site = serve(run_steps(send(HEAD, b"content-length: %d\r\n\r\n" % len(body), body)))
    pool = HttpSession()
    for _ in range(3):
        assert list(READERS[reader](open_http(site.url, pool=pool).get("/"))) == [FIRST[reader]]
    assert site.connections == 1
    pool.close()


def test_bytes_are_whole_and_bounded(fetch: Fetch) -> None:
    body = bytes(range(256)) * 1_000
    assert fetch(body, "image/png").bytes() == body
    assert fetch(body, "image/png").bytes(most=len(body)) == body
    assert b"".join(fetch(body, "image/png").iter_bytes()) == body
    with pytest.raises(TooLarge, match="the response is larger than 1000 bytes"):
        fetch(body, "image/png").bytes(most=1_000)


@pytest.mark.parametrize("name", ["lines", "ndjson"])
def test_a_line_without_end_is_bounded(name: str, serve: Serve, open_http: OpenHttp) -> None:
    def script(connection: Connection, _: Received) -> None:
        connection.send(HEAD + b'\r\n"')
        for _piece in range(100):
            connection.send(b"x" * 65_536)

    response = open_http(serve(script).url).get("/")
    with pytest.raises(TooLarge, match="is longer than 1000000 bytes"):
        list(getattr(response, name)())
    assert response._exchange.received < 2_500_000


def test_a_body_is_read_once(fetch: Fetch) -> None:
    response = fetch(b"[1]\n", NDJSON)
    assert list(response.ndjson()) == [[1]]
    for name in ("lines", "ndjson", "iter_bytes"):
        with pytest.raises(Closed):
            list(getattr(response, name)())


def test_a_secret_that_a_line_repeats_is_hidden(fetch: Fetch) -> None:
    for body in (b"no open-sesame here\n", b'{"key": "open-sesame'):
        with pytest.raises(ProviderError, match=r"\[hidden\]") as caught:
            list(fetch(body, NDJSON, secrets=["open-sesame"]).ndjson())
        assert "sesame" not in str(caught.value)


def test_an_events_data_is_read_as_json(fetch: Fetch) -> None:
    events = list(fetch([b'data: {"a":\ndata: 1}\n\n', b"data: oops\n\n", b"data:\n\n"], "events").events(until=None))
    assert events[0].json() == {"a": 1}
    with pytest.raises(InvalidAnswer, match="an event holds no JSON: 'oops'") as caught:
        events[1].json()
    assert caught.value.__context__ is None
    with pytest.raises(InvalidAnswer, match="an event holds no JSON: ''"):
        events[2].json()


def test_nothing_is_read_after_the_last_value_and_its_connection_is_kept(serve: Serve, open_http: OpenHttp) -> None:
    body = b'{"a": 1}\n{"last": true}\n{"b": 2}\n'
    site = serve(run_steps(send(HEAD, b"content-length: %d\r\n\r\n" % len(body), body)))
    pool = HttpSession()
    for _ in range(3):
        values = open_http(site.url, pool=pool).get("/").ndjson(until=lambda value: "last" in value)
        assert list(values) == [{"a": 1}, {"last": True}]
    assert site.connections == 1
    pool.close()


def test_what_follows_a_chunk_size_below_zero_is_no_part_of_the_body(serve: Serve, open_http: OpenHttp) -> None:
    head = HEAD + b"transfer-encoding: chunked\r\n\r\n"
    site = serve(run_steps(send(head, chunk(b'{"a": 1}\n'), b"-5\r\nabc\r\n"), close))
    lines = open_http(site.url).get("/").lines()
    assert next(lines) == '{"a": 1}'
    with pytest.raises(ConnectionLost, match="a chunk has no valid size"):
        next(lines)
