"""http.client's response, with every read bounded by the clock."""

import io
import socket
from http.client import HTTPResponse
from typing import Any

from providers_sdk._http.exchange import Exchange, current_exchange

__all__ = ["DeadlineResponse"]


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
