"""Opens sockets so that all addresses of a host share one connect limit."""

import socket
import sys
from typing import Any

from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

from providers_sdk._http.connection import DeadlineConnection
from providers_sdk._http.exchange import Exchange, current_exchange

__all__ = ["DirectConnection"]


class DirectConnection(DeadlineConnection):
    """Opens its socket itself: urllib3's ``create_connection`` gives the whole timeout to each address."""

    def _new_conn(self) -> socket.socket:
        exchange = current_exchange.get()
        if exchange is None:
            return super()._new_conn()
        sys.audit("http.client.connect", self, self.host, self.port)
        return self._connect_to_any(self._resolve(), exchange)

    def _resolve(self) -> list[Any]:
        try:
            return socket.getaddrinfo(self._dns_host, self.port, allowed_gai_family(), socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise NameResolutionError(self.host, self, reason) from error

    def _connect_to_any(self, addresses: list[Any], exchange: Exchange) -> socket.socket:
        failure: OSError = OSError("the name has no address")
        for family, kind, proto, _, address in addresses:
            try:
                return self._open_socket((family, kind, proto), address, exchange)
            except OSError as error:
                failure = error
        raise self._connect_error(failure) from failure

    def _connect_error(self, failure: OSError) -> ConnectTimeoutError:
        if isinstance(failure, TimeoutError) and failure.errno is None:  # with one, the system gave up, not the clock
            return ConnectTimeoutError(self, "connecting timed out")
        return NewConnectionError(self, f"{failure.strerror or failure}")

    def _open_socket(self, kind: tuple[int, int, int], address: Any, exchange: Exchange) -> socket.socket:
        sock = socket.socket(*kind)
        try:
            for option in self.socket_options or ():
                sock.setsockopt(*option)
            if self.source_address:
                sock.bind(self.source_address)
            exchange.apply_timeout(sock)
            sock.connect(address)
            exchange.apply_timeout(sock)
        except BaseException:
            sock.close()
            raise
        return sock
