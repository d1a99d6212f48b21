"""Faults of the response body: it stalls, breaks off, or is not of the type that it claims."""

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
from providers_sdk.testing.faults.fault import Act, Expected, Kind, NamedFault, find_kind, repeat
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


def _list_pieces(intended: Response) -> list[bytes]:
    return [intended.body] if isinstance(intended.body, bytes) else list(intended.body)


def whole(intended: Response) -> bytes:
    """Return the whole body of the intended response."""
    return b"".join(_list_pieces(intended))


def _take_start(intended: Response) -> bytes:
    """Return the first half of a stream's events or lines, or too little of another body to be parsed."""
    if find_kind(intended) in ("stream", "ndjson"):
        pieces = _list_pieces(intended)
        return b"".join(pieces[: len(pieces) // 2])
    body = whole(intended)
    return body[: min(len(body) // 2, 60)]


def _frame(kind: Kind, data: bytes) -> bytes:
    return {"stream": b"data: " + data + b"\n\n", "ndjson": data + b"\n"}.get(kind, data)


def _make_comment(kind: Kind) -> bytes:
    return {"stream": b": keep-alive\n\n", "ndjson": b"\n", "json": b" ", "page": b"<!-- -->"}[kind]


def _make_empty_delta(kind: Kind) -> bytes:
    return {"stream": text_delta(""), "ndjson": b"{}\n"}.get(kind, b"\n")


def _repeat_piece(piece: Callable[[Kind], bytes], *, midway: bool = False) -> Act:
    def act(connection: Connection, _: Received) -> None:
        send_head(connection)
        if midway:
            connection.send(chunk(_take_start(connection.intended_response)))
        repeat(connection, chunk(piece(find_kind(connection.intended_response))))

    return act


def _send_one_byte_a_second(connection: Connection, _: Received) -> None:
    send_head(connection)
    repeat(connection, chunk(b"x"), every=1.0)


def _stall_midway(connection: Connection, _: Received) -> None:
    send_head(connection)
    connection.send(chunk(_take_start(connection.intended_response)))
    connection.wait_closed()


def _send_start_and(rest: bytes) -> Act:
    """Send the start of the intended body, chunked, then ``rest``, and close."""

    def act(connection: Connection, _: Received) -> None:
        send_head(connection)
        connection.send(chunk(_take_start(connection.intended_response)) + rest)

    return act


def _reset_midway(connection: Connection, received: Received) -> None:
    _send_start_and(b"")(connection, received)
    connection.reset()


def _omit_last_chunk(connection: Connection, _: Received) -> None:
    send_head(connection)
    connection.send(chunk(whole(connection.intended_response)))


def _send_too_little(connection: Connection, _: Received) -> None:
    send_head(connection, {"Content-Length": str(len(whole(connection.intended_response)))})
    connection.send(_take_start(connection.intended_response))


def _close_early(connection: Connection, _: Received) -> None:
    send_head(connection, {"Connection": "close"})
    connection.send(_take_start(connection.intended_response))


def _send_endless_trailers(connection: Connection, _: Received) -> None:
    send_head(connection)
    connection.send(chunk(whole(connection.intended_response)) + b"0\r\n")
    repeat(connection, b"X-Trailer: and more\r\n")


def _send_body(body: Callable[[Connection], bytes], encoding: str | None = None) -> Act:
    """Send the intended response's head and another body."""

    def act(connection: Connection, _: Received) -> None:
        named = {"Content-Encoding": encoding} if encoding else {}
        send_head(connection, {**CHUNKED, **CLOSE, **named})
        connection.send(chunk(body(connection)) + b"0\r\n\r\n")

    return act


def _send_data(data: bytes) -> Act:
    return _send_body(lambda connection: _frame(find_kind(connection.intended_response), data))


def _compress_half(connection: Connection) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(_take_start(connection.intended_response)) + packer.flush(zlib.Z_SYNC_FLUSH)


def _spoil_utf8(connection: Connection) -> bytes:
    body, kind = whole(connection.intended_response), find_kind(connection.intended_response)
    if kind in ("stream", "ndjson"):
        first = text_delta("?") if kind == "stream" else b'{"note": "?"}\n'
        return first.replace(b"?", b"\xff\xfe") + body
    return body + b"\xff" if kind == "page" else body.replace(b'"', b'"\xff', 1)


BODY_FAULTS = (
    NamedFault("stall_midway", "Nothing arrives after the first pieces.", _stall_midway, _IDLE),
    NamedFault(
        "trickle", "One byte at a time, for ever, and never a whole piece.", _repeat_piece(lambda _: b"x"), _LATE
    ),
    NamedFault("one_byte_a_second", "One byte a second, and never a whole piece.", _send_one_byte_a_second, _LATE),
    NamedFault(
        "comments_forever", "Keep-alive comments for ever, and nothing else.", _repeat_piece(_make_comment), _LATE
    ),
    NamedFault(
        "comments_midway",
        "Keep-alive comments for ever after the first pieces.",
        _repeat_piece(_make_comment, midway=True),
        _IDLE,
    ),
    NamedFault(
        "empty_deltas_forever", "Empty deltas for ever, and nothing else.", _repeat_piece(_make_empty_delta), _LATE
    ),
    NamedFault(
        "empty_deltas_midway",
        "Empty deltas for ever after the first pieces.",
        _repeat_piece(_make_empty_delta, midway=True),
        _IDLE,
    ),
    NamedFault("cut_chunk", "The connection is closed within a chunk.", _send_start_and(b"ff\r\ndata: {"), _LOST),
    NamedFault("reset_midway", "The connection is reset after the first pieces.", _reset_midway, _LOST),
    NamedFault(
        "no_last_chunk",
        "The whole answer arrives, and the connection is closed without the last chunk.",
        _omit_last_chunk,
        Expected(stream=None, json=ConnectionLost, page=ConnectionLost),
    ),
    NamedFault("short_length", "The body is shorter than its Content-Length.", _send_too_little, _LOST),
    NamedFault("early_end", "The body ends too early, with a valid last chunk.", _send_start_and(b"0\r\n\r\n"), _CUT),
    NamedFault("early_close", "The connection's end is the body's, and it is too early.", _close_early, _CUT),
    NamedFault("bad_chunk_size", "A chunk's size is no number.", _send_start_and(b"ZZ\r\nabc\r\n"), _LOST),
    NamedFault("negative_chunk_size", "A chunk's size is below zero.", _send_start_and(b"-5\r\nabc\r\n"), _LOST),
    NamedFault(
        "huge_chunk_size", "A chunk claims more bytes than there are.", _send_start_and(b"f" * 18 + b"\r\nabc"), _LOST
    ),
    NamedFault(
        "endless_trailers",
        "After the whole answer, trailers without end.",
        _send_endless_trailers,
        Expected(stream=None, json=DeadlineExceeded, page=FirstTokenTimeout),
    ),
    NamedFault(
        "wrong_gzip",
        "The body is labelled gzip and is none.",
        _send_body(lambda it: whole(it.intended_response), "gzip"),
        _WRONG,
    ),
    NamedFault("cut_gzip", "The body is gzip and breaks off.", _send_body(_compress_half, "gzip"), _CUT),
    NamedFault(
        "unknown_encoding",
        "The Content-Encoding is not known.",
        _send_body(lambda it: whole(it.intended_response), "made-up"),
        _WRONG,
    ),
    NamedFault(
        "invalid_utf8",
        "Bytes that are no UTF-8: read as U+FFFD in a stream or page; JSON with them is none.",
        _send_body(_spoil_utf8),
        Expected(stream=None, json=InvalidAnswer, page=None),
    ),
    NamedFault("invalid_json", "JSON that breaks off.", _send_data(b'{"choices": [{"delta": '), _NO_ANSWER),
    NamedFault("json_list", "A JSON list where an object belongs.", _send_data(b'["text"]'), _NO_ANSWER),
    NamedFault("deep_lists", "JSON of 100 000 nested lists.", _send_data(b"[" * 100_000), _NO_ANSWER),
    NamedFault("deep_objects", "JSON of 100 000 nested objects.", _send_data(b'{"a":' * 100_000), _NO_ANSWER),
    NamedFault(
        "mislabelled_page",
        "A page of HTML with the intended response's content type.",
        _send_body(lambda _: _PAGE),
        _NO_ANSWER,
    ),
)
