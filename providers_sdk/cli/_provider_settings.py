"""The settings of an installed provider, by the variables that set them, and their values."""

from collections.abc import Mapping

from providers_sdk._engine.binder import Binder
from providers_sdk._environment import variable_name
from providers_sdk._model.settings import Found, Setting
from providers_sdk._plugins.entry_points import PROVIDERS
from providers_sdk._plugins.registry import Registry
from providers_sdk._plugins.report import PluginReport
from providers_sdk._provider.provider import Provider
from providers_sdk.errors import ProviderError

__all__ = ["Settings", "find_values", "loaded_class", "missing_variables", "settings_by_variable"]

Settings = Mapping[str, tuple[str, Setting]]
"""Variable → the setting's name and the setting."""


def loaded_class(registry: Registry, row: PluginReport) -> type[Provider] | None:
    """Return the class of the provider of ``row``; ``None`` where it has none that can be used."""
    usable = row.group == PROVIDERS and row.state == "loaded"
    return registry.get(row.qualified_name, warn=False) if usable else None


def settings_by_variable(name: str, provider: type[Provider]) -> Settings:
    """Return the settings of the provider ``name``; empty where its class, which is foreign code, raises."""
    try:
        known = provider.all_settings()
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  it was sound when it was loaded
        return {}
    return {variable_name(name, setting): (setting, facts) for setting, facts in known.items()}


def find_values(binder: Binder, name: str) -> Mapping[str, Found]:
    """Return the settings of ``name`` that have a value, and its source; none where one of them is unusable."""
    try:
        return binder.trace(name)
    except ProviderError:
        return {}


def missing_variables(settings: Settings, found: Mapping[str, Found]) -> list[str]:
    """Return the variables of required settings that have no value, sorted."""
    return sorted(variable for variable, (name, one) in settings.items() if one.required and name not in found)
