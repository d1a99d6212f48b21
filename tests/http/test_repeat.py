"""A request is repeated without being counted only if no server can have processed it."""

import json
import random
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from providers_sdk import Client, ProviderError
from providers_sdk._http.client import HttpSession
from providers_sdk.errors import ConnectionLost, FirstTokenTimeout
from providers_sdk.testing import Connection, ProxyServer, RawServer, Received, TLSServer
from tests.http.steps import (
    OK,
    PATIENCE,
    OpenHttp,
    Serve,
    ServeTLS,
    Step,
    close,
    reset,
    run_steps,
    send,
    wait_for_close,
)

LARGE = {"text": "x" * 16_000_000}


class LosesSecond(RawServer):
    """Answers the first request of its first connections; takes ``step`` in the place of a second one.

    :param receive: whether the second request is received to its end before ``step``, or only its first byte is.
    :param sound: how many connections answer their first request.
    """

    def __init__(self, step: Step, *, receive: bool = True, sound: int = 2) -> None:
        super().__init__()
        self._step, self._receive, self._sound = step, receive, sound

    def serve(self, connection: Connection) -> None:
        if self.connections <= self._sound:
            self._note(connection)
            connection.send(OK)
        if self._receive:
            self._note(connection)
        else:
            connection.sock.recv(1)
        self._step(connection)

    def _note(self, connection: Connection) -> None:
        received = connection.receive()
        if received is not None:
            self.requests.append(received)


class LosesSecondTLS(TLSServer, LosesSecond):
    """The same in TLS."""


LOSSES: dict[str, Step] = {"closed": close, "reset": reset}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_that_arrived_on_a_kept_connection_is_not_repeated(
    method: str, loss: Step, open_http: OpenHttp
) -> None:
    with LosesSecond(loss) as site:
        http = open_http(site.url)
        ask = http.get if method == "GET" else http.post
        assert ask("/").json() == {}
        with pytest.raises(ConnectionLost):
            ask("/")
        assert (site.connections, len(site.requests)) == (1, 2)


def test_a_request_that_is_answered_by_one_byte_is_not_repeated(open_http: OpenHttp) -> None:
    with LosesSecond(send(b"HTTP/1.1 2")) as site:
        http = open_http(site.url)
        assert http.post("/").json() == {}
        with pytest.raises(ConnectionLost):
            http.post("/")
        assert len(site.requests) == 2


@pytest.mark.parametrize("server", [LosesSecond, LosesSecondTLS])
def test_a_request_that_could_not_be_written_is_repeated_at_once(
    server: type[LosesSecond], open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(reset, receive=False) as site:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", getattr(site, "ca", ""))
        http = open_http(site.url)
        assert [http.post("/").json(), http.post("/", data=LARGE).json()] == [{}, {}]
        assert (site.connections, len(site.requests)) == (2, 2)


def test_the_repeat_is_not_repeated(open_http: OpenHttp) -> None:
    with LosesSecond(reset, receive=False, sound=1) as site:
        http = open_http(site.url)
        assert http.post("/").json() == {}
        with pytest.raises(ConnectionLost):
            http.post("/", data=LARGE)
        assert (site.connections, len(site.requests)) == (2, 1)


def test_a_repeat_that_fails_otherwise_says_so(open_http: OpenHttp) -> None:
    losses = iter([reset, wait_for_close])
    with LosesSecond(lambda connection: next(losses)(connection), receive=False, sound=1) as site:
        pool = HttpSession(proxy="")
        assert open_http(site.url, pool=pool).post("/").json() == {}
        with pytest.raises(FirstTokenTimeout):
            open_http(site.url, pool=pool, first_token=3.0).post("/", data=LARGE)
        assert site.connections == 2
        pool.close()


def test_a_kept_connection_that_is_closed_by_now_is_replaced(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(run_steps(send(OK), close))
    http = open_http(site.url)
    for _ in range(3):
        assert http.post("/").json() == {}
        assert site.wait_idle(PATIENCE)
    assert (site.connections, len(site.requests)) == (3, 3)


@pytest.mark.parametrize("through", ["directly", "TLS", "tunnel"])
def test_a_fresh_connection_that_dies_is_never_repeated(
    through: str, serve: Serve, serve_tls: ServeTLS, open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = serve(run_steps(close)) if through == "directly" else serve_tls(run_steps(close))
    if isinstance(site, TLSServer):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
    with ProxyServer() as proxy:
        http = open_http(site.url, proxy=proxy.url if through == "tunnel" else "")
        with pytest.raises(ConnectionLost):
            http.post("/", json={})
        assert len(site.requests) == site.connections == 1


# --- a service behind a proxy that cuts connections ---


class Counting(RawServer):
    """A service that counts the requests that it executed: those that it received to their end."""

    def serve(self, connection: Connection) -> None:
        received = connection.receive()
        if received is not None and len(received.body) == int(received.headers["content-length"]):
            self.requests.append(received)
            choice = {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}
            body = json.dumps({"choices": [choice]}).encode()
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            connection.send(head % len(body) + body)


class CuttingProxy(RawServer):
    """Hands each request on to a service, and cuts connections wherever ``choose`` says."""

    ways = ("pass", "pass", "pass", "then close", "then reset", "in request", "after request", "in response")

    def __init__(self, service: RawServer, choose: Callable[[tuple[str, ...]], str]) -> None:
        super().__init__()
        self._service, self._choose = service, choose
        self._choosing = threading.Lock()
        self.seen: set[str] = set()

    def serve(self, connection: Connection) -> None:
        way = "pass"
        while way == "pass":
            with self._choosing:
                way = self._choose(self.ways)
                self.seen.add(way)
            if way == "in request":
                connection.sock.recv(1)
            elif (received := connection.receive()) is None:
                return
            elif way == "after request":
                self._forward(received)
            else:
                response = self._forward(received)
                connection.send(response[: 60 if way == "in response" else None])
        if way != "then close":
            connection.reset()

    def _forward(self, received: Received) -> bytes:
        head = [f"{received.method} {received.target} HTTP/1.1", *(f"{k}: {v}" for k, v in received.headers.items())]
        with socket.create_connection(self._service.address, timeout=PATIENCE) as upstream:
            upstream.sendall("\r\n".join([*head, "", ""]).encode() + received.body)
            return b"".join(iter(lambda: upstream.recv(65_536), b""))


@pytest.mark.parametrize("retries", [0, 2])
@pytest.mark.parametrize("seed", range(4))
def test_a_request_is_never_executed_more_often_than_attempts_are_listed(
    seed: int, retries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = random.Random(seed).choice
    monkeypatch.setattr(random, "random", lambda: 0.0)  # no pause before a retry
    with Counting() as service, CuttingProxy(service, choose) as proxy:
        settings = {"openai": {"url": proxy.url, "key": "k"}}
        with Client("openai", settings=settings, proxy="", retries=retries) as client:
            for number in range(40):
                before, prompt = len(service.requests), "x" * (3_000_000 if number % 8 == 0 else 10)
                outcome = ask(client, prompt)
                assert len(service.requests) - before <= len(outcome.attempts)
    assert proxy.seen == set(CuttingProxy.ways)
    assert len(service.requests) >= 20


def ask(client: Client, prompt: str) -> Any:
    try:
        reply = client.chat(prompt, stream=False)
        assert reply.text == "hello"
    except ProviderError as error:
        return error
    return reply
