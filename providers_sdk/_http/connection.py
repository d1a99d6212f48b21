"""urllib3's connections and http.client's response, with every blocking call bounded by the clock."""

import io
import socket
from http.client import HTTPResponse
from typing import Any, Protocol, cast

from urllib3.connection import HTTPConnection

from providers_sdk._http.exchange import Exchange, current_exchange

__all__ = ["DeadlineConnection"]


class DeadlineFile(io.RawIOBase):
    """The response's raw file: each read asks the clock first and counts what came."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, exchange: Exchange) -> None:
        self._raw, self._sock, self._exchange = raw, sock, exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._exchange.apply_timeout(self._sock)
        count = self._raw.readinto(buffer)
        self._exchange.received += count or 0
        return count

    def close(self) -> None:
        try:
            self._raw.close()
        finally:
            super().close()


class DeadlineResponse(HTTPResponse):
    """http.client's response, reading through :class:`DeadlineFile`."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        exchange = current_exchange.get()
        if exchange is not None:
            raw = self.fp.detach()
            self.fp = io.BufferedReader(DeadlineFile(raw, sock, exchange))

    def begin(self) -> None:
        """Read the head, and drop what is no header: urllib3 would print it, whatever it holds."""
        super().begin()
        self.msg.defects.clear()
        self.msg.set_payload("")


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
