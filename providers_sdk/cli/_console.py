"""The console that tables and panels are drawn on."""

import os
import sys

from rich.console import Console

__all__ = ["screen"]

_ROOMY = 1000


class Screen(Console):
    """A console that leaves it to the program what happens when the reader has left."""

    def on_broken_pipe(self) -> None:
        """Raise it again: the program ends quietly, by its own rules."""
        raise BrokenPipeError


def screen(*, wide: bool = False) -> Screen:
    """Return a console on stdout.

    :param wide: draw as wide as need be where nobody looks at it: in a pipe, for ``grep`` to read.
    """
    free = wide and not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Screen(width=_ROOMY if free else None, highlight=False, markup=False, emoji=False)
