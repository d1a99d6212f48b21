"""The pool that a request takes its connection from, where no proxy is used."""

from collections.abc import Callable

import pytest

from providers_sdk._http.adapter import DeadlineAdapter
from providers_sdk._http.client import Http
from providers_sdk._http.session import HttpSession
from providers_sdk.testing import Connection, RawServer, Received

Answered = list[Received]


@pytest.fixture
def pool() -> HttpSession:
    return HttpSession()


@pytest.fixture
def server(serve: Callable[..., RawServer]) -> RawServer:
    def answer(connection: Connection, received: Received) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\n\r\n{}")

    return serve(answer)


def find_adapter(pool: HttpSession, url: str) -> DeadlineAdapter:
    adapter = pool.session().get_adapter(url)
    assert isinstance(adapter, DeadlineAdapter)
    return adapter


def test_a_pool_that_urllib3_has_closed_is_not_used_again(
    server: RawServer, open_http: Callable[..., Http], pool: HttpSession
) -> None:
    http = open_http(server.url, pool=pool)
    assert http.get("/").json() == {}
    find_adapter(pool, server.url).poolmanager.clear()
    assert http.get("/").json() == {}
    pool.close()


def test_two_addresses_get_their_own_connections(
    server: RawServer, serve: Callable[..., RawServer], open_http: Callable[..., Http], pool: HttpSession
) -> None:
    other = serve(lambda connection, received: connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n7"))
    http = open_http(server.url, pool=pool)
    assert [http.get(url).json() for url in (server.url, other.url, server.url)] == [{}, 7, {}]
    pool.close()


def test_a_response_of_a_plain_session_has_this_librarys_cookies_only(
    server: RawServer, open_http: Callable[..., Http], pool: HttpSession
) -> None:
    response = open_http(server.url, pool=pool).get("/")
    assert response.cookies == {"a": "1"}
    assert "cookies" not in vars(response._response)
    pool.close()
