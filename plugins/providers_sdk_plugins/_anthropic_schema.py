"""A JSON Schema in the form that Anthropic's structured outputs accept.

After https://platform.claude.com/docs/en/build-with-claude/structured-outputs ("JSON Schema limitations"): objects must
be closed, and bounds of numbers, lengths and patterns are refused. They are told to the model in the description, and
this library checks the answer by the whole schema anyway.
"""

import json
from collections.abc import Mapping
from typing import Any

from providers_sdk.plugin import UnsupportedOption

__all__ = ["adapt_schema"]

_FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")
_KEPT = ("type", "enum", "const", "required", "title", "description", "$ref")
_NESTED = ("properties", "$defs", "definitions")
_LISTED = ("anyOf", "allOf")


def adapt_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``schema`` with closed objects, and with what the service refuses in the descriptions.

    :raises UnsupportedOption: it has an object without named properties, which cannot be closed.
    """
    adapted = {name: value for name, value in schema.items() if name in _KEPT or _is_kept_bound(name, value)}
    for name in _NESTED:
        if isinstance(schema.get(name), Mapping):
            adapted[name] = {key: _adapt(inner) for key, inner in schema[name].items()}
    for name in (*_LISTED, "oneOf"):
        if isinstance(schema.get(name), list):
            adapted["anyOf" if name == "oneOf" else name] = [_adapt(inner) for inner in schema[name]]
    if "items" in schema:
        adapted["items"] = _adapt(schema["items"])
    if schema.get("type") == "object" or "properties" in schema:
        adapted["additionalProperties"] = _close(schema)
    rest = {name: value for name, value in schema.items() if name not in adapted and name not in ("oneOf", "default")}
    return _describe(adapted, rest)


def _adapt(schema: object) -> Any:
    return adapt_schema(schema) if isinstance(schema, Mapping) else schema


def _is_kept_bound(name: str, value: object) -> bool:
    return (name == "format" and value in _FORMATS) or (name == "minItems" and value in (0, 1))


def _close(schema: Mapping[str, Any]) -> bool:
    if not schema.get("properties") and schema.get("additionalProperties") is not False:
        raise UnsupportedOption(
            "takes no schema with an object whose properties are not named; name them in 'properties', "
            "or ask another provider"
        )
    return False


def _describe(adapted: dict[str, Any], rest: Mapping[str, Any]) -> dict[str, Any]:
    if not rest:
        return adapted
    told = f"It also has to fit {json.dumps(rest, ensure_ascii=False)}."
    return {**adapted, "description": " ".join(filter(None, (adapted.get("description"), told)))}
