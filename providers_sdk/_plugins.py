"""Entry points read without importing; one plugin loaded at a time, so that a bad one hurts only itself."""

import importlib.metadata
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint

import pluggy

from providers_sdk.errors import PluginConflict, PluginError, PluginLoadError
from providers_sdk.hookspecs import CONTRACT, ExtensionHooks, ProviderHooks, new_manager
from providers_sdk.provider import Provider

__all__ = [
    "EXTENSIONS",
    "PROVIDERS",
    "PluginReport",
    "disabled_names",
    "distribution_of",
    "load",
    "read_entry_points",
]

PROVIDERS = "providers_sdk"
EXTENSIONS = "providers_sdk.extensions"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginReport:
    """The state of one plugin.

    :param name: the provider's name, ``dist:name`` where two distributions offer it.
    :param state: ``available`` (not imported yet), ``loaded``, ``failed``, ``conflict``, ``disabled`` or
        ``incompatible``.
    :param reason: why it is not well, empty where it is.
    :param remedy: what cures it.
    :param distribution: the distribution that brings it, empty for one registered at run time.
    :param version: that distribution's version.
    :param entry_point: the entry point's value.
    :param group: the entry point's group.
    :param import_seconds: how long its import took, where it was imported.
    :param hooks: names of the hooks that it implements, where it was imported.
    :param requires_contract: versions of the plugin contract that it asks for.
    """

    name: str
    state: str
    reason: str = ""
    remedy: str = ""
    distribution: str = ""
    version: str = ""
    entry_point: str = ""
    group: str = PROVIDERS
    import_seconds: float | None = None
    hooks: tuple[str, ...] = ()
    requires_contract: str = ""

    @property
    def healthy(self) -> bool:
        """Whether it can be used, or is off because the user wants it so."""
        return self.state in ("available", "loaded", "disabled")


PluginReport.__module__ = "providers_sdk"


def read_entry_points(group: str) -> list[EntryPoint]:
    """Return the entry points of ``group``; a distribution whose metadata cannot be read is passed over."""
    try:
        return list(importlib.metadata.entry_points(group=group))
    except Exception:  # noqa: BLE001  one unreadable file must not hide every plugin
        return list(_one_by_one(group))


def _one_by_one(group: str) -> Iterable[EntryPoint]:
    seen: set[str] = set()
    for distribution in importlib.metadata.distributions():
        try:
            found, name = distribution.entry_points.select(group=group), distribution.name
        except Exception:  # noqa: BLE001, S112  that is the one; doctor cannot name what has no name
            continue
        if name not in seen:
            seen.add(name)
            yield from found


def distribution_of(entry: EntryPoint) -> tuple[str, str]:
    """Return the name and version of the distribution that brings ``entry``; empty where unknown."""
    try:
        return (entry.dist.name, entry.dist.version) if entry.dist is not None else ("", "")
    except Exception:  # noqa: BLE001  metadata of strangers
        return "", ""


