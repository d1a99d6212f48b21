"""Makes a provider of its settings, and checks what the plugin's class has made of them."""

from collections.abc import Collection, Mapping
from typing import Any, Generic, TypeVar

from providers_sdk._environment import (
    find_rivals,
    has_variables,
    redact_environment,
    unknown_variables,
    variable_name,
)
from providers_sdk._model.settings import RESERVED, Found, Setting, collect_given, trace_settings
from providers_sdk._provider.binding import Described, run_plugin_code
from providers_sdk._redact import Redactor
from providers_sdk._suggest import find_nearest
from providers_sdk.errors import InvalidArgument, PluginContractError, UnknownSetting

__all__ = ["Created", "create_provider"]

_D = TypeVar("_D", bound=Described)


class Created(Generic[_D]):
    """A provider, and what it was made of.

    :param kind: its class.
    :param found: the value of each of its settings, and where that comes from.
    """

    def __init__(self, provider: _D, kind: type[_D], found: Mapping[str, Found]) -> None:
        self.provider, self.kind, self.found = provider, kind, found

    def __repr__(self) -> str:  # tracebacks with local variables show it
        return f"Created(kind={self.kind!r})"


def create_provider(
    kind: type[_D],
    settings: Mapping[str, Any],
    name: str,
    *,
    names: Collection[str] = (),
    configured: Mapping[str, Found] | None = None,
    before: Created[_D] | None = None,
) -> Created[_D]:
    """Return an instance of the provider class ``kind``; that of the call before, if it would be made of the same.

    :param settings: given by the caller, before those of the environment.
    :param names: the names of all providers, among which the environment's variables are shared out.
    :param configured: settings from the configuration, after those of the environment.
    :param before: what was returned under this name before.
    :raises InvalidCall: a setting is unknown, missing or unusable.
    :raises PluginError: the class is faulty.
    """

    def create() -> Created[_D]:
        known = kind.all_settings()
        _check_reserved(known)
        found = trace_settings(name, known, settings, configured=configured)
        if before is not None and (before.kind, before.found) == (kind, found):
            created = before
        else:
            given = collect_given(name, known, settings, configured=configured)
            created = Created(kind({setting: row.value for setting, row in given.items()}, name=name), kind, found)
            _check_instance(created.provider)
        _check_variables(created.provider.name, known, names)
        return created

    return run_plugin_code(create, name, lambda: _redact_given(settings, configured or {}))


def _redact_given(settings: Mapping[str, Any], configured: Mapping[str, Found]) -> Redactor:
    """Return what hides every value that may be a secret, before the provider can tell which of them are."""
    values = [*settings.values(), *(found.value for found in configured.values())]
    rows = [value for value in values if isinstance(value, str) and "://" not in value]
    rows += [text for value in values if isinstance(value, Mapping) for text in value.values() if isinstance(text, str)]
    return Redactor(redact_environment().secrets | Redactor.of(rows).secrets)


def _check_reserved(known: Mapping[str, Setting]) -> None:
    if RESERVED in known:
        raise PluginContractError(f"it declares a setting {RESERVED!r}, which is reserved for instances")


def _check_instance(provider: Described) -> None:
    settings, url = getattr(provider, "settings", None), getattr(provider, "url", None)
    sound = isinstance(settings, Mapping) and all(isinstance(item, str) for row in settings.items() for item in row)
    if not sound or not isinstance(getattr(provider, "name", None), str):
        raise PluginContractError(
            f"making {type(provider).__name__} left it without a name or settings of text; "
            "its constructor must call super().__init__(settings, name=name)"
        )
    if not isinstance(url, str):
        raise PluginContractError(f"its url is {type(url).__name__}; it must be a string, empty for none")


def _check_variables(provider: str, known: Mapping[str, Setting], names: Collection[str]) -> None:
    """Refuse a variable with the provider's prefix that names none of its ``known`` settings.

    :raises UnknownSetting: with the nearest right name.
    :raises InvalidArgument: another name has the same variables, as ``a-b`` and ``a_b`` have.
    """
    if not has_variables(provider):
        return
    for rival in find_rivals(provider, names):
        variables = variable_name(provider, "")
        raise InvalidArgument(
            f"the variables {variables}... are those of {rival!r} as well; rename one of the two",
            provider=provider,
        )
    for variable in unknown_variables(provider, known, {*names, provider}):
        near = find_nearest(variable, [variable_name(provider, setting) for setting in known], likeness=0.75)
        has = f"did you mean {near}?" if near else f"it has {', '.join(sorted(known)) or 'none'}"
        raise UnknownSetting(f"has no setting for the variable {variable}; {has}", provider=provider)
