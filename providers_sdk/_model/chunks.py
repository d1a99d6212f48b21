"""The chunks that a provider yields: text, thinking, the model's name, token counts, and last a finish reason."""

from dataclasses import dataclass

__all__ = ["Chunk", "FinishReason", "Reasoning", "ServedModel", "Usage"]


@dataclass(frozen=True, slots=True)
class FinishReason:
    """Why the answer ended; always the last chunk.

    :param reason: the service's own reason (``"stop"``, ``"length"``, ...), or ``None`` where the service ended its
        answer properly without a reason; ``str()`` of that is empty.
    """

    reason: str | None

    def __str__(self) -> str:
        return self.reason or ""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the model's thinking text, as sent; it is no part of the answer."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class ServedModel:
    """The model that answers, as the service names it; of several the last one counts."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the service reported them; ``None`` for a count that it did not report."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    @property
    def total_tokens(self) -> int | None:
        """Prompt and completion tokens together; ``None`` unless both are known."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens


for _public in (FinishReason, Reasoning, ServedModel, Usage):
    _public.__module__ = "providers_sdk"

Chunk = str | Reasoning | ServedModel | Usage | FinishReason
"""One element of an answer's stream; text is plain ``str``."""
