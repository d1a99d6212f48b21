"""Prints an answer as it arrives."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from providers_sdk._engine.reply import Reply
from providers_sdk._redact import printable
from providers_sdk.cli._exit_codes import spell_options
from providers_sdk.cli._terminal import say

__all__ = ["describe_answer", "note_failed_providers", "print_reply"]


def print_reply(ask: Callable[[], Reply], stream: TextIO | None = None) -> Reply:
    """Ask, print the reply as it arrives, and return it; print providers that failed before it to stderr.

    :param stream: where to; standard output where it is not given.
    """
    with AnswerPrinter(stream or sys.stdout) as printer, ask() as reply:
        note_failed_providers(reply)
        for piece in reply:
            printer.write(piece)
    return reply


def note_failed_providers(reply: Reply) -> None:
    """Print to stderr which providers gave no answer before this one."""
    failed = {attempt.provider: attempt.reason for attempt in reply.attempts if attempt.provider != reply.provider}
    for name, reason in failed.items():
        say(f"Note: {name} gave no answer ({spell_options(reason)}); {reply.provider} answers")


def describe_answer(reply: Reply, seconds: float) -> str:
    """Return model, tokens and seconds in a line, as far as they are known."""
    model, usage = reply.served_model or reply.model or reply.provider, reply.usage
    counts = (usage.prompt_tokens, usage.completion_tokens) if usage is not None else (None, None)
    tokens = " + ".join("?" if count is None else f"{count:,}" for count in counts)
    return ", ".join([model, *([f"{tokens} tokens"] if counts != (None, None) else []), f"{seconds:.1f} s"])


class AnswerPrinter:
    """Writes one answer, each piece at once, and ends its last line.

    Control characters are escaped on a terminal; a pipe or a file gets the text as it is.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._terminal = stream, stream.isatty()
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
            self._stream.write(printable(piece) if self._terminal else piece)
            self._stream.flush()
        except OSError:
            self._line_open = False  # the reader has left
            raise
