"""Reads this library's environment variables; no other module does.

``PROVIDERS_SDK_PROVIDER`` and ``PROVIDERS_SDK_DISABLE`` are of the whole library. Every other variable is a setting of
one provider, ``PROVIDERS_SDK_<NAME>_<SETTING>``. Names contain underscores, so one variable may fit two providers
(``PROVIDERS_SDK_AZURE_CLASSIC_KEY`` fits ``azure`` and ``azure-classic``): it belongs to the longest name that fits.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from providers_sdk._redact import Redactor, userinfo_secrets

__all__ = [
    "ATTEMPT_LOG",
    "CONFIG",
    "DISABLE",
    "GENERAL",
    "PREFIX",
    "PROFILE",
    "PROVIDER",
    "TRACEBACK",
    "find_rivals",
    "has_variables",
    "is_set",
    "list_library_variables",
    "read_names",
    "read_proxies",
    "read_variable",
    "redact_environment",
    "unknown_variables",
    "variable_name",
]

PREFIX = "PROVIDERS_SDK_"
PROVIDER = "PROVIDERS_SDK_PROVIDER"
DISABLE = "PROVIDERS_SDK_DISABLE"
TRACEBACK = "PROVIDERS_SDK_TRACEBACK"
CONFIG = "PROVIDERS_SDK_CONFIG"
PROFILE = "PROVIDERS_SDK_PROFILE"
ATTEMPT_LOG = "PROVIDERS_SDK_ATTEMPT_LOG"
GENERAL: Mapping[str, str] = {
    PROVIDER: "names of the providers to ask, separated by commas, where a call names none",
    DISABLE: "names of the plugins that are not loaded, separated by commas",
    TRACEBACK: "any value: the command line prints tracebacks",
    CONFIG: "path of the configuration file; empty: neither a file nor stored keys are used",
    PROFILE: "the profile of the configuration file to use",
    ATTEMPT_LOG: "path of a file to which every attempt is appended as one line of JSON, prompt and answer included",
}
"""Variable of the whole library → what it does."""
_PUBLIC_ENDINGS = ("_URL", "_MODEL", "_RPM")
_SECRET_ENDINGS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")


@lru_cache(maxsize=4_096)
def variable_name(provider: str, setting: str) -> str:
    """Return the variable that sets ``setting`` of ``provider``: ``PROVIDERS_SDK_CHATGPTFREE_URL``."""
    return PREFIX + re.sub(r"\W", "_", f"{provider}_{setting}", flags=re.ASCII).upper()


def read_variable(name: str) -> str:
    """Return the value of the variable; empty where it is not set."""
    return os.environ[name] if is_set(name) else ""


def is_set(name: str) -> bool:
    """Return whether the variable is set, if only to nothing."""
    raw = _find_raw()
    return name in os.environ if raw is None else _encode(name) in raw


def read_names(variable: str) -> list[str]:
    """Return the names that the variable lists, separated by commas."""
    return [name.strip() for name in read_variable(variable).split(",") if name.strip()]


def has_variables(provider: str) -> bool:
    """Return whether any variable has the prefix of ``provider``."""
    return bool(_list_own(_make_prefix(provider)))


def unknown_variables(provider: str, settings: Collection[str], names: Collection[str]) -> list[str]:
    """Return the variables of ``provider`` that set none of its ``settings``, sorted.

    :param names: all names that a variable may belong to; the longest that fits has it.
    """
    prefix = _make_prefix(provider)
    found = _list_own(prefix)
    if not found:
        return []
    longer = tuple(
        longer for other in names if other != provider and (longer := _make_prefix(other)).startswith(prefix)
    )
    known = {*GENERAL, *(variable_name(provider, setting) for setting in settings)}
    return sorted(name for name in found if name not in known and not name.startswith(longer))


def find_rivals(provider: str, names: Collection[str]) -> list[str]:
    """Return the other names whose variables are spelt as those of ``provider`` are."""
    prefix = _make_prefix(provider)
    return sorted(other for other in names if other != provider and _make_prefix(other) == prefix)


def list_library_variables() -> list[str]:
    """Return the names of the variables with this library's prefix, in any case, sorted."""
    return sorted(name for name in os.environ if name.upper().startswith(PREFIX))


def read_proxies() -> list[str]:
    """Return the addresses of the environment's proxies, those of ``NO_PROXY`` among them."""
    return [read_variable(name) for name in _index().proxies]


def redact_environment() -> Redactor:
    """Return a redactor of every secret that the environment holds.

    Which settings are secret is known only of plugins that were imported. So every value of a variable with this
    library's prefix counts as one, except addresses and models; of all other variables those with the name of a secret,
    and user and password in an address.
    """
    return Redactor.of(_find_secrets())


def _find_secrets() -> Iterator[str]:
    for name, value in os.environ.items():
        upper = name.upper()
        if upper.startswith(PREFIX):
            public = name in GENERAL or upper.endswith(_PUBLIC_ENDINGS)
        else:
            public = not upper.endswith(_SECRET_ENDINGS)
        if ":" in value.rpartition("@")[0]:  # user:password@host or scheme://key@host, and no address of a mail
            yield from userinfo_secrets(value)
        elif not public:
            yield value


class _Index:
    """The names of the variables that each call asks for: this library's, and those of proxies."""

    def __init__(self, own: tuple[str, ...], proxies: tuple[str, ...]) -> None:
        self.own, self.proxies = own, proxies


def _list_own(prefix: str) -> list[str]:
    return [name for name in _index().own if name.startswith(prefix)]


def _index() -> _Index:
    """Return the index of the names as they are now; it is made anew only after a variable came or went."""
    raw = _find_raw()
    return _make_index(tuple(os.environ if raw is None else raw))


def _find_raw() -> Mapping[bytes | str, bytes | str] | None:
    """Return the environment as CPython and PyPy keep it, not decoded; ``None`` where it is kept in another way.

    Most of what a call asks for is not set, and ``os.environ`` raises and catches an error to tell that.
    """
    return getattr(os.environ, "_data", None)


@lru_cache(maxsize=4_096)
def _encode(name: str) -> bytes | str:
    return os.environ.encodekey(name)


@lru_cache(maxsize=8)
def _make_index(raw: tuple[bytes | str, ...]) -> _Index:
    names = list(map(os.fsdecode, raw))
    own = tuple(name for name in names if name.startswith(PREFIX))
    return _Index(own, tuple(name for name in names if name[-6:].lower() == "_proxy"))


def _make_prefix(provider: str) -> str:
    return variable_name(provider, "")
