"""urllib3's connections, with every blocking call bounded by the clock."""

import socket
from typing import Any, Protocol, cast

from urllib3.connection import HTTPConnection

from providers_sdk._http.exchange import current_exchange
from providers_sdk._http.reading import DeadlineResponse

__all__ = ["DeadlineConnection"]


class _HasSocket(Protocol):
    sock: socket.socket | None


class DeadlineConnection(HTTPConnection):
    """Mixed before urllib3's connection classes: bounds sending, notes whether the connection is a reused one."""

    response_class = DeadlineResponse
    _used = False

    @property
    def has_connected_to_proxy(self) -> bool:
        """Whether what fails now is no failure of the proxy: urllib3 forgets it with the socket."""
        return self._used or super().has_connected_to_proxy

    def connect(self) -> None:
        self._used = False
        super().connect()

    def request(self, *args: Any, **kwargs: Any) -> None:
        exchange = current_exchange.get()
        if exchange is not None:
            # a socket alone tells nothing: TLS and proxies connect before the first request
            exchange.reused = self._used and cast(_HasSocket, self).sock is not None
        super().request(*args, **kwargs)
        self._used = True

    def send(self, data: Any) -> None:
        exchange = current_exchange.get()
        sock = cast(_HasSocket, self).sock
        if exchange is not None and sock is not None:
            exchange.apply_timeout(sock)
        super().send(data)
