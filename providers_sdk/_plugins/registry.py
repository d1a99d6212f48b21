"""The registry: names to providers. Reading names imports nothing; a plugin is imported when it is first asked for.

A name means, in this order: what was registered at run time, the bundled provider, the one other plugin that has it.
"""

import copy
import logging
import threading
import warnings
from typing import TYPE_CHECKING

import pluggy

from providers_sdk._callers import find_callers_level
from providers_sdk._fork import renew_after_fork
from providers_sdk._plugins.entry_points import (
    EXTENSIONS,
    PROVIDERS,
    BrokenDistribution,
    PluginEntry,
    find_bundled,
    read_offers,
    unreadable,
)
from providers_sdk._plugins.extensions import ExtensionHost
from providers_sdk._plugins.loading import Loaded, conflict, load
from providers_sdk._plugins.validation import check_class, check_name
from providers_sdk._provider.provider import Provider
from providers_sdk._suggest import suggest_name
from providers_sdk.errors import PluginError, PluginLoadError, UnknownProvider

if TYPE_CHECKING:
    from providers_sdk._plugins.report import PluginReport

__all__ = ["PluginShadowed", "Registry"]

_log = logging.getLogger("providers_sdk")


class PluginShadowed(UserWarning):
    """Another distribution offers the name of a bundled provider; the bundled one is used."""


