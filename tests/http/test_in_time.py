import math
import socket
import ssl
import threading
import time
from typing import Any

import pytest

from providers_sdk import TimeLimitExceeded
from providers_sdk._http.client import Http, HttpSession
from providers_sdk.errors import (
    ConnectFailed,
    ConnectTimeout,
    DeadlineExceeded,
    FirstTokenTimeout,
    HTTPStatusError,
    IdleTimeout,
)
from providers_sdk.testing import Connection, ProxyServer, RawServer, event
from providers_sdk.testing.faults.bodies import chunk
from tests.http.steps import (
    CHUNKED,
    OK,
    PATIENCE,
    SLACK,
    STREAM,
    OpenHttp,
    Serve,
    ServeTLS,
    Step,
    assert_within,
    receive_byte,
    run_steps,
    send,
    send_endlessly,
    send_slowly,
    wait_for_close,
)

LIMIT = 0.15


HEAD = b"HTTP/1.1 200 OK\r\n"
JSON = HEAD + b"content-type: application/json\r\n"
SLOW: dict[str, tuple[Step, ...]] = {
    "no answer": (wait_for_close,),
    "a header byte by byte": (send(HEAD, b"x: "), send_slowly(b"y")),
    "header after header": (send(HEAD), send_slowly(b"x: y\r\n")),
    "100 Continue for ever": (send_slowly(b"HTTP/1.1 100 Continue\r\n\r\n"),),
    "stall after the headers": (send(STREAM, b"\r\n"), wait_for_close),
    "comments for ever": (send(CHUNKED), send_slowly(chunk(b": ping\n\n"))),
    "a chunk byte by byte": (send(CHUNKED, b"ffff\r\n"), send_slowly(b"x")),
    "a chunk size byte by byte": (send(CHUNKED), send_slowly(b"0")),
    "a slow body": (send(STREAM, b"content-length: 9999\r\n\r\n"), send_slowly(b"x")),
    "a body without length": (send(STREAM, b"\r\n"), send_slowly(b"x")),
    "slow JSON": (send(JSON, b"content-length: 9999\r\n\r\n"), send_slowly(b" ")),
    "trailers for ever": (send(JSON, b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"), send_slowly(b"x: y\r\n")),
    "trailers without a pause": (
        send(JSON, b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"),
        send_endlessly(b"x: y\r\n"),
    ),
}


def read(http: Http) -> None:
    answer = http.post("/", json={})
    if answer.content_type == "application/json":
        answer.json()
    for _ in answer.events():
        http.clock.stop_waiting(piece=True)


KINDS: dict[str, type[TimeLimitExceeded]] = {"first_token": FirstTokenTimeout, "deadline": DeadlineExceeded}
BY_DEADLINE = ["a header byte by byte", "comments for ever", "slow JSON"]


@pytest.mark.parametrize(
    ("name", "limit"), [*((name, "first_token") for name in SLOW), *((name, "deadline") for name in BY_DEADLINE)]
)
def test_whatever_is_slow_ends_at_the_limit_which_is_named(
    name: str, limit: str, serve: Serve, open_http: OpenHttp
) -> None:
    http = open_http(serve(run_steps(*SLOW[name])).url, **{limit: LIMIT})
    with assert_within(LIMIT + SLACK), pytest.raises(TimeLimitExceeded) as caught:
        read(http)
    assert type(caught.value) is KINDS[limit]
    assert caught.value.seconds == LIMIT
    assert caught.value.elapsed is not None
    assert LIMIT <= caught.value.elapsed < LIMIT + SLACK


def test_the_words_of_an_error_are_not_waited_for_as_long_as_an_answer(
    serve: Serve, open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers_sdk._http.response.ERROR_BODY_GRACE", LIMIT)
    for step in (wait_for_close, send_slowly(b"x")):
        site = serve(run_steps(send(b"HTTP/1.1 500 No\r\ncontent-type: text/plain\r\n\r\n"), step))
        with assert_within(LIMIT + SLACK), pytest.raises(HTTPStatusError, match="answered 500"):
            open_http(site.url, first_token=PATIENCE).post("/").json()


@pytest.mark.parametrize("step", [wait_for_close, send_slowly(chunk(b": ping\n\n"))], ids=["stall", "comments"])
def test_after_a_piece_idleness_is_what_is_measured(step: Step, serve: Serve, open_http: OpenHttp) -> None:
    http = open_http(serve(run_steps(send(CHUNKED, chunk(event("a"))), step)).url, first_token=PATIENCE, idle=LIMIT)
    with assert_within(LIMIT + SLACK), pytest.raises(IdleTimeout):
        read(http)


@pytest.mark.parametrize(
    "steps", [(send(STREAM, b"\r\n"), wait_for_close), (send(HEAD, b"x: "), send_slowly(b"y"))], ids=range(2)
)
def test_limits_hold_over_tls(
    steps: tuple[Step, ...], serve_tls: ServeTLS, open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = serve_tls(run_steps(*steps))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
    http = open_http(site.url, first_token=LIMIT)
    with assert_within(LIMIT + SLACK), pytest.raises(FirstTokenTimeout):
        read(http)


def test_limits_hold_through_a_proxy_and_a_tunnel(
    serve: Serve, serve_tls: ServeTLS, open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    tunnelled = serve_tls(run_steps(send(STREAM, b"\r\n"), wait_for_close))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", tunnelled.ca)
    with ProxyServer() as proxy:
        for site in (tunnelled, serve(run_steps(send(STREAM, b"\r\n"), wait_for_close))):
            http = open_http(site.url, proxy=proxy.url, first_token=LIMIT)
            with assert_within(LIMIT + SLACK), pytest.raises(FirstTokenTimeout):
                read(http)


@pytest.mark.parametrize(
    "steps", [(wait_for_close,), (send(b"HTTP/1.1 200 OK\r\nx: "), send_slowly(b"y"))], ids=["stall", "drip"]
)
def test_a_proxy_that_makes_no_tunnel_ends_at_the_limit(
    steps: tuple[Step, ...], serve: Serve, open_http: OpenHttp
) -> None:
    proxy = serve(run_steps(*steps))
    http = open_http("https://acme.invalid", proxy=proxy.url, first_token=LIMIT)
    with assert_within(LIMIT + SLACK), pytest.raises(FirstTokenTimeout):
        http.get("/")


TUNNELS: dict[str, tuple[Step, ...]] = {
    "silent": (wait_for_close,),
    "status byte by byte": (send(b"HTTP/1.1 "), send_slowly(b"2")),
    "header byte by byte": (send(b"HTTP/1.1 200 OK\r\nx: "), send_slowly(b"y")),
    "interim responses": (send_slowly(b"HTTP/1.1 102 Processing\r\n\r\n"),),
}


@pytest.mark.parametrize("steps", TUNNELS.values(), ids=TUNNELS)
def test_a_tunnel_counts_as_connecting(steps: tuple[Step, ...], serve: Serve, open_http: OpenHttp) -> None:
    proxy = serve(run_steps(*steps))
    http = open_http("https://acme.invalid", proxy=proxy.url, connect=LIMIT, first_token=2.0)
    with pytest.raises(ConnectTimeout) as caught:
        http.get("/")
    assert caught.value.seconds == LIMIT


def test_a_request_that_nobody_takes_ends_at_the_limit(open_http: OpenHttp) -> None:
    class TakesNothing(RawServer):
        def serve(self, connection: Connection) -> None:
            assert done.wait(PATIENCE)

    done = threading.Event()
    with TakesNothing() as site:
        http = open_http(site.url, deadline=LIMIT)
        with assert_within(LIMIT + SLACK), pytest.raises(DeadlineExceeded):
            http.post("/", data={"text": "x" * 30_000_000})
        done.set()


def test_a_request_that_is_taken_slowly_is_not_limited_by_the_time_to_connect(open_http: OpenHttp) -> None:
    class TakesItsTime(RawServer):
        def serve(self, connection: Connection) -> None:
            threading.Event().wait(3 * LIMIT)
            connection.receive()
            connection.send(OK)

    with TakesItsTime() as site:
        http = open_http(site.url, connect=LIMIT, first_token=PATIENCE)
        assert http.post("/", data={"text": "x" * 30_000_000}).json() == {}


def test_a_request_that_nobody_takes_from_a_kept_connection_ends_at_the_limit(open_http: OpenHttp) -> None:
    class TakesOne(RawServer):
        def serve(self, connection: Connection) -> None:
            connection.receive()
            connection.send(OK)
            assert done.wait(PATIENCE)

    done, pool = threading.Event(), HttpSession(proxy="")
    with TakesOne() as site:
        assert open_http(site.url, pool=pool).get("/").json() == {}
        http = open_http(site.url, pool=pool, first_token=LIMIT)
        with assert_within(LIMIT + SLACK), pytest.raises(FirstTokenTimeout):
            http.post("/", data={"text": "x" * 16_000_000})
        assert site.connections == 1
        done.set()
    pool.close()


def test_a_limit_that_has_run_out_sends_nothing(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(run_steps(send(OK)))
    http = open_http(site.url, started=time.monotonic() - 1000)
    with pytest.raises(DeadlineExceeded):
        http.get("/")
    assert site.connections == 0


def test_without_limits_an_answer_may_take_its_time(serve: Serve, open_http: OpenHttp) -> None:
    go = threading.Event()
    site = serve(run_steps(lambda connection: go.wait(PATIENCE), send(OK)))
    http = open_http(site.url, connect=None, first_token=None, idle=None, deadline=None)
    threading.Timer(0.05, go.set).start()
    assert http.get("/").json() == {}


def handshakes() -> dict[str, tuple[Step, ...]]:
    return {"stall": (wait_for_close,), "trickle": (receive_byte, send(b"\x16\x03\x03\x40\x00"), send_slowly(b"\0"))}


class Mute(RawServer):
    """Takes connections and follows steps, whatever the client says."""

    def __init__(self, *steps: Step) -> None:
        super().__init__()
        self._steps = steps

    def serve(self, connection: Connection) -> None:
        for step in self._steps:
            step(connection)


@pytest.mark.parametrize("steps", handshakes().values(), ids=handshakes())
def test_a_tls_handshake_counts_as_connecting(steps: tuple[Step, ...], open_http: OpenHttp) -> None:
    with Mute(*steps) as site:
        http = open_http(site.url.replace("http:", "https:"), connect=LIMIT)
        with assert_within(LIMIT + SLACK), pytest.raises(ConnectTimeout) as caught:
            http.get("/")
    assert caught.value.seconds == LIMIT


@pytest.mark.parametrize("steps", handshakes().values(), ids=handshakes())
def test_a_tls_handshake_behind_a_tunnel_counts_as_connecting(steps: tuple[Step, ...], open_http: OpenHttp) -> None:
    with Mute(*steps) as site, ProxyServer() as proxy:
        http = open_http(site.url.replace("http:", "https:"), proxy=proxy.url, connect=LIMIT, first_token=2.0)
        with pytest.raises(ConnectTimeout) as caught:
            http.get("/")
    assert caught.value.seconds == LIMIT


@pytest.fixture
def handshake_limits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The timeouts of the client's sockets as their TLS handshakes begin."""
    limits: list[float] = []
    wrap_socket = ssl.SSLContext.wrap_socket

    def wrap_and_note(self: ssl.SSLContext, sock: socket.socket, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        if not kwargs.get("server_side"):
            limits.append(sock.gettimeout() or math.inf)
        return wrap_socket(self, sock, *args, **kwargs)

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap_and_note)
    return limits


def test_connecting_and_the_handshake_share_one_limit(
    serve_tls: ServeTLS, open_http: OpenHttp, handshake_limits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = socket.socket.connect

    def connect_slowly(self: socket.socket, address: Any) -> None:
        time.sleep(0.3)
        connect(self, address)

    site = serve_tls(run_steps(send(OK)))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
    monkeypatch.setattr(socket.socket, "connect", connect_slowly)
    assert open_http(site.url, connect=PATIENCE).get("/").json() == {}
    assert handshake_limits[0] <= PATIENCE - 0.3


def test_a_tunnel_and_the_handshake_share_one_limit(
    serve_tls: ServeTLS, open_http: OpenHttp, handshake_limits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(ProxyServer):
        def serve(self, connection: Connection) -> None:
            time.sleep(0.3)
            super().serve(connection)

    site = serve_tls(run_steps(send(OK)))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
    with Slow() as proxy:
        assert open_http(site.url, proxy=proxy.url, connect=PATIENCE).get("/").json() == {}
    assert handshake_limits[0] <= PATIENCE - 0.3


@pytest.fixture
def waited() -> list[float]:
    """How long each of the addresses where nobody answers may take, in seconds."""
    return []


@pytest.fixture
def addresses(waited: list[float], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ports that the name ``many.example`` stands for; on port 1 nobody answers a call, ever."""
    ports: list[int] = []
    real_lookup, real_connect = socket.getaddrinfo, socket.socket.connect

    def lookup(host: Any, port: Any, *args: Any) -> Any:
        if host != "many.example":
            return real_lookup(host, port, *args)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", each)) for each in ports]

    def connect(self: socket.socket, address: Any) -> None:
        if address[1] != 1:
            return real_connect(self, address)
        waited.append(self.gettimeout() or math.inf)
        time.sleep(min(waited[-1], PATIENCE))
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket.socket, "connect", connect)
    return ports


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        ({"connect": LIMIT}, ConnectTimeout),
        ({"first_token": LIMIT}, FirstTokenTimeout),
        ({"deadline": LIMIT}, DeadlineExceeded),
    ],
    ids=["connect", "first_token", "deadline"],
)
def test_all_dead_addresses_of_a_host_share_one_limit(
    limits: dict[str, float],
    kind: type[TimeLimitExceeded],
    addresses: list[int],
    waited: list[float],
    open_http: OpenHttp,
) -> None:
    addresses += [1, 1, 1]
    http = open_http("http://many.example", **limits)
    with pytest.raises(TimeLimitExceeded) as caught:
        http.get("/")
    assert type(caught.value) is kind
    assert sum(waited) <= LIMIT


def test_the_time_told_is_that_of_the_connection_not_of_what_came_before(
    addresses: list[int], open_http: OpenHttp
) -> None:
    addresses.append(1)
    http = open_http("http://many.example", connect=LIMIT)
    http.clock.attempt_started -= 20
    with pytest.raises(ConnectTimeout) as caught:
        http.get("/")
    assert caught.value.elapsed is not None
    assert LIMIT <= caught.value.elapsed < LIMIT + SLACK


def test_where_one_address_refuses_the_next_is_tried(addresses: list[int], serve: Serve, open_http: OpenHttp) -> None:
    site = serve(run_steps(send(OK)))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        addresses += [taken.getsockname()[1], site.address[1]]
        assert open_http("http://many.example").get("/").json() == {}
        addresses.pop()
        with pytest.raises(ConnectFailed, match="Connection refused"):
            open_http("http://many.example").get("/")
