"""Reads the tables of the configuration file: the top level, its services, its profiles."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from providers_sdk._config.problems import Keys, Problems
from providers_sdk._config.settings import parse_service
from providers_sdk._config.values import Section
from providers_sdk._model.limits import LIMITS, MAX_SECONDS, Limits
from providers_sdk._model.names import parse_names
from providers_sdk._redact import userinfo_secrets
from providers_sdk._suggest import suggest_name
from providers_sdk.errors import InvalidArgument

__all__ = ["parse_document"]

_IN_A_SERVICE = ("key", "url", "headers", "extra_body")
_ADVICE = {
    "timeout": "the limits are connect, first_token, idle and deadline, in seconds",
    "settings": "the settings of a service stand in [services.NAME]",
    **dict.fromkeys(_IN_A_SERVICE, "it belongs to a service: write it below [services.NAME]"),
}


def parse_document(tree: Mapping[str, Any], problems: Problems, folder: Path) -> tuple[Section, dict[str, Section]]:
    """Return the top level and the profiles; what is wrong is added to ``problems``.

    :param folder: of the configuration file.
    """
    profiles = _get_tables(tree, "profiles", (), problems)
    top = _parse_section({key: value for key, value in tree.items() if key != "profiles"}, (), problems, folder)
    return top, {name: _parse_section(one, ("profiles", name), problems, folder) for name, one in profiles.items()}


def _parse_section(tree: Mapping[str, Any], at: Keys, problems: Problems, folder: Path) -> Section:
    section = Section()
    for key, value in tree.items():
        here = (*at, key)
        if key == "services":
            tables = _get_tables(tree, key, at, problems)
            section.services = {
                name: parse_service(table, (*here, name), problems, folder) for name, table in tables.items()
            }
        elif key == "provider":
            section.providers = _parse_providers(value, here, problems)
        elif key in _CHECKS:
            section.arguments[key] = _parse_argument(key, value, here, problems)
        else:
            known = ["provider", *_CHECKS, "services", *([] if at else ["profiles"])]
            problems.add(here, f"{_describe(at)} has no key {key!r}; {_ADVICE.get(key) or suggest_name(key, known)}")
            continue
        section.sources[key] = problems.locate(here)
    return section


def _describe(at: Keys) -> str:
    return f"[{'.'.join(at)}]" if at else "the top level"


def _get_tables(tree: Mapping[str, Any], key: str, at: Keys, problems: Problems) -> Mapping[str, Mapping[str, Any]]:
    """Return the tables below ``[services]`` or ``[profiles]``."""
    tables = tree.get(key, {})
    if not isinstance(tables, dict):
        problems.add((*at, key), f"{key!r} must hold tables: write [{'.'.join((*at, key))}.NAME]")
        return {}
    for name, table in tables.items():
        if not isinstance(table, dict):
            problems.add((*at, key, name), f"{name!r} must be a table: write [{'.'.join((*at, key))}.NAME]")
        elif not name or set(name) & set("/:"):
            problems.add((*at, key, name), f"{name!r} is no name: it must not be empty or hold '/' or ':'")
    return {name: table for name, table in tables.items() if isinstance(table, dict)}


def _parse_providers(value: object, here: Keys, problems: Problems) -> tuple[str, ...]:
    try:
        return tuple(map(str, parse_names(value)))
    except InvalidArgument as error:
        problems.add(here, f'{error}: provider = ["groq", "ollama/qwen3"]')
    return ()


def _parse_argument(key: str, value: object, here: Keys, problems: Problems) -> object:
    """Return the argument of ``Client`` that ``value`` stands for."""
    is_sound, form = _CHECKS[key]
    if not is_sound(key, value):
        problems.add(here, f"{key!r} must be {form}")
    if key == "proxy" and isinstance(value, str) and any(userinfo_secrets(value)):
        problems.plain_secrets.append(here)
    return None if key in LIMITS and value is False else value


def _is_limit(key: str, value: object) -> bool:
    try:
        Limits(**{key: None if value is False else value})  # type: ignore[arg-type]
    except InvalidArgument:
        return False
    return True


def _is_whole_number(key: str, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_SECONDS = (_is_limit, f"a positive number of seconds, at most {MAX_SECONDS}, or false for no limit")
_CHECKS: Mapping[str, tuple[Callable[[str, object], bool], str]] = {
    "model": (lambda key, value: isinstance(value, str) and bool(value), 'a name in quotes: model = "large"'),
    **dict.fromkeys(LIMITS, _SECONDS),
    "retries": (_is_whole_number, "a whole number, 0 or more"),
    "proxy": (
        lambda key, value: isinstance(value, str),
        'an address in quotes: proxy = "http://host:port", or "" for no proxy',
    ),
    "strict": (lambda key, value: isinstance(value, bool), "true or false"),
}
"""Argument of ``Client`` → whether a value can be used, and what it must be."""
