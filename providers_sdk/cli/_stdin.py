"""Reads standard input to its end, up to a time limit and a size limit.

A pipe that is inherited and never closed, as cron jobs and CI runners pass on, would block a plain read for ever. So
a daemon thread reads the descriptor itself: one that is blocked there neither holds the lock of ``sys.stdin.buffer``
nor keeps the program from ending.
"""

import os
import sys
import threading
from collections.abc import Callable

from providers_sdk._model.messages import MAX_CHARACTERS
from providers_sdk.cli._terminal import say
from providers_sdk.errors import DeadlineExceeded, InvalidMessages

__all__ = ["read_standard_input"]

MOST_BYTES = 4 * MAX_CHARACTERS  # UTF-8 has at most four bytes a character: whatever is longer is refused unread
_PIECE = 65_536
_PATIENCE = 3.0  # seconds until a note explains what the program waits for


def read_standard_input(seconds: float, *, optional: bool = False) -> str:
    """Return the text on standard input.

    :param seconds: how long to wait for its end.
    :param optional: whether the program could do without it; then a note explains how, after a while.
    :raises DeadlineExceeded: it did not end in time.
    :raises InvalidMessages: it is too long, or not UTF-8.
    :raises OSError: it cannot be read.
    """
    reading = _Reading(_make_reader())
    ended = reading.wait(min(_PATIENCE, seconds))
    if not ended and optional and seconds > _PATIENCE:
        say("Note: waiting for the end of standard input; --no-stdin ignores it")
    if not ended and not reading.wait(seconds - _PATIENCE):
        fix = "ignore it with --no-stdin, or raise --deadline" if optional else "raise --deadline if it needs longer"
        raise DeadlineExceeded(f"standard input did not end within {seconds:g} s; {fix}", seconds=seconds)
    return _decode(reading.result())


def _make_reader() -> Callable[[], bytes]:
    try:
        descriptor = sys.stdin.fileno()
    except (OSError, ValueError):  # replaced by an object without a descriptor
        return lambda: sys.stdin.buffer.read(_PIECE)
    return lambda: os.read(descriptor, _PIECE)


class _Reading:
    """Reads in a thread of its own until the end, or until a size limit.

    :param read: returns the next piece, empty at the end.
    """

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read, self._data = read, bytearray()
        self._error: OSError | None = None
        self._done = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            while len(self._data) <= MOST_BYTES and (piece := self._read()):
                self._data += piece
        except OSError as error:
            self._error = error
        finally:
            self._done.set()

    def wait(self, seconds: float) -> bool:
        """Return whether the end was reached within ``seconds``."""
        return self._done.wait(max(0.0, seconds))

    def result(self) -> bytes:
        """Return what was read."""
        if self._error is not None:
            raise self._error
        return bytes(self._data)


def _decode(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise InvalidMessages(f"standard input is too long; at most {MAX_CHARACTERS} characters can be sent")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidMessages(
            f"standard input is not UTF-8: byte 0x{data[error.start]:02x} at position {error.start}; convert it first"
        ) from None
