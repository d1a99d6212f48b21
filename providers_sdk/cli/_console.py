"""The rich console for tables and panels."""

import sys

from rich.console import Console

from providers_sdk._environment import read_variable

__all__ = ["screen"]

_WIDE = 1000


class Screen(Console):
    """A console that leaves a broken pipe to the program."""

    def on_broken_pipe(self) -> None:
        """Raise it again: the program then ends quietly."""
        raise BrokenPipeError


def screen(*, wide: bool = False) -> Screen:
    """Return a console on stdout.

    :param wide: do not wrap lines in a pipe, so that ``grep`` can read them.
    """
    free = wide and not sys.stdout.isatty() and not read_variable("COLUMNS")
    return Screen(width=_WIDE if free else None, highlight=False, markup=False, emoji=False)
