"""The clock of one attempt: which time limit ends first, and what is left until then.

Two limits run at any time: ``deadline`` since the call began, and the limit for the next piece of the answer:
``first_token`` before the first piece, ``idle`` after it. The nearest end is computed when something changes (a piece
arrives, the consumer takes over or asks for more), so that asking what is left costs one subtraction. A limit that is
off never ends: it is infinite.
"""

import math
import time
from collections.abc import Callable

from providers_sdk._model.limits import Limits
from providers_sdk.errors import ConnectTimeout, DeadlineExceeded, FirstTokenTimeout, IdleTimeout, TimeLimitExceeded

__all__ = ["Clock"]


class Clock:
    """The time left to one attempt.

    :param limits: the limits of the attempt, in seconds.
    :param started: when the whole call began, by ``now()``; the deadline counts from there.
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
        self._last_end = self.call_started + _or_infinite(limits.deadline)
        self._piece_limit = _or_infinite(limits.first_token)
        self._handed_at: float | None = None
        self._wait_from(self.attempt_started)

    def start_waiting(self) -> None:
        """Wait for the next chunk: the consumer's own time ends here.

        :raises TimeLimitExceeded: a limit has run out.
        """
        now = self.now()
        if self._handed_at is not None:
            self._wait_from(self._waiting_since + now - self._handed_at)
            self._handed_at = None
        if self._end <= now:
            raise self.timeout_error()

    def stop_waiting(self, *, piece: bool) -> None:
        """A chunk is here, and goes to the consumer: its own time begins here.

        :param piece: whether it is a piece of the answer: from then on ``idle`` counts, not ``first_token``.
        :raises TimeLimitExceeded: a limit has run out before.
        """
        now = self.now()
        if self._end <= now:
            raise self.timeout_error()
        if piece:
            if self.first_at is None:
                self.first_at = now
                self._piece_limit = _or_infinite(self.limits.idle)
            self._wait_from(now)
        self._handed_at = now

    def left(self) -> float | None:
        """Return the seconds until the nearest limit, ``None`` where there is none; may be negative."""
        return None if self._end == math.inf else self._end - self.now()

    def check(self) -> None:
        """Raise the limit that has run out, if one has.

        :raises TimeLimitExceeded: of the limit's own class.
        """
        if self._end <= self.now():
            raise self.timeout_error()

    def timeout_error(self) -> TimeLimitExceeded:
        """Return the error of the limit that ends first."""
        if self._end == math.inf:
            return TimeLimitExceeded("the network timed out, though no time limit is set")
        if self._end == self._last_end:
            return _make_error(DeadlineExceeded, self.limits.deadline, self.now() - self.call_started)
        elapsed = self.now() - self._waiting_since
        if self.first_at is None:
            return _make_error(FirstTokenTimeout, self.limits.first_token, elapsed)
        return _make_error(IdleTimeout, self.limits.idle, elapsed)

    def connect_timeout(self) -> float | None:
        """Return the seconds that connecting may take now: ``connect`` or what is left, whichever is less."""
        given = [seconds for seconds in (self.limits.connect, self.left()) if seconds is not None]
        return min(given) if given else None

    def connect_error(self, elapsed: float) -> TimeLimitExceeded:
        """Return the error for a connection that was not there in time."""
        left = self.left()
        if self.limits.connect is None or (left is not None and left <= 0):
            return self.timeout_error()
        return _make_error(ConnectTimeout, self.limits.connect, elapsed)

    def _wait_from(self, since: float) -> None:
        """Count the limit for the next piece from ``since``, and note which limit ends first."""
        self._waiting_since = since
        end = since + self._piece_limit
        self._end = end if end < self._last_end else self._last_end


def _or_infinite(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds


_MISSING = {
    ConnectTimeout: "no connection",
    FirstTokenTimeout: "no first piece of an answer",
    IdleTimeout: "no further piece of the answer",
    DeadlineExceeded: "no complete answer",
}


def _make_error(kind: type[TimeLimitExceeded], seconds: float | None, elapsed: float) -> TimeLimitExceeded:
    return kind(
        f"{_MISSING[kind]} within {seconds:g} s (limit {kind.limit}={seconds:g}, {elapsed:.1f} s have passed); "
        f"raise {kind.limit}= if the service needs longer",
        seconds=seconds,
        elapsed=elapsed,
    )
