"""Finds the line of a plugin's own code in a traceback that is mostly this library's."""

import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

__all__ = ["describe_crash", "describe_place", "find_crash", "list_packages"]


def describe_crash(error: BaseException, provider: type) -> str:
    """Return ``" (acme.py:12, in complete)"`` for where ``error`` left the code of ``provider``'s author.

    Empty where no line of the author's was running.
    """
    frame = find_crash(error, provider)
    return describe_place(frame.filename, frame.lineno, frame.name) if frame else ""


def describe_place(path: str, line: int | None, function: str) -> str:
    """Return ``" (acme.py:12, in complete)"``."""
    return f" ({_shorten(path)}:{line}, in {function})"


def find_crash(error: BaseException, provider: type) -> traceback.FrameSummary | None:
    """Return the innermost frame in the package of ``provider``, else in that of one of its bases.

    It is looked for in the error first, then in its causes.
    """
    for package in list_packages(provider):
        for link in _walk_causes(error):
            frames = [frame for name, frame in _walk_frames(link.__traceback__) if name.partition(".")[0] == package]
            if frames:
                return frames[-1]
    return None


def list_packages(provider: type) -> list[str]:
    """Return the top-level packages of the class and its bases that are no part of this library or of Python."""
    names = [base.__module__.partition(".")[0] for base in provider.__mro__]
    return [name for name in dict.fromkeys(names) if name not in ("providers_sdk", "builtins", "abc", "typing")]


def _walk_causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__


def _walk_frames(start: TracebackType | None) -> Iterator[tuple[str, traceback.FrameSummary]]:
    """Yield each frame with its module's name, outermost first."""
    summaries = traceback.extract_tb(start)
    names = [str(frame.f_globals.get("__name__", "")) for frame, _ in traceback.walk_tb(start)]
    yield from zip(names, summaries, strict=True)


def _shorten(path: str) -> str:
    """Return ``path`` relative to the current folder if it is inside."""
    file, here = Path(path), Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)
