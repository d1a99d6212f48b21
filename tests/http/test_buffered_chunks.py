"""All HTTP chunks that lie in the buffer are taken at once: the same bytes as http.client gives, and never waiting."""

import gzip
import http.client
import io
import itertools
import threading
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers_sdk._http.reading import DeadlineResponse
from providers_sdk.testing import Connection, Received, event
from providers_sdk.testing.faults.bodies import chunk
from tests.http.steps import CHUNKED, PATIENCE, OpenHttp, Serve, run_steps, send

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


class WouldWait(Exception):
    """Nothing more was received."""


class Wire(io.RawIOBase):
    """What arrives, a piece for each ``recv``; after the last one a read would wait."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = [piece for piece in pieces if piece]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.pieces:
            raise WouldWait
        piece = self.pieces.pop(0)
        size = min(len(buffer), len(piece))
        buffer[:size] = piece[:size]
        self.pieces[:0] = [piece[size:]] if size < len(piece) else []
        return size


class Socket:
    """A socket that is read from only."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.wire = Wire(pieces)

    def makefile(self, *_: object) -> io.BufferedReader:
        return io.BufferedReader(self.wire)


def read(kind: type[http.client.HTTPResponse], pieces: Iterable[bytes]) -> tuple[list[bytes], str]:
    """Return the pieces of the body until its end, until a read would wait, or until it breaks; and which it was."""
    response = kind(Socket(pieces))  # type: ignore[arg-type]
    found: list[bytes] = []
    try:
        response.begin()
        while piece := response.read1(65_536):
            found.append(piece)
    except WouldWait:
        return found, "would wait"
    except (http.client.HTTPException, ValueError):
        return found, "broken"
    return found, "end"


def cut(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    ends = [0, *sorted({min(at, len(data)) for at in cuts}), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(ends)]


def extended(data: bytes) -> bytes:
    return f"{len(data):x};name=value\r\n".encode() + data + b"\r\n"


def padded(data: bytes) -> bytes:
    return f"{len(data):08X}\r\n".encode() + data + b"\r\n"


def bare(data: bytes) -> bytes:
    return f"{len(data):x}\n".encode() + data + b"\r\n"


ENDS = [b"0\r\n\r\n", b"0\r\nx: y\r\nz: 1\r\n\r\n", b"", b"zz\r\n", b"5\r\nab", b"0"]
bodies = st.lists(
    st.tuples(
        st.sampled_from([chunk, extended, padded, bare]), st.binary(min_size=1, max_size=40) | st.just(b"\r\n1\r\n")
    ),
    max_size=12,
).map(lambda rows: b"".join(encode(data) for encode, data in rows))


@given(bodies, st.sampled_from(ENDS), st.lists(st.integers(0, 600), max_size=8))
def test_any_chunks_cut_anywhere_give_the_same_bytes_and_end_as_http_client_gives(
    body: bytes, end: bytes, cuts: list[int]
) -> None:
    pieces = cut(HEAD + body + end, cuts)
    for many in range(1, len(pieces) + 1):
        ours, theirs = read(DeadlineResponse, pieces[:many]), read(http.client.HTTPResponse, pieces[:many])
        assert (b"".join(ours[0]), ours[1]) == (b"".join(theirs[0]), theirs[1])


def test_every_prefix_of_what_is_sent_gives_all_that_it_holds_without_waiting() -> None:
    data = HEAD + chunk(b"one") + chunk(b"two") * 3 + extended(b"three") + chunk(b"four") + b"0\r\nx: y\r\n\r\n"
    for end in range(len(data)):
        ours, theirs = read(DeadlineResponse, [data[:end]]), read(http.client.HTTPResponse, [data[:end]])
        assert (b"".join(ours[0]), ours[1]) == (b"".join(theirs[0]), theirs[1])


def test_after_the_first_chunk_those_that_are_there_are_one_piece_and_no_larger_than_was_asked_for() -> None:
    assert read(DeadlineResponse, [HEAD + chunk(b"data") * 100 + b"0\r\n\r\n"]) == ([b"data", b"data" * 99], "end")
    response = DeadlineResponse(Socket([HEAD + chunk(b"data") * 100]))  # type: ignore[arg-type]
    response.begin()
    assert [len(response.read1(10)) for _ in range(3)] == [4, 8, 8]


@pytest.mark.parametrize("after", [b"", b"4", b"40\r\nd", b"0\r\n", b"0\r\nx: y\r\n"], ids=repr)
def test_an_event_is_delivered_while_what_follows_it_is_not_there(
    after: bytes, serve: Serve, open_http: OpenHttp
) -> None:
    delivered = threading.Event()

    def script(connection: Connection, _: Received) -> None:
        connection.send(CHUNKED + chunk(event("a")) + chunk(event("b")) + after)
        assert delivered.wait(PATIENCE)  # nothing more until the client has both events

    stream = open_http(serve(script).url).post("/").events()
    assert [next(stream).data, next(stream).data] == ["a", "b"]
    delivered.set()


def test_packed_chunks_that_arrive_together_are_unpacked(serve: Serve, open_http: OpenHttp) -> None:
    packed = gzip.compress(b"".join(event(f"{number}") for number in range(500)) + event("[DONE]"))
    head = CHUNKED.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n")
    body = b"".join(chunk(packed[start : start + 7]) for start in range(0, len(packed), 7))
    site = serve(run_steps(send(head, body, b"0\r\n\r\n")))
    http = open_http(site.url)
    for _ in range(2):
        assert len(list(http.post("/").events())) == 501
    assert site.connections == 1


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"0\r\nx: y\r\n\r\n"], ids=repr)
def test_a_connection_is_kept_after_chunks_that_arrived_together(end: bytes, serve: Serve, open_http: OpenHttp) -> None:
    site = serve(run_steps(send(CHUNKED, chunk(event("a")) * 50 + chunk(event("[DONE]")), end)))
    http = open_http(site.url)
    for _ in range(3):
        assert len(list(http.post("/").events())) == 51
    assert (site.connections, len(site.requests)) == (1, 3)
