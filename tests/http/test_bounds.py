import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from urllib3 import HTTPResponse

from providers_sdk import ProviderError
from providers_sdk._http.client import Http
from providers_sdk._http.response import HttpResponse
from providers_sdk._http.sizes import MAX_ERROR_BODY, MAX_JSON, MAX_PAGE
from providers_sdk._protocol.error_body import MAX_JSON_PARTS
from providers_sdk._protocol.lines import MAX_LINE
from providers_sdk._protocol.sse import MAX_EVENT
from providers_sdk.errors import ConnectionLost, HTTPStatusError, InvalidAnswer, TooLarge
from providers_sdk.testing import Connection, RawServer, Received, event

OpenHttp = Callable[..., Http]
Serve = Callable[..., RawServer]
Fetch = Callable[..., HttpResponse]


@contextmanager
def memory(most: int) -> Iterator[None]:
    """Hold what the block allocates at once under ``most`` bytes."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


def endless(piece: bytes, *first: bytes, most: int = 50_000_000) -> Iterator[bytes]:
    yield from first
    for _ in range(most // len(piece)):
        yield piece


def caught(kind: type[ProviderError], step: Callable[[], object]) -> ProviderError:
    with pytest.raises(kind) as found:
        step()
    assert type(found.value) is kind
    return found.value


@pytest.mark.parametrize(
    ("kind", "first", "piece", "limit", "words"),
    [
        ("page", b"<title>a</title>", b"x" * 65_536, MAX_PAGE, f"the page is larger than {MAX_PAGE} bytes"),
        ("json", b'["', b"x" * 65_536, MAX_JSON, f"the JSON response is larger than {MAX_JSON} bytes"),
        ("events", b"data: ", b"x" * 65_536, MAX_LINE, f"a line of the event stream is longer than {MAX_LINE} bytes"),
        ("events", b"", b"data: " + b"x" * 65_536 + b"\n", MAX_EVENT, f"stream is larger than {MAX_EVENT} bytes"),
    ],
    ids=["page", "JSON", "line", "event"],
)
def test_a_flood_of_fifty_megabytes_is_refused_by_name_in_bounded_memory(
    kind: str, first: bytes, piece: bytes, limit: int, words: str, fetch: Fetch
) -> None:
    answer = fetch(endless(piece, first), kind)
    read: dict[str, Callable[[], object]] = {
        "page": answer.page,
        "json": answer.json,
        "events": lambda: list(answer.events()),
    }
    with memory(3 * limit + 5_000_000):
        assert words in caught(TooLarge, read[kind]).message
    assert answer._exchange.received < 2 * limit + 500_000
    assert answer.closed


def test_exactly_the_limit_is_not_too_large(fetch: Fetch) -> None:
    body = b"<title>a</title>".ljust(MAX_PAGE)
    assert fetch(body, "page", framing="length").page().title == "a"
    caught(TooLarge, fetch(body + b" ", "page", framing="length").page)


def test_of_an_error_only_the_start_is_read(fetch: Fetch) -> None:
    answer = fetch(endless(b"x" * 65_536), "text", status=500)
    with memory(3_000_000):
        caught(HTTPStatusError, answer.json)
    assert len(answer.text()) == MAX_ERROR_BODY
    assert answer._exchange.received < 500_000
    assert answer.closed


def test_json_of_too_many_parts_is_refused_before_it_is_parsed(fetch: Fetch) -> None:
    parts = b"[" + b",".join([b"{}"] * (MAX_JSON_PARTS - 1)) + b"]"
    assert len(fetch(parts, framing="length").json()) == MAX_JSON_PARTS - 1
    more = parts[:-1] + b",{}]"
    assert f"{MAX_JSON_PARTS + 1} lists and objects" in caught(TooLarge, fetch(more, framing="length").json).message


def test_a_page_of_too_many_tags_is_refused(fetch: Fetch) -> None:
    assert "tags" in caught(TooLarge, fetch(b"<p>" * 50_001, "page").page).message


def test_a_tag_of_a_hundred_thousand_attributes_is_read_within_the_deadline(fetch: Fetch) -> None:
    """With lxml 5 it takes 13 s of computing, with lxml 6 a tenth of a second."""
    attributes = b" ".join(b'a%d="1"' % number for number in range(100_000))
    page = fetch(b"<div %b>x</div>" % attributes, "page", framing="length", deadline=10).page()
    started = time.process_time()
    assert len(page.soup.select_one("div").attrs) == 100_000  # type: ignore[union-attr]
    assert time.process_time() - started < 5


@pytest.mark.parametrize("kind", ["page", "json", "events"])
def test_a_compression_bomb_costs_no_more_than_the_limit(kind: str, fetch: Fetch) -> None:
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(b" " * 1_000_000) for _ in range(200)) + packer.flush()
    answer = fetch(bomb, kind, headers={"content-encoding": "gzip"})
    read: dict[str, Callable[[], object]] = {
        "page": answer.page,
        "json": answer.json,
        "events": lambda: list(answer.events()),
    }
    with memory(3 * {"page": MAX_PAGE, "json": MAX_JSON, "events": MAX_LINE}[kind] + 5_000_000):
        caught(TooLarge, read[kind])


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "deflate", "identity", ""])
def test_a_packed_body_is_unpacked(encoding: str, fetch: Fetch) -> None:
    body = b'{"a": 1}'
    packed = {"identity": body, "": body, "deflate": zlib.compress(body)}.get(encoding, gzip.compress(body))
    assert fetch(packed, headers={"content-encoding": encoding}).json() == {"a": 1}


UNKNOWN = ["compress", "rot13", "gzip, br", "utf-8"]


@pytest.mark.parametrize("encoding", sorted(UNKNOWN))
def test_a_packing_that_cannot_be_undone_is_named(encoding: str, fetch: Fetch) -> None:
    error = caught(InvalidAnswer, fetch(b"{}", headers={"content-encoding": encoding}).json)
    assert f"unknown Content-Encoding {encoding!r}" in error.message


@pytest.mark.parametrize("encoding", ["br", "BR", "zstd"])
def test_a_packing_whose_size_has_no_bound_is_refused_whatever_is_installed(
    encoding: str, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(*_: object) -> bytes:
        raise AssertionError("it was decoded")

    monkeypatch.setattr("urllib3.response._get_decoder", decode)  # as if its package were installed
    monkeypatch.setattr(HTTPResponse, "CONTENT_DECODERS", ["gzip", "x-gzip", "deflate", "br", "zstd"])
    error = caught(InvalidAnswer, fetch(b"\x1b" * 758, headers={"content-encoding": encoding}).json)
    assert f"Content-Encoding {encoding.lower()!r}, which is never offered" in error.message


def test_what_is_labelled_gzip_and_is_none_is_an_invalid_answer(fetch: Fetch) -> None:
    error = caught(InvalidAnswer, fetch(b'{"a": 1}', headers={"content-encoding": "gzip"}).json)
    assert "the body is not what its Content-Encoding says" in error.message
    assert error.__cause__ is not None
    stream = fetch(event("a"), "events", headers={"content-encoding": "gzip"}).events()
    caught(InvalidAnswer, lambda: next(stream))


def test_a_packed_body_that_breaks_off_is_no_answer(fetch: Fetch) -> None:
    caught(
        InvalidAnswer, fetch(gzip.compress(b'{"a": "' + b"x" * 999)[:-12], headers={"content-encoding": "gzip"}).json
    )


BROKEN = {
    "short": b"content-length: 99\r\n\r\n[1, ",
    "within a chunk": b"transfer-encoding: chunked\r\n\r\nff\r\n[1, ",
    "between chunks": b"transfer-encoding: chunked\r\n\r\n4\r\n[1, \r\n",
    "no chunk size": b"transfer-encoding: chunked\r\n\r\n4\r\n[1, \r\nZZ\r\n]\r\n",
}


@pytest.mark.parametrize("rest", BROKEN.values(), ids=BROKEN)
def test_a_body_that_breaks_off_is_a_lost_connection(rest: bytes, serve: Serve, open_http: OpenHttp) -> None:
    def script(connection: Connection, _: Received) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + rest)
        connection.sock.close()

    error = caught(ConnectionLost, open_http(serve(script).url).get("/").json)
    assert error.__cause__ is not None
