"""Validates the chunks that a provider yields: pieces, then exactly one finish reason, then nothing."""

from collections.abc import Iterator, Mapping

from providers_sdk._model.chunks import Chunk, FinishReason, Reasoning, ServedModel, ToolCall, ToolCallPiece, Usage
from providers_sdk.errors import EmptyAnswer, PluginContractError, StreamTruncated

__all__ = ["replace_lone_surrogates", "validate_chunks"]

_OUT_OF_TOKENS = frozenset({"length", "max_tokens"})  # as OpenAI, Anthropic and Gemini spell it


def validate_chunks(chunks: object, *, allow_empty: bool = False) -> Iterator[Chunk]:
    """Yield a provider's ``chunks``, and end only after the finish reason.

    Empty strings are dropped; surrogate pairs that the service split are joined, lone ones become U+FFFD.

    :param chunks: what the provider's ``complete`` returned.
    :param allow_empty: whether an answer without text and tool calls is accepted.
    :raises StreamTruncated: it ended without a finish reason.
    :raises EmptyAnswer: it ended with one, but without text and tool calls, and ``allow_empty`` is not set.
    :raises PluginContractError: it is no iterator, yielded a foreign object, or went on after the finish.

    What the provider's own code raises passes through.
    """
    if not isinstance(chunks, Iterator):
        raise PluginContractError(
            f"complete() returned {type(chunks).__name__}; it must be a generator (use yield) or another iterator"
        )
    validator = _Validator(allow_empty)
    try:
        for chunk in chunks:
            yield from validator.take(chunk)
        validator.check_finished()
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


class _Validator:
    """Takes the chunks of one answer in order; keeps what the end of the answer depends on."""

    def __init__(self, allow_empty: bool) -> None:
        self.finished = False
        self._has_answer = allow_empty
        self._text, self._thinking = _SurrogateJoiner(), _SurrogateJoiner()
        self._usage: Usage | None = None

    def take(self, chunk: object) -> list[Chunk]:
        """Return the chunks that can be yielded after ``chunk``."""
        if self.finished:
            raise PluginContractError(f"yielded {_describe_type(chunk)} after its FinishReason; nothing may follow it")
        if type(chunk) is str and self._has_answer and chunk.isascii() and not self._text.held:  # what nearly all are
            return [chunk] if chunk else []
        if isinstance(chunk, ToolCallPiece):
            return [chunk]
        if isinstance(chunk, str):
            return self._take_text(self._text.join(chunk))
        if isinstance(chunk, Reasoning) and isinstance(chunk.text, str):
            return _make_reasoning(self._thinking.join(chunk.text))
        if isinstance(chunk, ToolCall):
            return self._take_call(chunk)
        if isinstance(chunk, Usage):
            self._usage = chunk
            return [chunk]
        if isinstance(chunk, ServedModel) and isinstance(chunk.name, str) and chunk.name:
            return [chunk]
        if isinstance(chunk, FinishReason):
            return self._finish(chunk)
        raise PluginContractError(
            f"yielded {_describe_type(chunk)}; a chunk is str, Reasoning, ToolCall, ServedModel, Usage or FinishReason"
        )

    def check_finished(self) -> None:
        """Raise unless the finish reason was taken."""
        if not self.finished:
            raise StreamTruncated(
                "the answer ended without its finish reason: it was cut off; what came is in 'partial'"
            )

    def _take_text(self, text: str) -> list[Chunk]:
        self._has_answer = self._has_answer or bool(text.strip())
        return [text] if text else []

    def _take_call(self, call: ToolCall) -> list[Chunk]:
        sound = isinstance(call.id, str) and isinstance(call.name, str) and call.name
        if not sound or not isinstance(call.arguments, Mapping):
            raise PluginContractError(
                "yielded a ToolCall that is none: its id is text, its name is text and not empty, its arguments are a "
                "JSON object"
            )
        self._has_answer = True
        return [call]

    def _finish(self, finish: FinishReason) -> list[Chunk]:
        if finish.reason is not None and (not isinstance(finish.reason, str) or not finish.reason):
            raise PluginContractError(
                f"yielded FinishReason({finish.reason!r}); the reason is the service's own word, or None where the "
                "service ended its answer properly and gave none"
            )
        rest = [*_make_reasoning(self._thinking.rest()), *self._take_text(self._text.rest())]
        if not self._has_answer:
            raise EmptyAnswer(_explain_empty(finish.reason), finish_reason=finish.reason, usage=self._usage)
        self.finished = True
        return [*rest, finish]


def _make_reasoning(text: str) -> list[Chunk]:
    return [Reasoning(text)] if text else []


def _explain_empty(reason: str | None) -> str:
    if reason is not None and reason.lower() in _OUT_OF_TOKENS:
        return (
            f"the answer ended ({reason}) before any text: hidden reasoning counts, too, and has used up the tokens; "
            "raise max_tokens or max_completion_tokens"
        )
    end = "without a finish reason" if reason is None else f"({reason})"
    return (
        f"the answer ended {end} and holds no text; ask again or ask another provider, "
        "or pass allow_empty=True where an empty answer is right"
    )


def _describe_type(chunk: object) -> str:
    return "text" if isinstance(chunk, str) else f"an object of type {type(chunk).__name__}"


class _SurrogateJoiner:
    """Joins surrogate pairs that two pieces share."""

    def __init__(self) -> None:
        self.held = ""
        """A first half at the end of the last piece, whose second half may come."""

    def join(self, piece: str) -> str:
        """Return ``piece`` with what was held before it, without a first half at its end."""
        if type(piece) is str and piece.isascii() and not self.held:
            return piece
        text = self.held + str.__str__(piece)
        self.held = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        text = text[:-1] if self.held else text
        return text if text.isascii() else replace_lone_surrogates(text)

    def rest(self) -> str:
        """Return what is still held: a first half whose second half never came."""
        held, self.held = self.held, ""
        return replace_lone_surrogates(held)


def replace_lone_surrogates(text: str) -> str:
    """Return ``text`` as it can be encoded: half a character becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
