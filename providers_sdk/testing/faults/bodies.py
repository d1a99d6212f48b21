"""Faults of the answer's body: it stalls, breaks off, or is not what it claims to be."""

import zlib
from collections.abc import Callable

from providers_sdk.errors import (
    ConnectionLost,
    DeadlineExceeded,
    FirstTokenTimeout,
    IdleTimeout,
    InvalidAnswer,
    StreamTruncated,
    TokensNotFound,
)
from providers_sdk.testing.fake_service import event
from providers_sdk.testing.faults.fault import Act, Expected, Kind, NamedFault, kind_of_answer, repeat
from providers_sdk.testing.faults.heads import CHUNKED, CLOSE, send_head
from providers_sdk.testing.response import Response
from providers_sdk.testing.server import Connection, Received

__all__ = ["BODY_FAULTS", "chunk", "text_delta", "whole"]

_LOST = Expected.all(ConnectionLost)
_LATE = Expected(stream=FirstTokenTimeout, json=DeadlineExceeded, page=FirstTokenTimeout)
_IDLE = Expected(stream=IdleTimeout, json=DeadlineExceeded, page=FirstTokenTimeout)
_CUT = Expected(stream=StreamTruncated, json=InvalidAnswer, page=TokensNotFound)
_WRONG = Expected.all(InvalidAnswer)
_NO_ANSWER = Expected(stream=InvalidAnswer, json=InvalidAnswer, page=TokensNotFound)
_PAGE = b"<html><head><title>Welcome</title></head><body>Nothing to see here.</body></html>"


def text_delta(text: str) -> bytes:
    """Return the event of one delta."""
    return event({"choices": [{"index": 0, "delta": {"content": text}}]})


