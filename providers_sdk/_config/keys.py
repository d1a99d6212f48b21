"""Keys that ``providers keys set`` has stored: each a file of mode 0600 in the user's data folder, or in the keyring.

The file of the setting ``key`` of ``groq`` is ``groq.key``. For a key in the keyring there is an empty file
``groq.key@keyring``, because asking the keyring whether it has one could hang. Where a kill has left both, the file
counts: it is the old value until the new one is complete.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from providers_sdk._config.places import keys_folder, shorten
from providers_sdk._config.private_files import remove_file, write_private
from providers_sdk._config.sources import KeySource, take_line
from providers_sdk._config.values import ConfigValue
from providers_sdk._model.names import NAME
from providers_sdk.errors import InvalidArgument, KeyUnavailable

__all__ = [
    "KeySource",
    "StoredKey",
    "find_stored_key",
    "find_stored_keys",
    "list_stored_keys",
    "remove_key",
    "store_key",
]

_SETTING = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
_FILE = rf"({NAME})\.({_SETTING})(@keyring)?"
_PATIENCE = 60.0  # seconds for a keyring that may ask the user for its password, who has just asked for it


class StoredKey(NamedTuple):
    """A key that is stored, without its value.

    :param name: of the provider or instance.
    :param setting: that it is for.
    :param path: its file; for a key in the keyring, the file that says so.
    """

    name: str
    setting: str
    path: Path
    in_keyring: bool

    @property
    def source(self) -> str:
        """Where it is, for messages."""
        return f"stored in {'the keyring' if self.in_keyring else shorten(self.path)}"

    @property
    def entry(self) -> str:
        """Its entry in the keyring; no two share one, though a name may hold dots."""
        return self.name if self.setting == "key" and "." not in self.name else f"{self.name}.{self.setting}"


def find_stored_keys(name: str) -> dict[str, ConfigValue]:
    """Return the stored settings of a provider or an instance, each as a source that is read when it is needed.

    :raises KeyUnavailable: the folder of stored keys cannot be read.
    """
    try:
        rows = [row for row in list_stored_keys() if row.name == name]
    except OSError as error:
        reason = error.strerror
    else:  # the file of a setting is before its entry in the keyring, and counts
        return {row.setting: ConfigValue(_make_source(row), row.source) for row in reversed(rows)}
    raise KeyUnavailable(f"the folder of stored keys, {keys_folder()}, cannot be read: {reason}", provider=name)


def find_stored_key(name: str, setting: str = "key") -> ConfigValue | None:
    """Return the stored value of one setting; ``None`` for none."""
    return find_stored_keys(name).get(setting)


def _make_source(stored: StoredKey) -> KeySource:
    kind, argument = ("keyring", stored.entry) if stored.in_keyring else ("file", str(stored.path))
    return KeySource(kind, (argument,), stored.setting, f"of 'providers keys set {stored.name}'", stored.path.parent)


def list_stored_keys() -> list[StoredKey]:
    """Return all stored keys, sorted by name and setting.

    :raises OSError: the folder cannot be read.
    """
    folder = keys_folder()
    if folder is None:
        return []
    found = (match for match in (re.fullmatch(_FILE, name) for name in _list_files(folder)) if match)
    rows = [StoredKey(match[1], match[2], folder / match[0], bool(match[3])) for match in found]
    return sorted(rows, key=lambda row: (row.name, row.setting, row.in_keyring))


def _list_files(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # each call asks: looking first whether the folder is there would ask twice
    except (FileNotFoundError, NotADirectoryError):
        return []


def store_key(name: str, secret: str, *, setting: str = "key", in_keyring: bool = False) -> StoredKey:
    """Store a key, instead of one that was stored before.

    :raises InvalidArgument: a name or the key cannot be used; no message quotes the key.
    :raises KeyUnavailable: the keyring fails.
    :raises OSError: the file cannot be written.
    """
    file, marker = _check_places(name, setting)
    try:
        line = take_line(secret)
    except ValueError as error:
        raise InvalidArgument(f"the key for {name!r} cannot be stored: {error}") from None
    stored, other = (marker, file) if in_keyring else (file, marker)
    if in_keyring:
        _ask("set", stored, secret=line)
    write_private(stored.path, b"" if in_keyring else f"{line}\n".encode())
    remove_file(other.path)
    return stored


def remove_key(name: str, *, setting: str = "key") -> list[StoredKey]:
    """Remove a stored key, and return where it was; an empty list where there was none.

    :raises InvalidArgument: a name cannot be used.
    :raises KeyUnavailable: the keyring fails; what it holds is still there.
    :raises OSError: the file cannot be removed.
    """
    file, marker = _check_places(name, setting)
    if marker.path.is_file():
        _ask("delete", marker)
    return [place for place in (file, marker) if remove_file(place.path)]


def _ask(action: str, stored: StoredKey, *, secret: str = "") -> None:
    from providers_sdk._config.keyring import KeyringFailed, ask_keyring

    try:
        ask_keyring(action, stored.entry, seconds=_PATIENCE, secret=secret)
    except KeyringFailed as error:
        reason = str(error)
    else:
        return
    raise KeyUnavailable(f"the keyring entry {stored.entry!r} cannot be changed: {reason}")


def _check_places(name: str, setting: str) -> Sequence[StoredKey]:
    """Return the two places of a key, of which only well-formed names have any: no path can be built from others."""
    if not re.fullmatch(NAME, name):
        raise InvalidArgument(
            f"{name!r:.80} is no name of a service: use letters, digits, '.', '-' and '_', at most 64"
        )
    if not re.fullmatch(_SETTING, setting):
        raise InvalidArgument(f"{setting!r:.80} is no name of a setting: use letters, digits and '_'")
    folder = keys_folder()
    if folder is None:
        raise InvalidArgument("no key can be stored: PROVIDERS_SDK_CONFIG is set and empty, so none would be used")
    return _list_places(folder, name, setting)


def _list_places(folder: Path, name: str, setting: str) -> Sequence[StoredKey]:
    path = folder / f"{name}.{setting}"
    return (
        StoredKey(name, setting, path, in_keyring=False),
        StoredKey(name, setting, path.with_name(f"{path.name}@keyring"), in_keyring=True),
    )
