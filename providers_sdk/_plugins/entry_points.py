"""Reads which plugins the installed distributions offer, from their metadata, without importing them."""

import os
import re
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from providers_sdk._environment import ATTEMPT_LOG, DISABLE, read_names, read_variable
from providers_sdk._plugins.metadata import (
    Distribution,
    DistributionFolder,
    EntryPoint,
    iter_distributions,
    parse_entry_points,
)

__all__ = [
    "BUNDLED",
    "EXTENSIONS",
    "PROVIDERS",
    "BrokenDistribution",
    "PluginEntry",
    "find_bundled",
    "has_extensions",
    "read_offers",
    "same_distribution",
    "unreadable",
]

PROVIDERS = "providers_sdk"
EXTENSIONS = "providers_sdk.extensions"
_GROUPS = (PROVIDERS, EXTENSIONS)
_FIELD = r"(?im)^(Name|Version):[ \t]*(.*?)[ \t\r]*$"
BUNDLED = "providers-sdk"
"""This library's own distribution, whose provider names take precedence over all others."""
SWITCHES = {"providers_sdk_plugins.attempt_log": ATTEMPT_LOG}
"""Bundled extension → the variable without which it is not imported."""


class _Owner:
    """The distribution that several entries share: its metadata is read once, and only where it is asked for."""

    def __init__(self, distribution: Distribution) -> None:
        self._distribution = distribution

    @cached_property
    def identity(self) -> tuple[str, str]:
        """Its name and version, from its folder's name where its metadata lacks them."""
        try:
            found = _find_fields(self._distribution)
        except Exception:  # noqa: BLE001  foreign metadata may be broken
            found = "", ""
        return found if all(found) else _find_folder_name(self._distribution)


class PluginEntry:
    """One entry point and its distribution."""

    def __init__(self, entry: EntryPoint, owner: _Owner) -> None:
        self.entry, self._owner = entry, owner

    @property
    def distribution(self) -> tuple[str, str]:
        """Name and version of the distribution."""
        return self._owner.identity

    @property
    def qualified_name(self) -> str:
        """The name that means this offer and no other: ``dist:name``."""
        return f"{self.distribution[0]}:{self.entry.name}"

    @property
    def is_bundled(self) -> bool:
        """Whether it is this library's own."""
        return same_distribution(self.distribution[0], BUNDLED)

    @property
    def switch(self) -> str:
        """The variable that switches it on; empty where it needs none."""
        return SWITCHES.get(self.entry.value, "") if self.entry.group == EXTENSIONS else ""

    @property
    def is_switched_off(self) -> bool:
        """Whether the variable that switches it on is not set."""
        return bool(self.switch) and not read_variable(self.switch)

    @property
    def is_disabled(self) -> bool:
        """Whether the user switched it off, by its name or by ``dist:name``."""
        return any(self.matches(name) for name in read_names(DISABLE))

    def matches(self, name: str) -> bool:
        """Whether ``name``, or ``dist:name``, means this offer."""
        distribution, _, short = name.rpartition(":")
        if short != self.entry.name:
            return False
        return not distribution or same_distribution(distribution, self.distribution[0])


class BrokenDistribution:
    """A distribution that may contain plugins, but whose entry points cannot be read.

    :param path: its metadata folder.
    :param reason: why it could not be read.
    """

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason

    @property
    def distribution(self) -> tuple[str, str]:
        """Its name and version, from its folder's name."""
        return _split(self.path)


def read_offers() -> tuple[list[PluginEntry], bool]:
    """Return the offers of both groups in one pass, and whether every distribution could be read."""
    offers: list[PluginEntry] = []
    sound = True
    for distribution in iter_distributions(_list_folders()):
        try:
            text = distribution.read_text("entry_points.txt") or ""
            entries = parse_entry_points(text, distribution) if PROVIDERS in text else ()  # most have other groups only
            found = [entry for entry in entries if entry.group in _GROUPS]
        except Exception:  # noqa: BLE001  one unreadable file must not hide every plugin
            sound = False
            continue
        owner = _Owner(distribution)
        offers += [PluginEntry(entry, owner) for entry in found]
    return _drop_copies(offers), sound


def find_bundled(offers: list[PluginEntry]) -> PluginEntry | None:
    """Return the offer that is this library's own, where one is."""
    return next((offer for offer in offers if offer.is_bundled), None)


def has_extensions() -> bool:
    """Return whether any installed distribution offers an extension that is not switched off."""
    return any(offer.entry.group == EXTENSIONS and not offer.is_switched_off for offer in read_offers()[0])


def _list_folders() -> list[str]:
    """The path, each folder once: PYTHONPATH often names the one that Python is started in."""
    return list(dict.fromkeys(os.path.realpath(folder) for folder in sys.path if isinstance(folder, str)))


def _drop_copies(offers: list[PluginEntry]) -> list[PluginEntry]:
    """Leave out what an earlier copy of the same distribution offers; names are compared only where two collide."""
    kept: dict[tuple[str, str], list[PluginEntry]] = {}
    for offer in offers:
        rivals = kept.setdefault((offer.entry.group, offer.entry.name), [])
        if not any(_is_same_distribution(offer, rival) for rival in rivals):
            rivals.append(offer)
    return [offer for rivals in kept.values() for offer in rivals]


def _is_same_distribution(one: PluginEntry, other: PluginEntry) -> bool:
    name = one.distribution[0]
    return bool(name) and same_distribution(name, other.distribution[0])


def unreadable() -> Iterator[BrokenDistribution]:
    """Yield the distributions on the path that mention our groups and whose entry points cannot be read."""
    for folder in _list_folders():
        for path in sorted(Path(folder).glob("*.*-info")):
            try:
                list(parse_entry_points(DistributionFolder(str(path)).read_text("entry_points.txt") or ""))
            except Exception as error:  # noqa: BLE001  a foreign file may raise anything
                if PROVIDERS.encode() in (path / "entry_points.txt").read_bytes():
                    yield BrokenDistribution(path, f"{type(error).__name__}: {error}")


def same_distribution(one: str, other: str) -> bool:
    """Whether two spellings name one distribution: case, and runs of ``-``, ``_`` and ``.``, make no difference."""
    if one == other:
        return True
    from packaging.utils import canonicalize_name  # most programs never compare two names

    return canonicalize_name(one) == canonicalize_name(other)


def _find_fields(distribution: Distribution) -> tuple[str, str]:
    """Return the fields Name and Version: the metadata holds a whole readme, whose parsing costs a millisecond."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    fields: dict[str, str] = {}
    for name, value in re.findall(_FIELD, text.partition("\n\n")[0]):
        fields.setdefault(name.lower(), value)
    return fields.get("name", ""), fields.get("version", "")


def _find_folder_name(distribution: Distribution) -> tuple[str, str]:
    if isinstance(distribution, DistributionFolder):
        return _split(Path(distribution.path))
    try:
        path = str(getattr(distribution, "_path", ""))  # of importlib.metadata's own
    except Exception:  # noqa: BLE001  a foreign finder's may raise anything
        return "", ""
    return _split(Path(path)) if path.endswith("-info") else ("", "")


def _split(folder: Path) -> tuple[str, str]:
    name, _, version = folder.name.rpartition(".")[0].partition("-")
    return name, version
