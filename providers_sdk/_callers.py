"""Whose line a warning is about: the first one outside this package."""

import sys

__all__ = ["find_callers_level"]


def find_callers_level() -> int:
    """Return the ``stacklevel`` for :func:`warnings.warn`, called by whoever calls this, of that line."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("providers_sdk."):
        level, frame = level + 1, frame.f_back
    return level
