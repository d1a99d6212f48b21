"""Finds the script's line for a warning, past the code of this library and of plugins."""

import sys
from types import FrameType

__all__ = ["find_callers_level"]


def find_callers_level() -> int:
    """Return the ``stacklevel`` of the script's line, for :func:`warnings.warn` in the function that calls this one.

    From the inside out the stack holds this package, perhaps a plugin's code and this package again, then the script:
    the line is the one that called the outermost function of this package.
    """
    outermost, depth, frame = 1, 1, sys._getframe(1)
    while frame.f_back is not None:
        outermost = depth if _is_ours(frame) else outermost
        depth, frame = depth + 1, frame.f_back
    return outermost + 1


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith("providers_sdk.")
