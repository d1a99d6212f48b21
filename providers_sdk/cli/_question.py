"""The question of ``providers chat``: the argument, and what is piped to it."""

import os
import sys
from dataclasses import dataclass
from time import monotonic

from providers_sdk._model.limits import MAX_SECONDS
from providers_sdk.cli._stdin import read_standard_input
from providers_sdk.cli._terminal import say_dim
from providers_sdk.errors import DeadlineExceeded

__all__ = ["Question", "decode_argument"]


@dataclass(slots=True)
class Question:
    """The question, and how much of the deadline is left once it was read.

    :param text: the argument; ``None`` where there is none.
    :param seconds_left: of the deadline.
    """

    text: str | None
    no_stdin: bool
    seconds_left: float | None

    def read(self) -> str:
        """Return the argument, then what standard input holds."""
        if self.text in (None, "-"):
            return self._read_standard_input(optional=False)
        if self.no_stdin or sys.stdin.isatty():
            return self.text or ""
        piped = self._read_pipe()
        if not piped.strip():
            return self.text or ""
        say_dim(f"{len(piped):,} characters of standard input are sent behind the text")
        return f"{self.text}\n\n{piped}"

    def _read_pipe(self) -> str:
        try:
            return self._read_standard_input(optional=True)
        except DeadlineExceeded:
            raise
        except OSError as error:  # such as one that is open for writing only
            say_dim(f"standard input is not sent: it cannot be read ({error})")
            return ""

    def _read_standard_input(self, *, optional: bool) -> str:
        started, seconds = monotonic(), self.seconds_left or MAX_SECONDS
        text = read_standard_input(seconds, optional=optional)
        self.seconds_left = max(round(seconds - (monotonic() - started), 3), 0.001)
        return text


def decode_argument(text: str) -> str:
    """Return an argument read as UTF-8, whatever the locale made of it."""
    try:
        return os.fsencode(text).decode()
    except UnicodeError:
        return text
