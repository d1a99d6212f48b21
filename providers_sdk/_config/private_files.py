"""Reads and writes files that hold secrets.

A write is atomic: the new content goes to a file beside the old one, created with mode 0600, is flushed to the disk,
and is renamed over it. Whoever is killed in between leaves the old file or the new one, and perhaps a file of mode 0600
with the new content beside it, which the next write to that name removes once it is old.
"""

import errno
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["others_may_read", "others_may_write", "read_file", "remove_file", "write_private"]

_STALE = 60.0  # seconds after which a file of an interrupted write is removed; a write takes milliseconds
_END = ".new"


def read_file(path: Path, *, most: int) -> tuple[bytes, int]:
    """Return the content and the mode of a file; the mode is that of the very file that was read.

    :param most: bytes that it may have.
    :raises OSError: it cannot be read, is too large, or is a pipe, which could block for ever.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb", buffering=0) as file:
        mode = os.fstat(descriptor).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISCHR(mode)):  # /dev/null is a fair way to say "an empty file"
            raise OSError(errno.EINVAL, "it is no regular file")
        content = bytearray()
        while len(content) <= most and (piece := file.read(most + 1 - len(content))):
            content += piece
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes")
    return bytes(content), mode


def others_may_read(mode: int) -> bool:
    """Return whether other users of this machine may read or change a file of this mode; Windows has no modes."""
    return os.name == "posix" and stat.S_ISREG(mode) and bool(mode & 0o077)


def others_may_write(mode: int) -> bool:
    """Return whether every user of this machine may change a file of this mode."""
    return os.name == "posix" and stat.S_ISREG(mode) and bool(mode & stat.S_IWOTH)


def write_private(path: Path, content: bytes, *, own_folder: bool = True) -> None:
    """Write the file atomically, mode 0600 under any umask, its folder mode 0700.

    :param own_folder: whether the folder is this library's; any other is neither made nor changed.
    :raises OSError: it cannot be written; the old file is untouched.
    """
    if own_folder:
        _make_folder(path.parent)
    _remove_interrupted(path, older_than=_STALE)
    new = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(6).hex()}{_END}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with open(descriptor, "wb") as file:
            os.chmod(new, 0o600)  # a umask may have taken the owner's bits
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(new, path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def remove_file(path: Path) -> bool:
    """Remove the file and what interrupted writes of it have left; return whether it was there.

    :raises OSError: it cannot be removed.
    """
    _remove_interrupted(path, older_than=0.0)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _make_folder(folder: Path) -> None:
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    for parent in reversed(missing):
        with suppress(FileExistsError):  # another process was quicker
            parent.mkdir(0o700)
            parent.chmod(0o700)
    if os.name == "posix" and stat.S_IMODE(folder.stat().st_mode) != 0o700:
        folder.chmod(0o700)


def _remove_interrupted(path: Path, *, older_than: float) -> None:
    for left in path.parent.glob(f".{path.name}.*{_END}"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime >= older_than:
                left.unlink()


def _flush_folder(folder: Path) -> None:
    """Make the renaming itself last; only POSIX opens folders."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
