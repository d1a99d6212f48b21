"""Reads this library's environment variables; no other module does.

``PROVIDERS_SDK_PROVIDER`` and ``PROVIDERS_SDK_DISABLE`` are of the whole library. Every other variable is a setting of
one provider, ``PROVIDERS_SDK_<NAME>_<SETTING>``. Names contain underscores, so one variable may fit two providers
(``PROVIDERS_SDK_AZURE_CLASSIC_KEY`` fits ``azure`` and ``azure-classic``): it belongs to the longest name that fits.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping

__all__ = [
    "DISABLE",
    "GENERAL",
    "PREFIX",
    "PROVIDER",
    "own_variables",
    "read_names",
    "read_variable",
    "secret_values",
    "unknown_variables",
    "variable_name",
]

PREFIX = "PROVIDERS_SDK_"
PROVIDER = "PROVIDERS_SDK_PROVIDER"
DISABLE = "PROVIDERS_SDK_DISABLE"
GENERAL: Mapping[str, str] = {
    PROVIDER: "names of the providers to ask, separated by commas, where a call names none",
    DISABLE: "names of the plugins that are not loaded, separated by commas",
}
"""Variable of the whole library → what it does."""


def variable_name(provider: str, setting: str) -> str:
    """Return the variable that sets ``setting`` of ``provider``: ``PROVIDERS_SDK_CHATGPTFREE_URL``."""
    return PREFIX + re.sub(r"\W", "_", f"{provider}_{setting}", flags=re.ASCII).upper()


def read_variable(name: str) -> str:
    """Return the value of the variable; empty where it is not set."""
    return os.environ.get(name, "")


def read_names(variable: str) -> list[str]:
    """Return the names that the variable lists, separated by commas."""
    return [name.strip() for name in read_variable(variable).split(",") if name.strip()]


def own_variables(provider: str, names: Collection[str]) -> dict[str, str]:
    """Return the variables of ``provider`` and their values.

    :param names: all names that a variable may belong to; the longest that fits has it.
    """
    longer = [other for other in names if _make_prefix(other).startswith(_make_prefix(provider)) and other != provider]
    return {
        variable: value
        for variable, value in os.environ.items()
        if variable.startswith(_make_prefix(provider))
        and variable not in GENERAL
        and not variable.startswith(tuple(map(_make_prefix, longer)))
    }


def unknown_variables(provider: str, settings: Collection[str], names: Collection[str]) -> Iterator[str]:
    """Yield the variables with the provider's prefix that set none of its ``settings``."""
    known = {variable_name(provider, setting) for setting in settings}
    yield from sorted(set(own_variables(provider, names)) - known)


def secret_values(public: Collection[str] = ()) -> Iterator[str]:
    """Yield the values of the environment that no output may show.

    These are the values of this library's variables, except addresses and those of ``public``, and the password of
    every address in any variable.

    :param public: variables that are known to hold no secret.
    """
    for variable, value in os.environ.items():
        if variable.upper().startswith(PREFIX) and variable not in {*GENERAL, *public} and "://" not in value:
            yield value
        if "@" in value:
            yield value.rpartition("@")[0].rpartition("://")[2].partition(":")[2]


def _make_prefix(provider: str) -> str:
    return variable_name(provider, "")
