"""The fault rig itself: its faults do what they say, stop by themselves, and run_fault is not fooled."""

import base64
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from providers_sdk import Limits, Registry
from providers_sdk.plugin import Chunk, FinishReason, Http, Provider, ProviderError, Request
from providers_sdk.testing import (
    Connection,
    FakeService,
    RawServer,
    Received,
    Response,
    deltas,
    html,
    json_response,
    sse,
)
from providers_sdk.testing.faults import (
    FAULTS,
    Kind,
    NamedFault,
    ProxyServer,
    TLSServer,
    collect_exposed_text,
    inject,
    run_fault,
    spellings,
)

STRIKING = [fault for fault in FAULTS.values() if fault.act is not None]
ARRANGED = [fault for fault in FAULTS.values() if fault.act is None]
NAMED_IN_THE_PLAN = {
    "refused", "reset_before_headers", "reset_after_headers", "slow_headers", "stall_after_headers", "trickle",
    "stall_before_headers", "comments_forever", "empty_deltas_forever", "cut_chunk", "short_length", "early_end",
    "bad_chunk_size", "wrong_gzip", "gzip_bomb", "endless_line", "endless_deltas", "endless_page", "endless_headers",
    "endless_continue", "invalid_utf8", "invalid_json", "json_list", "deep_lists", "html_answer", "empty_answer",
    "no_content", "key_echoed", "bot_wall", "retry_after_seconds", "retry_after_date", "retry_after_past",
    "retry_after_rubbish", "retry_after_negative", "retry_after_huge", "status_500", "status_501", "status_502",
    "status_503", "status_504", "redirect_loop", "redirect_elsewhere", "redirect_to_file", "endless_redirect",
    "closed_between_calls", "no_http", "tls_wrong_name", "proxy_password", "proxy_refused", "proxy_dies",
}  # fmt: skip


def _find_threads(site: RawServer, work: str) -> list[threading.Thread]:
    """Return the threads of ``site`` that do ``work``: ``"serves"`` or ``"listens"``."""
    return [thread for thread in threading.enumerate() if thread.name == f"fake-service-{site.address[1]}-{work}"]


class Small(FakeService):
    """Answers a GET with a page, a POST with a stream or, on /json, with JSON."""

    def respond(self, received: Received) -> Response:
        if received.method == "GET":
            return html("<title>Small</title>")
        return json_response({"text": self.text}) if received.path == "/json" else sse(deltas(self.reply_pieces))


class Asks(Provider):
    """Asks the small site, and takes its word as it comes."""

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield str(http.post("/json", json={}).json()["text"])
        yield FinishReason("stop")


class Swallows(Asks):
    """Takes a failure for an answer."""

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        try:
            yield from super().complete(request, http)
        except ProviderError:
            yield "Sorry, something went wrong."
            yield FinishReason("stop")


def _registry(provider: type[Provider]) -> Registry:
    registry = Registry()
    registry.register("small", provider)
    return registry


def _send(sock: socket.socket, path: str = "/", method: str = "POST") -> None:
    password = base64.b64encode(b"user:pa55word").decode()
    sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {password}\r\n\r\n".encode())


def _said(fault: str, path: str = "/", method: str = "POST") -> bytes:
    """Everything that the small site sends when it is struck."""
    site = Small()
    site.fault, site.fault_route = FAULTS[fault], (method, "")
    with site, socket.create_connection(site.address, timeout=10) as sock:
        _send(sock, path, method)
        sock.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: sock.recv(65_536), b""))


def test_every_fault_of_the_plan_is_there_and_says_what_it_does() -> None:
    assert set(FAULTS) >= NAMED_IN_THE_PLAN
    assert all(name == fault.name and name.isidentifier() for name, fault in FAULTS.items())
    assert all(fault.about.endswith(".") and fault.about[0].isupper() for fault in FAULTS.values())


