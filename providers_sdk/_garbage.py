"""Loads modules without looking for garbage among what they make, all of which stays: that took a tenth of a start."""

import gc
import sys
from importlib import import_module
from types import ModuleType

__all__ = ["load"]


def load(name: str) -> ModuleType:
    """Import a module; what there is after it was loaded counts as old, as if it had been looked at."""
    if name in sys.modules or not gc.isenabled():
        return import_module(name)
    gc.disable()
    try:
        return import_module(name)
    finally:
        if not gc.get_freeze_count():  # unfreezing what somebody else has frozen would undo that
            gc.freeze()
            gc.unfreeze()  # into the oldest generation
        gc.enable()
