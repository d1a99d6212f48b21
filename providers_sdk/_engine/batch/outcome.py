"""The outcome of one prompt of a batch, and its form in the journal."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, TypeVar

from providers_sdk import errors
from providers_sdk._attempts import Attempt
from providers_sdk._model.chunks import ToolCall, Usage
from providers_sdk._model.messages import Message, Messages, parse_messages
from providers_sdk._model.parts import Part
from providers_sdk.errors import ProviderError, Refused

__all__ = ["Outcome", "describe_prompt", "dump_outcome", "is_final", "load_outcome"]

_T = TypeVar("_T")
_ERROR_FIELDS = ("provider", "model", "url", "status", "retry_after", "partial", "finish_reason")
_FIELDS = {"index": int, "id": str | int | None, "text": str, "finish_reason": str | None, "seconds": float}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one prompt: an answer, or the error that it ended in.

    :param index: the position of the prompt in the input, from 0.
    :param id: its id, where the batch has ids.
    :param prompt: what was asked.
    :param text: the answer; empty where there is an error.
    :param error: why there is no answer; ``None`` where there is one.
    :param attempts: every attempt, oldest first; ``waited`` is how long the service had to be left alone before it.
    :param usage: token counts, where the service reported them.
    :param finish_reason: why the answer ended, as the service says.
    :param seconds: how long the attempts took, without the waits between them.
    :param data: the answer as the ``schema`` has it; a journal keeps its JSON values.
    :param tool_calls: the tools that the model asks for.
    """

    index: int
    id: str | int | None
    prompt: Messages
    text: str
    error: ProviderError | None = None
    attempts: tuple[Attempt, ...] = ()
    usage: Usage | None = None
    finish_reason: str | None = None
    seconds: float = 0.0
    data: Any = None
    tool_calls: tuple[ToolCall, ...] = ()

    @property
    def provider(self) -> str | None:
        """The name of the provider that was asked last."""
        return self.attempts[-1].provider if self.attempts else None


def is_final(error: ProviderError | None) -> bool:
    """Return whether a prompt with this outcome is never asked again: it was answered, or refused for good.

    A refusal is for good where the prompt was rejected, or where the service ended its answer with a finish reason:
    both are about the content. A service that refuses for another reason (a quota, a login) may answer later.
    """
    if isinstance(error, Refused):
        return isinstance(error, errors.PromptRejected) or error.finish_reason is not None
    return error is None


def describe_prompt(prompt: Messages) -> Any:
    """Return the prompt as JSON can hold it: a string, or a list of messages.

    The bytes of an image or a file are told by their digest (SHA-256).

    :raises InvalidMessages: it is neither a prompt nor a sequence of messages.
    """
    return prompt if isinstance(prompt, str) else [_dump_message(message) for message in parse_messages(prompt)]


def _dump_message(message: Message) -> dict[str, Any]:
    content = message.content
    dumped = {"role": message.role, "content": content if isinstance(content, str) else list(map(_dump_part, content))}
    if message.tool_calls:
        dumped["tool_calls"] = list(map(_dump_call, message.tool_calls))
    return dumped if message.tool_call_id is None else {**dumped, "tool_call_id": message.tool_call_id}


def _dump_part(part: Part) -> Any:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    fields = {name: getattr(part, name) for name in part.__slots__}
    data = fields.pop("data")
    told = {"bytes": len(data), "sha256": sha256(data).hexdigest()} if data else {}
    return {"type": type(part).__name__.lower(), **{name: value for name, value in fields.items() if value}, **told}


def _dump_call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "name": call.name, "arguments": dict(call.arguments)}


def dump_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as plain data for JSON."""
    return {
        "index": outcome.index,
        "id": outcome.id,
        "prompt": describe_prompt(outcome.prompt),
        "text": outcome.text,
        "error": _dump_error(outcome.error),
        "attempts": [asdict(attempt) for attempt in outcome.attempts],
        "usage": None if outcome.usage is None else asdict(outcome.usage),
        "finish_reason": outcome.finish_reason,
        "seconds": round(outcome.seconds, 6),
        **({} if outcome.data is None else {"data": json.loads(outcome.text)}),
        **({"tool_calls": list(map(_dump_call, outcome.tool_calls))} if outcome.tool_calls else {}),
    }


def load_outcome(record: Mapping[str, Any]) -> Outcome:
    """Return the outcome of a journal's record; what a later version has added to the record is left out.

    :raises KeyError: it is no record of an outcome, as are ``TypeError`` and ``ValueError``.
    """
    usage, error = record["usage"], record["error"]
    return Outcome(
        **_check_types({name: record[name] for name in _FIELDS}, _FIELDS),
        prompt=record["prompt"],
        error=None if error is None else _load_error(error, record),
        attempts=_load_attempts(record["attempts"]),
        usage=None if usage is None else _load_value(Usage, usage),
        data=record.get("data"),
        tool_calls=tuple(ToolCall(row["id"], row["name"], row["arguments"]) for row in record.get("tool_calls", ())),
    )


def _dump_error(error: ProviderError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    fields = {name: getattr(error, name) for name in _ERROR_FIELDS}
    return {"class": type(error).__name__, "message": error.message, **fields}


def _load_error(fields: Mapping[str, Any], record: Mapping[str, Any]) -> ProviderError:
    found = getattr(errors, fields["class"], None)
    kind = found if isinstance(found, type) and issubclass(found, ProviderError) else ProviderError
    error = kind(fields["message"])
    for name in _ERROR_FIELDS:
        setattr(error, name, fields[name])
    error.attempts = _load_attempts(record["attempts"])
    error.usage = None if record["usage"] is None else _load_value(Usage, record["usage"])
    return error


def _load_attempts(rows: Sequence[Mapping[str, Any]]) -> tuple[Attempt, ...]:
    return tuple(_load_value(Attempt, row) for row in rows)


def _load_value(kind: type[_T], row: Mapping[str, Any]) -> _T:
    types = kind.__annotations__
    return kind(**_check_types({name: row[name] for name in types if name in row}, types))


def _check_types(fields: dict[str, Any], types: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``fields`` if each has the type that ``types`` has for it; a number may be a whole one.

    :raises TypeError: one has another type.
    """
    for name, value in fields.items():
        if not isinstance(value, types[name]) and not (isinstance(value, int) and isinstance(1.0, types[name])):
            raise TypeError(f"{name!r} is {type(value).__name__}")
    return fields


Outcome.__module__ = "providers_sdk"
