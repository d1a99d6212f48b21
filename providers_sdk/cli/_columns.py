"""Columns for whoever reads a pipe: lines of any length, without rich, which takes longer to load than all the rest."""

import sys
from collections.abc import Sequence

import click

from providers_sdk._environment import read_variable

__all__ = ["are_lines_unbounded", "print_columns"]

_GAP = 2


def are_lines_unbounded() -> bool:
    """Return whether lines may be of any length, so that ``grep`` can read them: in a pipe whose width nobody sets."""
    return not sys.stdout.isatty() and not read_variable("COLUMNS")


def print_columns(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Print ``lines`` below their ``titles``, each column as wide as its longest text."""
    widths = [max(map(len, column)) for column in zip(titles, *lines, strict=True)]
    mark = "─" if (sys.stdout.encoding or "").lower().startswith("utf") else "-"
    head, *rest = ((" " * _GAP).join(map(str.ljust, line, widths)).rstrip() for line in (titles, *lines))
    click.echo("\n".join([head, mark * (sum(widths) + _GAP * (len(widths) - 1)), *rest]))
