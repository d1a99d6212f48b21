"""Loads modules without looking for garbage among what they make, all of which stays: that took a tenth of a start."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["while_loading"]


@contextmanager
def while_loading() -> Iterator[None]:
    """Look for no garbage in the block; what there is then counts as old, as if it had been looked at."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # unfreezing what somebody else has frozen would undo that
            gc.freeze()
            gc.unfreeze()  # into the oldest generation
        if enabled:
            gc.enable()
