"""Reads the metadata of installed distributions: their entry points, name and version.

``importlib.metadata`` does that, but it loads email, zipfile, csv and sockets, which takes as long as loading click:
half of a start of the command line. What plugins need of it is little. So where the path has nothing but folders, as
nearly everywhere, their ``*.dist-info`` and ``*.egg-info`` are read here, and ``importlib.metadata`` is asked where
anything else may hold distributions: a zip file or an egg on the path, or a finder of somebody else. Tests hold the two
together.

The form of ``entry_points.txt`` is https://packaging.python.org/en/latest/specifications/entry-points/.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from importlib.machinery import PathFinder
from typing import NamedTuple, Protocol

from providers_sdk._garbage import load

__all__ = ["Distribution", "DistributionFolder", "EntryPoint", "iter_distributions", "parse_entry_points"]

_VALUE = r"(?P<module>[\w.]+)\s*(:\s*(?P<attributes>[\w.]+)\s*)?(\[.*\])?\s*"
_NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError)


class Distribution(Protocol):
    """What is read of an installed distribution."""

    def read_text(self, filename: str) -> str | None:
        """Return a file of its metadata; ``None`` where there is none."""


class EntryPoint(NamedTuple):
    """One line of ``entry_points.txt``: ``name = value`` in the section ``[group]``.

    :param dist: the distribution that has it.
    """

    name: str
    value: str
    group: str
    dist: Distribution | None = None

    @property
    def is_sound(self) -> bool:
        """Whether its value is of the form ``package.module`` or ``package.module:attribute``."""
        return re.fullmatch(_VALUE, self.value) is not None

    def load(self) -> object:
        """Import what it names; whatever the import raises passes through."""
        found = re.fullmatch(_VALUE, self.value)
        if found is None:
            raise ValueError(f"the entry point {self.value!r} is not of the form 'package.module'")
        attributes = (found["attributes"] or "").split(".")
        return reduce(getattr, filter(None, attributes), load(found["module"]))


class DistributionFolder:
    """A distribution whose metadata is a folder.

    :param path: of that folder.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def read_text(self, filename: str) -> str | None:
        """Return a file of its metadata; ``None`` where there is none.

        :raises UnicodeDecodeError: it is not UTF-8.
        """
        try:
            with open(os.path.join(self.path, filename), encoding="utf-8") as file:
                return file.read()
        except _NOT_THERE:
            return None


def iter_distributions(folders: Sequence[str]) -> Iterator[Distribution]:
    """Yield the distributions that are installed in ``folders``."""
    if _has_others(folders):
        from importlib.metadata import distributions

        yield from distributions(path=list(folders))
        return
    for folder in folders:
        for name in _list_names(folder):
            if name[-5:].lower() == "-info" and name.lower().endswith((".dist-info", ".egg-info")):
                yield DistributionFolder(os.path.join(folder, name))


def _has_others(folders: Iterable[str]) -> bool:
    """Whether anything but a folder may hold distributions."""
    foreign = any(hasattr(finder, "find_distributions") for finder in sys.meta_path if finder is not PathFinder)
    return foreign or any(folder.lower().endswith(".egg") or os.path.isfile(folder) for folder in folders)


def _list_names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def parse_entry_points(text: str, dist: Distribution | None = None) -> Iterator[EntryPoint]:
    """Yield the entry points of an ``entry_points.txt``.

    :raises ValueError: a line is not of the form ``name = value``.
    """
    group = None
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            group = line.strip("[]")
        elif line and group is not None and not line.startswith("#"):
            name, mark, value = line.partition("=")
            if not mark:
                raise ValueError(f"the line {line[:80]!r} of its entry points is not of the form 'name = value'")
            yield EntryPoint(name.strip(), value.strip(), group, dist)
