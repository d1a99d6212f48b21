"""Where a secret is read from, when it is needed: a variable, a command, a file or the keyring.

A :class:`KeySource` is a description without the secret. Reading it takes at most the time that the caller has left.
What it finds must be one line, so that a command's error page or a whole file is never sent to a service as a key.
Errors name the source, never its output. They leave :meth:`KeySource.read` without the frames below it, whose local
variables held the output.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from providers_sdk._config.private_files import others_may_read, read_file
from providers_sdk._environment import read_variable
from providers_sdk.errors import KeyUnavailable

__all__ = ["COMMAND_SECONDS", "KEYRING_SECONDS", "KINDS", "KeySource", "chmod_command", "take_line"]

COMMAND_SECONDS = 60.0  # a password manager may ask for its password first
KEYRING_SECONDS = 3.0
_MOST_BYTES = 65_536
_SLOW = frozenset({"command", "keyring"})


class KeySource(NamedTuple):
    """Where the value of a setting is to be read from.

    :param kind: ``"env"``, ``"command"``, ``"file"`` or ``"keyring"``.
    :param argument: name of the variable, the command with its arguments, the path, or name of the keyring's entry.
    :param setting: the setting that it is for.
    :param source: where it was set, for messages.
    :param folder: what relative paths are relative to, and where the command runs: the configuration file's folder,
        never the current one.
    """

    kind: str
    argument: tuple[str, ...]
    setting: str = "key"
    source: str = ""
    folder: Path | None = None

    @property
    def is_slow(self) -> bool:
        """Whether reading it starts a process."""
        return self.kind in _SLOW

    @property
    def name(self) -> str:
        """What it reads, without a command's arguments, which may be secret."""
        return self.argument[0]

    def read(self, *, seconds: float | None) -> str:
        """Return the value.

        :param seconds: how long it may take; ``None`` for no limit of the caller's.
        :raises KeyUnavailable: it cannot be read; the message says why and what to do.
        """
        try:
            return take_line(_READERS[self.kind](self, seconds))
        except _Unreadable as error:
            reason = str(error)
        where = f" ({self.source})" if self.source else ""
        what = f"{_NOUNS[self.kind]} {self.name!r}{where}"
        raise KeyUnavailable(f"{self.setting!r} cannot be read from the {what}: {reason}")

    def __repr__(self) -> str:
        return f"<KeySource {self.kind} {self.name!r}>"


class _Unreadable(ValueError):
    """Why it cannot be read, and what to do."""


def take_line(content: str) -> str:
    """Return the one line that ``content`` must be, without the white space around it.

    :raises ValueError: it is empty, has several lines, or holds a control character.
    """
    line = content.strip()
    if not line:
        raise _Unreadable("it is empty")
    if "\n" in line or "\r" in line:
        raise _Unreadable("it has several lines; a key is one line, and nothing else may be there")
    if not line.isprintable():
        raise _Unreadable("it holds a control character or is not UTF-8")
    return line


def chmod_command(path: Path) -> str:
    """Return the command that keeps other users from reading ``path``."""
    import shlex

    return f"chmod 600 {shlex.quote(str(path))}"


def _read_variable(source: KeySource, seconds: float | None) -> str:
    value = read_variable(source.name)
    if not value.strip():
        raise _Unreadable("the variable is not set; set it, or give the key another way")
    return value


def _read_command(source: KeySource, seconds: float | None) -> str:
    from providers_sdk._config.process import Ended, run_command  # subprocess is not quick to import

    command = [_find_program(source), *source.argument[1:]]
    allowed = COMMAND_SECONDS if seconds is None else min(seconds, COMMAND_SECONDS)
    try:
        code, output = run_command(command, seconds=allowed, folder=source.folder)
    except Ended as error:
        raise _Unreadable(f"{error}; run it in a terminal to see what it waits for or prints") from None
    except OSError as error:
        raise _Unreadable(f"it cannot be started ({error.strerror})") from None
    if code != 0:
        ended = f"exit code {code}" if code > 0 else f"signal {-code}"
        raise _Unreadable(f"it ended with {ended}; run it in a terminal to see why")
    return output.decode("utf-8", "surrogateescape")


def _find_program(source: KeySource) -> str:
    """Return the path of the command: no program of the current folder is ever run."""
    name = source.name
    if os.path.dirname(name):
        return str(_resolve(source))
    import shutil

    folders = os.pathsep.join(folder for folder in os.get_exec_path() if os.path.isabs(folder))
    found = shutil.which(name, path=folders)
    if found is None:
        raise _Unreadable("there is no such program in PATH; install it, or write its whole path")
    return found


def _read_file(source: KeySource, seconds: float | None) -> str:
    path = _resolve(source)
    try:
        content, mode = read_file(path, most=_MOST_BYTES)
    except OSError as error:
        raise _Unreadable(f"{error.strerror}; 'providers keys set' stores a key in a place of its own") from None
    if others_may_read(mode):
        raise _Unreadable(f"other users of this machine may read it; run: {chmod_command(path)}")
    return content.decode("utf-8", "surrogateescape")


def _resolve(source: KeySource) -> Path:
    """Return the path that the source names, relative to the configuration file's folder."""
    return (source.folder or Path.home()) / os.path.expanduser(source.name)


def _read_keyring(source: KeySource, seconds: float | None) -> str:
    from providers_sdk._config.keyring import KeyringFailed, ask_keyring

    allowed = KEYRING_SECONDS if seconds is None else min(seconds, KEYRING_SECONDS)
    try:
        return ask_keyring("get", source.name, seconds=allowed)
    except KeyringFailed as error:
        raise _Unreadable(str(error)) from None


_READERS: Mapping[str, Callable[[KeySource, float | None], str]] = {
    "env": _read_variable,
    "command": _read_command,
    "file": _read_file,
    "keyring": _read_keyring,
}
_NOUNS = {"env": "variable", "command": "command", "file": "file", "keyring": "keyring entry"}
KINDS = tuple(_READERS)
