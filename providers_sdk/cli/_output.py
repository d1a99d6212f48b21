"""Where an answer goes: standard output, or a file that is replaced once the answer is complete."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

__all__ = ["open_output"]


@contextmanager
def open_output(path: str | None) -> Iterator[TextIO]:
    """Yield the stream to write to: standard output where ``path`` is ``None``.

    A file is written beside ``path`` and takes its place at the end; where an error comes before, what was there stays.
    A device or a pipe is written to as it is.

    :raises click.UsageError: the file cannot be made; nothing was asked yet.
    """
    if path is None:
        yield sys.stdout
        return
    target = Path(os.path.realpath(path))
    device = target.exists() and not target.is_file()
    new = target if device else target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(6).hex()}.new")
    try:
        file = new.open("w" if device else "x", encoding="utf-8", newline="")
    except OSError as error:
        raise click.UsageError(f"--output {path}: the file cannot be made: {error.strerror}") from error
    try:
        with file:
            yield file
            file.flush()
            if not device:
                os.fsync(file.fileno())
        if not device:
            _replace(new, target)
    except BaseException:
        if not device:
            new.unlink(missing_ok=True)
        raise


def _replace(new: Path, target: Path) -> None:
    if target.exists():
        shutil.copymode(target, new)
    os.replace(new, target)
