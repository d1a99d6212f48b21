"""The registry: names to providers. Reading names imports nothing; a plugin is imported when it is first asked for."""

import copy
import difflib
import logging
import threading
from importlib.metadata import EntryPoint
from typing import Any

import pluggy

from providers_sdk._plugins import (
    EXTENSIONS,
    PROVIDERS,
    Loaded,
    PluginReport,
    check_class,
    check_name,
    conflict,
    disabled_names,
    distribution_of,
    load,
    read_entry_points,
)
from providers_sdk.errors import PluginError, PluginLoadError, UnknownProvider
from providers_sdk.provider import Provider

__all__ = ["Registry"]

_log = logging.getLogger("providers_sdk")


class Registry:
    """The providers of one program: those of installed plugins and those registered at run time.

    An ordinary object: make as many as you like, none is global. Threads may share one.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._own: dict[str, type[Provider]] = {}
        self._entries: dict[str, list[EntryPoint]] | None = None
        self._loaded: dict[tuple[str, str, str], Loaded] = {}
        self._extensions: list[Loaded] | None = None

    def names(self) -> list[str]:
        """Return the names of all providers, well or not, sorted."""
        return sorted({*self._own, *self._offered()})

    def register(self, name: str, provider: type[Provider]) -> None:
        """Add ``provider`` at run time; it takes the place of a plugin's of the same name.

        :raises PluginLoadError: the name or class cannot be used.
        """
        check_name(name)
        check_class(name, provider)
        with self._lock:
            self._own[name] = provider

    def get(self, name: str) -> type[Provider]:
        """Return the class of the provider ``name`` (or ``dist:name``), importing its plugin if need be.

        :raises UnknownProvider: no plugin offers the name.
        :raises PluginConflict: two distributions do.
        :raises PluginLoadError: its plugin cannot be loaded, or is disabled.
        """
        if name in self._own:
            return self._own[name]
        entry = self._entry(name)
        if entry.name in disabled_names():
            raise PluginLoadError("is switched off by PROVIDERS_SDK_DISABLE", provider=name)
        loaded = self._load(entry)
        if loaded.provider is None:
            raise _fresh(loaded.error)
        return loaded.provider

    def report(self, *, load: bool = False) -> list[PluginReport]:
        """Return the state of every plugin, providers first, by name.

        :param load: import those that are not imported yet, so that their real state is known.
        """
        own = [PluginReport(name=name, state="loaded", entry_point=_path(kind)) for name, kind in self._own.items()]
        rows = [row for name in self._offered() for row in self._rows(name, load)]
        extensions = [loaded.report for loaded in (self._load_extensions() if load else self._extensions or [])]
        return sorted([*own, *rows], key=lambda row: row.name) + extensions

    def extensions(self) -> list[pluggy.PluginManager]:
        """Return a hook host for each healthy extension; a bad one is logged and left out."""
        return [loaded.manager for loaded in self._load_extensions() if loaded.manager is not None]

    def _offered(self) -> dict[str, list[EntryPoint]]:
        with self._lock:
            if self._entries is None:
                entries: dict[str, list[EntryPoint]] = {}
                for entry in read_entry_points(PROVIDERS):
                    entries.setdefault(entry.name, []).append(entry)
                self._entries = entries
            return self._entries

    def _entry(self, name: str) -> EntryPoint:
        if not isinstance(name, str):
            raise UnknownProvider(f"a provider is named by a string, not {type(name).__name__}")
        distribution, _, short = name.rpartition(":")
        offers = self._offered().get(short, [])
        if distribution:
            offers = [entry for entry in offers if _same(distribution_of(entry)[0], distribution)]
        if not offers:
            raise UnknownProvider(self._unknown(name))
        if len(offers) > 1:
            raise conflict(short, offers)
        return offers[0]

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name[:64], self.names(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(self.names()) or 'none'}"
        return f"there is no provider {name[:64]!r}; {hint}"

    def _load(self, entry: EntryPoint) -> Loaded:
        report = _described(entry)
        key = (entry.group, entry.name, report.distribution)
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = load(entry, report)
            return self._loaded[key]

    def _rows(self, name: str, load: bool) -> list[PluginReport]:
        entries = self._offered()[name]
        if name in disabled_names():
            return [_described(entry, state="disabled", reason="PROVIDERS_SDK_DISABLE names it") for entry in entries]
        if len(entries) > 1:
            reason = conflict(name, entries).message
            return [_described(entry, state="conflict", reason=reason, remedy=_pick(entry)) for entry in entries]
        entry = entries[0]
        known = (entry.group, entry.name, distribution_of(entry)[0]) in self._loaded
        return [self._load(entry).report if load or known else _described(entry)]

    def _load_extensions(self) -> list[Loaded]:
        with self._lock:
            if self._extensions is None:
                wanted = [entry for entry in read_entry_points(EXTENSIONS) if entry.name not in disabled_names()]
                self._extensions = [self._load(entry) for entry in wanted]
                for loaded in self._extensions:
                    if loaded.error is not None:
                        _log.warning("the extension %s is left out: %s", loaded.report.name, loaded.error.message)
            return self._extensions


def _fresh(error: PluginError | None) -> PluginError:
    """A copy for each raise: threads must not share one traceback."""
    fresh = copy.copy(error) or PluginLoadError("could not be loaded")
    fresh.__cause__ = error.__cause__ if error else None
    return fresh


def _described(entry: EntryPoint, **facts: Any) -> PluginReport:
    distribution, version = distribution_of(entry)
    known = {"state": "available", **facts}
    return PluginReport(
        name=entry.name,
        distribution=distribution,
        version=version,
        entry_point=entry.value,
        group=entry.group,
        **known,
    )


def _pick(entry: EntryPoint) -> str:
    distribution = distribution_of(entry)[0]
    return f"ask for {distribution}:{entry.name}, or pip uninstall {distribution}"


def _same(one: str, other: str) -> bool:
    return one.lower().replace("_", "-").replace(".", "-") == other.lower().replace("_", "-").replace(".", "-")


def _path(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


Registry.__module__ = "providers_sdk"
