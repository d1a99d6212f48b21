"""Reads the OpenAI dialect: events or a whole completion in, chunks out. Pure.

After the public reference of ``POST /chat/completions`` and what compatible services really send: role-only first
deltas, ``content`` null, absent or a list of parts, empty ``choices``, usage before or after the finish, thinking text
under two names, refusals in a field of their own, error objects in mid-stream, streams without ``[DONE]`` and answers
without a finish reason.

:class:`_Reader` takes the bodies of one answer in their order, one for a whole completion and many for a stream. Text,
thinking, usage and the model's name are yielded at once. A refusal, tool calls (``openai_tools.py``) and the finish
reason are kept to the end: only the end shows whether they are complete, and whether there was text beside them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from providers_sdk._model.chunks import (
    TOOL_CALL_PIECE,
    Chunk,
    FinishReason,
    Reasoning,
    ServedModel,
    ToolCall,
    Usage,
)
from providers_sdk._protocol import openai_fields as fields
from providers_sdk._protocol.error_body import error_text, is_prompt_rejection, json_error_text
from providers_sdk._protocol.json import parse_json
from providers_sdk._protocol.openai_tools import ToolCallBuilder, iter_call_pieces
from providers_sdk._protocol.sse import Event
from providers_sdk._redact import snippet
from providers_sdk.errors import EmptyAnswer, InvalidAnswer, PromptRejected, Refused, TransportError

__all__ = ["DONE", "iter_completion", "iter_deltas"]

_E = TypeVar("_E", Refused, EmptyAnswer, InvalidAnswer)
DONE = "[DONE]"
_MAX_REFUSAL = 2_000  # characters that are kept: an endless refusal must not fill the memory
_OUT_OF_TOKENS = ("length", "max_tokens")


def iter_deltas(events: Iterable[Event]) -> Iterator[Chunk]:
    """Yield the chunks of a stream of deltas; the finish reason last, and only if the answer is complete.

    Its end is a finish reason or ``[DONE]``. Once the finish reason is there the answer is complete: a connection that
    dies before the end mark takes nothing from it.

    :raises Refused: on an error object, an ``error`` event or a refusal of the model, with the service's own text, and
        where a content filter held all text back.
    :raises PromptRejected: where the service rejects the question for its content.
    :raises EmptyAnswer: the answer ended for its length before any text and before a tool call was complete.
    :raises InvalidAnswer: when an event is not what the dialect has, or a tool call's arguments are no JSON object.
    """
    reader = _Reader("delta", "an event of the stream")
    complete = False
    try:
        for event in events:
            data = event.data.strip()
            complete = data == DONE
            if complete:
                break
            if not data:
                continue
            if event.event == "error":
                raise reader.refuse(_parse_error(event.data))
            body = _parse(data)
            if text := reader.read_plain(body):
                yield text
            else:
                yield from reader.read(body)
    except TransportError:
        if reader.finish is None:
            raise
    yield from reader.end(complete=complete)


def iter_completion(body: object) -> Iterator[Chunk]:
    """Yield the chunks of a whole, not streamed completion; the finish reason last, ``None`` where it names none.

    :raises Refused: as :func:`iter_deltas`, and the other errors, too.
    """
    reader = _Reader("message", "the answer")
    yield from reader.read(body)
    if not reader.has_choice:
        text = error_text(body)
        raise InvalidAnswer("the answer has no choices" + (f": {text}" if text else ""))
    yield from reader.end(complete=True)


def _parse(data: str) -> object:
    try:
        return parse_json(data)
    except ValueError as error:
        shown = json_error_text(data) or repr(snippet(data, 100))
        raise InvalidAnswer(f"an event of the stream is no JSON: {shown}") from error


def _parse_error(data: str) -> object:
    try:
        body = parse_json(data)
    except ValueError:
        return json_error_text(data) or data
    return fields.find_error(body) or body


class _Reader:
    """Reads the bodies of one answer.

    :param field: where a choice has its content: ``delta`` or ``message``.
    :param name: what a body is, for messages.
    """

    def __init__(self, field: str, name: str) -> None:
        self._field, self._name = field, name
        self.finish: str | None = None
        self.has_choice = False
        self._has_text = False
        self._model = ""
        self._usage: Usage | None = None
        self._refusal = ""
        self._tools = ToolCallBuilder(whole=field == "message")
        self._filtered: list[str] = []

    def read(self, body: object) -> Iterator[Chunk]:
        """Yield what one body adds to the answer."""
        error = fields.find_error(body)
        mapping = fields.require_mapping(body, self._name) if error is None or isinstance(body, dict) else {}
        usage = fields.read_usage(mapping)
        self._usage = usage or self._usage
        if error is not None:
            raise self.refuse(error)
        yield from self._read_model(mapping)
        choice = fields.find_choice(mapping)
        if choice is not None:
            self.has_choice = True
            yield from self._read_content(fields.require_mapping(choice.get(self._field) or {}, self._field))
        if usage is not None:
            yield usage
        if choice is not None:
            self._read_finish(choice)

    def read_plain(self, body: object) -> str:
        """Return the text of a body that adds nothing but text; empty where :meth:`read` has to look closer."""
        text = fields.find_plain_text(body, self._model) if self.finish is None else ""
        if text:
            self.has_choice = True
            self._has_text = self._has_text or bool(text.strip())
        return text

    def refuse(self, error: object) -> Refused:
        """Return the error for an error object of the service."""
        text = error_text(error) or snippet(str(error))
        kind = (error.get("code") or error.get("type")) if isinstance(error, dict) else None
        rejected = PromptRejected if is_prompt_rejection({"error": error}) else Refused
        return rejected(
            f"the service says: {text}" + (f" ({snippet(str(kind), 60)})" if kind else ""),
            finish_reason=self.finish,
            usage=self._usage,
        )

    def end(self, *, complete: bool) -> Iterator[ToolCall | FinishReason]:
        """Yield the tool calls and the finish reason.

        :param complete: whether the service ended its answer properly, with or without a reason.
        :raises Refused: there is a refusal, or no text but a content filter's finish.
        :raises EmptyAnswer: there is no text, and the only tool calls are cut.
        :raises InvalidAnswer: a tool call is cut, though the answer did not end for its length.
        """
        if self._refusal:
            raise self._end_error(Refused, f"the model refuses: {snippet(self._refusal, _MAX_REFUSAL)}")
        if self.finish is None and not complete:
            return
        if not self._has_text and not self._tools.names and self.finish == "content_filter":
            categories = f" ({', '.join(self._filtered)})" if self._filtered else ""
            raise self._end_error(Refused, f"a content filter of the service held the answer back{categories}")
        yield from self._build_calls()
        yield FinishReason(self.finish)

    def _build_calls(self) -> list[ToolCall]:
        try:
            calls = self._tools.build(cut=self.finish in _OUT_OF_TOKENS)
        except InvalidAnswer as error:
            raise self._end_error(InvalidAnswer, error.message) from None
        if self._tools.names and not calls and not self._has_text:
            names = snippet(", ".join(self._tools.names), 200)
            raise self._end_error(
                EmptyAnswer,
                f"the answer ended ({self.finish}) before its tool call ({names}) was complete, and holds no text; "
                "raise max_tokens or max_completion_tokens",
            )
        return calls

    def _end_error(self, kind: type[_E], message: str) -> _E:
        return kind(message, finish_reason=self.finish, usage=self._usage)

    def _read_model(self, body: Mapping[str, Any]) -> Iterator[ServedModel]:
        name = body.get("model")
        if isinstance(name, str) and name not in ("", self._model):
            self._model = name
            yield ServedModel(name)

    def _read_content(self, delta: Mapping[str, Any]) -> Iterator[str | Reasoning]:
        for chunk in fields.iter_content(delta):
            self._check_not_finished()
            self._has_text = self._has_text or (isinstance(chunk, str) and bool(chunk.strip()))
            yield chunk
        if len(self._refusal) < _MAX_REFUSAL:
            self._refusal += fields.read_refusal(delta)
        for piece in iter_call_pieces(delta):
            if self._tools.add(piece):
                self._check_not_finished()
                if self._field == "delta":
                    yield TOOL_CALL_PIECE

    def _check_not_finished(self) -> None:
        if self.finish is not None:
            raise InvalidAnswer("the service went on after its finish reason: this is not one whole answer")

    def _read_finish(self, choice: Mapping[str, Any]) -> None:
        reason = fields.read_finish_reason(choice)
        if self.finish is not None and reason not in (None, self.finish):
            raise InvalidAnswer(f"the service went on after its finish reason {self.finish!r} and gave a second one")
        self.finish = self.finish or reason
        self._filtered = self._filtered or fields.list_filtered(choice)


for _public in (iter_deltas, iter_completion):
    _public.__module__ = "providers_sdk.plugin"
