"""The input of a batch: its options, checked, and its prompts with their ids."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from providers_sdk._engine.batch.dask_executor import find_dask_client
from providers_sdk.errors import InvalidArgument

__all__ = ["BatchOptions", "Identity", "iter_items"]

Identity = str | Iterable[str | int] | Callable[[Any], str | int]
"""Where ids come from: a column of mappings, a value for each prompt, or a function of the prompt."""
_END = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How a batch is run; see :meth:`Client.map`."""

    workers: int = 8
    journal: str | os.PathLike[str] | None = None
    id: Identity | None = None
    ordered: bool = False
    max_failures: float | None = None
    rpm: float | None = None
    executor: Any = None
    durable: bool = False
    retry_failed: bool = True
    system: str | None = None

    def __post_init__(self) -> None:
        _check(_is_count(self.workers) and self.workers > 0, "workers", "a whole number from 1", self.workers)
        _check(self.rpm is None or (_is_number(self.rpm) and self.rpm > 0), "rpm", "calls a minute", self.rpm)
        most = self.max_failures
        sound = most is None or (_is_count(most) and most >= 0) or (_is_number(most) and 0 <= most < 1)
        _check(sound, "max_failures", "a count, or a share such as 0.1", most)
        path = self.journal
        _check(path is None or isinstance(path, (str, os.PathLike)), "journal", "a path", path)
        _check(self.system is None or isinstance(self.system, str), "system", "a string", self.system)
        known = isinstance(self.executor, Executor) or find_dask_client(self.executor) is not None
        expected = "a concurrent.futures.Executor or a distributed.Client"
        _check(self.executor is None or known, "executor", expected, self.executor)


def iter_items(prompts: Iterable[Any], identity: Identity | None) -> Iterator[tuple[Any, str | int | None]]:
    """Yield each prompt and its id, reading no further than asked.

    A prompt is what :meth:`Client.chat` takes, or a mapping with the column ``prompt``.

    :raises InvalidArgument: an id is missing, or is neither a string nor a whole number.
    """
    if isinstance(prompts, (str, bytes, Mapping)) or not isinstance(prompts, Iterable):
        raise InvalidArgument(f"prompts must be an iterable of prompts, not {type(prompts).__name__}")
    return _iter_items(prompts, identity)


def _iter_items(prompts: Iterable[Any], identity: Identity | None) -> Iterator[tuple[Any, str | int | None]]:
    find = _make_finder(identity)
    for index, row in enumerate(prompts):
        found = find(row)
        if found is not None and (not isinstance(found, (str, int)) or isinstance(found, bool)):
            raise InvalidArgument(f"prompt {index} has no usable id: {found!r:.60} is no string and no whole number")
        yield _get_column(row, "prompt") if isinstance(row, Mapping) else row, found


def _make_finder(identity: Identity | None) -> Callable[[Any], Any]:
    if identity is None:
        return lambda row: None
    if callable(identity):
        return identity
    if isinstance(identity, str):
        return lambda row: _get_column(row, identity)
    values = iter(identity)
    return lambda row: _take_next(values)


def _take_next(values: Iterator[Any]) -> Any:
    value = next(values, _END)
    if value is _END:
        raise InvalidArgument("id has fewer values than there are prompts")
    return value


def _get_column(row: Any, name: str) -> Any:
    if not isinstance(row, Mapping) or name not in row:
        shown = ", ".join(map(str, row)) if isinstance(row, Mapping) else type(row).__name__
        raise InvalidArgument(f"a prompt has no column {name!r}; it is: {shown:.200}")
    return row[name]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check(sound: bool, name: str, expected: str, value: object) -> None:
    if not sound:
        raise InvalidArgument(f"{name} must be {expected}, not {value!r:.60}")
