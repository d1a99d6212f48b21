import gc
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from providers_sdk import ProviderError
from providers_sdk._http.client import HttpSession
from providers_sdk.errors import ConnectFailed, ConnectionLost, FirstTokenTimeout, ProxyFailed, TLSFailed
from providers_sdk.testing import Connection, RawServer, Received, event
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
    close,
    run_steps,
    send,
    send_endlessly,
    send_slowly,
    wait_for_close,
)

LIMIT = 0.3
DONE = event("a") + event("[DONE]")


# --- connections that are kept ---

ENDS = {
    "chunked": (CHUNKED, chunk(DONE) + b"0\r\n\r\n"),
    "events apart": (CHUNKED, chunk(event("a")) + chunk(event("[DONE]")) + b"0\r\n\r\n"),
    "content-length": (STREAM + f"content-length: {len(DONE)}\r\n\r\n".encode(), DONE),
}


@pytest.mark.parametrize(("head", "body"), ENDS.values(), ids=ENDS)
def test_after_the_end_mark_the_connection_serves_the_next_call(
    head: bytes, body: bytes, serve: Serve, open_http: OpenHttp
) -> None:
    site = serve(run_steps(send(head, body)))
    pool = HttpSession(proxy="")
    for _ in range(5):
        assert [it.data for it in open_http(site.url, pool=pool).post("/").events()] == ["a", "[DONE]"]
    assert (site.connections, len(site.requests)) == (1, 5)
    pool.close()


