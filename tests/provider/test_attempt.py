"""One attempt: it keeps its limits whatever a plugin does, ends once, and is shared by threads."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from providers_sdk import Client, FinishReason, Registry, ToolCall
from providers_sdk._http.clock import Clock
from providers_sdk._model.limits import Limits
from providers_sdk._model.messages import Message
from providers_sdk._model.request import Request
from providers_sdk._provider.attempt import AttemptRun, State
from providers_sdk._provider.binding import bind
from providers_sdk.errors import DeadlineExceeded, EmptyAnswer, FirstTokenTimeout, IdleTimeout
from providers_sdk.plugin import TOOL_CALL_PIECE, Chunk, Http, Provider

Step = Chunk | Callable[[], object]


class Hands:
    """A clock that moves only when it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> Callable[[], object]:
        """Return a step that lets time pass."""

        def step() -> None:
            self.now += seconds

        return step


@pytest.fixture
def hands() -> Hands:
    return Hands()


def start(hands: Hands, *steps: Step, **limits: float | None) -> AttemptRun:
    """Return an attempt at a provider that takes ``steps``."""

    class Scripted(Provider):
        offline = supports_stream = True

        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            for step in steps:
                if callable(step):
                    step()
                else:
                    yield step

    clock = Clock(Limits(**{"connect": None, "first_token": None, "idle": None, "deadline": None, **limits}), now=hands)
    return AttemptRun(bind(Scripted(environ={})), Request((Message("user", "Hi"),), "m"), clock)


STOP = FinishReason("stop")


def test_a_plugin_that_waits_before_its_first_piece_runs_into_first(hands: Hands) -> None:
    run = start(hands, hands.move(5), "late", STOP, first_token=1)
    with pytest.raises(FirstTokenTimeout):
        run.open()


def test_a_plugin_that_waits_between_two_pieces_runs_into_idle(hands: Hands) -> None:
    run = start(hands, "in time ", hands.move(5), "late", STOP, idle=1)
    run.open()
    assert next(run) == "in time "
    with pytest.raises(IdleTimeout) as caught:
        next(run)
    assert caught.value.partial == "in time "


def test_the_pieces_of_a_long_tool_call_are_no_silence_and_are_never_delivered(hands: Hands) -> None:
    call = ToolCall("c", "ping", {})
    pieces = [step for _ in range(5) for step in (hands.move(0.9), TOOL_CALL_PIECE)]
    run = start(hands, *pieces, call, STOP, first_token=1, idle=1)
    run.open()
    assert [next(run), next(run)] == [call, STOP]
    assert run.tool_calls == (call,)
    assert run.record().first_token == pytest.approx(0.9)
    late = start(hands, *pieces, hands.move(2), TOOL_CALL_PIECE, call, STOP, first_token=1, idle=1)
    with pytest.raises(IdleTimeout):
        late.open()


def test_a_plugin_that_waits_before_its_finish_runs_into_the_deadline(hands: Hands) -> None:
    run = start(hands, "text", hands.move(5), STOP, deadline=1)
    run.open()
    with pytest.raises(DeadlineExceeded):
        list(run)
    assert run.state is State.FAILED


def test_white_space_is_looked_at_once_a_chunk(hands: Hands) -> None:
    looks = 0

    class White(str):
        def strip(self, *_: Any) -> str:
            nonlocal looks
            looks += 1
            return ""

        def __str__(self) -> str:
            return self

    run = start(hands, *[White(" ")] * 2_000, STOP)
    with pytest.raises(EmptyAnswer):
        run.open()
    assert looks <= 4_000


def test_the_state_is_left_once_whoever_is_first(hands: Hands) -> None:
    for _ in range(50):
        run = start(hands, "a", "b", STOP)
        over: list[State] = []
        run.open()
        run.add_done_callback(lambda done, over=over: over.append(done.state))  # type: ignore[misc]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _, run=run: run.close(), range(8)))
        assert over == [State.CLOSED]


def test_threads_that_share_a_reply_get_each_piece_once() -> None:
    class Counts(Provider):
        offline = supports_stream = True
        default_model = "m"

        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            yield from (f"{number} " for number in range(1_000))
            yield STOP

    registry, together = Registry(), threading.Barrier(4)
    registry.register("counts", Counts)
    with Client("counts", registry=registry) as client, ThreadPoolExecutor(4) as threads:
        reply = client.chat("Hi")

        def read() -> list[str]:
            together.wait()
            return list(reply)

        pieces = [piece for part in [threads.submit(read) for _ in range(4)] for piece in part.result(30)]
    assert sorted(map(int, pieces)) == list(range(1_000))
    assert reply.done


def test_a_call_from_a_thread_does_not_wait_for_one_that_reads(hands: Hands) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def block() -> None:
        reading.set()
        go_on.wait(30)

    run = start(hands, "a", block, "b", STOP)
    run.open()
    assert next(run) == "a"
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(next, run)
        assert reading.wait(30)
        run.close()
        assert run.state is State.CLOSED
        go_on.set()
        with pytest.raises(Exception, match="the reply was closed while it was being read"):
            waiting.result(30)
