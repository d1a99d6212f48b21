"""A provider's settings: what a plugin declares, and how their values are found.

Each value comes from the first of these places that has one: the argument, the environment, the configuration (a
profile before the rest of the file), the vendor's own variable, the default. A vendor's variable, such as
``OPENAI_API_KEY``, is read only while ``url`` is an address of that vendor: a key is never sent to an address that it
was not issued for.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from providers_sdk._environment import read_variable, variable_name
from providers_sdk._model.addresses import clean_address, is_own_address
from providers_sdk._model.mappings import MAPPINGS, read_mapping
from providers_sdk._suggest import find_nearest
from providers_sdk._value import Value
from providers_sdk.errors import InvalidArgument, MissingSetting, UnknownSetting

__all__ = ["RESERVED", "Found", "Setting", "check_required", "collect_given", "resolve_settings", "trace_settings"]

RESERVED = "provider"
"""The key that makes a service an instance of an installed provider; no setting may have this name."""
_OTHER_WORDS = {"base_url": "url", "endpoint": "url", "address": "url", "api_key": "key", "token": "key"}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Setting(Value):
    """One setting of a provider.

    :param default: its value where none is given.
    :param secret: hidden by value in every message and log, once the user gave it.
    :param required: asking without it is refused.
    :param help: one line of description.
    :param vendor_variables: the vendor's own environment variables, such as ``OPENAI_API_KEY``, the first that is set
        counts; read only while ``url`` is the vendor's: its default, the value of its own vendor variable, or below
        one of its ``vendor_hosts``.
    :param vendor_hosts: of ``url`` only: hosts of the vendor over https, such as ``"*.openai.azure.com"``.
    :param vendor_address: of ``url`` only: makes an address of the value of a vendor's variable that may be something
        else, such as ``host:port``; returns what is none as it is.
    """

    default: str | None = None
    secret: bool = False
    required: bool = False
    help: str = ""
    vendor_variables: tuple[str, ...] = ()
    vendor_hosts: tuple[str, ...] = ()
    vendor_address: Callable[[str], str] | None = None


Setting.__module__ = "providers_sdk.plugin"


class Found(NamedTuple):
    """The value of a setting, and where it comes from.

    :param value: as a string; ``headers`` and ``extra_body`` as JSON. In a configuration also a mapping.
    :param source: ``"the argument"``, the name of a variable, a line of the configuration, or ``"the default"``.
    """

    value: Any
    source: str

    def __repr__(self) -> str:
        return f"Found(source={self.source!r})"  # tracebacks with local variables show it


_Environ = Mapping[str, str] | None


def resolve_settings(
    provider: str, known: Mapping[str, Setting], given: Mapping[str, Any], environ: _Environ = None
) -> dict[str, str]:
    """Return the value of each known setting that has one, as a string; ``headers`` and ``extra_body`` as JSON.

    :raises UnknownSetting: ``given`` names a setting that is not known.
    :raises MissingSetting: a required one has no value.
    :raises InvalidArgument: a value has the wrong type, or ``url`` is no address.
    """
    found = trace_settings(provider, known, given, environ=environ)
    check_required(provider, known, found, environ)
    return {name: row.value for name, row in found.items()}


def check_required(
    provider: str, known: Mapping[str, Setting], found: Mapping[str, Found], environ: _Environ = None
) -> None:
    """Check that each required setting was found.

    :raises MissingSetting: one was not; the message says how to give it.
    """
    missing = [name for name, setting in known.items() if setting.required and name not in found]
    if missing:
        raise MissingSetting(_describe_missing(provider, known, missing, found, environ), provider=provider)


def trace_settings(
    provider: str,
    known: Mapping[str, Setting],
    given: Mapping[str, Any],
    *,
    configured: Mapping[str, Found] | None = None,
    environ: _Environ = None,
) -> dict[str, Found]:
    """Return the value of each known setting that has one, and where it comes from; in the order of ``known``.

    :param given: values of the argument ``settings``.
    :param configured: values of the configuration.
    :param environ: the environment, the process's where it is not given.
    :raises UnknownSetting: a setting is not known.
    :raises InvalidArgument: a value has the wrong type, or ``url`` is no address.
    """
    found = collect_given(provider, known, given, configured=configured, environ=environ)
    if "url" in known and "url" not in found:
        found.update(_complete(provider, "url", known["url"], environ, own=True))
    own = _is_vendors(known.get("url"), found.get("url"), environ)
    for name, setting in known.items():
        if name not in found:
            found.update(_complete(provider, name, setting, environ, own=own))
    return {name: found[name] for name in known if name in found}


def collect_given(
    provider: str,
    known: Mapping[str, Setting],
    given: Mapping[str, Any],
    *,
    configured: Mapping[str, Found] | None = None,
    environ: _Environ = None,
) -> dict[str, Found]:
    """Return what the user gave: the argument over the environment over the configuration; see trace_settings."""
    configured = configured or {}
    for name in (*given, *configured):
        if name not in known:
            raise UnknownSetting(_describe_unknown(name, known, configured.get(name)), provider=provider)
    found = {}
    for name in known:
        row = _find_given(provider, name, given, configured, environ)
        if row is not None:
            found[name] = _check_value(provider, name, row)
    return found


def _find_given(
    provider: str, name: str, given: Mapping[str, Any], configured: Mapping[str, Found], environ: _Environ
) -> Found | None:
    # what is set and has the wrong type, such as 0, is refused by the caller, not passed over
    value = given.get(name)
    if value is not None and value != "":
        return Found(value, "the argument")
    variable = variable_name(provider, name)
    if text := _read(variable, environ):
        return Found(text, variable)
    row = configured.get(name)
    return row if row is not None and row.value is not None and row.value != "" else None


def _complete(provider: str, name: str, setting: Setting, environ: _Environ, *, own: bool) -> Mapping[str, Found]:
    """Return the vendor's value of a setting, else its default; nothing where it has neither."""
    variables = setting.vendor_variables if own else ()
    for variable in variables:
        value = _read_vendor(setting, variable, environ)
        if value:
            return {name: _check_value(provider, name, Found(value, variable))}
    return {name: _check_value(provider, name, Found(setting.default, "the default"))} if setting.default else {}


