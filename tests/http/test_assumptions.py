"""What the adapter assumes of urllib3, requests and http.client: one test for each row of the list in its module."""

import errno
import http.client
import io
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import allowed_gai_family

from providers_sdk._http import adapter
from providers_sdk.testing import ProxyServer, RawServer
from tests.http.steps import CHUNKED, OK, Serve, ServeTLS, close, receive_byte, run_steps, send

Call = Callable[..., Any]


def listed() -> set[str]:
    """The first column of the list."""
    return set(re.findall(r"^([^=\s].*?) {2,}\S", str(adapter.__doc__), re.MULTILINE)) - {"name"}


def parse(data: bytes) -> http.client.HTTPResponse:
    """Return a response of http.client that reads ``data``."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        return http.client.HTTPResponse(ours)


@pytest.fixture
def calls() -> list[str]:
    """The names of the overridden functions that were called."""
    return []


@pytest.fixture
def manager() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager() as opened:
        yield opened


def note(calls: list[str], cls: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Note in ``calls`` when ``cls.name`` is called or, if it is a property, read."""
    real = getattr(cls, name)
    is_property = isinstance(real, property)

    def call(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return real.fget(*args) if is_property else real(*args, **kwargs)

    monkeypatch.setattr(cls, name, property(call) if is_property else call)


def ask(manager: urllib3.PoolManager, site: RawServer, **given: Any) -> Any:
    return manager.request("GET", site.url, preload_content=False, retries=False, **given)


def test_every_row_of_the_list_has_a_test_and_every_test_a_row() -> None:
    rows = {re.sub(r"[\W_]+", "_", row).strip("_").lower() for row in listed()}
    tests = {name.removeprefix("test_row_") for name in globals() if name.startswith("test_row_")}
    assert rows == tests


def test_row_poolmanager_pool_classes_by_scheme(manager: urllib3.PoolManager) -> None:
    class HttpSession(urllib3.HTTPConnectionPool):
        pass

    manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "http": HttpSession}
    assert type(manager.connection_from_url("http://127.0.0.1")) is HttpSession
    assert type(urllib3.PoolManager().connection_from_url("http://127.0.0.1")) is urllib3.HTTPConnectionPool


def test_row_poolmanager_pools(manager: urllib3.PoolManager) -> None:
    made = [manager.connection_from_url(f"http://127.0.0.1:{port}") for port in (1, 2)]
    assert {manager.pools.get(key) for key in manager.pools.keys()} == set(made)  # noqa: SIM118


def test_row_httpconnectionpool_connectioncls(serve: Serve) -> None:
    class Connection(HTTPConnection):
        pass

    class HttpSession(urllib3.HTTPConnectionPool):
        ConnectionCls = Connection

    with HttpSession("127.0.0.1", serve(run_steps(send(OK))).address[1]) as pool:
        assert type(pool.request("GET", "/", preload_content=False).connection) is Connection


def test_row_httpconnectionpool_pool(manager: urllib3.PoolManager) -> None:
    pool = manager.connection_from_host("127.0.0.1", 80, "http")
    assert pool.pool is not None
    pool.close()
    assert pool.pool is None


