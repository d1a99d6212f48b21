"""Endless responses: the client has to stop reading by itself."""

import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache

from providers_sdk.errors import (
    DeadlineExceeded,
    FirstTokenTimeout,
    HTTPStatusError,
    InvalidAnswer,
    TokenPageFailed,
    TooLarge,
)
from providers_sdk.testing.faults.bodies import chunk, text_delta
from providers_sdk.testing.faults.fault import Act, Expected, NamedFault, find_kind, flood
from providers_sdk.testing.faults.heads import CHUNKED, send_head
from providers_sdk.testing.response import Response
from providers_sdk.testing.server import Connection, Received

__all__ = ["FLOOD_FAULTS"]

_TOO_LARGE = Expected.all(TooLarge)
_ERROR = Expected(stream=HTTPStatusError, json=HTTPStatusError, page=TokenPageFailed)
_HTML = {"Content-Type": "text/html; charset=UTF-8"}


def _flood_body(piece: bytes, start: bytes = b"", *, ndjson: bytes = b"") -> Act:
    """Send ``piece`` without end after the intended response's head; ``ndjson`` in its place where that is NDJSON."""

    def act(connection: Connection, _: Received) -> None:
        send_head(connection)
        if start:
            connection.send(chunk(start))
        lines = find_kind(connection.intended_response) == "ndjson"
        flood(connection, chunk(ndjson if lines and ndjson else piece))

    return act


def _flood_page(status: Callable[[Connection], int], headers: Mapping[str, str] = _HTML) -> Act:
    """Send HTML without end."""

    def act(connection: Connection, _: Received) -> None:
        connection.send(Response(status(connection), headers).head(CHUNKED))
        flood(connection, chunk(b"<p>and more</p>" * 1000))

    return act


@lru_cache(maxsize=1)
def _make_bomb() -> tuple[bytes, bytes]:
    """Return the start of a gzip stream, and a kilobyte of it that decodes to a megabyte and may be repeated."""
    packer = zlib.compressobj(wbits=31)
    megabyte = b"a" * 1_000_000
    first = packer.compress(megabyte) + packer.flush(zlib.Z_FULL_FLUSH)
    return first, packer.compress(megabyte) + packer.flush(zlib.Z_FULL_FLUSH)


def _send_gzip_bomb(connection: Connection, _: Received) -> None:
    first, more = _make_bomb()
    send_head(connection, {**CHUNKED, "Content-Encoding": "gzip"})
    connection.send(chunk(first))
    flood(connection, chunk(more))


FLOOD_FAULTS = (
    NamedFault("gzip_bomb", "Gzip that grows a thousandfold, without end.", _send_gzip_bomb, _TOO_LARGE),
    NamedFault("endless_line", "One line without end.", _flood_body(b"a" * 65_536, b"data: "), _TOO_LARGE),
    NamedFault(
        "endless_event",
        "One event of lines without end.",
        _flood_body(b"data: aaaaaaaaaaaaaa\n" * 3000, ndjson=b'["a",' * 9000),
        _TOO_LARGE,
    ),
    NamedFault(
        "endless_deltas",
        "Text without end; max_chars would end it sooner than the deadline does.",
        _flood_body(text_delta("and more ") * 50, ndjson=b'{"note": "and more"}\n' * 200),
        Expected(stream=DeadlineExceeded, json=TooLarge, page=TooLarge),
    ),
    NamedFault(
        "endless_comments",
        "Comments without end, as fast as they are read.",
        _flood_body(b": keep-alive\n\n" * 3000, ndjson=b"\n" * 40_000),
        Expected(stream=FirstTokenTimeout, json=TooLarge, page=TooLarge),
    ),
    NamedFault(
        "endless_page",
        "A page of HTML without end, with a success status.",
        _flood_page(lambda connection: connection.intended_response.status),
        Expected(stream=InvalidAnswer, json=InvalidAnswer, page=TooLarge),
    ),
    NamedFault("endless_error", "Status 500 and a page without end.", _flood_page(lambda _: 500), _ERROR),
    NamedFault(
        "endless_redirect",
        "A redirect whose own body has no end.",
        _flood_page(lambda _: 302, {**_HTML, "Location": "http://elsewhere.invalid/"}),
        _ERROR,
    ),
)
