"""Faults of the connection and of the response's head."""

import socket

from providers_sdk.errors import (
    ConnectionLost,
    DeadlineExceeded,
    FirstTokenTimeout,
    InvalidAnswer,
    ResponseError,
    TransportError,
)
from providers_sdk.testing.faults.fault import Act, Expected, NamedFault, flood, repeat
from providers_sdk.testing.server import Connection, Received

__all__ = ["CHUNKED", "CLOSE", "HEAD_FAULTS", "send_head"]

CHUNKED = {"Transfer-Encoding": "chunked"}
CLOSE = {"Connection": "close"}
"""For a whole response after which the site closes: else a client may send its next request into the closing."""
_LOST = Expected.all(ConnectionLost)
_LATE = Expected(stream=FirstTokenTimeout, json=DeadlineExceeded, page=FirstTokenTimeout)
_HARMLESS = Expected.all(None)


def send_head(connection: Connection, framing: dict[str, str] | None = None) -> None:
    """Send the head of the intended response, chunked where no other framing is given."""
    connection.send(connection.intended_response.head(CHUNKED if framing is None else framing))


def _reset(connection: Connection, _: Received) -> None:
    connection.reset()


def _do_nothing(connection: Connection, _: Received) -> None:
    return None


def _stall(connection: Connection, _: Received) -> None:
    connection.wait_closed()


def _send_slow_headers(connection: Connection, _: Received) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    repeat(connection, b"z")


def _cut_headers(connection: Connection, _: Received) -> None:
    connection.send(f"HTTP/1.1 {connection.intended_response.status} OK\r\nContent-Ty".encode())


def _reset_after_headers(connection: Connection, _: Received) -> None:
    send_head(connection)
    connection.reset()


def _stall_after_headers(connection: Connection, _: Received) -> None:
    send_head(connection)
    connection.wait_closed()


def _send_bytes(data: bytes) -> Act:
    def act(connection: Connection, _: Received) -> None:
        connection.send(data)

    return act


def _flood_head(start: bytes, piece: bytes) -> Act:
    def act(connection: Connection, _: Received) -> None:
        connection.send(start)
        flood(connection, piece)

    return act


def _send_endless_continue(connection: Connection, _: Received) -> None:
    repeat(connection, b"HTTP/1.1 100 Continue\r\n\r\n")


def _respond_well(connection: Connection) -> None:
    for piece in connection.intended_response.encode():
        connection.send(piece)


def _close_after_response(connection: Connection, _: Received) -> None:
    """Send the end in the segment of the last bytes: a client that has read them sees it before it sends again."""
    if hasattr(socket, "TCP_CORK"):
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    _respond_well(connection)
    connection.sock.shutdown(socket.SHUT_WR)


def _close_when_reused(connection: Connection, _: Received) -> None:
    _respond_well(connection)
    connection.receive()


HEAD_FAULTS = (
    NamedFault("reset_before_headers", "The connection is reset before any byte of the response.", _reset, _LOST),
    NamedFault(
        "closed_before_headers", "The connection is closed before any byte of the response.", _do_nothing, _LOST
    ),
    NamedFault("stall_before_headers", "Nothing arrives, and the connection stays open.", _stall, _LATE),
    NamedFault("slow_headers", "A header that never ends arrives byte by byte.", _send_slow_headers, _LATE),
    NamedFault(
        "cut_headers",
        "The connection is closed within a header, which http.client takes for their end: no type, no body.",
        _cut_headers,
        Expected(stream=InvalidAnswer, json=ResponseError, page=InvalidAnswer),
    ),
    NamedFault("reset_after_headers", "The connection is reset after the headers.", _reset_after_headers, _LOST),
    NamedFault("stall_after_headers", "Nothing arrives after the headers.", _stall_after_headers, _LATE),
    NamedFault("no_http", "HTTP/0.9: a page without a status line.", _send_bytes(b"<html>hello</html>\r\n\r\n"), _LOST),
    NamedFault("no_status", "A status that is no number.", _send_bytes(b"HTTP/1.1 fine thanks\r\n\r\n"), _LOST),
    NamedFault(
        "endless_status_line", "The status line never ends.", _flood_head(b"HTTP/1.1 200 ", b"K" * 65_536), _LOST
    ),
    NamedFault(
        "endless_header", "One header never ends.", _flood_head(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65_536), _LOST
    ),
    NamedFault(
        "endless_headers",
        "Header after header, without end.",
        _flood_head(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n"),
        _LOST,
    ),
    NamedFault(
        "endless_continue",
        "Nothing but 100 Continue, without end; a Python that stops reading those by itself reports a lost connection.",
        _send_endless_continue,
        Expected.all(TransportError),
    ),
    NamedFault(
        "two_lengths",
        "Two Content-Length headers contradict each other.",
        _send_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nseven..."),
        _LOST,
    ),
    NamedFault(
        "closed_between_calls",
        "The answer arrives; then the server closes the connection, which was to be kept.",
        _close_after_response,
        _HARMLESS,
        closes=True,
    ),
    NamedFault(
        "dies_when_reused",
        "The first answer is good; the connection closes once the next request has arrived, perhaps processed.",
        _close_when_reused,
        _LOST,
    ),
)