def test_row_httpconnectionpool_put_conn_conn(
    serve: Serve, manager: urllib3.PoolManager, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    note(calls, urllib3.HTTPConnectionPool, "_put_conn", monkeypatch)
    response = ask(manager, serve(run_steps(send(OK))))
    assert calls == []
    assert (response.read1(), calls) == (b"{}", ["_put_conn"])


def test_row_httpconnection_new_conn(
    serve: Serve, serve_tls: ServeTLS, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    note(calls, HTTPConnection, "_new_conn", monkeypatch)
    plain, tls = serve(run_steps(send(OK))), serve_tls(run_steps(send(OK)))
    for connection in (HTTPConnection(*plain.address), HTTPSConnection(*tls.address, ca_certs=tls.ca)):
        connection.connect()
        connection.close()
    assert calls == ["_new_conn"] * 2


def test_row_httpconnection_tunnel(serve_tls: ServeTLS, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    note(calls, HTTPConnection, "_tunnel", monkeypatch)
    note(calls, ssl.SSLContext, "wrap_socket", monkeypatch)
    site = serve_tls(run_steps(send(OK)))
    calls.clear()
    with ProxyServer() as proxy, urllib3.ProxyManager(proxy.url, ca_certs=site.ca) as manager:
        assert ask(manager, site).read() == b"{}"
    assert calls[:2] == ["_tunnel", "wrap_socket"]


def test_row_httpconnection_dns_host() -> None:
    connection: Any = HTTPConnection("some.example.")
    assert (connection._dns_host, connection.host) == ("some.example.", "some.example")


def test_row_httpconnection_is_connected(
    serve: Serve, manager: urllib3.PoolManager, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = serve(run_steps(send(OK)))
    ask(manager, site).read()
    note(calls, HTTPConnection, "is_connected", monkeypatch)
    ask(manager, site).read()
    assert (calls, site.connections) == (["is_connected"], 1)
    monkeypatch.setattr(HTTPConnection, "is_connected", False)
    ask(manager, site).read()
    assert site.connections == 2


@pytest.mark.parametrize(("connected", "is_proxys"), [(True, False), (False, True)])
def test_row_httpconnection_has_connected_to_proxy(
    connected: bool, is_proxys: bool, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HTTPConnection, "has_connected_to_proxy", connected)
    with urllib3.ProxyManager(serve(run_steps(close)).url) as manager:
        with pytest.raises(urllib3.exceptions.HTTPError) as caught:
            manager.request("GET", "http://acme.invalid", retries=False)
    assert isinstance(caught.value, urllib3.exceptions.ProxyError) is is_proxys


def test_row_httpconnection_response_class_sock_method(
    serve_tls: ServeTLS, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(_: Any, sock: socket.socket, **given: Any) -> http.client.HTTPResponse:
        calls.append(",".join(given))
        return http.client.HTTPResponse(sock, **given)

    monkeypatch.setattr(HTTPConnection, "response_class", make)
    site = serve_tls(run_steps(send(OK)))
    with ProxyServer() as proxy, urllib3.ProxyManager(proxy.url, ca_certs=site.ca) as manager:
        assert ask(manager, site).read() == b"{}"
    assert calls == ["method"] * 2


def test_row_util_connection_allowed_gai_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib3.util.connection, "HAS_IPV6", True)
    assert allowed_gai_family() == socket.AF_UNSPEC
    monkeypatch.setattr(urllib3.util.connection, "HAS_IPV6", False)
    assert allowed_gai_family() == socket.AF_INET


def test_row_httpresponse_pool(serve: Serve, manager: urllib3.PoolManager) -> None:
    response = ask(manager, serve(run_steps(send(OK))))
    pool, response._pool = response._pool, None
    assert response.read1() == b"{}"
    assert response.connection is not None
    assert pool is manager.connection_from_url(f"http://{pool.host}:{pool.port}")
    response._pool = pool
    response.release_conn()
    assert response.connection is None


def test_row_httpresponse_release_conn_shutdown(serve: Serve, manager: urllib3.PoolManager) -> None:
    response = ask(manager, serve(run_steps(send(CHUNKED), receive_byte)))
    response.shutdown()
    with pytest.raises(urllib3.exceptions.ProtocolError):
        response.read1()
    response.release_conn()
    with pytest.raises(RuntimeError):
        response.shutdown()


def test_row_httpresponse_closed(serve: Serve, manager: urllib3.PoolManager) -> None:
    response = ask(manager, serve(run_steps(send(OK))))
    assert (response.closed, response.read1(1), response.closed) == (False, b"{", False)
    assert (response.read1(1), response.closed) == (b"}", True)


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ECONNRESET])
def test_row_errors_of_send(
    number: int, serve: Serve, manager: urllib3.PoolManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_send = HTTPConnection.send

    def send_and_fail(self: Any, data: bytes) -> None:
        real_send(self, data)
        raise OSError(number, "failed")

    monkeypatch.setattr(HTTPConnection, "send", send_and_fail)
    assert ask(manager, serve(run_steps(send(OK)))).read() == b"{}"


def test_row_http_client_httpresponse_fp() -> None:
    response: Any = parse(OK)
    assert isinstance(response.fp, io.BufferedReader)
    response.fp.close()
    response.fp = io.BufferedReader(io.BytesIO(OK))
    response.begin()
    assert response.read() == b"{}"


def test_row_http_client_httpresponse_read_status(
    serve_tls: ServeTLS, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parse(OK)._read_status() == ("HTTP/1.1", 200, "OK\r\n")  # type: ignore[attr-defined]
    note(calls, http.client.HTTPResponse, "_read_status", monkeypatch)
    site = serve_tls(run_steps(send(OK)))
    with ProxyServer() as proxy, urllib3.ProxyManager(proxy.url, ca_certs=site.ca) as manager:
        assert ask(manager, site).read() == b"{}"
    assert calls == ["_read_status"] * 2


@pytest.mark.parametrize("size", [b"", b"ZZ\r\n"])
def test_row_http_client_httpresponse_read_next_chunk_size(size: bytes) -> None:
    response: Any = parse(CHUNKED + size)
    response.begin()
    with pytest.raises(ValueError, match="base 16"):
        response._read_next_chunk_size()


def test_row_http_client_httpresponse_chunk_left() -> None:
    response: Any = parse(CHUNKED + b"4\r\ndata\r\n5\r\nmore.\r\n0\r\n\r\n")
    response.begin()
    assert (response.read1(3), response.chunk_left) == (b"dat", 1)
    assert (response.read1(9), response.chunk_left) == (b"a", 0)
    assert response.fp.peek().startswith(b"\r\n5\r\nmore.")


@pytest.mark.parametrize("read", [lambda response: response.read1(9), lambda response: response.close()])
def test_row_http_client_httpresponse_close_conn(read: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    states, real = [], http.client.HTTPResponse._close_conn  # type: ignore[attr-defined]

    def note_state(self: Any) -> None:
        states.append(self.fp.closed)
        real(self)

    monkeypatch.setattr(http.client.HTTPResponse, "_close_conn", note_state)
    response = parse(CHUNKED + b"0\r\n\r\n")
    response.begin()
    read(response)
    response.close()
    assert states == [False]


def test_row_http_client_httpresponse_will_close(
    serve: Serve, manager: urllib3.PoolManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = http.client.HTTPResponse.begin

    def begin_and_set(self: http.client.HTTPResponse) -> None:
        begin(self)
        self.will_close = True

    monkeypatch.setattr(http.client.HTTPResponse, "begin", begin_and_set)
    site = serve(run_steps(send(OK)))
    assert [ask(manager, site).read() for _ in range(2)] == [b"{}"] * 2
    assert site.connections == 2


def test_row_http_client_httpresponse_msg() -> None:
    response = parse(b"HTTP/1.1 200 OK\r\na: b\r\nno header\r\nc: d\r\n\r\n")
    response.begin()
    assert response.msg.defects != [] or response.msg.get_payload() != ""
    response.msg.defects.clear()
    response.msg.set_payload("")
    assert response.msg["a"] == "b"
