"""What a provider yields: text, thinking, token counts, and at last one reason for having finished."""

from dataclasses import dataclass

__all__ = ["Chunk", "FinishReason", "Reasoning", "Usage"]


@dataclass(frozen=True, slots=True)
class FinishReason:
    """Why the answer ended, in the service's own word (``"stop"``, ``"length"``, ...); always the last chunk."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the model's thinking text, as sent; it is no part of the answer."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the service reported them."""

    prompt_tokens: int
    completion_tokens: int

    @property
    def total_tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens


for _public in (FinishReason, Reasoning, Usage):
    _public.__module__ = "providers_sdk"

Chunk = str | Reasoning | Usage | FinishReason
"""One element of an answer's stream; text is plain ``str``."""
