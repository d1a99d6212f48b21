"""Streams end to end: text arrives as it is sent, whatever ends a stream closes it, and threads may share a client."""

import asyncio
import gc
import os
import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from providers_sdk import Attempt, Client, FinishReason, Message, Reasoning, Registry, Reply, Usage
from providers_sdk.errors import Closed
from providers_sdk.plugin import Chunk, Http, Request
from providers_sdk.testing import Connection, FakeService, Received, Response, deltas, json_response, sse
from providers_sdk_plugins.chatgptfree import ChatgptFree
from providers_sdk_plugins.fakes.aipower import AIPowerSite
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite

PATIENCE = 20.0


def client_of(site: FakeService, provider: str, **arguments: Any) -> Client:
    return Client(provider, retries=0, settings={provider: site.client_settings()}, **arguments)


@pytest.mark.parametrize("case", ["", "close"])
def test_text_arrives_as_it_is_sent(case: str) -> None:
    """A deadlock test: the site sends the next piece only once the script has the one before."""
    received, in_time = threading.Semaphore(1), []  # one for the piece with the role, which is no text
    with AIPowerSite(case, reply_pieces=tuple(f"piece {number}, " for number in range(20))) as site:
        site.before_next_piece = lambda: in_time.append(received.acquire(timeout=PATIENCE))
        with client_of(site, "chatgptfree") as client:
            pieces = []
            for text in client.chat("Hi"):
                pieces.append(text)
                received.release(2 if len(pieces) == len(site.reply_pieces) else 1)  # nor is the finish reason any
    assert tuple(pieces) == site.reply_pieces
    assert in_time == [True] * 22


class Abandoned(AIPowerSite):
    """Sends the first text of each answer, waits until the client is gone, and counts those that went."""

    def __init__(self) -> None:
        super().__init__()
        self.left = threading.Semaphore(0)
        self.fault = self._first_piece_only

    def _first_piece_only(self, connection: Connection, _: Received) -> None:
        pieces = iter(connection.intended_response.encode())
        for _piece in range(3):
            connection.send(next(pieces))
        if connection.wait_closed(PATIENCE):
            self.left.release()

    def saw_leave(self, count: int) -> bool:
        return all(self.left.acquire(timeout=PATIENCE) for _ in range(count))


def leave_by_break(client: Client) -> None:
    for _ in client.chat("Hi"):
        break


def leave_by_close(client: Client) -> None:
    reply = client.chat("Hi")
    next(reply)
    reply.close()
    reply.close()


def leave_by_exception(client: Client) -> None:
    try:
        for text in client.chat("Hi"):
            raise LookupError(text)
    except LookupError:
        return


def leave_to_the_garbage_collector(client: Client) -> None:
    reply = client.chat("Hi")
    next(reply)
    del reply


def leave_by_the_end_of_with(client: Client) -> None:
    with client.chat("Hi") as reply:
        next(reply)


WAYS = (
    leave_by_break,
    leave_by_close,
    leave_by_exception,
    leave_to_the_garbage_collector,
    leave_by_the_end_of_with,
)


