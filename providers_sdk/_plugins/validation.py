"""Whether a name and a class can be a provider's."""

import re

from providers_sdk._model.settings import Setting
from providers_sdk._provider.provider import Provider
from providers_sdk.errors import PluginLoadError

__all__ = ["check_class", "check_name"]

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")


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
    if not _sound_settings(provider):
        raise PluginLoadError(
            f"{name!r} is registered with {provider.__name__}, whose known_settings do not map names to Setting values"
        )
    return provider


def _sound_settings(provider: type[Provider]) -> bool:
    try:
        rows = provider.all_settings().items()
    except Exception:  # noqa: BLE001  a stranger's class
        return False
    return all(isinstance(name, str) and isinstance(setting, Setting) for name, setting in rows)
