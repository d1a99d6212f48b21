"""The settings of an installed provider, by the variables that set them."""

from collections.abc import Mapping

from providers_sdk._environment import read_variable, variable_name
from providers_sdk._model.settings import Setting
from providers_sdk._plugins.entry_points import PROVIDERS
from providers_sdk._plugins.registry import Registry
from providers_sdk._plugins.report import PluginReport
from providers_sdk._provider.provider import Provider

__all__ = ["Settings", "loaded_class", "missing_variables", "settings_by_variable"]

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


def missing_variables(settings: Settings) -> list[str]:
    """Return the variables of required settings that have no value, sorted."""
    rows = settings.items()
    return sorted(name for name, (_, one) in rows if one.required and not one.default and not read_variable(name))
