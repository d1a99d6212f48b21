"""Finds the line of each key of a TOML document.

``tomllib`` tells no positions, and a second parser could read a document in another way. So the document, which tomllib
has accepted as a whole, is cut into statements: lines are collected until tomllib accepts them alone. A statement that
is cut inside a string, a list or a table is never valid TOML, so no grammar is needed here.
"""

import tomllib
from collections.abc import Iterator
from typing import Any

from providers_sdk._config.problems import Keys

__all__ = ["locate_keys"]


def locate_keys(document: str) -> dict[Keys, int]:
    """Return each key of a valid TOML document, tables included, with the line where it first stands, from 1."""
    found: dict[Keys, int] = {}
    table: Keys = ()
    for line, statement in _split_statements(document):
        tree = tomllib.loads(statement)
        paths = list(_list_paths(tree))
        if statement.lstrip().startswith("["):
            table = paths[-1]
            paths = [table[:length] for length in range(1, len(table) + 1)]
        else:
            paths = [(*table, *path) for path in paths]
        for path in paths:
            found.setdefault(path, line)
    return found


def _split_statements(document: str) -> Iterator[tuple[int, str]]:
    statement, first = "", 0
    for number, line in enumerate(document.split("\n"), 1):
        if not statement and (not line.strip() or line.lstrip().startswith("#")):
            continue
        first = first if statement else number
        statement += f"{line}\n"
        if _is_whole(statement):
            yield first, statement
            statement = ""


def _is_whole(statement: str) -> bool:
    try:
        tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _list_paths(tree: Any) -> Iterator[Keys]:
    """Yield the keys of nested tables, outer ones first; of a list of tables, those of each."""
    for entry in tree if isinstance(tree, list) else [tree]:
        for key, value in entry.items() if isinstance(entry, dict) else ():
            yield (key,)
            yield from ((key, *path) for path in _list_paths(value))
