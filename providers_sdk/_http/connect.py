"""Connections that this machine opens itself, to one of a host's addresses."""

import socket
from typing import Any

from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from providers_sdk._http.clock import Clock
from providers_sdk._http.connection import DeadlineConnection
from providers_sdk._http.exchange import current_exchange

__all__ = ["DirectConnection"]


class DirectConnection(DeadlineConnection):
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
