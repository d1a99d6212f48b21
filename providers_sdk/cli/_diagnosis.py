"""What ``providers doctor`` finds out about the library, its surroundings and its plugins."""

import importlib.metadata
import os
import platform
import sys
import urllib.request
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement

from providers_sdk._environment import variable_name
from providers_sdk._http.proxies import add_scheme, parse_proxy
from providers_sdk._model.settings import Setting, resolve_settings
from providers_sdk._plugins.entry_points import PROVIDERS
from providers_sdk._plugins.environment import LIBRARY_VARIABLES
from providers_sdk._plugins.hookspecs import CONTRACT
from providers_sdk._plugins.loading import disabled_names
from providers_sdk._plugins.registry import Registry
from providers_sdk._plugins.report import PluginReport
from providers_sdk._redact import snippet
from providers_sdk._suggest import find_nearest
from providers_sdk._version import __version__
from providers_sdk.errors import InvalidArgument, RequestError

__all__ = ["Checkup", "Health", "Note", "Package", "Proxy", "examine"]

DISTRIBUTION = "providers-sdk"
_NOT_FOR_USERS = ("dev", "test")
Settings = Mapping[str, tuple[str, Setting]]
"""A provider's settings with their names, by the variables that set them."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that this library stands on.

    :param version: the installed version, empty where it is not installed.
    :param needs: the versions that will do.
    :param extra: the extra that brings it, empty for one that is always needed.
    """

    name: str
    version: str
    needs: str
    extra: str
    fits: bool


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy of the environment.

    :param address: without user and password.
    :param problem: why it cannot be used, empty where it can.
    """

    scheme: str
    address: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A variable of the environment that does not do what its user may think.

    :param near: what was perhaps meant.
    """

    variable: str
    problem: str
    near: str = ""


@dataclass(frozen=True, slots=True)
class Checkup:
    """One plugin: its state, and its settings by the variables that set them.

    :param given: variables that are set.
    :param missing: variables of required settings that have no value.
    :param unusable: variables whose value cannot be used.
    """

    report: PluginReport
    given: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """Everything that the doctor knows."""

    version: str
    contract: str
    python: str
    packages: tuple[Package, ...]
    proxies: tuple[Proxy, ...]
    notes: tuple[Note, ...]
    plugins: tuple[Checkup, ...]

    @property
    def healthy(self) -> bool:
        """Whether every plugin that was looked at is."""
        return all(checkup.report.healthy for checkup in self.plugins)


def examine(registry: Registry, rows: Collection[PluginReport]) -> Health:
    """Return the health of the plugins of ``rows``, which are imported already, and of all that surrounds them."""
    settings = {_pick(row): _settings(registry, _pick(row)) for row in rows if _pick(row)}
    everyone = registry.report()
    return Health(
        version=__version__,
        contract=CONTRACT,
        python=f"{platform.python_version()} ({platform.python_implementation()}, {sys.platform})",
        packages=tuple(_packages()),
        proxies=tuple(_proxies()),
        notes=tuple(_notes(everyone, settings)),
        plugins=tuple(_checkup(row, settings.get(_pick(row), {})) for row in rows),
    )


def _pick(row: PluginReport) -> str:
    """The name that means the provider of ``row`` and no other; empty where there is none to ask."""
    if row.group != PROVIDERS or row.state != "loaded":
        return ""
    return row.qualified_name


def _settings(registry: Registry, pick: str) -> Settings:
    try:
        known = registry.get(pick).all_settings()
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  a stranger's class: it was sound when it was loaded
        return {}
    return {variable_name(pick.rpartition(":")[2], name): (name, setting) for name, setting in known.items()}


def _checkup(row: PluginReport, settings: Settings) -> Checkup:
    given = sorted(variable for variable in settings if os.environ.get(variable))
    return Checkup(
        row,
        given=tuple(given),
        missing=tuple(sorted(name for name, (_, one) in settings.items() if _is_missing(name, one))),
        unusable=tuple(variable for variable in given if not _is_usable(variable, *settings[variable])),
    )


def _is_missing(variable: str, setting: Setting) -> bool:
    return setting.required and not setting.default and not os.environ.get(variable)


def _is_usable(variable: str, name: str, setting: Setting) -> bool:
    try:
        resolve_settings("", {name: setting}, {name: os.environ[variable]}, {})
    except RequestError:
        return False
    return True


def _packages() -> Iterator[Package]:
    """Read from this library's own metadata, so that the floors stand in one place."""
    try:
        lines = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:  # run from a checkout that is not installed
        lines = []
    for needed in map(Requirement, lines):
        extra = _extra(needed)
        if extra not in _NOT_FOR_USERS:
            version = _version(needed.name)
            fits = bool(version) and needed.specifier.contains(version, prereleases=True)
            yield Package(needed.name, version, str(needed.specifier), extra, fits)


def _extra(needed: Requirement) -> str:
    """The name in ``; extra == "name"``."""
    return str(needed.marker).partition("extra == ")[2].strip('"') if needed.marker else ""


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except Exception:  # noqa: BLE001  not there, or its metadata is broken
        return ""


def _proxies() -> Iterator[Proxy]:
    for scheme, value in sorted(urllib.request.getproxies_environment().items()):
        if scheme == "no":
            yield Proxy(scheme, snippet(value))
        elif scheme in ("http", "https", "all"):
            yield _proxy(scheme, add_scheme(value))


def _proxy(scheme: str, value: str) -> Proxy:
    try:
        parts = parse_proxy(value)
    except InvalidArgument as error:
        return Proxy(scheme, "not shown", error.message)
    if "@" in parts.path + parts.query + parts.fragment:
        return Proxy(scheme, "not shown", "its user or password holds a '/', '?' or '#', to be written %2F, %3F or %23")
    return Proxy(scheme, f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else ""))


def _notes(everyone: Iterable[PluginReport], settings: Mapping[str, Settings]) -> Iterator[Note]:
    names = {row.name for row in everyone}
    for variable in ("PROVIDERS_SDK_DISABLE", "PROVIDERS_SDK_PROVIDER"):
        for name in sorted(_listed(variable)):
            if name.rpartition(":")[2] not in names:
                yield Note(variable, f"names {snippet(name, 64)!r}, which no plugin offers", _near(name, names))
    known = {*LIBRARY_VARIABLES, *(variable for rows in settings.values() for variable in rows)}
    asked = {pick.rpartition(":")[2] for pick in settings}
    unasked = tuple(variable_name(name, "") for name in names - asked)  # whose settings nobody knows
    for variable in sorted(os.environ):
        if variable.upper().startswith("PROVIDERS_SDK_") and variable not in known and not variable.startswith(unasked):
            yield Note(variable, "is a setting of no provider", _near(variable.upper(), known))


def _listed(variable: str) -> Iterable[str]:
    if variable == "PROVIDERS_SDK_DISABLE":
        return disabled_names()
    return {name.strip() for name in os.environ.get(variable, "").split(",") if name.strip()}


def _near(name: str, known: Iterable[str]) -> str:
    return find_nearest(name, known, likeness=0.75)
