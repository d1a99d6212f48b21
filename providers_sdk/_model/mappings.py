"""The settings that are mappings, ``headers`` and ``extra_body``: JSON in the environment and inside this library."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from providers_sdk.errors import InvalidArgument

__all__ = ["MAPPINGS", "check_extra_body", "load_mapping", "read_mapping"]

_OWN = ("model", "messages", "stream", "n")
"""Fields of the body that this library fills in; ``n`` would ask for answers that nobody reads."""


def read_mapping(provider: str, name: str, value: object, where: str = "") -> str:
    """Return a mapping, or its JSON, as JSON with sorted keys.

    :param where: where it was given, for the message.
    :raises InvalidArgument: it is no mapping, or must not hold what it holds.
    """
    found = _parse(value) if isinstance(value, str) else value
    if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
        raise InvalidArgument(
            f"setting {name!r}{where} must be a mapping, in the environment a JSON object, {_EXAMPLES[name]}",
            provider=provider,
        )
    reason = MAPPINGS[name](found)
    if reason:
        raise InvalidArgument(f"setting {name!r}{where} {reason}", provider=provider)
    try:
        return json.dumps(found, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise InvalidArgument(
            f"setting {name!r}{where} cannot be written as JSON: {error}", provider=provider
        ) from None


def load_mapping(value: str | None) -> dict[str, Any]:
    """Return what :func:`read_mapping` returned as a mapping; an empty one for none."""
    return dict(json.loads(value)) if value else {}


def check_extra_body(body: object) -> str:
    """Return why ``extra_body`` cannot be sent, as the end of a sentence; ``""`` where it can."""
    if not isinstance(body, Mapping) or not all(isinstance(name, str) for name in body):
        return f"must be a mapping such as {{'top_k': 40}}, not {type(body).__name__}"
    own = [name for name in _OWN if name in body]
    return f"must not hold {' or '.join(map(repr, own))}: this library fills that in itself" if own else ""


def _check_headers(headers: Mapping[str, Any]) -> str:
    wrong = sorted(name for name, value in headers.items() if not isinstance(value, str))
    return f"must map names to strings; the value of {wrong[0]!r} is none" if wrong else ""


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


MAPPINGS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {"headers": _check_headers, "extra_body": check_extra_body}
"""The settings that are mappings → what returns why one cannot be used."""
_EXAMPLES = {"headers": """such as {"x-team": "kitchen"}""", "extra_body": """such as {"top_k": 40}"""}
