"""Replaces attributes for as long as somebody needs it, and puts back what was there."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["Patches"]

_ABSENT = object()


class Patches:
    """Replacements of attributes, in place while at least one ``with`` block is open.

    :param rows: owner, the attribute's name, and a function that returns the replacement of the value found there.
    """

    def __init__(self, rows: Sequence[tuple[Any, str, Callable[[Any], Any]]]) -> None:
        self._rows = [row for row in rows if hasattr(row[0], row[1])]  # Windows has no sendmsg
        self._found: list[object] = []
        self._users = 0
        self._lock = threading.Lock()

    @contextmanager
    def apply(self) -> Iterator[None]:
        """Keep the replacements in place within the block; blocks of several threads may overlap."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._put_in()
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    self._put_back()

    def _put_in(self) -> None:
        self._found = [vars(owner).get(name, _ABSENT) for owner, name, _ in self._rows]
        for owner, name, replace in self._rows:
            setattr(owner, name, replace(getattr(owner, name)))

    def _put_back(self) -> None:
        for (owner, name, _), found in zip(self._rows, self._found, strict=True):
            if found is _ABSENT:
                delattr(owner, name)  # it was inherited
            else:
                setattr(owner, name, found)