def test_faults_are_values_that_nobody_can_change() -> None:
    with pytest.raises(AttributeError):
        FAULTS["refused"].name = "accepted"  # type: ignore[misc]
    with pytest.raises(TypeError):
        FAULTS["accepted"] = FAULTS["refused"]  # type: ignore[index]


def test_a_fault_that_does_not_strike_at_an_answer_says_so() -> None:
    assert len(ARRANGED) >= 6
    with socket.socket() as mine, pytest.raises(TypeError, match="inject"):
        FAULTS["refused"](Connection(mine), Received("GET", "/"))


class Struck(Small):
    """Notes that the request is there, so that nobody leaves before the fault begins."""

    def __init__(self) -> None:
        super().__init__()
        self.struck = threading.Event()

    def respond(self, received: Received) -> Response:
        self.struck.set()
        return super().respond(received)


def _stops_when_the_client_leaves(fault: NamedFault) -> bool:
    with Struck() as site:
        site.fault = fault
        with socket.create_connection(site.address, timeout=10) as sock:
            _send(sock)
            assert site.struck.wait(30)
            sock.settimeout(0.1)
            with contextlib.suppress(OSError):
                sock.recv(1000)
        return site.wait_idle(15)  # by itself a fault ends after 20 s at the earliest


def test_every_fault_stops_when_its_client_leaves() -> None:
    with ThreadPoolExecutor(8) as pool:
        stopped = pool.map(_stops_when_the_client_leaves, STRIKING)
    assert [fault.name for fault, well in zip(STRIKING, stopped, strict=True) if not well] == []


def _stops_when_the_server_closes(fault: NamedFault) -> bool:
    site = Struck().start()
    site.fault = fault
    with socket.create_connection(site.address, timeout=10) as sock:
        _send(sock)
        assert site.struck.wait(30)
        sock.settimeout(0.1)
        with contextlib.suppress(OSError):
            sock.recv(1000)
        threads = _find_threads(site, "serves")
        site.close()
    return not any(thread.is_alive() for thread in threads)


def test_every_fault_stops_when_its_server_closes() -> None:
    with ThreadPoolExecutor(8) as pool:
        stopped = pool.map(_stops_when_the_server_closes, STRIKING)
    assert [fault.name for fault, well in zip(STRIKING, stopped, strict=True) if not well] == []


def test_a_piece_never_waits_for_the_acknowledgement_of_the_one_before() -> None:
    class Notes(FakeService):
        no_delay = 0

        def serve(self, connection: Connection) -> None:
            self.no_delay = connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    with Notes() as site, socket.create_connection(site.address, timeout=10) as sock:
        assert sock.recv(1) == b""
        assert site.no_delay != 0  # else a reset loses what waits: 48 of 150 runs had no partial text


def test_a_server_that_closes_leaves_each_socket_to_the_thread_that_waits_for_it() -> None:
    class Notes(RawServer):
        number = 0

        def serve(self, connection: Connection) -> None:
            serving.set()
            connection.wait_closed()
            self.number = connection.sock.fileno()

    serving = threading.Event()
    site = Notes().start()
    with socket.create_connection(site.address, timeout=10):
        assert serving.wait(10)
        site.close()
    assert site.number > 0  # with -1 here, the thread may have waited for another socket of the same number


def test_a_fault_spoils_the_answer_that_the_site_would_have_given() -> None:
    assert b"text/event-stream" in _said("cut_chunk")
    assert b"Margherita" in _said("cut_chunk")
    assert b"application/json" in _said("cut_chunk", "/json")
    assert b"text/html" in _said("cut_chunk", method="GET")


def test_a_fault_strikes_only_at_the_method_that_it_is_set_to() -> None:
    with inject(FAULTS["status_500"], Small(), route=("GET", "")) as rig:
        assert requests.get(rig.url, timeout=5).status_code == 500
        assert requests.post(rig.url, timeout=5).status_code == 200


