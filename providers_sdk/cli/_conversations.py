"""Where the command line keeps conversations: one file each, mode 0600, in the user's data folder.

A conversation without a name gets one made of the time, so that two terminals never share one by accident; of these the
newest twenty are kept.
"""

import os
import re
import time
from contextlib import suppress
from pathlib import Path

from providers_sdk._config.places import data_folder
from providers_sdk.errors import InvalidArgument

__all__ = ["find_conversation", "find_last_conversation", "make_unnamed", "remove_old_unnamed"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UNNAMED = "unnamed-"
_KEPT = 20


def find_conversation(name: str) -> Path:
    """Return the file of the conversation ``name``, whether it exists or not; its folder does.

    :raises InvalidArgument: it is no name, or no files are kept.
    """
    if not _NAME.fullmatch(name):
        raise InvalidArgument(
            f"{name!r:.80} is no name of a conversation: use up to 64 letters, digits, '.', '-' and '_'"
        )
    folder = _find_folder()
    if folder is None:
        raise InvalidArgument("no conversations are kept, because PROVIDERS_SDK_CONFIG is set and empty; unset it")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{name}.json"


def find_last_conversation() -> Path:
    """Return the file of the conversation that was saved last.

    :raises InvalidArgument: there is none.
    """
    files = _list_files("")
    if not files:
        raise InvalidArgument("there is no conversation to continue; begin one with --conversation NAME")
    return files[-1]


def make_unnamed() -> Path | None:
    """Return the file for a new conversation without a name; ``None`` where no files are kept."""
    if _find_folder() is None:
        return None
    return find_conversation(f"{_UNNAMED}{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(2).hex()}")


def remove_old_unnamed() -> None:
    """Remove all conversations without a name but the newest."""
    for file in _list_files(_UNNAMED)[:-_KEPT]:
        with suppress(OSError):
            file.unlink()


def _find_folder() -> Path | None:
    folder = data_folder()
    return folder / "conversations" if folder else None


def _list_files(prefix: str) -> list[Path]:
    """Return the files whose names begin with ``prefix``, the oldest first."""
    folder = _find_folder()
    found: list[tuple[int, str, Path]] = []
    for file in folder.glob(f"{prefix}*.json") if folder else ():
        with suppress(OSError):  # removed meanwhile
            if not file.name.startswith("."):
                found.append((file.stat().st_mtime_ns, file.name, file))
    return [file for _, _, file in sorted(found)]
