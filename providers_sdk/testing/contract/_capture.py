"""Captures what a provider prints and logs."""

import contextlib
import io
import logging
from collections.abc import Iterator

__all__ = ["capture_output"]


@contextlib.contextmanager
def capture_output(*, logs: bool = True) -> Iterator[io.StringIO]:
    heard = io.StringIO()
    handler, root = logging.StreamHandler(heard), logging.getLogger()
    level = root.level
    if logs:
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
    try:
        with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
            yield heard
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
