"""Loads modules without collecting garbage meanwhile: all that loading makes stays, and looking at it takes a tenth."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["while_loading"]


@contextmanager
def while_loading() -> Iterator[None]:
    """Collect no garbage in the block, unless somebody else switches that on; as before afterwards."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