@pytest.mark.parametrize("leave", WAYS, ids=lambda leave: leave.__name__)
def test_200_streams_left_after_their_first_piece_leave_nothing_open(
    leave: Callable[[Client], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    unraisable: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    before = set(threading.enumerate())
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        with Abandoned() as site:
            with client_of(site, "chatgptfree") as client:
                for _ in range(200):
                    leave(client)
                gc.collect()
                assert site.saw_leave(200)
                assert len(site.requests) == 201
            assert site.wait_idle(PATIENCE)
            assert site.open_connections == 0
        gc.collect()
    assert set(threading.enumerate()) <= before
    assert unraisable == []


def test_a_stream_in_a_circle_of_the_scripts_own_is_closed_by_the_collector() -> None:
    with Abandoned() as site, client_of(site, "chatgptfree") as client, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the collector may come upon the socket first
        for _ in range(20):
            reply: Any = client.chat("Hi")
            reply.itself = reply
        del reply
        gc.collect()
        assert site.saw_leave(20)


def test_a_stream_left_by_break_is_closed_while_the_reply_is_still_held() -> None:
    with Abandoned() as site, client_of(site, "chatgptfree") as client:
        reply = client.chat("Hi")
        for _ in reply:
            break
        assert site.saw_leave(1)
        assert reply.partial == site.reply_pieces[0]


class Parrot(AIPowerSite):
    """Answers with the words of the question; keeps its page until as many as it waits for have come."""

    def __init__(self) -> None:
        super().__init__()
        self.waits_for = threading.Semaphore(0)
        self.crowd = 0

    def respond(self, received: Received) -> Response:
        if received.method == "GET":
            assert all(self.waits_for.acquire(timeout=PATIENCE) for _ in range(self.crowd))
        response = super().respond(received)
        if received.method == "GET" or response.status != 200:
            return response
        return sse(deltas(received.form["message"].split(" ")))

    def count(self, method: str) -> int:
        return len([received for received in self.requests if received.method == method])


def at_once(count: int, call: Callable[[int], str]) -> list[str]:
    barrier = threading.Barrier(count)

    def task(number: int) -> str:
        barrier.wait(PATIENCE)
        return call(number)

    with ThreadPoolExecutor(count) as executor:
        return list(executor.map(task, range(count), timeout=60))


def test_50_threads_share_one_page_and_one_more_when_the_nonce_expires() -> None:
    class Announced(ChatgptFree):
        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            site.waits_for.release()
            yield from super().complete(request, http)

    registry = Registry()
    registry.register("chatgptfree", Announced)
    with Parrot() as site, client_of(site, "chatgptfree", registry=registry) as client:
        site.crowd = 50
        right = [f"number{number}" for number in range(50)]

        assert at_once(50, lambda number: client.chat(f"number {number}").text) == right
        assert (site.count("GET"), site.count("POST")) == (1, 50)

        site.expire()
        site.crowd = 0
        assert at_once(50, lambda number: client.chat(f"number {number}").text) == right
        refused = [received for received in site.requests[51:] if received.form.get("_wpnonce") == "77f045b300"]
        assert site.count("GET") == 2
        assert 1 <= len(refused) <= 50
        assert site.count("POST") == 100 + len(refused)


class Asked(PizzagptSite):
    """Answers with the question."""

    def respond(self, received: Received) -> Response:
        body = received.json()
        return json_response({"answer": {"content": body["question"] if isinstance(body, dict) else ""}})


def test_64_threads_share_one_client() -> None:
    with Asked() as site, client_of(site, "pizzagpt") as client:
        asked = at_once(64, lambda number: " ".join(client.chat(f"{number} {turn}").text for turn in range(5)))
        assert asked == [" ".join(f"{number} {turn}" for turn in range(5)) for number in range(64)]
        assert site.connections <= 64


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_closing_a_reply_from_another_thread_wakes_its_reader(framing: str) -> None:
    ends: list[object] = []

    def read(reply: Reply) -> None:
        try:
            ends.append(list(reply))
        except Closed as error:
            ends.append(error.partial)

    with Abandoned() as site, client_of(site, "chatgptfree", idle=None, deadline=None) as client:
        site.case = {"chunked": "", "close": "close"}[framing]
        for _ in range(20):
            reply = client.chat("Hi")
            reader = threading.Thread(target=read, args=(reply,))
            reader.start()
            while reader.is_alive() and not reply.partial:
                reader.join(0.001)
            reply.close()
            reader.join(PATIENCE)
            assert not reader.is_alive()
        assert site.saw_leave(20)
    assert ends == [site.reply_pieces[0]] * 20


class Gate:
    """A pace: lets the first text of an answer out, and the rest once it is opened."""

    def __init__(self) -> None:
        self._free = threading.Semaphore(1)
        self._opened = threading.Event()

    def __call__(self) -> None:
        if not self._free.acquire(blocking=False):
            self._opened.wait(PATIENCE)

    def open(self) -> None:
        self._opened.set()


def test_closing_the_client_takes_nothing_from_a_reply_that_is_read() -> None:
    with AIPowerSite() as site:
        site.before_next_piece = gate = Gate()
        client = client_of(site, "chatgptfree")
        reply = client.chat("Hi")
        client.close()
        gate.open()
        assert reply.text == site.text
        assert site.wait_idle(PATIENCE)


FORKED = """
import os, sys
from providers_sdk import Client

url = sys.argv[1]
client = Client("pizzagpt", settings={"pizzagpt": {"url": url}})
assert client.chat("before").text == "before"
child = os.fork()
if child:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
who = "parent" if child else "child"
for number in range(20):
    assert client.chat(f"{who} {number}").text == f"{who} {number}"
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX")
def test_a_forked_child_does_not_share_its_parents_connections() -> None:
    with Asked() as site:
        subprocess.run([sys.executable, "-W", "error", "-c", FORKED, site.url], check=True, timeout=60)
        assert site.connections == 2
        assert len(site.requests) == 41


FORKED_MIDWAY = """
import os, sys
from providers_sdk import Client

client = Client("chatgptfree", settings={"chatgptfree": {"url": sys.argv[1]}})
reply = client.chat("Hi")
first = next(reply)
child = os.fork()
if not child:
    reply.close()
    client.close()
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print("the child is gone", flush=True)
assert first + "".join(reply) == sys.argv[2], reply.partial
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX")
def test_a_forked_child_that_closes_a_reply_takes_nothing_from_its_parent() -> None:
    with AIPowerSite() as site:
        site.before_next_piece = gate = Gate()
        script = [sys.executable, "-W", "error", "-c", FORKED_MIDWAY, site.url, site.text]
        with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "the child is gone\n"
            gate.open()
            assert process.wait(PATIENCE) == 0


def test_a_client_works_inside_a_running_event_loop() -> None:
    async def main() -> list[str]:
        with AIPowerSite() as site, client_of(site, "chatgptfree") as client:
            here = client.chat("Hi").text
            there = await asyncio.to_thread(lambda: client.chat("Hi").text)
            return [here, there, site.text]

    assert len(set(asyncio.run(main()))) == 1


@pytest.mark.parametrize(
    "value",
    [
        Message("user", "Hi"),
        Reasoning("hm"),
        Usage(1, 2),
        FinishReason("stop"),
        Attempt("echo", "echo", "answered", first_token=0.1),
        Request((Message("user", "Hi"),), "echo", options={"temperature": 0.2}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_survive_pickling(value: object) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(value, protocol)) == value


def test_the_attempts_of_a_reply_survive_pickling() -> None:
    with AIPowerSite() as site, client_of(site, "chatgptfree") as client:
        reply = client.chat("Hi")
        assert reply.text == site.text
        assert pickle.loads(pickle.dumps(reply.attempts)) == reply.attempts
