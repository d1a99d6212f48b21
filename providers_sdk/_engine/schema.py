"""Structured answers: a JSON Schema or a type, what the service is told of it, and reading an answer by it.

A mapping is a JSON Schema and checked with jsonschema; a dataclass, ``TypedDict``, pydantic model or other type is read
with pydantic. Neither coerces: ``"3"`` is no number. Both are imported when first used.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from providers_sdk._protocol.json import parse_json
from providers_sdk._redact import snippet
from providers_sdk.errors import InvalidAnswer, InvalidArgument

__all__ = ["AnswerSchema", "read_schema"]

_NEEDS_EXTRA = "schema= needs the extra 'schema': pip install 'providers-sdk[schema]'"
_LONGEST_QUOTE = 2_000  # characters of an answer in a message


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """What an answer is to look like.

    :param json_schema: what the service is told.
    :param read: returns the data of a text; raises :class:`_Misfit` where it does not fit.
    """

    json_schema: Mapping[str, Any]
    read: Callable[[str], Any]

    def read_text(self, text: str) -> Any:
        """Return the data in ``text``.

        :raises InvalidAnswer: it is no JSON or does not fit; the message has the path and the text.
        """
        try:
            return self.read(_check_json(text))
        except _Misfit as misfit:
            path, reason = misfit.path, snippet(misfit.reason, 300)
        raise InvalidAnswer(
            f"the answer does not fit the schema at {path}: {reason}; the answer is: {snippet(text, _LONGEST_QUOTE)}"
        )


class _Misfit(Exception):
    """The data do not fit: ``path`` as JSONPath has it (RFC 9535), such as ``$.pizzas[1].price``."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason


def _check_json(text: str) -> str:
    try:
        parse_json(text)
    except ValueError:
        raise _Misfit("$", "it is no JSON") from None
    return text


def read_schema(schema: object) -> AnswerSchema | None:
    """Return ``schema`` ready for use; ``None`` for none.

    :param schema: a JSON Schema as a mapping, or a type.
    :raises InvalidArgument: it is neither, or the extra ``schema`` is not installed.
    """
    if schema is None:
        return None
    try:
        return _read_json_schema(schema) if isinstance(schema, Mapping) else _read_type(schema)
    except ImportError as error:
        raise InvalidArgument(_NEEDS_EXTRA) from error


def _read_json_schema(schema: Mapping[str, Any]) -> AnswerSchema:
    from jsonschema.exceptions import SchemaError, best_match
    from jsonschema.validators import Draft202012Validator, validator_for
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
    from referencing.exceptions import Unresolvable

    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(dict(schema))
    except SchemaError as error:
        raise InvalidArgument(f"the schema is no JSON Schema: at {error.json_path}: {snippet(error.message)}") from None
    validator = kind(dict(schema), registry=REGISTRY)  # of its own: by default a foreign $ref would be fetched

    def read(text: str) -> Any:
        data = parse_json(text)
        try:
            error = best_match(validator.iter_errors(data))
        except Unresolvable as missing:
            raise InvalidArgument(f"the schema refers to {missing.ref!r}, which is not in it") from None
        if error is not None:
            raise _Misfit(error.json_path, error.message)
        return data

    return AnswerSchema(dict(schema), read)


def _read_type(schema: Any) -> AnswerSchema:
    from pydantic import TypeAdapter, ValidationError
    from pydantic.errors import PydanticUserError

    try:
        adapter = TypeAdapter(schema)
        described = adapter.json_schema()
    except (PydanticUserError, TypeError) as error:
        raise InvalidArgument(
            f"schema {snippet(repr(schema), 80)} is no JSON Schema (a mapping) and no type that pydantic can read: "
            f"{snippet(str(error), 200)}"
        ) from None

    def read(text: str) -> Any:
        try:
            return adapter.validate_json(text, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise _Misfit(_write_path(first["loc"]), first["msg"]) from None

    return AnswerSchema(described, read)


def _write_path(location: tuple[int | str, ...]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
