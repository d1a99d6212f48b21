"""urllib3's connections with every blocking call bounded by the clock; kept only if no unread bytes are left.

http.client sends the head of a request by itself, and its body after that. Here the head waits for the start of the
body and goes out with it: one system call and one packet less, and a server that reads both at once.
"""

import errno
import socket
import ssl
from contextlib import nullcontext
from typing import Any, Protocol, cast

from urllib3.connection import HTTPConnection

from providers_sdk._http.exchange import current_exchange
from providers_sdk._http.reading import DeadlineResponse

__all__ = ["DeadlineConnection"]

_MOST_JOINED = 65_536  # a longer piece of the body is not copied to stand behind the head


class _HasSocket(Protocol):
    sock: socket.socket | None


class DeadlineConnection(HTTPConnection):
    """Mixed before urllib3's connection classes: bounds sending, notes whether the connection is a reused one."""

    _response: DeadlineResponse | None = None
    _used = False
    _head: bytes | None = None
    """What is held back of a request: its head, ``b""`` until that is there, ``None`` where nothing is held back."""

    def response_class(self, *args: Any, **kwargs: Any) -> DeadlineResponse:  # type: ignore[override]
        """Return a new response, as the class in this place would."""
        self._response = DeadlineResponse(*args, **kwargs)
        return self._response

    @property
    def has_connected_to_proxy(self) -> bool:
        """Whether the proxy was reached; urllib3 resets it on close, and would blame the proxy for what fails later."""
        return self._used or super().has_connected_to_proxy

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open and nothing can be read from it: those bytes belong to no request."""
        return super().is_connected and not _has_pending(cast(_HasSocket, self).sock)

    @property
    def is_reusable(self) -> bool:
        """Whether the last response was read to its end and nothing came after it."""
        return self.is_connected and not (self._response is not None and self._response.has_surplus)

    def connect(self) -> None:
        """Connect; a tunnel through a proxy and the TLS handshake share the connect limit."""
        self._used = False
        exchange = current_exchange.get()
        with exchange.connecting() if exchange is not None else nullcontext():
            super().connect()
        self._apply_timeout()  # what is sent next has more time than connecting had

    def _new_conn(self) -> socket.socket:
        self.sock = super()._new_conn()  # closed with the connection if no time is left
        self._apply_timeout()
        return self.sock

    def _tunnel(self) -> None:
        super()._tunnel()
        self._apply_timeout()  # the TLS handshake has what the tunnel has left

    def _apply_timeout(self) -> None:
        exchange, sock = current_exchange.get(), cast(_HasSocket, self).sock
        if exchange is not None and sock is not None:
            exchange.apply_timeout(sock)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request."""
        exchange = current_exchange.get()
        if exchange is not None:
            # a socket is no sign of reuse: TLS and proxies connect before the first request
            exchange.reused = self._used and cast(_HasSocket, self).sock is not None
        self._head = b""
        try:
            super().request(*args, **kwargs)
        finally:
            head, self._head = self._head, None
        if head:  # there was no body
            self._transmit(head)
        self._used = True

    def getresponse(self) -> Any:
        """Receive the response's head; close the response if urllib3 refuses it, or its file keeps the socket open."""
        try:
            return super().getresponse()
        except BaseException:
            if self._response is not None:
                self._response.close()
            raise

    def send(self, data: Any) -> None:
        """Send bytes, within the time that is left; the head of a request with what comes next."""
        if self._head == b"":
            self._head = data
            return
        head, self._head = self._head, None
        if head and len(data) > _MOST_JOINED:
            self._transmit(head)
        elif head:
            data = b"".join((head, data))
        self._transmit(data)

    def _transmit(self, data: Any) -> None:
        exchange = current_exchange.get()
        sock = cast(_HasSocket, self).sock
        if exchange is None or sock is None:
            super().send(data)
            return
        exchange.apply_timeout(sock)
        failure = self._try_to_send(data)
        if failure is not None:
            exchange.write_failed = True
            raise failure

    def _try_to_send(self, data: Any) -> OSError | None:
        try:
            super().send(data)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            # the peer is gone; as an SSLError it would pass for a failed handshake
            return ConnectionResetError(errno.ECONNRESET, "the peer closed the connection")
        except OSError as failure:
            return failure
        return None


def _has_pending(sock: Any) -> bool:
    """Whether TLS holds decrypted bytes that nobody has read: ``select`` does not see them."""
    pending = getattr(sock, "pending", None)
    return pending is not None and pending() > 0
