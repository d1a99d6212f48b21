"""A response's connection is returned to the pool or closed, once, whichever thread or process closes the response."""

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from urllib3 import HTTPConnectionPool

from providers_sdk import ProviderError
from providers_sdk._http.client import HttpSession
from providers_sdk._http.response import HttpResponse
from providers_sdk.errors import Closed
from providers_sdk.testing import Connection, RawServer, Received, event
from providers_sdk.testing.faults.bodies import chunk
from tests.http.steps import CHUNKED, OK, PATIENCE, OpenHttp, Serve

STREAM_START = CHUNKED + chunk(event("a"))
STREAM_END = chunk(event("[DONE]")) + b"0\r\n\r\n"


@pytest.fixture
def gates() -> dict[str, threading.Event]:
    """Events by name: a request for a path is noted as ``asked`` and answered once ``go`` is set."""
    return {name: threading.Event() for name in ("returned", "resume", "asked", "go")}


def test_closing_a_response_spares_the_call_that_has_its_connection_by_then(
    serve: Serve, open_http: OpenHttp, gates: dict[str, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(connection: Connection, received: Received) -> None:
        if received.path == "/next":
            gates["asked"].set()
            assert gates["go"].wait(PATIENCE)
        connection.send(OK)

    put_conn, connections = HTTPConnectionPool._put_conn, []

    def put_and_pause(self: Any, conn: Any) -> None:
        put_conn(self, conn)
        connections.append(conn)
        if not gates["returned"].is_set():
            gates["returned"].set()
            assert gates["resume"].wait(PATIENCE)

    monkeypatch.setattr(HTTPConnectionPool, "_put_conn", put_and_pause)
    site, pool = serve(script), HttpSession(proxy="")
    first = open_http(site.url, pool=pool).get("/first")
    with ThreadPoolExecutor(2) as threads:
        reading = threads.submit(first.json)
        assert gates["returned"].wait(PATIENCE)
        asking = threads.submit(lambda: open_http(site.url, pool=pool).get("/next").json())
        assert gates["asked"].wait(PATIENCE)
        first.close()  # its reader has returned the connection, but not yet left urllib3
        is_open = connections[0].sock is not None
        gates["go"].set()
        gates["resume"].set()
        assert asking.result(PATIENCE) == {}
        assert isinstance(reading.exception(PATIENCE), Closed | None)
    assert (is_open, site.connections) == (True, 1)
    pool.close()


def test_a_response_that_is_closed_while_it_is_read_costs_its_connection(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(stream_and_wait)
    pool = HttpSession(proxy="")
    with ThreadPoolExecutor(1) as threads:
        for _ in range(20):
            answer, started = open_http(site.url, pool=pool).get("/"), threading.Event()
            reading = threads.submit(read_events, answer, started)
            assert started.wait(PATIENCE)
            answer.close()
            assert isinstance(reading.exception(PATIENCE), Closed)
    assert site.wait_idle(PATIENCE)
    pool.close()


def test_a_close_at_any_moment_of_a_read_ends_in_the_answer_or_closed(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(lambda connection, _: connection.send(OK))
    pool, go = HttpSession(proxy=""), threading.Barrier(2)
    with ThreadPoolExecutor(1) as threads:
        for _ in range(200):
            answer = open_http(site.url, pool=pool).get("/")
            reading = threads.submit(lambda it: (go.wait(PATIENCE), it.json()), answer)
            go.wait(PATIENCE)
            answer.close()
            assert isinstance(reading.exception(PATIENCE), Closed | None)
            assert open_http(site.url, pool=pool).get("/").json() == {}
    pool.close()
    assert site.wait_idle(PATIENCE)


def test_a_response_whose_file_and_socket_the_collector_closed_first_is_closed(
    serve: Serve, open_http: OpenHttp
) -> None:
    http = open_http(serve(lambda connection, _: connection.send(OK)).url)
    answer: Any = http.get("/")
    raw = answer._response.raw
    raw._fp.close()
    raw.connection.sock.close()
    answer.close()
    assert raw.connection is None
    assert http.get("/").json() == {}


def stream_and_wait(connection: Connection, _: Received) -> None:
    connection.send(STREAM_START)
    connection.wait_closed(PATIENCE)


def read_events(answer: HttpResponse, started: threading.Event) -> list[str]:
    found = []
    for each in answer.events():
        found.append(each.data)
        started.set()
    return found


# --- forked children ---

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def run_in_child(work: Callable[[], object]) -> int:
    """Return the exit code of a forked child that does ``work``; one that hangs is killed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of forking a process with threads
        child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    pytest.fail("the child did not end")


@needs_fork
def test_a_child_that_closes_what_a_thread_of_its_parent_reads_returns_and_disturbs_nothing(
    serve: Serve, open_http: OpenHttp, gates: dict[str, threading.Event]
) -> None:
    def script(connection: Connection, _: Received) -> None:
        connection.send(STREAM_START)
        assert gates["go"].wait(PATIENCE)
        connection.send(STREAM_END)

    http = open_http(serve(script).url)
    answer, started = http.get("/"), threading.Event()
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(read_events, answer, started)
        assert started.wait(PATIENCE)
        assert run_in_child(http.close) == 0
        gates["go"].set()
        assert reading.result(PATIENCE) == ["a", "[DONE]"]


@needs_fork
def test_a_child_that_closes_what_nobody_reads_disturbs_nothing(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(lambda connection, _: connection.send(STREAM_START + STREAM_END))
    answer = open_http(site.url).get("/")
    stream = answer.events()
    assert next(stream).data == "a"
    assert run_in_child(answer.close) == 0
    assert [it.data for it in stream] == ["[DONE]"]


@needs_fork
def test_children_that_are_forked_under_sixteen_threads_close_and_ask(open_http: OpenHttp) -> None:
    stop = threading.Event()

    with BusySite() as site:
        pool = HttpSession(proxy="")
        waiting = [open_http(site.url, pool=pool) for _ in range(4)]
        answers = [http.get("/stream") for http in waiting]

        def ask_on() -> None:
            while not stop.is_set():
                http = open_http(site.url, pool=pool)
                assert http.get("/").json() == {}
                http.close()

        def close_and_ask() -> None:
            for http in waiting:
                http.close()
            assert open_http(site.url, pool=pool).get("/").json() == {}

        with ThreadPoolExecutor(16) as threads:
            streams = [threads.submit(read_events, answer, threading.Event()) for answer in answers]
            asking = [threads.submit(ask_on) for _ in range(12)]
            codes = [run_in_child(close_and_ask) for _ in range(10)]
            stop.set()
            for http in waiting:
                http.close()
            assert [it.exception(PATIENCE) for it in asking] == [None] * 12
            assert all(isinstance(it.exception(PATIENCE), ProviderError) for it in streams)
        assert codes == [0] * 10
        pool.close()


class BusySite(RawServer):
    """Streams without an end from ``/stream``, and answers everything else."""

    def serve(self, connection: Connection) -> None:
        while (received := connection.receive()) is not None:
            if received.path == "/stream":
                stream_and_wait(connection, received)
                return
            connection.send(OK)
