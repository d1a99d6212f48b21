"""A connection is kept only if its response was read to its end and nothing came after it."""

import json
from collections.abc import Callable

import pytest

from providers_sdk._http.client import HttpSession
from providers_sdk.errors import ConnectionLost, HTTPStatusError, ProxyFailed
from providers_sdk.testing import Connection, ProxyServer, RawServer, Received
from tests.http.steps import OK, PATIENCE, OpenHttp, Serve, ServeTLS, assert_within, run_steps, send

INTERIM = {
    100: b"HTTP/1.1 100 Continue\r\n\r\n",
    102: b"HTTP/1.1 102 Processing\r\n\r\n",
    103: b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n",
    199: b"HTTP/1.1 199 \r\nx: y\r\n\r\n",
}
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: other\r\nconnection: upgrade\r\n\r\n"


def answer(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def echo_after(interim: Callable[[int], bytes]) -> Callable[[Connection, Received], None]:
    """Return a script that answers with the number that it was asked for, after ``interim(number)``."""

    def script(connection: Connection, received: Received) -> None:
        number = int(received.path[1:])
        connection.send(interim(number) + answer(number))

    return script


# --- interim responses ---


@pytest.mark.parametrize("status", [102, 103])
def test_interim_responses_before_every_second_answer_shift_none(
    status: int, serve: Serve, open_http: OpenHttp
) -> None:
    site = serve(echo_after(lambda number: INTERIM[status] if number % 2 else b""))
    pool = HttpSession(proxy="")
    assert [open_http(site.url, pool=pool).post(f"/{number}").json() for number in range(200)] == list(range(200))
    assert (site.connections, len(site.requests)) == (1, 200)
    pool.close()


@pytest.mark.parametrize("interim", [*INTERIM.values(), b"".join(INTERIM.values()) * 3], ids=[*INTERIM, "many"])
def test_any_interim_response_is_skipped(interim: bytes, serve: Serve, open_http: OpenHttp) -> None:
    http = open_http(serve(run_steps(send(interim, OK))).url)
    response = http.get("/")
    assert (response.status, response.json(), response.headers.get("link")) == (200, {}, None)


def test_an_interim_response_of_a_proxy_does_not_count_as_its_tunnel(
    serve_tls: ServeTLS, open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hinting(ProxyServer):
        def serve(self, connection: Connection) -> None:
            connection.send(INTERIM[102])
            super().serve(connection)

    site = serve_tls(run_steps(send(OK)))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
    with Hinting() as proxy:
        assert open_http(site.url, proxy=proxy.url).get("/").json() == {}


ENDLESS = {
    "too many": INTERIM[102] * 2_000,
    "headers too long": b"HTTP/1.1 103 Early Hints\r\n" + b"link: </x>\r\n" * 10_000 + b"\r\n",
    "one header too long": b"HTTP/1.1 103 Early Hints\r\nlink: " + b"x" * 100_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("interim", ENDLESS.values(), ids=ENDLESS)
def test_interim_responses_without_end_are_an_error(interim: bytes, serve: Serve, open_http: OpenHttp) -> None:
    site = serve(run_steps(send(interim, OK)))
    with pytest.raises(ConnectionLost, match="interim responses"):
        open_http(site.url).get("/")
    assert site.wait_idle(PATIENCE)


def test_a_connection_that_closes_after_an_interim_response_is_lost(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(run_steps(send(INTERIM[102]), lambda connection: connection.sock.close()))
    with pytest.raises(ConnectionLost):
        open_http(site.url).post("/")
    assert len(site.requests) == 1


def test_switched_protocols_are_an_error_and_close_the_connection(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(run_steps(send(SWITCH, OK)))
    pool = HttpSession(proxy="")
    with pytest.raises(HTTPStatusError, match="answered 101") as caught:
        open_http(site.url, pool=pool).post("/").json()
    assert caught.value.status == 101
    assert site.wait_idle(PATIENCE)
    pool.close()


def test_a_proxy_that_switches_protocols_makes_no_tunnel(serve: Serve, open_http: OpenHttp) -> None:
    proxy = serve(run_steps(send(SWITCH)))
    with pytest.raises((ProxyFailed, ConnectionLost), match="101"):
        open_http("https://acme.invalid", proxy=proxy.url).get("/")


# --- what comes after a response ---


class AnswersTwice(RawServer):
    """Sends the answer to each request and, in the same piece, the start of another one; its rest follows later."""

    surplus = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconte"
    rest = b'nt-length: 7\r\n\r\n"wrong"'

    def serve(self, connection: Connection) -> None:
        pending = b""
        while (received := connection.receive()) is not None:
            self.requests.append(received)
            connection.send(pending + answer(received.path) + self.surplus)
            pending = self.rest


def test_a_surplus_that_was_read_with_the_answer_costs_the_connection(open_http: OpenHttp) -> None:
    with AnswersTwice() as site:
        http = open_http(site.url)
        assert [http.get(f"/{number}").json() for number in range(4)] == ["/0", "/1", "/2", "/3"]
        assert site.connections == 4


def test_a_surplus_in_tls_costs_the_connection(
    serve_tls: ServeTLS, open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(connection: Connection, received: Received) -> None:
        body = answer(received.path)
        # one TLS record: what the response does not read stays decrypted in OpenSSL, where select does not see it
        connection.send(body + b"x" * (16_000 - len(body)))

    site = serve_tls(script)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
    http = open_http(site.url)
    with assert_within(PATIENCE):
        assert [http.get(f"/{number}").json() for number in range(3)] == ["/0", "/1", "/2"]
    assert site.connections == 3


def test_a_surplus_that_arrives_later_costs_the_connection(serve: Serve, open_http: OpenHttp) -> None:
    connections: list[Connection] = []

    def script(connection: Connection, received: Received) -> None:
        connections.append(connection)
        connection.send(answer(received.path))

    site = serve(script)
    http = open_http(site.url)
    assert http.get("/0").json() == "/0"
    connections[0].send(answer("wrong"))
    assert http.get("/1").json() == "/1"
    assert site.connections == 2
