"""Keeps two processes from changing files of one folder at once.

POSIX locks the folder itself, so nothing is left behind. Windows cannot open folders; there a file beside the one that
is written is locked. A file system that knows no locks is used without one: a write stays atomic, but of two that
happen at once the later one wins.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["lock_for_writing"]


@contextmanager
def lock_for_writing(path: Path) -> Iterator[None]:
    """Wait until nobody else, in any process or thread, writes ``path`` under this lock.

    :raises FileNotFoundError: its folder does not exist.
    """
    if sys.platform == "win32":
        descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    else:
        descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        with suppress(OSError):
            _lock(descriptor)
        yield
    finally:
        os.close(descriptor)  # which releases it


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
