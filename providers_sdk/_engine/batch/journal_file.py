"""The file of a journal: JSON Lines that one process appends to.

A record is one line, written by a single ``write`` on a descriptor that was opened with ``O_APPEND``. A process that
dies in mid-write leaves at most one line without its end, and only as the last one. So the file is repaired before
the first append: a last line that is whole but for its line end gets one, half a line is cut off. The line end is
``\\n`` alone; other characters that Python takes for line ends, such as U+2028, are text.

A write that could not be completed (a full disk, a size limit) is taken back, and nothing is appended after it.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from providers_sdk._redact import snippet
from providers_sdk.errors import JournalError

__all__ = ["HEADER_START", "JournalFile", "estimate_lines", "is_whole", "iter_lines", "parse_line"]

HEADER_START = b'{"journal":"providers-sdk",'
_MOST_SHOWN = 60
_START = 1 << 20


class JournalFile:
    """The file of a journal, locked for this process and ready to be appended to.

    :param path: its path; it is made where it does not exist.
    :param durable: whether each record is on the disk (``fsync``) before :meth:`append` returns.
    :raises JournalError: it cannot be opened, another process has it, or it is no journal.
    """

    def __init__(self, path: str | os.PathLike[str], *, durable: bool = False) -> None:
        self.path, self._durable = Path(path), durable
        self._failed: JournalError | None = None
        _check_ordinary(self.path)
        try:
            self._file = open(self.path, "a+b", buffering=0)  # noqa: SIM115  closed by close()
        except (OSError, ValueError) as error:  # a ValueError: a path with a NUL
            reason = getattr(error, "strerror", None) or error
            raise JournalError(f"the journal {str(self.path)!r} cannot be opened: {reason}") from error
        try:
            _lock(self._file, self.path)
            self._check_kind()
        except BaseException:
            self._file.close()
            raise
        self.size = 0

    def load(self) -> Iterator[tuple[int, bytes]]:
        """Yield the position and the bytes of each whole line, without its line end, then repair the last one."""
        for position, line in iter_lines(self.path):
            whole = line.endswith(b"\n")
            if not whole and not is_whole(line):
                self._file.truncate(position)
                break
            yield position, line.removesuffix(b"\n")
            self.size = position + len(line)
            if not whole:
                self._write(b"\n")
                break

    def append(self, line: bytes) -> int:
        """Append ``line`` and its line end; return its position.

        :raises JournalError: it could not be written; the file is as it was.
        """
        if self._failed is not None:
            raise self._failed
        position = self.size
        self._write(line + b"\n")
        return position

    def read(self, position: int) -> bytes:
        """Return the line at ``position``, without its line end."""
        with self.path.open("rb") as file:
            file.seek(position)
            return file.readline().removesuffix(b"\n")

    def close(self) -> None:
        """Close the file and give up the lock; closing twice is a no-op."""
        self._file.close()

    def _check_kind(self) -> None:
        """Refuse a file that is no journal: repairing it might destroy it."""
        with self.path.open("rb") as file:
            start = file.read(len(HEADER_START))
        if not HEADER_START.startswith(start):
            raise JournalError(f"{self.path} is no journal of this library; name another file")

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._file.fileno(), data)
            if written != len(data):
                raise OSError(f"only {written} of {len(data)} bytes were written, the disk may be full")
            if self._durable:
                os.fsync(self._file.fileno())
        except OSError as error:
            self._take_back(error)
        self.size += len(data)

    def _take_back(self, error: OSError) -> None:
        """Remove what was written of the last record.

        :raises JournalError: always.
        """
        with suppress(OSError):  # then half a line is left, which the next run cuts off
            self._file.truncate(self.size)
        self._failed = JournalError(
            f"the journal {self.path} cannot be written: {error.strerror or error}; "
            "what it holds is whole: make room and run the same again"
        )
        raise self._failed from error


def estimate_lines(path: Path) -> int:
    """Return how many lines a file has, about, by those at its start; 0 where it cannot be read."""
    if not path.is_file():
        return 0
    try:
        with path.open("rb") as file:
            start = file.read(_START)
        return start.count(b"\n") * path.stat().st_size // max(1, len(start))
    except OSError:
        return 0


def iter_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the position and the bytes of each line, its line end included where it has one."""
    position = 0
    _check_ordinary(path)
    try:
        with path.open("rb", buffering=1 << 20) as file:
            for line in file:
                yield position, line
                position += len(line)
    except OSError as error:
        raise JournalError(f"the journal {path} cannot be read: {error.strerror}") from error


def _check_ordinary(path: Path) -> None:
    """Refuse a pipe or a device: opening one may wait for ever."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise JournalError(f"the journal {path} is no ordinary file, and a journal is read again; name another")


def parse_line(line: bytes, path: Path) -> dict[str, Any]:
    """Return the record on a line.

    :raises JournalError: there is none.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        shown = snippet(line[:_MOST_SHOWN].decode("utf-8", "replace"))
        raise JournalError(f"the journal {path} is damaged: a line is no record: {shown}")
    return record


def is_whole(line: bytes) -> bool:
    """Return whether a line without its line end is a whole record: no part of a JSON object is one."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


if sys.platform == "win32":
    import msvcrt

    _LOCKED_BYTE = 1 << 60

    def _try_lock(file: IO[bytes]) -> None:
        file.seek(_LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock(file: IO[bytes], path: Path) -> None:
    try:
        _try_lock(file)
    except OSError as error:
        raise JournalError(
            f"the journal {path} is in use by another run; wait until that one has ended, or name another journal"
        ) from error
