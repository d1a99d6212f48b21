"""A provider's settings: declared by the plugin, given by argument or environment, resolved and checked here."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from providers_sdk._environment import read_variable, variable_name
from providers_sdk.errors import InvalidArgument, MissingSetting, UnknownSetting

__all__ = ["Setting", "resolve_settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of a provider.

    :param default: its value where none is given.
    :param secret: hidden by value in every message and log, once the user gave it.
    :param required: asking without it is refused.
    :param help: one line of description.
    """

    default: str | None = None
    secret: bool = False
    required: bool = False
    help: str = ""


Setting.__module__ = "providers_sdk.plugin"


def resolve_settings(
    provider: str, known: Mapping[str, Setting], given: Mapping[str, str], environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the value of each known setting that has one: the argument wins over the environment over the default.

    :raises UnknownSetting: ``given`` names a setting that is not known.
    :raises MissingSetting: a required one has no value.
    :raises InvalidArgument: a value is no string, or ``url`` is no address.
    """
    for name in given:
        if name not in known:
            raise UnknownSetting(f"has no setting {name!r}; it has {', '.join(sorted(known))}", provider=provider)
    found = {name: _resolve_value(provider, name, setting, given, environ) for name, setting in known.items()}
    missing = [name for name, setting in known.items() if setting.required and not found[name]]
    if missing:
        raise MissingSetting(_describe_missing(provider, missing), provider=provider)
    return {name: value for name, value in found.items() if value}


def _resolve_value(
    provider: str, name: str, setting: Setting, given: Mapping[str, str], environ: Mapping[str, str] | None
) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidArgument(f"setting {name!r} must be a string, not {type(value).__name__}", provider=provider)
    variable = variable_name(provider, name)
    value = value or (read_variable(variable) if environ is None else environ.get(variable)) or setting.default
    return _check_base_url(provider, value) if value and name == "url" else value


def _describe_missing(provider: str, missing: Sequence[str]) -> str:
    names = " and ".join(map(repr, missing))
    given = ", ".join(f"{name!r}: ..." for name in missing)
    variables = " and ".join(variable_name(provider, name) for name in missing)
    noun = "settings" if len(missing) > 1 else "setting"
    return f"needs the {noun} {names}: give settings={{{provider!r}: {{{given}}}}} or set {variables}"


def _check_base_url(provider: str, value: str) -> str:
    try:
        parts = urlsplit(value)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or re.search(r"[\x00-\x20\x7f?#]", value):
        raise InvalidArgument(
            "setting 'url' must be an address such as 'https://example.org'; this one has no http(s) scheme, "
            "no host, or a character that does not belong",
            provider=provider,
        )
    return value.rstrip("/")