def disabled_names(environ: Mapping[str, str] | None = None) -> frozenset[str]:
    """Return the names that ``PROVIDERS_SDK_DISABLE`` switches off."""
    value = (os.environ if environ is None else environ).get("PROVIDERS_SDK_DISABLE", "")
    return frozenset(name.strip() for name in value.split(",") if name.strip())


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading one entry point came to."""

    report: PluginReport
    provider: type[Provider] | None = None
    manager: pluggy.PluginManager | None = None
    error: PluginError | None = None


def load(entry: EntryPoint, report: PluginReport) -> Loaded:
    """Import ``entry`` and validate its hooks; whatever goes wrong is in the result, nothing is raised.

    :param report: what is known of it so far.
    """
    started = time.perf_counter()
    try:
        manager, plugin = _validated(entry)
        report = replace(report, import_seconds=time.perf_counter() - started, hooks=_hooks(manager, plugin))
        provider = _provider(manager, entry.name) if entry.group == PROVIDERS else None
        report = replace(report, requires_contract=provider.requires_contract if provider else "")
        _check_contract(provider)
    except PluginError as error:
        state = "incompatible" if isinstance(error, _Incompatible) else "failed"
        failed = replace(report, state=state, reason=error.message, remedy=_remedy(report, state))
        error.provider = entry.name
        return Loaded(failed, error=_plain(error))
    return Loaded(replace(report, state="loaded"), provider, manager)


class _Incompatible(PluginLoadError):
    pass


def _plain(error: PluginError) -> PluginError:
    plain = PluginLoadError(error.message, provider=error.provider)
    plain.__cause__ = error.__cause__
    return plain


def _remedy(report: PluginReport, state: str) -> str:
    who = report.distribution or report.entry_point
    if state == "incompatible":
        return f"pip install --upgrade {who} providers-sdk"
    return f"pip install --upgrade {who}, or switch it off: PROVIDERS_SDK_DISABLE={report.name}"


def _validated(entry: EntryPoint) -> tuple[pluggy.PluginManager, object]:
    try:
        plugin = entry.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginLoadError(f"importing {entry.value!r} raised {type(error).__name__}: {error}") from error
    manager = new_manager(ProviderHooks if entry.group == PROVIDERS else ExtensionHooks)
    try:
        manager.register(plugin, name=entry.name)
        manager.check_pending()
    except Exception as error:
        words = " ".join(str(error).split())
        raise PluginLoadError(f"its hooks are not valid: {words}") from error
    return manager, plugin


def _hooks(manager: pluggy.PluginManager, plugin: object) -> tuple[str, ...]:
    return tuple(sorted(caller.name for caller in manager.get_hookcallers(plugin) or ()))


def _provider(manager: pluggy.PluginManager, name: str) -> type[Provider]:
    found: dict[str, type[Provider]] = {}

    def register(offered: str, provider: type[Provider]) -> None:
        found[check_name(offered)] = check_class(offered, provider)

    try:
        manager.hook.register_providers(register=register)
    except PluginError:
        raise
    except Exception as error:
        raise PluginLoadError(f"its register_providers hook raised {type(error).__name__}: {error}") from error
    if name not in found:
        offered = f"it registered {', '.join(sorted(found))}" if found else "it registered nothing"
        raise PluginLoadError(f"its entry point is named {name!r}, but {offered}")
    return found[name]


def check_name(name: object) -> str:
    """Return ``name`` if a provider may have it: letters, digits, dots, dashes, underscores; at most 64."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PluginLoadError(f"{name!r} is no name for a provider: use letters, digits, '.', '-' and '_', at most 64")
    return name


def check_class(name: str, provider: object) -> type[Provider]:
    """Return ``provider`` if it is a provider class."""
    if not isinstance(provider, type) or not issubclass(provider, Provider):
        raise PluginLoadError(f"{name!r} is registered with {provider!r}, which is no subclass of Provider")
    if provider.complete is Provider.complete:
        raise PluginLoadError(f"{name!r} is registered with {provider.__name__}, which has no complete() of its own")
    return provider


def _check_contract(provider: type[Provider] | None) -> None:
    if provider is None or not provider.requires_contract:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        fits = SpecifierSet(provider.requires_contract).contains(CONTRACT)
    except InvalidSpecifier as error:
        raise PluginLoadError(f"its requires_contract {provider.requires_contract!r} is no version range") from error
    if not fits:
        raise _Incompatible(f"it needs plugin contract {provider.requires_contract}; this library has {CONTRACT}")


def conflict(name: str, entries: list[EntryPoint]) -> PluginConflict:
    """Return the error for a ``name`` that several distributions offer."""
    picks = [f"{distribution_of(entry)[0]}:{name}" for entry in entries]
    return PluginConflict(
        f"is offered by {len(entries)} distributions; choose one by {' or '.join(map(repr, picks))}",
        provider=name,
    )
