"""JSON text to Python, by orjson where the extra ``fast`` is installed."""

import json
from collections.abc import Callable
from typing import Any

_Parser = Callable[[str | bytes], Any]


def _fast_parser() -> _Parser | None:
    try:
        from orjson import loads
    except ImportError:  # the extra is not installed
        return None
    return loads


_fast = _fast_parser()

__all__ = ["parse_json"]


def parse_json(text: str | bytes) -> Any:
    """Parse ``text``; whatever makes that impossible, depth and giant numbers included, is a ``ValueError``."""
    # orjson refuses lone surrogates and NaN, which services do send: then the slow one decides.
    for loads in (_fast, json.loads) if _fast else (json.loads,):
        try:
            return loads(text)
        except (ValueError, RecursionError) as error:
            failure = error
    raise ValueError(f"not JSON that can be read: {type(failure).__name__}") from failure
