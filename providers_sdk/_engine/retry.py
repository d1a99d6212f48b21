"""Decides whether a failed attempt is repeated, and after how long. Pure: no clock, no random numbers of its own.

Full jitter after "Exponential Backoff And Jitter" (AWS Architecture Blog).
"""

from typing import NamedTuple

from providers_sdk.errors import (
    ConnectFailed,
    ConnectionLost,
    ConnectTimeout,
    InvalidArgument,
    ProviderError,
    ResponseError,
)

__all__ = ["RetryPolicy", "Wait"]

_RETRYABLE_STATUS = frozenset({408, 409, 425, 429})
_PERMANENT_STATUS = frozenset({501, 505})
_RETRYABLE = (ConnectFailed, ConnectTimeout, ConnectionLost)


class Wait(NamedTuple):
    """The policy's decision: sleep ``seconds`` and ask again, or, where it is ``None``, do not.

    :param why: why not, where the message should say so; empty where the error is clear without it.
    """

    seconds: float | None
    why: str = ""


class RetryPolicy(NamedTuple):
    """When a failed attempt at one provider is repeated.

    :param retries: how many repeats at the most.
    :param base: seconds of the first back-off's upper bound; it doubles with each repeat.
    :param cap: seconds that one back-off never exceeds.
    :param max_retry_after: the longest ``Retry-After`` that is waited for, in seconds.
    :param left_to_caller: statuses that the caller waits for itself, as a batch does for all its calls together.
    """

    retries: int = 2
    base: float = 0.5
    cap: float = 8.0
    max_retry_after: float = 30.0
    left_to_caller: frozenset[int] = frozenset()

    @classmethod
    def of(cls, retries: object) -> "RetryPolicy":
        """Return the policy of so many retries.

        :raises InvalidArgument: that is no whole number from 0.
        """
        if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
            raise InvalidArgument(f"retries must be a whole number from 0, not {retries!r}")
        return cls(retries=retries)

    def decide(self, error: ProviderError, *, made: int, left: float | None, jitter: float) -> Wait:
        """Return whether, and after how long, to ask the same provider again.

        :param error: why the attempt failed, before anything was delivered.
        :param made: repeats made so far.
        :param left: seconds until the deadline, ``None`` for none.
        :param jitter: a number from 0 to 1.
        """
        if not _is_retryable(error) or error.status in self.left_to_caller:
            return Wait(None)
        if made >= self.retries:
            return Wait(None, f"all {self.retries} retries are used up" if self.retries else "")
        seconds = self._compute_wait(error, made, jitter)
        if seconds is None:
            return Wait(
                None,
                f"the service asks to wait {error.retry_after:g} s, longer than {self.max_retry_after:g} s",
            )
        if left is not None and seconds >= left:
            return Wait(None, f"waiting {seconds:.1f} s would pass the deadline, {max(left, 0.0):.1f} s from now")
        return Wait(seconds)

    def _compute_wait(self, error: ProviderError, made: int, jitter: float) -> float | None:
        if error.retry_after is None or not error.retry_after >= 0:  # not a number is not at least 0 either
            return jitter * min(self.cap, self.base * 2.0 ** min(made, 30))
        if error.retry_after > self.max_retry_after:
            return None
        return error.retry_after + 0.1 * jitter * error.retry_after


def _is_retryable(error: ProviderError) -> bool:
    if isinstance(error, _RETRYABLE):
        return True
    status = error.status if isinstance(error, ResponseError) else None
    if status is None:
        return False
    return status in _RETRYABLE_STATUS or (500 <= status <= 599 and status not in _PERMANENT_STATUS)
