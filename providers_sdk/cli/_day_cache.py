"""Keeps small facts about services for a day, in the user's cache folder; losing them costs one question."""

import json
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from providers_sdk._config.places import cache_folder
from providers_sdk._config.private_files import read_file

__all__ = ["read_fact", "write_fact"]

_DAY = 86_400.0
_MOST_BYTES = 1 << 24


def read_fact(kind: str, name: str, key: str) -> Any:
    """Return what was written within the last day; ``None`` where there is nothing that can be used.

    :param kind: what it is about, such as ``"models"``.
    :param name: the provider.
    :param key: what it depends on, such as the service's address; a fact of another key is none.
    """
    path = _find_path(kind, name)
    try:
        row = json.loads(read_file(path, most=_MOST_BYTES)[0]) if path else {}
        fresh = 0 <= time.time() - float(row["at"]) < _DAY and row["key"] == key
        return row["fact"] if fresh else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def write_fact(kind: str, name: str, key: str, fact: Any) -> None:
    """Keep ``fact`` for a day; a folder that cannot be written to is no error."""
    path = _find_path(kind, name)
    if path is None:
        return
    new = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(6).hex()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            new.write_text(json.dumps({"at": time.time(), "key": key, "fact": fact}), encoding="utf-8")
            os.replace(new, path)
        finally:
            new.unlink(missing_ok=True)


def _find_path(kind: str, name: str) -> Path | None:
    """Return where a fact lies; ``None`` where this library keeps no files."""
    folder = cache_folder()
    return folder / kind / f"{re.sub(r'[^A-Za-z0-9._-]', '_', name)}.json" if folder else None
