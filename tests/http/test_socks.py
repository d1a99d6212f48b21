"""A SOCKS proxy is used for every connection, and its failures are told as the proxy's."""

import socket
import threading
from collections.abc import Iterator

import pytest

from providers_sdk import Client, ProviderError
from providers_sdk.errors import ConnectFailed, ProxyFailed
from providers_sdk.testing import Connection, RawServer
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite


class SocksProxy(RawServer):
    """SOCKS 5 (RFC 1928) with a user name and password (RFC 1929); every name leads to one address."""

    def __init__(self, target: tuple[str, int], password: bytes) -> None:
        super().__init__()
        self.target, self.password = target, password
        self.reply = 0
        self.names: list[bytes] = []

    def serve(self, connection: Connection) -> None:
        sock = connection.sock
        _, methods = sock.recv(2)
        sock.recv(methods)
        sock.sendall(b"\x05\x02")
        _, size = sock.recv(2)
        sock.recv(size)
        given = sock.recv(sock.recv(1)[0])
        sock.sendall(b"\x01" + (b"\x00" if given == self.password else b"\x01"))
        if given != self.password:
            return
        sock.recv(4)
        self.names.append(sock.recv(sock.recv(1)[0]))
        sock.recv(2)
        sock.sendall(bytes([5, self.reply, 0, 1]) + bytes(6))
        if self.reply:
            return
        with socket.create_connection(self.target) as onward:
            back = threading.Thread(target=_pump, args=(onward, sock))
            back.start()
            _pump(sock, onward)
            back.join(10)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def site() -> Iterator[PizzagptSite]:
    with PizzagptSite() as running:
        yield running


def ask(proxy: str) -> str:
    settings = {"pizzagpt": {"url": "http://pizza.invalid"}}
    with Client("pizzagpt", settings=settings, proxy=proxy, retries=0, connect=5, deadline=10) as client:
        return client.chat("Name three pizzas").text


def test_a_socks_proxy_carries_the_request_and_resolves_the_name(site: PizzagptSite) -> None:
    with SocksProxy(site.address, b"secret-pass") as proxy:
        host, port = proxy.address
        assert ask(f"socks5h://user:secret-pass@{host}:{port}") == site.text
        assert proxy.names == [b"pizza.invalid"]


def test_a_socks_proxy_that_refuses_the_password_is_the_proxys_failure_and_hides_it(site: PizzagptSite) -> None:
    with SocksProxy(site.address, b"another") as proxy:
        host, port = proxy.address
        with pytest.raises(ProxyFailed) as caught:
            ask(f"socks5h://user:secret-pass@{host}:{port}")
    assert "secret-pass" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"


def test_a_socks_proxy_that_is_not_there_is_the_proxys_failure() -> None:
    with pytest.raises(ProxyFailed):
        ask("socks5h://127.0.0.1:9")


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        (1, ProxyFailed, "General SOCKS server failure"),
        (2, ProxyFailed, "the proxy does not allow a connection to this server (0x02: "),
        (3, ConnectFailed, "the proxy could not reach the server; check the address and that the server runs (0x03: "),
        (4, ConnectFailed, "the proxy could not reach the server; check the address and that the server runs (0x04: "),
        (5, ConnectFailed, "the proxy could not reach the server; check the address and that the server runs (0x05: "),
        (6, ConnectFailed, "the proxy could not reach the server; check the address and that the server runs (0x06: "),
    ],
)
def test_a_server_that_a_socks_proxy_cannot_reach_is_not_the_proxys_failure(
    reply: int, kind: type[ProviderError], text: str, site: PizzagptSite
) -> None:
    with SocksProxy(site.address, b"secret-pass") as proxy:
        proxy.reply = reply
        host, port = proxy.address
        with pytest.raises(kind) as caught:
            ask(f"socks5h://user:secret-pass@{host}:{port}")
    assert type(caught.value) is kind
    assert text in caught.value.message


def test_a_server_that_a_socks_4_proxy_cannot_reach_is_not_the_proxys_failure() -> None:
    class Rejects(RawServer):
        def serve(self, connection: Connection) -> None:
            connection.sock.recv(100)
            connection.sock.sendall(b"\x00\x5b" + bytes(6))

    with Rejects() as proxy, pytest.raises(ConnectFailed, match="the proxy could not reach the server"):
        ask("socks4a://{}:{}".format(*proxy.address))
