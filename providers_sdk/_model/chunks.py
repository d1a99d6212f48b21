"""The chunks that a provider yields: text, thinking, tool calls, the model's name, counts, and last a finish reason."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from providers_sdk._value import Value

__all__ = ["TOOL_CALL_PIECE", "Chunk", "FinishReason", "Reasoning", "ServedModel", "ToolCall", "ToolCallPiece", "Usage"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class FinishReason(Value):
    """Why the answer ended; always the last chunk.

    :param reason: the service's own reason (``"stop"``, ``"length"``, ...), or ``None`` where the service ended its
        answer properly without a reason; ``str()`` of that is empty.
    """

    reason: str | None

    def __str__(self) -> str:
        return self.reason or ""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Reasoning(Value):
    """A piece of the model's thinking text, as sent; it is no part of the answer."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class ServedModel(Value):
    """The model that answers, as the service names it; of several the last one counts."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class ToolCall(Value):
    """One complete call of a tool that the model asks for.

    :param id: the service's name for this call, under which the result is sent back; empty where it gives none.
    :param name: the tool's name.
    :param arguments: a JSON object.
    """

    id: str
    name: str
    arguments: Mapping[str, Any] = field(hash=False)

    @property
    def arguments_json(self) -> str:
        """The arguments as JSON text."""
        return json.dumps(self.arguments, ensure_ascii=False)

    def __str__(self) -> str:
        return f"{self.name}({self.arguments_json})"


class ToolCallPiece(str):
    """The type of :data:`TOOL_CALL_PIECE`."""

    __slots__ = ()


TOOL_CALL_PIECE: Final = ToolCallPiece()
"""An empty piece of text that stands for a piece of a tool call which is not complete yet.

A provider that puts calls together from pieces yields it for each piece, so that the limit ``idle`` does not take a
long call for silence. It is never delivered.
"""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Usage(Value):
    """Token counts as the service reported them; ``None`` for a count that it did not report."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    @property
    def total_tokens(self) -> int | None:
        """Prompt and completion tokens together; ``None`` unless both are known."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens


for _public in (FinishReason, Reasoning, ServedModel, ToolCall, Usage):
    _public.__module__ = "providers_sdk"

Chunk = str | Reasoning | ToolCall | ServedModel | Usage | FinishReason
"""One element of an answer's stream; text is plain ``str``."""
