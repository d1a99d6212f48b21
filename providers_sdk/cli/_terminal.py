"""Sets up the standard streams: UTF-8 in any locale, and quiet once their reader has left."""

import errno
import io
import os
import sys
from contextlib import suppress
from typing import TextIO

from providers_sdk._environment import read_variable
from providers_sdk._redact import printable

__all__ = ["READER_LEFT", "say", "say_dim", "say_lines", "settle", "speak_utf8"]

READER_LEFT = 141
"""The exit code that a shell shows for a program whose reader left."""


def speak_utf8() -> None:
    """Make the standard streams UTF-8 in any locale; where one is closed, only writing to stdout is an error."""
    sys.stdin = _make_utf8(sys.stdin, "r", "surrogateescape")
    sys.stdout = _ClosedOutput() if sys.stdout is None else _make_utf8(sys.stdout, "w", "backslashreplace")
    sys.stderr = _make_utf8(sys.stderr, "w", "backslashreplace")


class _ClosedOutput(io.StringIO):
    """In the place of a standard output that was closed before this program began."""

    def write(self, text: str) -> int:
        """Refuse it: a program that is asked for an answer and has nowhere to put it has failed."""
        raise OSError(errno.EBADF, "standard output is closed")


def _make_utf8(stream: TextIO | None, mode: str, errors: str) -> TextIO:
    if stream is None:
        return open(os.devnull, mode, encoding="utf-8")  # type: ignore[return-value]
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors=errors)
    return stream


def say(text: object) -> None:
    """Write one line to stderr, printable, whatever ``text`` holds."""
    say_lines(" ".join(str(text).split()))


def say_lines(text: str) -> None:
    """Write ``text`` to stderr, printable."""
    try:
        sys.stderr.write(printable(text).rstrip("\n") + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        _silence(sys.stderr)


def say_dim(text: str) -> None:
    """Write one line to stderr, dim on a terminal that shows colours."""
    line = printable(" ".join(text.split()))
    if _shows_dim():
        line = f"\x1b[2m{line}\x1b[0m"
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _shows_dim() -> bool:
    """Whether stderr is a terminal that obeys escape sequences; the console of old Windows prints them."""
    if not sys.stderr.isatty() or read_variable("NO_COLOR"):
        return False
    return bool(read_variable("WT_SESSION")) if sys.platform == "win32" else read_variable("TERM") != "dumb"


def settle(code: int) -> int:
    """Flush stdout and return the exit code: ``code``, or another if the output could not be written."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)
        return code or READER_LEFT
    except (OSError, ValueError) as error:
        _silence(sys.stdout)
        if code == 0:
            say(f"Error: the output cannot be written: {error}")
        return code or 1
    return code


def _silence(stream: TextIO) -> None:
    """Point ``stream`` at nothing, so that the interpreter's last flush of it cannot fail."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
