"""Reads the settings of one service: the table ``[services.NAME]``."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from providers_sdk._config.problems import Problems
from providers_sdk._config.sources import KINDS, KeySource
from providers_sdk._config.values import ConfigValue, looks_secret
from providers_sdk._model.mappings import MAPPINGS
from providers_sdk._redact import userinfo_secrets
from providers_sdk._suggest import suggest_name

__all__ = ["parse_service"]


_FORMS = {
    "env": '{ env = "NAME_OF_THE_VARIABLE" }',
    "command": '{ command = ["pass", "show", "groq"] }, a list of strings; no shell runs it',
    "file": '{ file = "path/of/the/file" }',
    "keyring": '{ keyring = "groq" }',
}


def parse_service(
    table: Mapping[str, Any], keys: tuple[str, ...], problems: Problems, folder: Path
) -> dict[str, ConfigValue]:
    """Return the settings that are right; what is wrong is added to ``problems``.

    :param keys: where the table stands.
    :param folder: of the configuration file.
    """
    found: dict[str, ConfigValue] = {}
    for setting, value in table.items():
        here = (*keys, setting)
        parsed = _parse_value(setting, value, here, problems, folder)
        if parsed is not None:
            found[setting] = ConfigValue(parsed, problems.locate(here))
        if _is_plain_secret(setting, value):
            problems.plain_secrets.append(here)
    return found


def _parse_value(
    setting: str, value: object, keys: tuple[str, ...], problems: Problems, folder: Path
) -> str | Mapping[str, Any] | KeySource | None:
    if setting in MAPPINGS:
        return _parse_table(setting, value, keys, problems)
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and setting != "provider":
        return _parse_source(value, keys, problems, folder)
    problems.add(keys, f"{setting!r} must be a string: put its value in quotes")
    return None


def _parse_table(setting: str, value: object, keys: tuple[str, ...], problems: Problems) -> Mapping[str, Any] | None:
    if not isinstance(value, dict):
        problems.add(keys, f'{setting!r} must be a table, such as {setting} = {{ name = "value" }}')
    elif len(value) == 1 and set(value) <= set(KINDS) and setting == "headers":
        problems.add(keys, "'headers' cannot be read from elsewhere; it maps names of headers to strings")
    elif setting == "headers" and not all(isinstance(one, str) for one in value.values()):
        problems.add(keys, "'headers' must map names of headers to strings: put each value in quotes")
    elif not _is_json(value):
        problems.add(keys, f"{setting!r} holds a value that JSON does not have, such as a date: put it in quotes")
    else:
        return dict(value)
    return None


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_is_json, value.values()))
    if isinstance(value, list):
        return all(map(_is_json, value))
    return isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value))


def _parse_source(
    table: Mapping[str, Any], keys: tuple[str, ...], problems: Problems, folder: Path
) -> KeySource | None:
    """Return the source that ``{ env = "X" }`` and its like name."""
    setting, unknown = keys[-1], [kind for kind in table if kind not in KINDS]
    if unknown:
        problems.add(
            (*keys, unknown[0]), f"{setting!r} cannot be read from {unknown[0]!r}; {suggest_name(unknown[0], KINDS)}"
        )
    elif len(table) != 1:
        problems.add(keys, f"{setting!r} needs exactly one of {', '.join(KINDS)}")
    else:
        [(kind, value)] = table.items()
        argument = _parse_argument(kind, value)
        if argument:
            return KeySource(kind, argument, setting, problems.locate(keys), folder)
        problems.add((*keys, kind), f"{kind!r} of {setting!r} must be written {_FORMS[kind]}")
    return None


def _parse_argument(kind: str, value: object) -> tuple[str, ...]:
    """Return what the source names, empty where it is of the wrong type."""
    values: list[Any] = value if isinstance(value, list) else [value]
    sound = all(isinstance(one, str) and "\0" not in one for one in values) and any(values[:1])
    return tuple(values) if sound and isinstance(value, list) == (kind == "command") else ()


def _is_plain_secret(setting: str, value: object) -> bool:
    """Whether the file itself holds a secret here: not a source table, but a value."""
    if setting == "headers":
        return bool(value)
    if isinstance(value, dict):
        return False
    return looks_secret(setting) or (isinstance(value, str) and "@" in value and any(userinfo_secrets(value)))
