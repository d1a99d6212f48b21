"""The rich console for tables and panels."""

from rich.console import Console

from providers_sdk.cli._columns import are_lines_unbounded

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
    return Screen(width=_WIDE if wide and are_lines_unbounded() else None, highlight=False, markup=False, emoji=False)