def test_an_answer_in_json_leaves_its_connection_to_the_next(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(run_steps(send(OK)))
    http = open_http(site.url)
    assert [http.post("/", json={}).json() for _ in range(5)] == [{}] * 5
    assert site.connections == 1


AFTERWARDS: dict[str, tuple[Step, ...]] = {
    "nothing": (wait_for_close,),
    "more events": (send_slowly(chunk(event("b"))),),
    "a chunk size byte by byte": (send_slowly(b"0"),),
    "trailers one by one": (send(b"0\r\n"), send_slowly(b"x: y\r\n")),
    "trailers without a pause": (send(b"0\r\n"), send_endlessly(b"x: y\r\n")),
}


@pytest.mark.parametrize("steps", AFTERWARDS.values(), ids=AFTERWARDS)
def test_what_comes_after_the_end_mark_delays_nothing(
    steps: tuple[Step, ...], serve: Serve, open_http: OpenHttp
) -> None:
    site = serve(run_steps(send(CHUNKED, chunk(DONE)), *steps))
    with assert_within(SLACK):
        assert len(list(open_http(site.url).post("/").events())) == 2
    assert site.wait_idle(PATIENCE)


def test_more_bytes_than_announced_do_not_poison_the_next_answer(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(run_steps(send(OK, b"HTTP/1.1 500 No\r\n\r\n")))
    http = open_http(site.url)
    assert [http.get("/").json() for _ in range(3)] == [{}] * 3


# --- connecting ---


@pytest.mark.parametrize("host", ["nowhere.invalid", f"{'x' * 64}.invalid", "a..invalid"])
def test_a_name_that_is_not_there_cannot_be_connected_to(host: str, open_http: OpenHttp) -> None:
    with pytest.raises(ProviderError) as caught:
        open_http(f"http://{host}").get("/a", params={"key": "sesame"})
    assert isinstance(caught.value, ConnectFailed) or "address" in caught.value.message
    assert caught.value.url == f"http://{host}/a"
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("names", [("elsewhere.invalid",), ("127.0.0.1",)], ids=["wrong name", "unknown authority"])
def test_a_certificate_that_proves_nothing_fails_and_nothing_is_sent(
    names: tuple[str, ...], serve_tls: ServeTLS, open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = serve_tls(run_steps(send(OK)), names=names)
    if names != ("127.0.0.1",):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
    with pytest.raises(TLSFailed, match="certificate"):
        open_http(site.url).post("/", json={})
    assert site.requests == []


def test_a_certificate_that_is_right_is_enough(
    serve_tls: ServeTLS, open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = serve_tls(run_steps(send(OK)))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
    http = open_http(site.url)
    assert [http.get("/").json(), http.get("/").json()] == [{}, {}]
    assert site.connections == 1


def test_a_server_that_speaks_no_tls_fails(open_http: OpenHttp) -> None:
    class Plain(RawServer):
        def serve(self, connection: Connection) -> None:
            connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.wait_closed(PATIENCE)

    with Plain() as site, pytest.raises(TLSFailed):
        open_http(site.url.replace("http:", "https:")).get("/")


def test_a_tunnel_that_is_cut_is_the_proxys_failure_or_a_lost_connection(serve: Serve, open_http: OpenHttp) -> None:
    proxy = serve(run_steps(close))
    with pytest.raises((ProxyFailed, ConnectionLost)):
        open_http("https://acme.invalid", proxy=proxy.url).get("/")
    assert len(proxy.requests) == 1


# --- bodies that break off ---

BROKEN: dict[str, tuple[Step, str]] = {
    "closed after a chunk": (close, "BrokenBody: it was closed before the last chunk"),
    "no size": (send(b"ZZ\r\n"), "BrokenBody: a chunk has no valid size"),
}


@pytest.mark.parametrize(("step", "message"), BROKEN.values(), ids=BROKEN)
def test_a_chunked_body_that_breaks_off_is_described(
    step: Step, message: str, serve: Serve, open_http: OpenHttp
) -> None:
    site = serve(run_steps(send(CHUNKED, chunk(event("a"))), step, wait_for_close))
    stream = open_http(site.url).get("/").events()
    assert next(stream).data == "a"
    with pytest.raises(ConnectionLost) as caught:
        next(stream)
    assert caught.value.message == f"the connection was lost before the answer was complete ({message})"


# --- what is left behind ---


def test_what_was_received_is_counted_to_the_byte(serve: Serve, open_http: OpenHttp) -> None:
    stream = CHUNKED + chunk(DONE) + b"0\r\n\r\n"
    site = serve(lambda connection, received: connection.send(OK if received.method == "GET" else stream))
    http = open_http(site.url)
    http.get("/").json()
    assert http.received == len(OK)
    list(http.post("/").events())
    assert http.received == len(OK) + len(stream)


def test_a_redirect_is_not_looked_into_by_requests(serve: Serve, open_http: OpenHttp) -> None:
    moved = b"HTTP/1.1 302 Found\r\nlocation: http://elsewhere.invalid/\r\n\r\n"
    site = serve(run_steps(send(moved), send_endlessly(b"x" * 65_536)))
    with assert_within(SLACK):
        answer = open_http(site.url).get("/")
    assert answer.status == 302
    answer.close()
    assert site.wait_idle(PATIENCE)


def client_sockets(port: int) -> int:
    sockets = [it for it in gc.get_objects() if issubclass(type(it), socket.socket) and it.fileno() != -1]
    return sum(1 for it in sockets if peer(it) == ("127.0.0.1", port))


def peer(sock: socket.socket) -> object:
    try:
        return sock.getpeername()
    except OSError:
        return None


def test_a_thousand_streams_broken_off_leave_no_socket_open(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(run_steps(send(CHUNKED, chunk(event("a")) * 3), wait_for_close))
    pool = HttpSession(proxy="")
    threads = threading.active_count()
    for number in range(1000):
        http = open_http(site.url, pool=pool)
        stream = http.post("/").events()
        assert next(stream).data == "a"
        if number % 3 == 0:
            http.close()
        elif number % 3 == 1:
            stream.close()  # type: ignore[attr-defined]
        else:
            del stream
    assert client_sockets(site.address[1]) == 0
    assert site.wait_idle(PATIENCE)
    assert threading.active_count() == threads
    pool.close()


def test_a_response_that_urllib3_refuses_leaves_no_socket_open(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(run_steps(send(b"HTTP/1.1 200 OK\r\ncontent-length: 5, 6\r\n\r\nhello"), wait_for_close))
    with pytest.raises(ConnectionLost, match="Content-Length") as caught:
        open_http(site.url).get("/")
    assert client_sockets(site.address[1]) == 0  # while the error and its traceback are kept
    assert site.wait_idle(PATIENCE)
    del caught


def test_closing_the_pool_closes_kept_connections(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(run_steps(send(OK)))
    pool = HttpSession(proxy="")
    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(lambda _: open_http(site.url, pool=pool).get("/").json(), range(100))) == [{}] * 100
    assert client_sockets(site.address[1]) > 0
    pool.close()
    assert client_sockets(site.address[1]) == 0
    assert site.wait_idle(PATIENCE)
    pool.close()


def test_threads_that_share_a_pool_keep_each_its_own_limit(serve: Serve, open_http: OpenHttp) -> None:
    def script(connection: Connection, received: Received) -> None:
        if received.path == "/slow":
            wait_for_close(connection)
        else:
            connection.send(OK)

    site, pool = serve(script), HttpSession(proxy="")

    def ask(number: int) -> object:
        http = open_http(site.url, pool=pool, first_token=LIMIT if number % 2 else PATIENCE)
        try:
            return http.get("/slow" if number % 2 else "/").json()
        except FirstTokenTimeout:
            return "late"

    with assert_within(LIMIT + SLACK + 1), ThreadPoolExecutor(20) as threads:
        assert list(threads.map(ask, range(20))) == [{}, "late"] * 10
    pool.close()


def test_a_session_works_without_a_clock(serve: Serve) -> None:
    site, pool = serve(run_steps(send(OK))), HttpSession(proxy="")
    assert [pool.session().get(site.url).json() for _ in range(2)] == [{}, {}]
    assert site.connections == 1
    pool.close()
