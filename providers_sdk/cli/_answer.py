"""Prints an answer to stdout as it arrives."""

import sys
from collections.abc import Callable
from types import TracebackType

from providers_sdk._engine.reply import Reply
from providers_sdk._redact import printable
from providers_sdk.cli._exit_codes import spell_options
from providers_sdk.cli._terminal import say

__all__ = ["print_reply"]


def print_reply(ask: Callable[[], Reply]) -> None:
    """Ask, and print the reply as it arrives; print providers that failed before it to stderr."""
    with AnswerPrinter() as printer, ask() as reply:
        failed = {attempt.provider: attempt.reason for attempt in reply.attempts if attempt.provider != reply.provider}
        for name, reason in failed.items():
            say(f"Note: {name} gave no answer ({spell_options(reason)}); {reply.provider} answers")
        for piece in reply:
            printer.write(piece)


class AnswerPrinter:
    """Writes one answer to stdout, each piece at once, and ends its last line.

    Control characters are escaped on a terminal; a pipe gets the text as it is.
    """

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._line_open = False

    def __enter__(self) -> "AnswerPrinter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        after_ctrl_c = self._terminal and isinstance(error, KeyboardInterrupt)  # the terminal has written ^C
        if self._line_open or after_ctrl_c:
            self.write("\n")

    def write(self, piece: str) -> None:
        """Write a piece of the answer."""
        self._line_open = not piece.endswith("\n")
        try:
            sys.stdout.write(printable(piece) if self._terminal else piece)
            sys.stdout.flush()
        except OSError:
            self._line_open = False  # the reader has left
            raise
