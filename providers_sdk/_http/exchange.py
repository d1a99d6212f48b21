"""One request and its response while they are under way, and the time that the next step may take."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from providers_sdk._http.clock import Clock
from providers_sdk._redact import Redactor

if TYPE_CHECKING:
    import socket

__all__ = ["Exchange", "current_exchange"]


class Exchange:
    """One request and its response while they are under way.

    :param redactor: returns what hides the secrets of the attempt.
    :param reused: whether the connection had served a request before.
    :param write_failed: whether the request could not be written to its end, so that no server has all of it.
    :param received: bytes of the response, the head included.
    :param sock: the socket that it uses, once it has one.
    :param ends: when the next step must end, as the clock counts, if that is before the clock's own limits.
    """

    def __init__(self, clock: Clock, redactor: Callable[[], Redactor]) -> None:
        self.clock, self.redactor = clock, redactor
        self.reused = self.write_failed = False
        self.received = 0
        self.sock: socket.socket | None = None
        self.ends: float | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether the request was not processed for certain, and a new connection may do better."""
        return self.reused and self.write_failed and not self.received

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """Hold the block to the connect limit: addresses, tunnel and TLS handshake share it."""
        seconds = self.clock.connect_timeout()
        self.ends = None if seconds is None else self.clock.now() + seconds
        try:
            yield
        finally:
            self.ends = None

    def time_left(self) -> float | None:
        """Return the seconds that the next step may take, ``None`` for no limit.

        :raises TimeoutError: none are left.
        """
        left = self.clock.left()
        if self.ends is not None:
            left = min(self.ends - self.clock.now(), math.inf if left is None else left)
        if left is not None and left <= 0:
            raise TimeoutError("the clock ran out")
        return left

    def apply_timeout(self, sock: "socket.socket") -> None:
        """Let the next call on ``sock`` block no longer than the time that is left.

        :raises TimeoutError: none is left.
        """
        self.sock = sock
        sock.settimeout(self.time_left())

    def interrupt(self) -> None:
        """Wake the thread that waits for the response's head; its connection is of no use after that."""
        import socket  # it is there already where there is one to wake

        if self.sock is not None:
            with suppress(OSError, ValueError):  # it is closed already
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # SSLSocket's own removes what its reader uses


current_exchange: ContextVar[Exchange | None] = ContextVar("providers_sdk_exchange", default=None)
"""The exchange that this thread is about to make; set around ``Session.send``, which connects in the same thread."""
