"""Examines the library, its environment and its plugins for ``providers doctor``."""

import importlib.metadata
import platform
import sys
import urllib.request
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from providers_sdk._engine.client import Client, get_binder
from providers_sdk._environment import (
    DISABLE,
    GENERAL,
    PROVIDER,
    list_library_variables,
    read_names,
    read_variable,
    variable_name,
)
from providers_sdk._http.proxies import add_scheme, parse_proxy
from providers_sdk._model.settings import Setting, resolve_settings
from providers_sdk._plugins.entry_points import EXTENSIONS, PROVIDERS
from providers_sdk._plugins.hookspecs import CONTRACT
from providers_sdk._plugins.report import PluginReport
from providers_sdk._redact import snippet
from providers_sdk._suggest import find_nearest
from providers_sdk._version import __version__
from providers_sdk.cli._advice import find_advice
from providers_sdk.cli._provider_settings import find_values, loaded_class, missing_variables, settings_by_variable
from providers_sdk.errors import InvalidArgument, InvalidCall

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["Checkup", "Health", "Note", "Package", "Proxy", "examine"]

DISTRIBUTION = "providers-sdk"
_NOT_FOR_USERS = ("bench", "dev", "docs", "test")


@dataclass(frozen=True, slots=True)
class Package:
    """A package that this library needs.

    :param version: the installed version, empty where it is not installed.
    :param needs: the accepted versions.
    :param extra: the extra that installs it, empty for one that is always needed.
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
    """A variable of the environment without effect.

    :param near: the name that was probably meant.
    """

    variable: str
    problem: str
    near: str = ""


@dataclass(frozen=True, slots=True)
class Checkup:
    """One plugin: its state, and its settings by the variables that set them.

    :param given: where its settings come from: variables that are set, lines of the configuration.
    :param missing: variables of required settings that have no value.
    :param unusable: variables whose value cannot be used.
    :param advice: what its author should change, though it can be used.
    :param known: variables of all its settings.
    :param hidden: whether an instance of the configuration has taken its name.
    """

    report: PluginReport
    given: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """The result of ``providers doctor``."""

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


def examine(
    client: Client,
    rows: Collection[PluginReport],
    notes: Iterable[Note] = (),
    problems: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Health:
    """Return the health of the plugins of ``rows``, which are imported already, and of their environment.

    :param notes: what is known already.
    :param problems: extension → what is wrong with its commands.
    """
    checkups = tuple(_examine_plugin(client, row, problems) for row in rows)
    return Health(
        version=__version__,
        contract=CONTRACT,
        python=f"{platform.python_version()} ({platform.python_implementation()}, {sys.platform})",
        packages=tuple(_list_packages()),
        proxies=tuple(_list_proxies()),
        notes=(*notes, *_list_notes(client, checkups)),
        plugins=checkups,
    )


def _examine_plugin(client: Client, row: PluginReport, problems: Mapping[str, Sequence[str]]) -> Checkup:
    provider, binder = loaded_class(client.registry, row), get_binder(client)
    settings = settings_by_variable(row.name, provider) if provider else {}
    variables = sorted(variable for variable in settings if read_variable(variable))
    found = find_values(binder, row.qualified_name) if provider else {}
    unusable = tuple(variable for variable in variables if not _is_usable(variable, *settings[variable]))
    return Checkup(
        row,
        given=tuple(sorted({*variables, *(one.source for one in found.values() if one.source != "the default")})),
        missing=() if unusable else tuple(missing_variables(settings, found)),
        unusable=unusable,
        advice=(*find_advice(row, provider), *(problems.get(row.name, ()) if row.group == EXTENSIONS else ())),
        known=frozenset(settings),
        hidden=row.group == PROVIDERS and bool(binder.get_installed_name(row.name)),
    )


def _is_usable(variable: str, name: str, setting: Setting) -> bool:
    try:
        resolve_settings("", {name: setting}, {name: read_variable(variable)}, {})
    except InvalidCall:
        return False
    return True


def _list_packages() -> Iterator[Package]:
    """Read from this library's own metadata, so that the lower bounds are in one place."""
    from packaging.requirements import Requirement

    try:
        lines = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:  # run from a checkout that is not installed
        lines = []
    for needed in map(Requirement, lines):
        extra = _find_extra(needed)
        if extra not in _NOT_FOR_USERS:
            version = _find_version(needed.name)
            fits = bool(version) and needed.specifier.contains(version, prereleases=True)
            yield Package(needed.name, version, str(needed.specifier), extra, fits)


def _find_extra(needed: "Requirement") -> str:
    """The name in ``; extra == "name"``."""
    return str(needed.marker).partition("extra == ")[2].strip('"') if needed.marker else ""


def _find_version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except Exception:  # noqa: BLE001  not there, or its metadata is broken
        return ""


def _list_proxies() -> Iterator[Proxy]:
    for scheme, value in sorted(urllib.request.getproxies_environment().items()):
        if scheme == "no":
            yield Proxy(scheme, snippet(value))
        elif scheme in ("http", "https", "all"):
            yield _describe_proxy(scheme, add_scheme(value))


def _describe_proxy(scheme: str, value: str) -> Proxy:
    try:
        parts = parse_proxy(value)
    except InvalidArgument as error:
        return Proxy(scheme, "not shown", error.message)
    if "@" in parts.path + parts.query + parts.fragment:
        return Proxy(scheme, "not shown", "its user or password holds a '/', '?' or '#', to be written %2F, %3F or %23")
    return Proxy(scheme, f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else ""))


def _list_notes(client: Client, checkups: Iterable[Checkup]) -> Iterator[Note]:
    names, instances = {row.name for row in client.registry.report()}, get_binder(client).list_instances()
    names |= set(instances)
    for variable in (DISABLE, PROVIDER):
        for name in sorted({name.partition("/")[0] for name in read_names(variable)}):
            if name.rpartition(":")[2] not in names:
                yield Note(variable, f"names {snippet(name, 64)!r}, which no plugin offers", _find_near(name, names))
    known = {*GENERAL, *(variable for checkup in checkups for variable in checkup.known)}
    examined = {checkup.report.name for checkup in checkups if checkup.known}
    unexamined = tuple(variable_name(name, "") for name in names - examined)  # their settings are unknown
    for variable in list_library_variables():
        if variable not in known and not variable.startswith(unexamined):
            yield Note(variable, "is a setting of no provider", _find_near(variable.upper(), known))


def _find_near(name: str, known: Iterable[str]) -> str:
    return find_nearest(name, known, likeness=0.75)
