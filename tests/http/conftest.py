"""For the transport's tests: raw servers that follow a script, and an ``Http`` that talks to them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from providers_sdk import Limits
from providers_sdk._http.client import Http, HttpSession
from providers_sdk._http.clock import Clock
from providers_sdk._http.response import HttpResponse
from providers_sdk.testing import Connection, RawServer, Received, Response, TLSServer

Script = Callable[[Connection, Received], object]


class Scripted(RawServer):
    """Does what its script says with each request, one after the other on each connection."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self._script = script

    def serve(self, connection: Connection) -> None:
        while (received := connection.receive()) is not None:
            self.requests.append(received)
            self._script(connection, received)


class ScriptedTLS(TLSServer, Scripted):
    """The same in TLS."""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def serve(stack: ExitStack) -> Callable[[Script], RawServer]:
    """Start a server that follows a script."""
    return lambda script: stack.enter_context(Scripted(script))


@pytest.fixture
def serve_tls(stack: ExitStack) -> Callable[..., TLSServer]:
    """Start a server that follows a script in TLS."""
    return lambda script, **given: stack.enter_context(ScriptedTLS(script, **given))


@pytest.fixture
def open_http(stack: ExitStack) -> Callable[..., Http]:
    """Make an ``Http`` for an address; limits are given by name, the rest goes to the pool."""

    def make(url: str, *, pool: HttpSession | None = None, started: float | None = None, **given: Any) -> Http:
        limits = {
            name: given.pop(name) for name in list(given) if name in {"connect", "first_token", "idle", "deadline"}
        }
        if pool is None:
            pool = HttpSession(**given)
            stack.callback(pool.close)
        http = Http(pool, Clock(Limits(**limits), started=started), url)
        stack.callback(http.close)
        return http

    return make


TYPES = {"json": "application/json", "events": "text/event-stream", "page": "text/html", "text": "text/plain"}


@pytest.fixture
def fetch(serve: Callable[[Script], RawServer], open_http: Callable[..., Http]) -> Callable[..., HttpResponse]:
    """Serve one answer to whoever asks, and return it as the transport gives it."""

    def get(
        body: bytes | Iterable[bytes] = b"", kind: str = "json", *, status: int = 200, **given: Any
    ) -> HttpResponse:
        headers = {"content-type": TYPES.get(kind, kind), **given.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        response = Response(status, headers, body, given.pop("framing", "chunked"))

        def script(connection: Connection, _: Received) -> None:
            for piece in response.encode():
                connection.send(piece)
            if response.framing == "close":
                connection.sock.close()

        return open_http(serve(script).url, **given).get("/")

    return get


@pytest.fixture
def says() -> Callable[..., Script]:
    """Make a script that says the same bytes to every request."""

    def make(*pieces: bytes) -> Script:
        return lambda connection, _: send_all(connection, pieces)

    return make


def send_all(connection: Connection, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        connection.send(piece)