def chunk(data: bytes) -> bytes:
    """Return ``data`` as one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _pieces(good: Response) -> list[bytes]:
    return [good.body] if isinstance(good.body, bytes) else list(good.body)


def whole(good: Response) -> bytes:
    """Return the whole body of the good answer."""
    return b"".join(_pieces(good))


def _start(good: Response) -> bytes:
    """Return the first half of a stream's events, or so little of another body that nothing can be made of it."""
    if kind_of_answer(good) == "stream":
        pieces = _pieces(good)
        return b"".join(pieces[: len(pieces) // 2])
    body = whole(good)
    return body[: min(len(body) // 2, 60)]


def _said(kind: Kind, data: bytes) -> bytes:
    return b"data: " + data + b"\n\n" if kind == "stream" else data


def _comment(kind: Kind) -> bytes:
    return {"stream": b": keep-alive\n\n", "json": b" ", "page": b"<!-- -->"}[kind]


def _empty_delta(kind: Kind) -> bytes:
    return text_delta("") if kind == "stream" else b"\n"


def _repeats(piece: Callable[[Kind], bytes], *, midway: bool = False) -> Act:
    def act(connection: Connection, _: Received) -> None:
        send_head(connection)
        if midway:
            connection.send(chunk(_start(connection.intended_response)))
        repeat(connection, chunk(piece(kind_of_answer(connection.intended_response))))

    return act


def _one_byte_a_second(connection: Connection, _: Received) -> None:
    send_head(connection)
    repeat(connection, chunk(b"x"), every=1.0)


def _stall_midway(connection: Connection, _: Received) -> None:
    send_head(connection)
    connection.send(chunk(_start(connection.intended_response)))
    connection.wait_closed()


def _then(rest: bytes) -> Act:
    """Send the start of the good body, chunked, then ``rest``, and close."""

    def act(connection: Connection, _: Received) -> None:
        send_head(connection)
        connection.send(chunk(_start(connection.intended_response)) + rest)

    return act


def _reset_midway(connection: Connection, received: Received) -> None:
    _then(b"")(connection, received)
    connection.reset()


def _no_last_chunk(connection: Connection, _: Received) -> None:
    send_head(connection)
    connection.send(chunk(whole(connection.intended_response)))


def _short_length(connection: Connection, _: Received) -> None:
    send_head(connection, {"Content-Length": str(len(whole(connection.intended_response)))})
    connection.send(_start(connection.intended_response))


def _early_close(connection: Connection, _: Received) -> None:
    send_head(connection, {"Connection": "close"})
    connection.send(_start(connection.intended_response))


def _endless_trailers(connection: Connection, _: Received) -> None:
    send_head(connection)
    connection.send(chunk(whole(connection.intended_response)) + b"0\r\n")
    repeat(connection, b"X-Trailer: and more\r\n")


def _says(body: Callable[[Connection], bytes], encoding: str | None = None) -> Act:
    """Answer with the good answer's head and another body."""

    def act(connection: Connection, _: Received) -> None:
        named = {"Content-Encoding": encoding} if encoding else {}
        send_head(connection, {**CHUNKED, **CLOSE, **named})
        connection.send(chunk(body(connection)) + b"0\r\n\r\n")

    return act


def _says_data(data: bytes) -> Act:
    return _says(lambda connection: _said(kind_of_answer(connection.intended_response), data))


def _half_gzip(connection: Connection) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(_start(connection.intended_response)) + packer.flush(zlib.Z_SYNC_FLUSH)


def _not_utf8(connection: Connection) -> bytes:
    body, kind = whole(connection.intended_response), kind_of_answer(connection.intended_response)
    if kind == "stream":
        return text_delta("?").replace(b"?", b"\xff\xfe") + body
    return body + b"\xff" if kind == "page" else body.replace(b'"', b'"\xff', 1)


BODY_FAULTS = (
    NamedFault("stall_midway", "Nothing more comes after the first pieces.", _stall_midway, _IDLE),
    NamedFault("trickle", "One byte at a time, for ever, and never a whole piece.", _repeats(lambda _: b"x"), _LATE),
    NamedFault("one_byte_a_second", "One byte a second, and never a whole piece.", _one_byte_a_second, _LATE),
    NamedFault("comments_forever", "Keep-alive comments for ever, and nothing else.", _repeats(_comment), _LATE),
    NamedFault(
        "comments_midway",
        "Keep-alive comments for ever after the first pieces.",
        _repeats(_comment, midway=True),
        _IDLE,
    ),
    NamedFault("empty_deltas_forever", "Empty deltas for ever, and nothing else.", _repeats(_empty_delta), _LATE),
    NamedFault(
        "empty_deltas_midway",
        "Empty deltas for ever after the first pieces.",
        _repeats(_empty_delta, midway=True),
        _IDLE,
    ),
    NamedFault("cut_chunk", "The connection is closed within a chunk.", _then(b"ff\r\ndata: {"), _LOST),
    NamedFault("reset_midway", "The connection is reset after the first pieces.", _reset_midway, _LOST),
    NamedFault(
        "no_last_chunk",
        "The whole answer comes, and the connection is closed without the last chunk.",
        _no_last_chunk,
        Expected(stream=None, json=ConnectionLost, page=ConnectionLost),
    ),
    NamedFault("short_length", "The body is shorter than its Content-Length.", _short_length, _LOST),
    NamedFault("early_end", "The body ends too early, but properly.", _then(b"0\r\n\r\n"), _CUT),
    NamedFault("early_close", "The connection's end is the body's, and it comes too early.", _early_close, _CUT),
    NamedFault("bad_chunk_size", "A chunk's size is no number.", _then(b"ZZ\r\nabc\r\n"), _LOST),
    NamedFault("negative_chunk_size", "A chunk's size is below zero.", _then(b"-5\r\nabc\r\n"), _LOST),
    NamedFault("huge_chunk_size", "A chunk claims more bytes than there are.", _then(b"f" * 18 + b"\r\nabc"), _LOST),
    NamedFault(
        "endless_trailers",
        "After the whole answer, trailers without end.",
        _endless_trailers,
        Expected(stream=None, json=DeadlineExceeded, page=FirstTokenTimeout),
    ),
    NamedFault(
        "wrong_gzip",
        "The body is labelled gzip and is none.",
        _says(lambda it: whole(it.intended_response), "gzip"),
        _WRONG,
    ),
    NamedFault("cut_gzip", "The body is gzip and breaks off.", _says(_half_gzip, "gzip"), _CUT),
    NamedFault(
        "unknown_encoding",
        "The Content-Encoding is not known.",
        _says(lambda it: whole(it.intended_response), "made-up"),
        _WRONG,
    ),
    NamedFault(
        "invalid_utf8",
        "Bytes that are no UTF-8: read as U+FFFD in a stream or page; JSON with them is none.",
        _says(_not_utf8),
        Expected(stream=None, json=InvalidAnswer, page=None),
    ),
    NamedFault("invalid_json", "JSON that breaks off.", _says_data(b'{"choices": [{"delta": '), _NO_ANSWER),
    NamedFault("json_list", "A JSON list where an object belongs.", _says_data(b'["text"]'), _NO_ANSWER),
    NamedFault("deep_lists", "JSON of 100 000 nested lists.", _says_data(b"[" * 100_000), _NO_ANSWER),
    NamedFault("deep_objects", "JSON of 100 000 nested objects.", _says_data(b'{"a":' * 100_000), _NO_ANSWER),
    NamedFault(
        "mislabelled_page", "A page of HTML under the answer's own content type.", _says(lambda _: _PAGE), _NO_ANSWER
    ),
)
