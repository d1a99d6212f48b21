"""The configuration as values: what a file says, and where it says it."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from providers_sdk._config.sources import KeySource

__all__ = ["EMPTY", "ConfigValue", "Configuration", "Section", "freeze", "looks_secret"]

_T = TypeVar("_T")
_SECRET_WORDS = frozenset({"key", "token", "secret", "password", "headers"})
_PUBLIC_ENDS = frozenset({"url", "model", "rpm"})


class ConfigValue(NamedTuple):
    """One setting of a service.

    :param value: a string, a table (``headers``, ``extra_body``), or where the value is to be read from.
    :param source: where it was set, for messages: ``"~/.config/providers-sdk/config.toml, line 12"``.
    """

    value: str | Mapping[str, Any] | KeySource
    source: str

    def __repr__(self) -> str:
        return f"ConfigValue(source={self.source!r})"


def freeze(mapping: Mapping[str, _T]) -> Mapping[str, _T]:
    """Return a copy that cannot be changed."""
    return MappingProxyType(dict(mapping))


class Configuration(NamedTuple):
    """What the configuration file says, the chosen profile merged over its top level.

    :param path: the file; ``None`` where there is none.
    :param profile: the chosen profile.
    :param providers: the names to ask, in order, as ``name`` or ``name/model``.
    :param arguments: of ``Client``: ``model``, limits in seconds (``None`` for no limit), ``retries``, ``proxy``,
        ``strict``.
    :param services: name → setting → value; ``provider`` of an instance among them.
    :param sources: key of the top level or the profile → where it was set.
    :param profiles: the names of all profiles of the file.
    """

    path: Path | None = None
    profile: str | None = None
    providers: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = MappingProxyType({})
    services: Mapping[str, Mapping[str, ConfigValue]] = MappingProxyType({})
    sources: Mapping[str, str] = MappingProxyType({})
    profiles: tuple[str, ...] = ()

    def __repr__(self) -> str:  # tracebacks with local variables show it; a proxy may hold a password
        return f"Configuration(path={self.path!r}, profile={self.profile!r})"


EMPTY = Configuration()


class Section:
    """The top level of the file, or one profile."""

    def __init__(self) -> None:
        self.providers: tuple[str, ...] = ()
        self.arguments: dict[str, Any] = {}
        self.services: dict[str, dict[str, ConfigValue]] = {}
        self.sources: dict[str, str] = {}


def looks_secret(setting: str) -> bool:
    """Return whether a setting has the name of a secret: ``key``, ``api_token``, ``headers``, but not ``token_url``."""
    words = re.split(r"[^a-z0-9]+", setting.lower())
    return not _SECRET_WORDS.isdisjoint(words) and words[-1] not in _PUBLIC_ENDS