def _is_vendors(url: Setting | None, found: Found | None, environ: _Environ) -> bool:
    """Whether the address in use is one of the vendor's."""
    if url is None or found is None:
        return False
    addresses = [url.default, *(_read_vendor(url, variable, environ) for variable in url.vendor_variables)]
    return is_own_address(found.value, tuple(filter(None, addresses)), tuple(url.vendor_hosts))


def _read_vendor(setting: Setting, variable: str, environ: _Environ) -> str:
    value = _read(variable, environ)
    return setting.vendor_address(value) if value and setting.vendor_address is not None else value


def _read(variable: str, environ: _Environ) -> str:
    return read_variable(variable) if environ is None else environ.get(variable, "")


def _check_value(provider: str, name: str, row: Found) -> Found:
    """Return the row with its value as a string that fits the setting."""
    where = "" if row.source in ("the argument", "the default") else f" ({row.source})"
    if name in MAPPINGS:
        return Found(read_mapping(provider, name, row.value, where), row.source)
    if not isinstance(row.value, str):
        sentence = f"setting {name!r}{where} must be a string, not {type(row.value).__name__}"
        raise InvalidArgument(sentence, provider=provider)
    if name == "rpm":
        _check_rpm(provider, row.value, where)
    return Found(_check_address(provider, row.value, where), row.source) if name == "url" else row


def _check_rpm(provider: str, value: str, where: str) -> None:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value) or float(value) == 0:
        sentence = f"setting 'rpm'{where} must be a positive number of calls a minute, such as '600', not {value!r:.40}"
        raise InvalidArgument(sentence, provider=provider)


def _check_address(provider: str, value: str, where: str) -> str:
    address = clean_address(value)
    if address is None:
        raise InvalidArgument(
            f"setting 'url'{where} must be an address such as 'https://example.org'; this one has no http(s) scheme, "
            "no host, or a character that does not belong",
            provider=provider,
        )
    return address


def _describe_unknown(name: str, known: Mapping[str, Setting], configured: Found | None) -> str:
    where = f" ({configured.source})" if configured else ""
    if name == RESERVED:
        return f"has no setting {name!r}{where}: it makes a service an instance, in the settings of a client"
    near = _OTHER_WORDS.get(name, "") or find_nearest(name, known, likeness=0.65)
    meant = f"; did you mean {near!r}?" if near in known else ""
    return f"has no setting {name!r}{where}; it has {', '.join(sorted(known)) or 'none'}{meant}"


def _describe_missing(
    provider: str, known: Mapping[str, Setting], missing: Sequence[str], found: Mapping[str, Found], environ: _Environ
) -> str:
    names = " and ".join(map(repr, missing))
    given = ", ".join(f"{name!r}: ..." for name in missing)
    own = _is_vendors(known.get("url"), found.get("url"), environ)
    variables = " and ".join(_name_variables(provider, name, known[name], own=own) for name in missing)
    noun = "settings" if len(missing) > 1 else "setting"
    unused = [one for name in missing for one in known[name].vendor_variables if not own and _read(one, environ)]
    why = f"; {unused[0]} is used for its vendor's address only, and 'url' is another" if unused else ""
    return f"needs the {noun} {names}: give settings={{{provider!r}: {{{given}}}}} or set {variables}{why}"


def _name_variables(provider: str, name: str, setting: Setting, *, own: bool) -> str:
    usable = setting.vendor_variables if own or name == "url" else ()
    return " or ".join([variable_name(provider, name), *usable[:1]])
