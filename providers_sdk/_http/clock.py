"""The clock of one attempt: which time limit ends first, and what is left until then."""

import time
from collections.abc import Callable

from providers_sdk._model.limits import Limits
from providers_sdk.errors import ConnectTimeout, DeadlineExceeded, FirstTimeout, IdleTimeout, TimeLimitExceeded

__all__ = ["Clock"]


class Clock:
    """The time left to one attempt.

    :param limits: the call's limits.
    :param started: when the whole call began, as ``now()`` tells; the deadline counts from there.
    :param now: a monotonic clock in seconds.
    """

    def __init__(
        self, limits: Limits, *, started: float | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits
        self.now = now
        self.attempt_started = now()
        self.call_started = self.attempt_started if started is None else started
        self.first_at: float | None = None
        self._waiting_since = self.attempt_started
        self._handed_at: float | None = None

    def piece_arrived(self) -> None:
        """A piece of the answer is here: from now on ``idle`` counts, not ``first``."""
        if self.first_at is None:
            self.first_at = self.now()
        self._waiting_since = self._handed_at = self.now()

    def pause(self) -> None:
        """A chunk goes to the consumer: until he asks for more, no time counts as idleness of the service."""
        self._handed_at = self.now()

    def resume(self) -> None:
        """The consumer asks for more."""
        if self._handed_at is not None:
            self._waiting_since += self.now() - self._handed_at
        self._handed_at = None

    def left(self) -> float | None:
        """Return the seconds until the nearest limit, ``None`` where there is none; may be negative."""
        ends = [end for _, _, end, _ in self._running()]
        return min(ends) - self.now() if ends else None

    def deadline_left(self) -> float | None:
        """Return the seconds until the deadline, ``None`` where there is none; may be negative."""
        if self.limits.deadline is None:
            return None
        return self.call_started + self.limits.deadline - self.now()

    def check(self) -> None:
        """Raise the limit that has run out, if one has.

        :raises TimeLimitExceeded: of the limit's own class.
        """
        left = self.left()
        if left is not None and left <= 0:
            raise self.verdict()

    def verdict(self) -> TimeLimitExceeded:
        """Return the error of the limit that ends first."""
        running = self._running()
        if not running:
            return TimeLimitExceeded("the network timed out, though no time limit is set")
        kind, seconds, _, since = min(running, key=lambda row: row[2])
        return _exceeded(kind, seconds, self.now() - since)

    def connect_timeout(self) -> float | None:
        """Return the seconds that connecting may take now: ``connect`` or what is left, whichever is less."""
        given = [seconds for seconds in (self.limits.connect, self.left()) if seconds is not None]
        return min(given) if given else None

    def connect_verdict(self, elapsed: float) -> TimeLimitExceeded:
        """Return the error for a connection that was not there in time."""
        left = self.left()
        if self.limits.connect is None or (left is not None and left <= 0):
            return self.verdict()
        return _exceeded(ConnectTimeout, self.limits.connect, elapsed)

    def _running(self) -> list[tuple[type[TimeLimitExceeded], float, float, float]]:
        """Rows of (error class, seconds, end, since) for each limit that is on."""
        piece, seconds = (FirstTimeout, self.limits.first) if self.first_at is None else (IdleTimeout, self.limits.idle)
        rows: list[tuple[type[TimeLimitExceeded], float | None, float]] = [
            (DeadlineExceeded, self.limits.deadline, self.call_started),
            (piece, seconds, self._waiting_since),
        ]
        return [(kind, limit, since + limit, since) for kind, limit, since in rows if limit is not None]


_WHAT = {
    ConnectTimeout: "no connection",
    FirstTimeout: "no first piece of an answer",
    IdleTimeout: "no further piece of the answer",
    DeadlineExceeded: "no complete answer",
}


def _exceeded(kind: type[TimeLimitExceeded], seconds: float, elapsed: float) -> TimeLimitExceeded:
    return kind(
        f"{_WHAT[kind]} within {seconds:g} s (limit {kind.limit}={seconds:g}, {elapsed:.1f} s have passed); "
        f"raise {kind.limit}= if the service needs longer",
        seconds=seconds,
        elapsed=elapsed,
    )
