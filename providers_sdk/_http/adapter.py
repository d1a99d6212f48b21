"""The wire: requests' adapter whose every blocking call is bounded by the clock of the attempt that makes it.

requests has no total deadline and its read timeout starts anew at every ``recv``. Here the response's raw file asks
the clock before each ``recv``, so that status line, headers, body and trailers all end in time, over TLS and through
proxies too, and without a thread. Name resolution cannot be bounded this way; the clock is asked right after it.
"""

import io
import math
import socket
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any, Protocol, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from providers_sdk._http.clock import Clock

__all__ = ["Exchange", "Session", "WireAdapter", "current_exchange"]


@dataclass(slots=True, eq=False)
class Exchange:
    """One request and its answer on the wire, as far as it has come."""

    clock: Clock
    reused: bool = False
    received: int = 0
    ends: float | None = None

    def bound(self, sock: socket.socket) -> None:
        """Let the next call on ``sock`` block no longer than the clock allows."""
        left = self.clock.left()
        if self.ends is not None:
            left = min(self.ends - self.clock.now(), math.inf if left is None else left)
        if left is not None and left <= 0:
            raise TimeoutError("the clock ran out")
        sock.settimeout(left)


current_exchange: ContextVar[Exchange | None] = ContextVar("providers_sdk_exchange", default=None)
"""The exchange that this thread is about to make; set around ``Session.send``, which connects in the same thread."""


class _WireFile(io.RawIOBase):
    """The response's raw file: each read asks the clock first and counts what came."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, exchange: Exchange) -> None:
        self._raw, self._sock, self._exchange = raw, sock, exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._exchange.bound(self._sock)
        count = self._raw.readinto(buffer)
        self._exchange.received += count or 0
        return count

    def close(self) -> None:
        try:
            self._raw.close()
        finally:
            super().close()


class _WireResponse(HTTPResponse):
    """http.client's response, reading through :class:`_WireFile`."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        exchange = current_exchange.get()
        if exchange is not None:
            raw = self.fp.detach()
            self.fp = io.BufferedReader(_WireFile(raw, sock, exchange))

    def begin(self) -> None:
        """Read the head, and drop what is no header: urllib3 would print it, whatever it holds."""
        super().begin()
        self.msg.defects.clear()
        self.msg.set_payload("")


class _HasSocket(Protocol):
    sock: socket.socket | None


class _WireConnection(HTTPConnection):
    """Mixed before urllib3's connection classes: bounds sending, notes whether the connection is a reused one."""

    response_class = _WireResponse
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
            exchange.bound(sock)
        super().send(data)


class _DirectConnection(_WireConnection):
    """For connections that this machine opens itself: all addresses of a host share one connect limit."""

    def _new_conn(self) -> socket.socket:
        exchange = current_exchange.get()
        if exchange is None:
            return super()._new_conn()
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, 0, socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise NameResolutionError(self.host, self, reason) from error
        return self._first_that_answers(found, exchange.clock)

    def _first_that_answers(self, found: list[Any], clock: Clock) -> socket.socket:
        ends = clock.connect_timeout()
        ends = None if ends is None else clock.now() + ends
        failure: OSError = OSError("the name has no address")
        for family, kind, proto, _, address in found:
            left = None if ends is None else ends - clock.now()
            if left is not None and left <= 0:
                failure = TimeoutError("connecting timed out")
                break
            try:
                sock = _open(family, kind, proto, address, left, self.socket_options)
            except OSError as error:
                failure = error
            else:
                # a TLS handshake follows on this socket: it shares the limit
                sock.settimeout(None if ends is None else max(ends - clock.now(), 0.001))
                return sock
        if isinstance(failure, TimeoutError) and failure.errno is None:  # with one, the system gave up, not the clock
            raise ConnectTimeoutError(self, "connecting timed out") from failure
        raise NewConnectionError(self, f"{failure.strerror or failure}") from failure


def _open(family: int, kind: int, proto: int, address: Any, timeout: float | None, options: Any) -> socket.socket:
    sock = socket.socket(family, kind, proto)
    try:
        for option in options or ():
            sock.setsockopt(*option)
        sock.settimeout(timeout)
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def _wired(pool: type[HTTPConnectionPool], mixin: type[_WireConnection]) -> type[HTTPConnectionPool]:
    connection = type("Wire" + pool.ConnectionCls.__name__, (mixin, pool.ConnectionCls), {})
    return type("Wire" + pool.__name__, (pool,), {"ConnectionCls": connection})


class WireAdapter(HTTPAdapter):
    """requests' adapter with every pool's connections put on the clock; retries are off, that is not its business."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Put the connections of the direct pools on the clock."""
        super().init_poolmanager(*args, **kwargs)
        _wire(self.poolmanager, _DirectConnection)

    def close(self) -> None:
        """Close the idle connections now: urllib3 would wait until nobody refers to their pool any more."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118  the container refuses iteration, being shared by threads
                pool = manager.pools.get(key)
                if pool is not None:
                    pool.close()
        super().close()

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Put the connections of the proxy's pools on the clock."""
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            _wire(manager, _WireConnection if proxy.lower().startswith("socks") else _DirectConnection)
        return manager


def _wire(manager: Any, mixin: type[_WireConnection]) -> None:
    classes = manager.pool_classes_by_scheme.items()
    manager.pool_classes_by_scheme = {scheme: _wired(pool, mixin) for scheme, pool in classes}


class Session(requests.Session):
    """A session that never looks at a redirect: requests would read its whole body into memory."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return ``None``: redirects are this library's business."""
        return None
