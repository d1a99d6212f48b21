"""Steps that a scripted server takes on one connection, and the constants that the transport's tests share."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from providers_sdk._http.client import Http
from providers_sdk.testing import Connection, RawServer, Received, TLSServer
from providers_sdk.testing.faults.fault import flood, repeat

PATIENCE = 30.0
SLACK = 5.0  # a busy machine's; without the limit that a test sets, the next one ends much later
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
CHUNKED = STREAM + b"transfer-encoding: chunked\r\n\r\n"
OpenHttp = Callable[..., Http]
Serve = Callable[..., RawServer]
ServeTLS = Callable[..., TLSServer]
Step = Callable[[Connection], object]


@contextmanager
def assert_within(seconds: float) -> Iterator[None]:
    """Fail unless the block ends within ``seconds``."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


def send(*pieces: bytes) -> Step:
    """Return a step that sends ``pieces`` at once."""
    return lambda connection: connection.send(b"".join(pieces))


def send_slowly(piece: bytes) -> Step:
    """Return a step that sends ``piece`` every 20 ms until the client closes."""
    return lambda connection: repeat(connection, piece)


def send_endlessly(piece: bytes) -> Step:
    """Return a step that sends ``piece`` without a pause until the client closes."""
    return lambda connection: flood(connection, piece)


def wait_for_close(connection: Connection) -> None:
    """Send nothing until the client closes."""
    connection.wait_closed(PATIENCE)


def receive_byte(connection: Connection) -> None:
    """Wait for the first byte that the client sends."""
    connection.sock.recv(1)


def close(connection: Connection) -> None:
    """Close both directions."""
    connection.sock.shutdown(socket.SHUT_RDWR)


def reset(connection: Connection) -> None:
    """Close with a TCP reset."""
    connection.reset()


def run_steps(*steps: Step) -> Callable[[Connection, Received], None]:
    """Return a script that takes ``steps`` one after the other for each request."""

    def script(connection: Connection, _: Received) -> None:
        for step in steps:
            step(connection)

    return script