def test_half_of_an_answer_is_less_than_the_whole() -> None:
    body = _said("early_end")
    assert b"Margherita" in body
    assert b"Diavola" not in body
    assert b'finish_reason": "stop' not in body
    assert body.endswith(b"0\r\n\r\n")


def test_the_echo_holds_the_password_as_sent_and_decoded() -> None:
    body = _said("key_echoed")
    assert b"401" in body.splitlines()[0]
    assert base64.b64encode(b"user:pa55word") in body
    assert b"user:pa55word" in body


@pytest.mark.parametrize("fault", ["invalid_utf8", "wrong_gzip", "forbidden", "empty_answer", "no_content"])
def test_a_fault_that_is_a_whole_response_says_that_it_closes(fault: str) -> None:
    assert _said(fault).count(b"\r\nConnection: close\r\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("seconds", b"7"), ("negative", b"-5"), ("rubbish", b"soon"), ("huge", b"9" * 400), ("past", b"Wed, 21 Oct 2015")],
)
def test_each_kind_of_retry_after_is_sent(name: str, value: bytes) -> None:
    assert b"\r\nRetry-After: " + value in _said(f"retry_after_{name}")


def test_a_redirect_loop_points_to_itself() -> None:
    assert b"\r\nLocation: /round/about\r\n" in _said("redirect_loop", "/round/about")


@pytest.mark.parametrize("kind", ["stream", "ndjson", "json", "page"])
@pytest.mark.parametrize("name", sorted({*NAMED_IN_THE_PLAN} & {fault.name for fault in STRIKING}))
def test_every_fault_documents_an_end_for_every_kind(name: str, kind: Kind) -> None:
    end = FAULTS[name].ends.of(kind)
    assert end is None or issubclass(end, ProviderError)


class TLSSmall(TLSServer, Small):
    """The small site, in TLS."""


def test_a_fake_speaks_tls_with_one_word_before_its_class() -> None:
    with TLSSmall() as site:
        assert site.url.startswith("https://")
        assert requests.get(site.url, verify=site.ca, timeout=5).text == "<title>Small</title>"


def test_a_tls_server_closes_while_a_client_holds_on() -> None:
    site = TLSSmall().start()
    with requests.Session() as session:
        session.get(site.url, verify=site.ca, timeout=5)
        threads = _find_threads(site, "serves")
        site.close()
        site.close()
    assert not any(thread.is_alive() for thread in threads)


def test_a_wrong_name_is_the_only_thing_wrong_with_that_certificate() -> None:
    with inject(FAULTS["tls_wrong_name"], Small()) as rig, pytest.raises(requests.exceptions.SSLError) as caught:
        requests.get(rig.url, verify=rig.ca, timeout=5)
    assert "match" in str(caught.value)


def test_the_proxy_hands_requests_on_and_notes_them() -> None:
    with Small() as site, ProxyServer() as proxy:
        answer = requests.post(f"{site.url}/json", proxies={"http": proxy.url}, timeout=5)
        assert answer.json() == {"text": site.text}
        assert [received.target for received in proxy.requests] == [f"{site.url}/json"]
        assert [received.path for received in site.requests] == ["/json"]


def test_the_proxy_makes_tunnels() -> None:
    with TLSSmall() as site, ProxyServer() as proxy:
        answer = requests.get(site.url, proxies={"https": proxy.url}, verify=site.ca, timeout=5)
        assert answer.text == "<title>Small</title>"
        assert [received.method for received in proxy.requests] == ["CONNECT"]


def test_the_proxy_lets_in_whoever_knows_its_password_and_keeps_it_to_itself() -> None:
    with Small() as site, ProxyServer(credentials="user:pa55word") as proxy:
        known = proxy.url.replace("://", "://user:pa55word@")
        assert requests.get(site.url, proxies={"http": known}, timeout=5).status_code == 200
        assert requests.get(site.url, proxies={"http": proxy.url}, timeout=5).status_code == 407
        assert "proxy-authorization" not in site.requests[0].headers


