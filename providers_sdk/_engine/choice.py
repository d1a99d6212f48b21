"""Chooses a provider where nobody named one: the one service that has its key.

Only bundled providers, those registered at run time and instances are looked at, so no third-party plugin is imported.
Several are never tried in turn: which service reads a question is not left to chance.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from providers_sdk._model.names import ProviderName
from providers_sdk._model.settings import Found
from providers_sdk.errors import InvalidCall, NoProviderChosen, PluginError

__all__ = ["SEVERAL", "Choice", "choose_by_key"]

_GENERAL_PURPOSE = frozenset({"GITHUB_TOKEN", "HF_TOKEN", "GOOGLE_API_KEY"})
"""Variables that many programs set for other purposes; they never select a service."""


SEVERAL = "no provider was chosen, and several services have a key"
"""How the error begins where more than one could be meant."""


class Choice(NamedTuple):
    """The providers that a call asks, and why.

    :param names: in the order in which they are asked.
    :param reason: why these; ``""`` where the call or the client names them.
    """

    names: tuple[ProviderName, ...]
    reason: str = ""


def choose_by_key(names: Iterable[str], trace: Callable[[str], Mapping[str, Found]]) -> Choice:
    """Return the one service that has its key.

    :param names: the providers that may be chosen.
    :param trace: returns the settings of one, with their sources; raises where a required one is missing.
    :raises NoProviderChosen: none has one, or several have.
    """
    found = {name: source for name in names if (source := _find_key_source(name, trace))}
    if len(found) == 1:
        name, source = next(iter(found.items()))
        return Choice((ProviderName(name),), f"the one service with a key ({source})")
    known = ", ".join(f"{name} ({source})" for name, source in sorted(found.items()))
    which = f"{SEVERAL}: {known}" if found else "no provider was chosen, and no service has a key"
    raise NoProviderChosen(
        f"{which}; name one with provider= (providers chat -p NAME), set "
        "PROVIDERS_SDK_PROVIDER or 'provider' in the configuration file, or give one service its key with "
        "'providers keys set NAME'; 'providers list' shows all, and 'echo' works offline"
    )


def _find_key_source(name: str, trace: Callable[[str], Mapping[str, Found]]) -> str:
    """Return where the provider's key comes from; ``""`` where it has none, or cannot be asked."""
    try:
        key = trace(name).get("key")
    except (PluginError, InvalidCall):
        return ""
    return key.source if key is not None and key.source not in (*_GENERAL_PURPOSE, "the default") else ""
