"""Waits within the limits of one attempt, until another thread ends it.

A queue wakes the thread that waits, and not an event: its ``put`` takes no lock that a forked child could find held,
and a signal handler may call it.
"""

import math
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from providers_sdk._http.clock import Clock
from providers_sdk.errors import Closed, InvalidArgument, RateLimited

if TYPE_CHECKING:
    from providers_sdk._http.response import HttpResponse

__all__ = ["Waiting", "check_seconds"]

T = TypeVar("T")


class Waiting:
    """The waits of one attempt."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ended: SimpleQueue[None] = SimpleQueue()

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``.

        :raises TimeLimitExceeded: a limit ran out before; raised when it does.
        :raises Closed: :meth:`end` was called.
        """
        self._clock.check()
        left = self._clock.left()
        wait = seconds if left is None else min(seconds, left)
        try:
            self._ended.get(timeout=min(max(wait, 0), threading.TIMEOUT_MAX))
        except Empty:
            if left is not None and left <= seconds:
                raise self._clock.timeout_error() from None
            return
        self._ended.put(None)  # for the next one
        raise Closed("the reply was closed while its provider was waiting")

    def poll(
        self,
        ask: Callable[[], T],
        *,
        every: float,
        until: Callable[[T], bool],
        last: "Callable[[], HttpResponse | None]",
    ) -> T:
        """Call ``ask`` until ``until`` accepts its result.

        :param every: seconds between two calls; a ``Retry-After`` of the ``last`` response makes it longer.
        :raises RateLimited: that is longer than what is left.
        """
        from providers_sdk._http.response import HttpResponse

        while not until(result := ask()):
            if isinstance(result, HttpResponse):
                result.close()
            response = last()
            self.sleep(max(every, self._find_retry_after(response) if response is not None else 0.0))
        return result

    def _find_retry_after(self, response: "HttpResponse") -> float:
        after, left = response.retry_after or 0.0, self._clock.left()
        if left is not None and after > left:
            raise RateLimited(
                f"the service asks to wait {after:g} s before it is asked again, and {max(left, 0):.0f} s are left; "
                "raise the time limit, or ask another provider",
                url=response.url,
                status=response.status,
                retry_after=after,
            )
        return after

    def end(self) -> None:
        """End the wait that is under way, and all later ones."""
        self._ended.put(None)


def check_seconds(seconds: float, what: str, *, least: float = 0.0) -> float:
    """Return ``seconds``.

    :raises InvalidArgument: it is no finite number, or less than ``least``.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not least <= seconds < math.inf:
        raise InvalidArgument(f"{what} takes seconds, a number of at least {least:g}, not {seconds!r:.40}")
    return seconds