def test_the_proxy_dies_after_so_many_bytes() -> None:
    came: list[bytes] = []
    with (
        Small() as site,
        ProxyServer(cut_after=10) as proxy,
        socket.create_connection(proxy.address, timeout=5) as sock,
    ):
        sock.sendall(f"GET {site.url}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            came.extend(iter(lambda: sock.recv(100), b""))
    assert len(b"".join(came)) <= 10


def test_a_provider_that_does_well_is_told_from_one_that_sells_a_failure_as_an_answer() -> None:
    well, ill = (
        run_fault(FAULTS["status_500"], "small", Small(), kind="json", registry=_registry(kind))
        for kind in (Asks, Swallows)
    )
    assert (well.ended, well.fits) == ("HTTPStatusError", True)
    assert (ill.ended, ill.fits) == ("another text", False)


def test_a_harmless_fault_is_tried_twice_and_must_be_answered_twice() -> None:
    site = Small()
    trial = run_fault(FAULTS["closed_between_calls"], "small", site, kind="json", registry=_registry(Asks))
    assert (trial.documented, trial.ended, trial.fits) == ("answered", "answered", True)
    assert site.connections == 2


def test_a_fault_that_strikes_at_the_second_call_is_met_by_a_second_call() -> None:
    site = Small()
    trial = run_fault(FAULTS["dies_when_reused"], "small", site, kind="json", registry=_registry(Asks))
    assert (trial.documented, trial.ended, trial.fits) == ("ConnectionLost", "ConnectionLost", True)
    assert site.connections == 1


def test_waiting_past_a_limit_and_computing_show_in_different_figures() -> None:
    class Waits(Asks):
        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            while (http.clock.left() or 0.0) > -0.5:
                time.sleep(0.1)
            yield from super().complete(request, http)

    class Computes(Asks):
        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            started = time.thread_time()
            while time.thread_time() < started + 0.5:
                pass
            yield from super().complete(request, http)

    limits = Limits(connect=None, first_token=None, idle=None, deadline=2.0)  # long enough to get there
    waits, computes = (
        run_fault(
            FAULTS["stall_before_headers"], "small", Small(), kind="json", limits=limits, registry=_registry(kind)
        )
        for kind in (Waits, Computes)
    )
    assert waits.overrun >= 0.4
    assert waits.cpu_seconds < 0.4
    assert computes.cpu_seconds >= 0.5


def test_what_an_error_tells_includes_its_chain_its_fields_and_its_pickle() -> None:
    outer = ProviderError("outside", url="in a field")
    outer.__cause__, outer.__cause__.__context__ = ValueError("in the cause"), KeyError("in its context")
    text = collect_exposed_text(outer)
    assert [words for words in ("outside", "in a field", "in the cause", "in its context") if words not in text] == []


def test_a_secret_has_many_spellings() -> None:
    found = spellings('p/"s&', "user")
    assert {'p/"s&', "p%2F%22s%26", "p%2f%22s%26", 'p/\\"s&', 'p\\/\\"s&', "p/&quot;s&amp;"} <= found
    assert base64.b64encode(b'user:p/"s&').decode().rstrip("=") in found


def test_a_response_that_is_made_while_its_server_closes_still_knows_the_address() -> None:
    asked, closed = threading.Event(), threading.Event()

    class Slow(FakeService):
        made = ""

        def respond(self, received: Received) -> Response:
            asked.set()
            assert closed.wait(30)
            self.made = self.url
            return html("")

    site = Slow().start()
    address = site.url
    with socket.create_connection(site.address) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert asked.wait(30)
        closing = threading.Thread(target=site.close)
        closing.start()
        while _find_threads(site, "listens"):
            pass
        closed.set()
        closing.join(30)
    assert site.made == address
