"""Faults between client and service: nobody listens, TLS fails, a proxy refuses or dies."""

import base64
import select
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from providers_sdk.errors import ConnectFailed, ConnectionLost, ConnectTimeout, ProxyFailed, TLSFailed
from providers_sdk.testing.fake_service import FakeService, html
from providers_sdk.testing.faults.fault import Expected, FaultSetup, NamedFault
from providers_sdk.testing.server import Connection, RawServer, Received

if TYPE_CHECKING:
    import trustme

__all__ = ["PEER_FAULTS", "ProxyServer", "TLSServer"]

_PATIENCE = 30.0
_HERE = ("127.0.0.1", "localhost")
_PASSWORD_WANTED = html("<title>Proxy</title>", status=407, headers={"Proxy-Authenticate": 'Basic realm="proxy"'})


class TLSServer(RawServer):
    """Speaks TLS; put it before a fake service class to make that speak TLS. Needs ``trustme``.

    :param names: the hosts in its certificate.
    """

    def __init__(self, *args: Any, names: tuple[str, ...] = _HERE, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.__context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _get_authority().issue_cert(*names).configure_cert(self.__context)
        self.__folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def ca(self) -> str:
        """A file with the authority that signed the certificate."""
        if self.__folder is None:
            raise RuntimeError("the server is not started; use it in a with block")
        return str(Path(self.__folder.name) / "ca.pem")

    @property
    def url(self) -> str:
        """The server's address, such as ``https://127.0.0.1:40123``."""
        return "https://{}:{}".format(*self.address)

    def wrap(self, sock: socket.socket) -> socket.socket:
        """Return ``sock`` in TLS; the handshake comes with the first read."""
        return self.__context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)

    def start(self) -> Self:
        """Listen; return the server itself."""
        self.__folder = tempfile.TemporaryDirectory()
        _get_authority().cert_pem.write_to_path(self.ca)
        return super().start()

    def close(self) -> None:
        """Stop listening, cut every connection, remove the file. Closing twice is a no-op."""
        super().close()
        if self.__folder is not None:
            self.__folder.cleanup()


_authority_lock = threading.Lock()


def _get_authority() -> "trustme.CA":
    with _authority_lock:  # the cache alone lets two threads make one each
        return _make_authority()


@lru_cache(maxsize=1)
def _make_authority() -> "trustme.CA":
    import trustme  # of the extra 'test': only tests of TLS need it

    return trustme.CA()


class _TLSFront(TLSServer):
    """Speaks TLS in front of a site."""

    def __init__(self, site: FakeService, *, names: tuple[str, ...] = _HERE) -> None:
        super().__init__(names=names)
        self.__site = site

    def serve(self, connection: Connection) -> None:
        self.__site.serve(connection)


class _Silent(RawServer):
    """Accepts, and sends nothing."""

    def serve(self, connection: Connection) -> None:
        connection.wait_closed()


class ProxyServer(RawServer):
    """A proxy: forwards requests, and opens a tunnel on CONNECT. It records a connection's first request.

    :param credentials: ``"user:password"`` that it demands.
    :param cut_after: bytes of responses after which it resets a connection.
    """

    def __init__(self, *, credentials: str | None = None, cut_after: int | None = None) -> None:
        super().__init__()
        self.__wanted = None if credentials is None else "Basic " + base64.b64encode(credentials.encode()).decode()
        self.__cut_after = cut_after

    def serve(self, connection: Connection) -> None:
        """Serve one connection to its end."""
        received = connection.receive()
        if received is None:
            return
        self.requests.append(received)
        if self.__wanted not in (None, received.headers.get("proxy-authorization")):
            connection.send(b"".join(_PASSWORD_WANTED.encode()))
            return
        tunnel = received.method == "CONNECT"
        place = urlsplit(f"//{received.target}" if tunnel else received.target)
        with socket.create_connection((place.hostname, place.port or 80), timeout=_PATIENCE) as upstream:
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tunnel:
                connection.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                upstream.sendall(_encode_request(received))
            self.__forward(connection, upstream)

    def __forward(self, connection: Connection, upstream: socket.socket) -> None:
        """Forward bytes both ways until one side closes."""
        left = self.__cut_after
        while ready := select.select([connection.sock, upstream], [], [], _PATIENCE)[0]:
            for source in ready:
                data = source.recv(65_536)
                if not data:
                    return
                if source is not upstream:
                    upstream.sendall(data)
                    continue
                connection.send(data[:left])
                left = None if left is None else left - len(data)
                if left is not None and left <= 0:
                    connection.reset()
                    return


