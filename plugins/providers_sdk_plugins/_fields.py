"""Fields of the JSON that the dialects of their own read: each of its type, or an answer that breaks the protocol."""

from collections.abc import Mapping
from typing import Any

from providers_sdk.plugin import InvalidAnswer, snippet

__all__ = ["read_text", "require_mapping"]


def require_mapping(value: object, name: str) -> Mapping[str, Any]:
    """Return ``value`` if it is a JSON object; ``name`` says what it is.

    :raises InvalidAnswer: it is none.
    """
    if not isinstance(value, dict):
        raise InvalidAnswer(f"{name} should be an object, not {type(value).__name__}: {snippet(str(value), 80)!r}")
    return value


def read_text(mapping: Mapping[str, Any], key: str) -> str:
    """Return the text of a field; ``""`` where it is missing or null.

    :raises InvalidAnswer: it is of another type.
    """
    value = mapping.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidAnswer(f"{key!r} should be text, not {type(value).__name__}")
    return value or ""
