"""Parses JSON, with orjson where the extra ``fast`` is installed."""

import json
from collections.abc import Callable
from json.scanner import make_scanner
from typing import Any

_Parser = Callable[[str | bytes], Any]


def _import_fast_parser() -> _Parser | None:
    try:
        from orjson import loads
    except ImportError:  # the extra is not installed
        return None
    return loads


_fast = _import_fast_parser()
_scan = make_scanner(json.JSONDecoder())  # type: ignore[arg-type]  # it takes the settings of a decoder

__all__ = ["MAX_DEPTH", "parse_json"]

MAX_DEPTH = 200  # printing a deeper value would exceed Python's recursion limit; orjson parses deeper


def parse_json(text: str | bytes) -> Any:
    """Parse ``text``; whatever makes that impossible, depth and giant numbers included, is a ``ValueError``."""
    if _fast is None and isinstance(text, str):
        # json.loads also looks for an encoding and for white space, which costs as much as the value
        try:
            value, end = _scan(text, 0)
        except (ValueError, RecursionError, StopIteration):
            end = -1
        if end != len(text):
            value = _parse(text)
    else:
        value = _parse(text)
    if len(text) > 2 * MAX_DEPTH and _count_brackets(text) > MAX_DEPTH and _is_deep(value):
        raise ValueError(f"not JSON that can be read: nested more than {MAX_DEPTH} times")
    return value


def _count_brackets(text: str | bytes) -> int:
    return text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, (dict, list)))
        level = [item for items in inner for item in items]
    return any(isinstance(item, (dict, list)) for item in level)


def _parse(text: str | bytes) -> Any:
    # orjson refuses lone surrogates and NaN, which services do send; then the standard library's parser decides.
    for loads in (_fast, json.loads) if _fast else (json.loads,):
        try:
            return loads(text)
        except (ValueError, RecursionError) as error:
            failure = error
    # not from failure: it carries the whole text, in which a service may have sent back a key
    raise ValueError(f"not JSON that can be read: {type(failure).__name__}: {failure}") from None