def _encode_request(received: Received) -> bytes:
    kept = [f"{name}: {value}" for name, value in received.headers.items() if not name.startswith("proxy-")]
    head = "\r\n".join([f"{received.method} {received.target} HTTP/1.1", *kept, "", ""])
    return head.encode("latin-1") + received.body


@contextmanager
def _reserve_address() -> Iterator[str]:
    """Yield an address where nobody listens; it is taken, so that nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield "http://{}:{}".format(*taken.getsockname())


@contextmanager
def _refuse(_: FakeService) -> Iterator[FaultSetup]:
    with _reserve_address() as url:
        yield FaultSetup(url)


@contextmanager
def _serve_wrong_name(site: FakeService) -> Iterator[FaultSetup]:
    with _TLSFront(site, names=("elsewhere.invalid",)) as front:
        yield FaultSetup(front.url, ca=front.ca, servers=(front,))


@contextmanager
def _serve_unknown_authority(site: FakeService) -> Iterator[FaultSetup]:
    with _TLSFront(site) as front:
        yield FaultSetup(front.url, servers=(front,))


@contextmanager
def _skip_handshake(_: FakeService) -> Iterator[FaultSetup]:
    with _Silent() as server:
        yield FaultSetup(server.url.replace("http:", "https:"), servers=(server,))


@contextmanager
def _demand_proxy_password(site: FakeService) -> Iterator[FaultSetup]:
    with ProxyServer(credentials="user:the-right-one") as proxy:
        yield FaultSetup(site.url, proxy=proxy.url.replace("://", "://user:a-wrong-one@"), servers=(proxy,))


@contextmanager
def _refuse_at_proxy(site: FakeService) -> Iterator[FaultSetup]:
    with _reserve_address() as address:
        yield FaultSetup(site.url, proxy=address)


@contextmanager
def _kill_proxy(site: FakeService) -> Iterator[FaultSetup]:
    with ProxyServer(cut_after=100) as proxy:
        yield FaultSetup(site.url, proxy=proxy.url, servers=(proxy,))


def _make_fault(name: str, about: str, ends: Expected, arrange: Any) -> NamedFault:
    return NamedFault(name, about, None, ends, arrange)


PEER_FAULTS = (
    _make_fault("refused", "Nobody listens at the address.", Expected.all(ConnectFailed), _refuse),
    _make_fault("tls_wrong_name", "The certificate is for another host.", Expected.all(TLSFailed), _serve_wrong_name),
    _make_fault(
        "tls_unknown_ca",
        "Nobody trusted has signed the certificate.",
        Expected.all(TLSFailed),
        _serve_unknown_authority,
    ),
    _make_fault(
        "tls_no_handshake",
        "The server never responds to the TLS handshake.",
        Expected.all(ConnectTimeout),
        _skip_handshake,
    ),
    _make_fault(
        "proxy_password", "The proxy demands another password.", Expected.all(ProxyFailed), _demand_proxy_password
    ),
    _make_fault("proxy_refused", "Nobody listens at the proxy's address.", Expected.all(ProxyFailed), _refuse_at_proxy),
    _make_fault("proxy_dies", "The proxy dies in the middle of an answer.", Expected.all(ConnectionLost), _kill_proxy),
)
