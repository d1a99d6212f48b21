"""The body of one response, and the life of its connection.

urllib3 returns a connection to its pool from within the read that meets the body's end. A ``close()`` in another thread
at that moment would shut down or close a connection that a third thread already uses. So the body takes urllib3's pool
out of the response: urllib3 can then return nothing. The body returns the connection or closes it, exactly once, and
only in one thread: the one that reads, or the one that closes while nobody reads.

A thread that closes while another one reads only shuts the socket down. That wakes the reader, which then closes the
rest: closing a file that another thread reads would wait for that read.

A forked child owns none of its parent's connections. It takes no locks, which a thread of its parent may have held, and
shuts nothing down, because that would reach the parent's connection too.
"""

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import requests

__all__ = ["Body"]


class Body:
    """The body of ``response``: read in pieces, closed by any thread at any time."""

    def __init__(self, response: "requests.Response") -> None:
        self._response, self._raw = response, response.raw
        self._pool = getattr(self._raw, "_pool", None)
        if self._pool is not None:
            self._raw._pool = None  # without it urllib3 does not return the connection
        self._lock = threading.RLock()  # a signal handler may close what its own thread is about to read
        self._reading = self._released = False
        self._pid = os.getpid()
        self.closed = False

    def read(self, size: int) -> bytes:
        """Return what has arrived of the decoded body, at most ``size`` bytes; empty at the end or once closed.

        No lock is taken for a piece: this sets ``_reading`` before it looks at ``closed``, and :meth:`close` sets
        ``closed`` before it looks at ``_reading``, so at least one of the two sees the other.
        """
        piece = b""
        self._reading = True
        try:
            if not self.closed:
                piece = self._raw.read1(size, decode_content=True)  # the one call that never holds data back
            return piece
        finally:
            if piece:
                self._reading = False
            if self.closed or not piece:
                self._finish_read()

    def _finish_read(self) -> None:
        """Return the connection at the end of the body; close it if ``close`` left that to the reader."""
        ended = self._raw.closed
        with self._lock:
            self._reading = False
            release = (ended or self.closed) and not self._released
            self._released = self._released or release
        if release:
            self._release(keep=not self.closed)

    def close(self) -> None:
        """Close the connection, unless the body was read to its end. Closing twice does nothing."""
        if os.getpid() != self._pid:
            self._close_in_child()
            return
        with self._lock:
            if self.closed:
                return
            self.closed = True
            release = not (self._reading or self._released)
            if self._reading and not self._released:
                self._wake_reader()
            self._released = self._released or release
        if release:
            self._release(keep=False)

    def _release(self, *, keep: bool) -> None:
        """Return the connection to its pool, closed first unless ``keep``."""
        if self._pool is not None:
            self._raw._pool = self._pool
        if not keep:
            self._raw.close()
        self._raw.release_conn()

    def _wake_reader(self) -> None:
        try:
            self._raw.shutdown()
        except (AttributeError, ValueError, RuntimeError, OSError):
            return  # it is closed already, or an adapter of the caller's session has no socket

    def _close_in_child(self) -> None:
        closed, self.closed = self.closed, True
        if not closed and not self._reading:  # what a thread of the parent was reading stays locked for ever
            self._response.close()
