"""The class of a fault: a name, what happens, and how a client must end."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Literal

from providers_sdk.errors import ProviderError
from providers_sdk.testing.fake_service import FakeService
from providers_sdk.testing.response import Response
from providers_sdk.testing.server import Connection, RawServer, Received

__all__ = ["Act", "Expected", "FaultSetup", "Kind", "NamedFault", "find_kind", "flood", "inject", "repeat"]

Act = Callable[[Connection, Received], None]
Kind = Literal["stream", "ndjson", "json", "page"]
"""What a fault spoils: an event stream, newline-delimited JSON, a JSON response, or the page that holds the tokens."""

_MARKS: Mapping[str, Kind] = {"event-stream": "stream", "ndjson": "ndjson", "html": "page"}
_FOR_EVER = 20.0
_BEAT = 0.02
_MOST = 512_000_000


@dataclass(frozen=True, slots=True)
class Expected:
    """The class of error that a client must end with; ``None`` where the answer must arrive anyway.

    :param stream: where the fault spoils an event stream, or newline-delimited JSON.
    :param json: where it spoils a JSON response.
    :param page: where it spoils the page that holds the tokens.
    """

    stream: type[ProviderError] | None
    json: type[ProviderError] | None
    page: type[ProviderError] | None

    @classmethod
    def all(cls, kind: type[ProviderError] | None) -> "Expected":
        """Return the same end for every kind of response."""
        return cls(kind, kind, kind)

    def of(self, kind: Kind) -> type[ProviderError] | None:
        """Return the class for one kind of response."""
        return {"stream": self.stream, "ndjson": self.stream, "json": self.json, "page": self.page}[kind]


@dataclass(frozen=True, slots=True)
class FaultSetup:
    """How a client reaches a service behind a fault.

    :param url: the service's address.
    :param proxy: the proxy's, empty for none.
    :param ca: a file with the certificate authority that the client is to trust.
    :param servers: those between client and service.
    """

    url: str
    proxy: str = ""
    ca: str | None = None
    servers: tuple[RawServer, ...] = ()


@dataclass(frozen=True, slots=True)
class NamedFault:
    """One fault; called with a connection and the request on it, it replaces the response.

    :param name: its name, an identifier.
    :param about: what happens, in a sentence.
    :param act: replaces the response ``connection.intended_response``.
    :param ends: how a client must end that has a limit for the first piece, for idleness and for everything.
    :param arrange: for a fault that replaces no response: sets it up around a running site.
    :param closes: whether the site closes the connection after a good response: the next question waits until it has.
    """

    name: str
    about: str
    act: Act | None
    ends: Expected
    arrange: Callable[[FakeService], AbstractContextManager[FaultSetup]] | None = None
    closes: bool = False

    def __call__(self, connection: Connection, received: Received) -> None:
        """Replace the response.

        :raises TypeError: the fault replaces no response.
        """
        if self.act is None:
            raise TypeError(f"the fault {self.name} replaces no response; set it up with inject()")
        self.act(connection, received)


@contextmanager
def inject(fault: NamedFault, site: FakeService, *, route: tuple[str, str] | None = None) -> Iterator[FaultSetup]:
    """Run ``site`` with the fault in place; yield how a client reaches it.

    :param route: method and path of the requests that it affects, where these are not those of the answer:
        ``("GET", "")`` for the page that holds the tokens.
    """
    with site:
        if fault.arrange is not None:
            with fault.arrange(site) as setup:
                yield setup
        else:
            site.fault, site.fault_route = fault, route or site.reply_route
            yield FaultSetup(site.url)


def find_kind(intended: Response) -> Kind:
    """Return the kind of the response ``intended``."""
    media = {name.lower(): value for name, value in intended.headers.items()}.get("content-type", "")
    return next((kind for mark, kind in _MARKS.items() if mark in media), "json")


def repeat(connection: Connection, piece: bytes, *, every: float = _BEAT) -> None:
    """Send ``piece`` again and again, slowly, until the client leaves or 20 seconds have passed."""
    ends = time.monotonic() + _FOR_EVER
    while time.monotonic() < ends:
        connection.send(piece)
        if connection.wait_closed(every):
            return


def flood(connection: Connection, piece: bytes) -> None:
    """Send ``piece`` again and again, as fast as the client reads, until it leaves, or 20 seconds or 512 MB passed."""
    ends = time.monotonic() + _FOR_EVER
    for _ in range(_MOST // len(piece)):
        connection.send(piece)
        if time.monotonic() > ends:
            return
