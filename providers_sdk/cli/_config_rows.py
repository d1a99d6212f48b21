"""Lists what is configured and where each value comes from, without secrets and without importing a plugin."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from providers_sdk._config.keys import KeySource, find_stored_keys, list_stored_keys
from providers_sdk._config.values import Configuration, ConfigValue
from providers_sdk._environment import PROVIDER, read_names, read_variable, unknown_variables, variable_name
from providers_sdk._redact import HIDDEN

__all__ = ["Row", "list_rows"]

_PUBLIC = ("provider", "url", "model", "rpm", "api_version")
_SET = "(set)"


@dataclass(frozen=True, slots=True)
class Row:
    """One value.

    :param key: such as ``services.groq.key``.
    :param value: what may be shown of it.
    :param source: where it comes from: a line of the file, a variable, a stored key.
    """

    key: str
    value: str
    source: str


def list_rows(configuration: Configuration, names: Collection[str]) -> Iterator[Row]:
    """Yield every value that is configured, by the file, the environment or a stored key.

    :param names: of all installed providers.
    """
    yield from _list_providers(configuration)
    for key, value in configuration.arguments.items():
        shown = "false" if value is None else _hide_userinfo(str(value)) if key == "proxy" else str(value)
        yield Row(key, shown, configuration.sources[key])
    stored = {row.name for row in list_stored_keys()}
    every = {*names, *configuration.services, *stored}
    for name in sorted(every):
        yield from _list_settings(name, configuration.services.get(name, {}), every)


def _list_providers(configuration: Configuration) -> Iterator[Row]:
    if read_names(PROVIDER):
        yield Row("provider", ", ".join(read_names(PROVIDER)), PROVIDER)
    elif configuration.providers:
        yield Row("provider", ", ".join(configuration.providers), configuration.sources["provider"])


def _list_settings(name: str, configured: Mapping[str, ConfigValue], every: Collection[str]) -> Iterator[Row]:
    variables = {variable: variable.removeprefix(variable_name(name, "")).lower() for variable in _own(name, every)}
    given = {setting: variable for variable, setting in variables.items() if read_variable(variable)}
    settings = {**find_stored_keys(name), **configured}
    for setting in sorted({*given, *settings}, key=lambda one: (one != "provider", one)):
        key = f"services.{name}.{setting}"
        if setting in given:
            yield Row(key, _show(setting, read_variable(given[setting])), given[setting])
        else:
            yield Row(key, _show(setting, settings[setting].value), settings[setting].source)


def _own(name: str, every: Collection[str]) -> list[str]:
    """Return the variables that set settings of ``name``."""
    return unknown_variables(name, (), every)


def _show(setting: str, value: str | Mapping[str, Any] | KeySource) -> str:
    """Return what may be shown of a value: whatever is not known to be public is hidden."""
    if isinstance(value, KeySource):
        is_set = value.kind != "env" or bool(read_variable(value.name))
        return f"({'set' if is_set else 'not set'}: {value.kind} {value.name})"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_SET}" for name in value) or "(empty)"
    return _SET if setting not in _PUBLIC else _hide_userinfo(value) if setting == "url" else value


def _hide_userinfo(address: str) -> str:
    """Return an address without user, password and query."""
    userinfo, at, rest = address.rpartition("@")  # first: a password may hold a question mark
    scheme, mark, _ = userinfo.partition("://")
    return f"{scheme if mark else ''}{mark}{HIDDEN if at else ''}{at}{rest.partition('?')[0]}"
