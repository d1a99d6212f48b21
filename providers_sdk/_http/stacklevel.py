"""Whose line a warning of a provider names: that of the script which asked, not the plugin's."""

import sys
from types import FrameType

__all__ = ["caller_stacklevel"]


def caller_stacklevel() -> int:
    """Return the ``stacklevel`` at which a warning, issued by the caller of this function, names the script's line.

    From the inside out the stack holds this package, the plugin's code, this package again, and the script.
    """
    level, frame = 2, sys._getframe(1).f_back
    for inside in (True, False, True):
        while frame is not None and _is_ours(frame) is inside:
            level, frame = level + 1, frame.f_back
    return level


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith("providers_sdk.")
