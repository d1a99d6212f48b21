"""Reads what the user types in a conversation: with prompt_toolkit where it is installed, else line by line."""

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec

from providers_sdk._environment import read_variable
from providers_sdk.cli._terminal import say

__all__ = ["make_reader"]

_PROMPT = "> "


def make_reader(describe: Callable[[], str]) -> Callable[[], str | None]:
    """Return a function that returns what the user types next, ``None`` after Ctrl-D.

    :param describe: returns which provider and model the next question goes to; the prompt shows them where
        prompt_toolkit edits it.
    """
    if _is_all_terminal() and read_variable("TERM") != "dumb" and find_spec("prompt_toolkit") is not None:
        from providers_sdk.cli._editor import make_editor

        return make_editor(describe)
    return _read_line


def _read_line() -> str | None:
    try:
        line = _read_edited_line() if _is_all_terminal() else _read_plain_line()
    except KeyboardInterrupt:
        say("")
        raise
    if line is None:
        say("")
    return line


def _is_all_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def _read_edited_line() -> str | None:
    with suppress(ImportError):
        import readline  # noqa: F401  from now on input() knows the arrow keys and remembers lines
    try:
        return input(_PROMPT)
    except EOFError:
        return None


def _read_plain_line() -> str | None:
    sys.stderr.write(_PROMPT)
    sys.stderr.flush()
    line = sys.stdin.readline()
    return line.rstrip("\r\n") if line else None
