"""Checks a provider's name and class. A class is foreign code: reading any attribute of it may raise."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from providers_sdk._model.names import NAME
from providers_sdk._model.settings import Setting
from providers_sdk._provider.provider import Provider
from providers_sdk._redact import snippet
from providers_sdk.errors import PluginError, PluginLoadError

__all__ = ["blame_plugin", "check_class", "check_name", "error_text"]

_STRINGS = ("url", "api_endpoint", "default_model")
_DESCRIPTION = ("__name__", "__qualname__", "__module__", *(name for name in vars(Provider) if name[0] != "_"))


@contextmanager
def blame_plugin(what: str) -> Iterator[None]:
    """Turn whatever a plugin's code raises into a sentence about the plugin; only the user's Ctrl-C goes through.

    :raises PluginLoadError: ``what`` raised something.
    """
    try:
        yield
    except (KeyboardInterrupt, PluginError):
        raise
    except BaseException as error:
        raise PluginLoadError(f"{what} raised {error_text(error)}") from error


def error_text(error: BaseException) -> str:
    """Return the class and the text of a foreign ``error`` on one line; its class alone where ``str()`` fails."""
    try:
        text = snippet(str(error), 500)
    except Exception:  # noqa: BLE001  even an error's own __str__ can fail
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def check_name(name: object) -> str:
    """Return ``name`` if a provider may have it: letters, digits, dots, dashes, underscores; at most 64.

    :raises PluginLoadError: it may not.
    """
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        raise PluginLoadError(f"{name!r} is no name for a provider: use letters, digits, '.', '-' and '_', at most 64")
    return name


def check_class(name: str, provider: object) -> type[Provider]:
    """Return ``provider`` if it is a provider class whose description can be read.

    :raises PluginLoadError: it is not, or reading it raised something.
    """
    with blame_plugin(f"reading the class that is registered as {name!r}"):
        if not isinstance(provider, type) or not issubclass(provider, Provider):
            raise PluginLoadError(f"{name!r} is registered with {provider!r}, which is no subclass of Provider")
    for attribute in _DESCRIPTION:
        with blame_plugin(f"reading {attribute!r} of the class that is registered as {name!r}"):
            getattr(provider, attribute)
    reason = _find_fault(provider)
    if reason:
        raise PluginLoadError(f"{name!r} is registered with {provider.__name__}, {reason}")
    return provider


def _find_fault(provider: type[Provider]) -> str:
    """Return what is wrong with the description, as the end of a sentence; ``""`` for nothing."""
    if provider.complete is Provider.complete:
        return "which has no complete() of its own"
    for attribute in _STRINGS:
        if not isinstance(getattr(provider, attribute), str):
            return f"whose {attribute} must be a string, not {type(getattr(provider, attribute)).__name__}"
    if not _has_sound_settings(provider):
        return "whose known_settings do not map names to Setting values"
    return _find_fault_of_new(provider)


def _has_sound_settings(provider: type[Provider]) -> bool:
    try:
        rows = provider.all_settings().items()
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  foreign code
        return False
    return all(isinstance(name, str) and isinstance(setting, Setting) for name, setting in rows)


def _find_fault_of_new(provider: type[Provider]) -> str:
    """Call a ``__new__`` of the author's own; what it raises may depend on the settings, and is left to the call."""
    if provider.__new__ is object.__new__:
        return ""
    try:
        made = provider.__new__(provider, {}, name=provider.__name__)  # type: ignore[call-arg]
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  foreign code
        return ""
    is_instance = type.__instancecheck__(provider, made)
    return "" if is_instance else f"whose __new__ returns {type(made).__name__}, not an instance of it"
