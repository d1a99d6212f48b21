"""Runs a schedule: one thread starts what may start, an executor asks, and outcomes wait to be taken.

Three kinds of threads meet here under one lock. The *consumer* adds jobs and takes outcomes. The *dispatcher*, the only
thread that this module starts itself, waits until the schedule lets a job start and submits it. The executor's threads
report what came of it; the thread that reports writes the journal, too, so that a finished answer is on its way to
the disk even while the consumer is busy. An outcome can be taken only after that.

To stop means: nothing more is started, what is in flight may finish for ``grace`` seconds and is journalled, and then
its connections are closed.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import Protocol

from providers_sdk._engine.batch.journal import Journal
from providers_sdk._engine.batch.outcome import Outcome
from providers_sdk._engine.batch.schedule import Job, Progress, Schedule, Start
from providers_sdk._engine.batch.worker import Answer
from providers_sdk._engine.call import CallSpec
from providers_sdk.errors import BatchStopped, Closed

__all__ = ["GRACE", "Pool", "Runner"]

GRACE = 10.0
_LAST_WAIT = 5.0
_TICK = 1.0  # so that Ctrl-C is noticed where waiting cannot be interrupted


class Pool(Protocol):
    """Where calls are made."""

    def submit(self, specs: Sequence[CallSpec]) -> "Future[list[Answer]]":
        """Ask all ``specs``, one after the other."""

    def choose_chunk(self) -> int:
        """Return how many calls make one task."""

    def stop(self) -> None:
        """End what is in flight."""

    def close(self, *, wait: bool) -> None:
        """Give up what it holds."""


class Runner:
    """The running part of a batch.

    :param schedule: what is started when; only this class touches it from here on.
    :param grace: seconds that calls in flight have to finish when the batch is stopped.
    """

    def __init__(self, schedule: Schedule, pool: Pool, journal: Journal | None, *, grace: float = GRACE) -> None:
        self._schedule, self._pool, self._journal, self._grace = schedule, pool, journal, grace
        self._changed = threading.Condition()
        self._outcomes: deque[Outcome] = deque()
        self._dispatcher: threading.Thread | None = None
        self._open = 0  # jobs that were added and whose outcome was not taken
        self._stopping = self._closed = self._ended = False
        self._broken: BaseException | None = None

    @property
    def stopped(self) -> BaseException | None:
        """Why nothing more is started; ``None`` where it goes on."""
        return self._broken or self._schedule.stopped

    @property
    def open(self) -> int:
        """How many jobs were added whose outcome has not been taken."""
        return self._open

    def has_enough(self, workers: int) -> bool:
        """Return whether an outcome can be taken and enough jobs wait: then reading more can wait."""
        with self._changed:
            return bool(self._outcomes) and self._schedule.waiting >= workers

    def add(self, job: Job) -> None:
        """Have ``job`` asked."""
        with self._changed:
            self._schedule.add(job)
            self._open += 1
            self._changed.notify_all()
        if self._dispatcher is None:
            self._dispatcher = threading.Thread(target=self._dispatch, name="providers-sdk-batch", daemon=True)
            self._dispatcher.start()

    def take(self) -> Outcome | None:
        """Return the next outcome; ``None`` once no more will come."""
        with self._changed:
            while not self._outcomes:
                over = self._open == 0 or (self.stopped is not None and not self._schedule.in_flight)
                if self._ended or (over and not self._stopping):  # whoever stops it first finishes that
                    return None
                self._changed.wait(_TICK)
            self._open -= 1
            return self._outcomes.popleft()

    def describe(self) -> Progress:
        """Return how far it is."""
        with self._changed:
            return self._schedule.describe(time.monotonic())

    def close(self) -> None:
        """Stop, and leave no thread, connection or lock behind; closing twice is a no-op."""
        with self._changed:
            if self._closed:
                return
            self._closed = self._stopping = True
            self._changed.notify_all()
        try:
            self._wait_for_calls(self._grace)
        finally:
            self._pool.stop()
            done = self._wait_for_calls(_LAST_WAIT)
            if self._dispatcher is not None:
                self._dispatcher.join(_LAST_WAIT)
            self._pool.close(wait=done)
            if self._journal is not None:
                self._journal.close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _wait_for_calls(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        with self._changed:
            while self._schedule.in_flight and (left := until - time.monotonic()) > 0:
                self._changed.wait(min(left, _TICK))
            return not self._schedule.in_flight

    def _dispatch(self) -> None:
        while (starts := self._wait_for_starts()) is not None:
            try:
                future = self._pool.submit([start.spec for start in starts])
            except BaseException as error:  # noqa: BLE001  a foreign executor's; the batch ends with it
                self._break(error, starts)
            else:
                future.add_done_callback(partial(self._receive, starts))

    def _wait_for_starts(self) -> list[Start] | None:
        """Return what starts next, ``None`` once nothing more does."""
        with self._changed:
            while not self._stopping and self._broken is None:
                found = self._schedule.choose(time.monotonic())
                if isinstance(found, Start):
                    return [found, *self._choose_more(self._pool.choose_chunk() - 1)]
                if self.stopped is not None:
                    self._changed.notify_all()
                self._changed.wait(min(found, threading.TIMEOUT_MAX))
            return None

    def _choose_more(self, most: int) -> list[Start]:
        found = (self._schedule.choose(time.monotonic()) for _ in range(most))
        return [start for start in iter(lambda: next(found, None), None) if isinstance(start, Start)]

    def _receive(self, starts: Sequence[Start], future: "Future[list[Answer]]") -> None:
        try:
            for start, answer in zip(starts, future.result(), strict=True):
                self._finish(start, answer)
        except CancelledError as error:
            self._break(error, starts)
        except BaseException as error:  # noqa: BLE001  a foreign executor's, or a fault of this library
            self._break(error, starts)

    def _finish(self, start: Start, answer: Answer) -> None:
        with self._changed:
            if self._stopping and isinstance(answer.error, Closed):
                self._schedule.cancel(start, again=False)
                self._changed.notify_all()
                return
            outcome = self._schedule.finish(start, answer, time.monotonic())
            if outcome is None:
                self._changed.notify_all()
                return
            self._schedule.in_flight += 1  # until it is journalled
        try:
            if self._journal is not None:
                self._journal.append(start.job.key, outcome)
        except BaseException as error:  # noqa: BLE001  whatever it is, the outcome must not be handed out
            self._add_outcome(None, error)
        else:
            self._add_outcome(outcome, None)

    def _add_outcome(self, outcome: Outcome | None, error: BaseException | None) -> None:
        with self._changed:
            self._schedule.in_flight -= 1
            self._broken = self._broken or error
            if outcome is not None:
                self._outcomes.append(outcome)
            self._changed.notify_all()

    def _break(self, error: BaseException, starts: Sequence[Start]) -> None:
        with self._changed:
            for start in starts:
                self._schedule.cancel(start, again=False)
            if not self._stopping:
                self._broken = self._broken or _explain(error)
            self._changed.notify_all()


def _explain(error: BaseException) -> BatchStopped:
    stopped = BatchStopped(
        f"the batch stopped: the executor lost a task ({type(error).__name__}: {error}); what is finished is kept, "
        "start the executor again and run the same again"
    )
    stopped.__cause__ = error
    return stopped