class Registry:
    """The providers of one program: those of installed plugins and those registered at run time.

    An ordinary object: make as many as you like, none is global. Threads may share one.
    """

    def __init__(self) -> None:
        self._renew()
        self._own: dict[str, type[Provider]] = {}
        self._offers: dict[str, dict[str, list[PluginEntry]]] | None = None
        self._unreadable: list[BrokenDistribution] | None = None
        self._loaded: dict[PluginEntry, Loaded] = {}
        self.extension_host = ExtensionHost(self._load_extensions)
        self._warned_of: set[str] = set()
        renew_after_fork(self)

    def _renew(self) -> None:
        """Make the locks anew, in a forked child."""
        self._lock = threading.RLock()
        self._importing: dict[PluginEntry, threading.RLock] = {}

    def names(self) -> list[str]:
        """Return the names of all providers, usable or not, sorted."""
        return sorted({*self._own, *self._load_offers(PROVIDERS)})

    def trusted_names(self) -> list[str]:
        """Return the names of bundled providers and of those registered at run time, sorted."""
        offers = self._load_offers(PROVIDERS).items()
        return sorted({*self._own, *(name for name, rivals in offers if find_bundled(rivals))})

    def register(self, name: str, provider: type[Provider]) -> None:
        """Add ``provider`` at run time; it takes the place of a plugin's of the same name.

        :raises PluginLoadError: the name or class cannot be used.
        """
        check_name(name)
        check_class(name, provider)
        with self._lock:
            self._own[name] = provider

    def get(self, name: str, *, warn: bool = True) -> type[Provider]:
        """Return the class of the provider ``name`` (or ``dist:name``), importing its plugin if need be.

        A bundled name means the bundled provider; :class:`PluginShadowed` warns once that others offer it, too.

        :param warn: ``False`` to look at a provider that nobody named.
        :raises UnknownProvider: no plugin offers the name.
        :raises PluginConflict: two distributions do, and the name is not bundled.
        :raises PluginLoadError: its plugin cannot be loaded, or is disabled.
        """
        if name in self._own:
            return self._own[name]
        loaded = self._load(self._find_offer(name, warn=warn))
        if loaded.provider is None:
            raise _copy_error(loaded.error)
        return loaded.provider

    def report(self, *names: str, load: bool = False) -> "list[PluginReport]":
        """Return the state of every plugin: providers by name, then extensions, then what cannot be read.

        :param names: only these; ``dist:name`` where several distributions offer a name.
        :param load: import those that are not imported yet, so that their real state is known.
        :raises UnknownProvider: no plugin has one of ``names``.
        """
        for name in names:
            if not self._make_reports(name, load=False):
                raise UnknownProvider(self._explain_unknown(name))
        rows = [row for name in dict.fromkeys(names) for row in self._make_reports(name, load=load)]
        return rows if names else self._make_reports(None, load=load)

    def extensions(self) -> list[pluggy.PluginManager]:
        """Return a hook host for each healthy extension; a bad one is logged and left out."""
        return self.extension_host.get_managers()

    def loaded_extensions(self) -> list[pluggy.PluginManager]:
        """Return a hook host for each healthy extension that is imported already."""
        found = [loaded for offer, loaded in self._loaded.items() if offer.entry.group == EXTENSIONS]
        return [loaded.manager for loaded in found if loaded.manager is not None]

    def _load_offers(self, group: str) -> dict[str, list[PluginEntry]]:
        if self._offers is not None:
            return self._offers[group]
        with self._lock:
            if self._offers is None:
                found, sound = read_offers()
                self._unreadable = [] if sound else None
                self._offers = _group(found)
            return self._offers[group]

    def _find_offer(self, name: str, *, warn: bool) -> PluginEntry:
        if not isinstance(name, str):
            raise UnknownProvider(f"a provider is named by a string, not {type(name).__name__}")
        found = [
            offer for offer in self._load_offers(PROVIDERS).get(_strip_distribution(name), []) if offer.matches(name)
        ]
        if not found:
            raise UnknownProvider(self._explain_unknown(name))
        wanted = [offer for offer in found if not offer.is_disabled]
        if not wanted:
            raise PluginLoadError("is switched off by PROVIDERS_SDK_DISABLE", provider=name)
        if len(wanted) == 1:
            return wanted[0]
        bundled = find_bundled(wanted)
        if bundled is None:
            raise conflict(wanted[0].entry.name, wanted)
        if warn:
            self._warn_of_shadowed(bundled, wanted)
        return bundled

    def _warn_of_shadowed(self, bundled: PluginEntry, rivals: list[PluginEntry]) -> None:
        name = bundled.entry.name
        with self._lock:
            if name in self._warned_of:
                return
            self._warned_of.add(name)
        others = " or ".join(repr(offer.qualified_name) for offer in rivals if offer is not bundled)
        sentence = (
            f"{name!r} means the bundled provider {bundled.qualified_name!r}; the other plugin of that name is {others}"
        )
        warnings.warn(sentence, PluginShadowed, stacklevel=find_callers_level())

    def _explain_unknown(self, name: str) -> str:
        return f"there is no provider {name[:64]!r}; {suggest_name(_strip_distribution(name), self.names())}"

    def _load(self, offer: PluginEntry) -> Loaded:
        if offer in self._loaded:
            return self._loaded[offer]
        with self._lock:
            importing = self._importing.setdefault(offer, threading.RLock())
        with importing:  # its own lock: a thread that loads another plugin does not wait
            if offer not in self._loaded:
                _log.debug("importing the plugin %s", offer.entry.name)
                self._loaded[offer] = load(offer)
            return self._loaded[offer]

    def _make_reports(self, name: str | None, *, load: bool) -> "list[PluginReport]":
        """The rows of all plugins, or of those that ``name`` means."""
        from providers_sdk._plugins.reporting import Reporter, describe_broken, describe_registered

        reporter = Reporter(self._load if load else self._loaded.get, self.extension_host.find_failure)
        own = [describe_registered(short, kind) for short, kind in self._own.items() if name in (None, short)]
        rows = [row for offers in self._find_meant(PROVIDERS, name) for row in reporter.describe_rivals(offers)]
        extensions = [reporter.describe(offer) for offers in self._find_meant(EXTENSIONS, name) for offer in offers]
        broken = [describe_broken(found) for found in self._find_unreadable() if name in (None, found.distribution[0])]
        return sorted([*own, *rows], key=lambda row: row.name) + extensions + broken

    def _find_meant(self, group: str, name: str | None) -> list[list[PluginEntry]]:
        offered = self._load_offers(group)
        if name is None:
            return [offered[short] for short in sorted(offered)]
        return [[offer for offer in offered.get(_strip_distribution(name), []) if offer.matches(name)]]

    def _find_unreadable(self) -> list[BrokenDistribution]:
        self._load_offers(PROVIDERS)
        with self._lock:
            if self._unreadable is None:
                self._unreadable = list(unreadable())
            return self._unreadable

    def _load_extensions(self) -> list[Loaded]:
        offers = [offer for offers in self._find_meant(EXTENSIONS, None) for offer in offers]
        return [self._load(offer) for offer in offers if not offer.is_disabled and not offer.is_switched_off]


def _copy_error(error: PluginError | None) -> PluginError:
    """A copy for each raise: threads must not share one traceback."""
    fresh = (copy.copy(error) or PluginLoadError("could not be loaded")).with_traceback(None)
    fresh.__cause__ = error.__cause__ if error else None
    return fresh


def _group(offers: list[PluginEntry]) -> dict[str, dict[str, list[PluginEntry]]]:
    grouped: dict[str, dict[str, list[PluginEntry]]] = {PROVIDERS: {}, EXTENSIONS: {}}
    for offer in offers:
        grouped[offer.entry.group].setdefault(offer.entry.name, []).append(offer)
    for rivals in (*grouped[PROVIDERS].values(), *grouped[EXTENSIONS].values()):
        if len(rivals) > 1:  # the picks of the others are not needed, and cost a file each
            rivals.sort(key=lambda offer: offer.qualified_name)
    return grouped


def _strip_distribution(name: str) -> str:
    return name.rpartition(":")[2]


PluginShadowed.__module__ = "providers_sdk.plugin"
Registry.__module__ = "providers_sdk"
