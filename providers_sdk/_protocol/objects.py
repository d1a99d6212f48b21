"""Takes a JSON value as an object: what a plugin reads fields of."""

import json
from typing import Any

from providers_sdk._redact import snippet
from providers_sdk.errors import InvalidAnswer

__all__ = ["JSONObject", "as_object"]


class JSONObject(dict[str, Any]):
    """A JSON object, a ``dict`` whose missing names are an answer that breaks the protocol: no ``KeyError``."""

    def __missing__(self, name: object) -> Any:
        raise InvalidAnswer(f"a JSON object of the response has no {name!r}: {_show(self)}")


def as_object(value: object, what: str = "a JSON value of the response") -> JSONObject:
    """Return ``value`` as a ``dict``.

    ``found["id"]`` raises :class:`InvalidAnswer` where there is no ``id``; ``found.get("id")`` is ``None`` then.

    :param what: what it is, for the message.
    :raises InvalidAnswer: it is a list, a text, a number or ``None``; the message shows its beginning.
    """
    if not isinstance(value, dict):
        raise InvalidAnswer(f"{what} is no object: {_show(value)}")
    return JSONObject(value)


def _show(value: object) -> str:
    return snippet(json.dumps(value, ensure_ascii=False, default=repr), 100)


as_object.__module__ = "providers_sdk.plugin"
