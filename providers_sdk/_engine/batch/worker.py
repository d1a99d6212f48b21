"""Asks one prompt at one provider and reads the answer to its end; what comes of it is a value."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from providers_sdk._attempts import Attempt
from providers_sdk._engine.call import CallSpec
from providers_sdk._engine.reply import Reply
from providers_sdk._model.chunks import ToolCall, Usage
from providers_sdk._protocol.quota import Quota, find_quota
from providers_sdk._provider.attempt import AttemptRun
from providers_sdk._provider.binding import BoundProvider
from providers_sdk.errors import Closed, ProviderError

__all__ = ["Answer", "Calls", "Worker"]


class Calls(Protocol):
    """The part of :class:`Client` that a batch uses."""

    def _start_call(
        self, spec: CallSpec, *, sleep: Callable[[float], None], observe: Callable[[AttemptRun], None]
    ) -> Reply: ...

    def _bind(self, name: str, seconds: float | None = None) -> BoundProvider: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking one provider: plain data, which may come from another machine.

    :param data: the answer as the call's schema has it.
    """

    text: str
    error: ProviderError | None
    attempts: tuple[Attempt, ...]
    usage: Usage | None
    finish_reason: str | None
    quota: Quota | None
    data: Any = None
    tool_calls: tuple[ToolCall, ...] = ()


class Worker:
    """Asks for a batch. Threads share it.

    :param calls: the client.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._open: set[AttemptRun] = set()

    def ask(self, spec: CallSpec) -> Answer:
        """Ask, and return the answer or the error."""
        runs: list[AttemptRun] = []

        def observe(run: AttemptRun) -> None:
            runs.append(run)
            self._add(run)

        try:
            reply = self._calls._start_call(spec, sleep=self._sleep, observe=observe)
            return _make_answer(reply, spec, runs[-1])
        except ProviderError as error:
            return _make_failure(error, runs)
        finally:
            with self._lock:
                self._open.difference_update(runs)

    def stop(self) -> None:
        """End what is being asked: close the connections and wake those that wait."""
        self._stopped.set()
        with self._lock:
            runs = list(self._open)
        for run in runs:
            run.close()

    def _add(self, run: AttemptRun) -> None:
        with self._lock:
            self._open.add(run)
        if self._stopped.is_set():
            run.close()

    def _sleep(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise Closed("the batch was stopped")


def _make_answer(reply: Reply, spec: CallSpec, run: AttemptRun) -> Answer:
    calls, text = reply.tool_calls, reply.text
    data = reply.data if spec.schema is not None and not calls else None
    return Answer(text, None, reply.attempts, reply.usage, reply.finish_reason, _find_quota(run), data, calls)


def _make_failure(error: ProviderError, runs: list[AttemptRun]) -> Answer:
    usage = error.usage if isinstance(error.usage, Usage) else None
    quota = _find_quota(runs[-1]) if runs else None
    return Answer("", error, error.attempts, usage, error.finish_reason, quota)


def _find_quota(run: AttemptRun) -> Quota | None:
    return find_quota(run.http.headers, time.time())
