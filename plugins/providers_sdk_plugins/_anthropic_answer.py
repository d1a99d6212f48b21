"""Reads an answer of Anthropic's Messages API: events or a whole message in, chunks out. Pure.

After the events and blocks in anthropic 2.14.0 (types/raw_message_stream_event.py, types/message.py) and
https://platform.claude.com/docs/en/build-with-claude/streaming. An answer is a list of blocks: text, thinking, tool
calls, and others that hold nothing for the caller. A stream opens each block, adds to it in deltas, and closes it; then
``message_delta`` has the stop reason and ``message_stop`` is the end mark. Token counts stand in ``message_start`` and,
complete, in ``message_delta``. Events and blocks of unknown types are passed over, as the documentation demands.

An error may come as an event of a stream whose status is 200. It then is the error that its type has as a status, so
that an overloaded service is asked again while nothing of the answer was delivered.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from providers_sdk.plugin import (
    TOOL_CALL_PIECE,
    AuthenticationFailed,
    Chunk,
    EmptyAnswer,
    Event,
    FinishReason,
    HTTPStatusError,
    InvalidAnswer,
    ProviderError,
    RateLimited,
    Reasoning,
    Refused,
    ServedModel,
    ToolCall,
    ToolCallBuilder,
    Usage,
    snippet,
)
from providers_sdk_plugins._fields import read_text, require_mapping

__all__ = ["END", "iter_message", "iter_stream"]

END = '{"type":"message_stop"}'
"""The data of the last event, as the service writes it."""
_E = TypeVar("_E", Refused, EmptyAnswer, InvalidAnswer)
_OUT_OF_TOKENS = ("max_tokens", "model_context_window_exceeded")
_PROMPT_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_ERRORS: Mapping[str, tuple[type[HTTPStatusError], int]] = {
    "invalid_request_error": (HTTPStatusError, 400),
    "authentication_error": (AuthenticationFailed, 401),
    "billing_error": (HTTPStatusError, 402),
    "permission_error": (AuthenticationFailed, 403),
    "not_found_error": (HTTPStatusError, 404),
    "rate_limit_error": (RateLimited, 429),
    "api_error": (HTTPStatusError, 500),
    "timeout_error": (HTTPStatusError, 504),
    "overloaded_error": (HTTPStatusError, 529),
}
"""Type of an error → its class and status, as https://platform.claude.com/docs/en/api/errors has them."""


def iter_stream(events: Iterable[Event]) -> Iterator[Chunk]:
    """Yield the chunks of a stream; the finish reason last, and only if the answer is complete.

    :raises HTTPStatusError: the stream holds an error; its ``status`` is that of the error's type.
    :raises Refused: the model refuses, or there is an error of an unknown type.
    :raises EmptyAnswer: the answer ended for its length before any text and before a tool call was complete.
    :raises InvalidAnswer: an event is not what the API sends, or a tool call's arguments are no JSON object.
    """
    reader = _Reader()
    for event in events:
        yield from reader.read(_parse(event))
        if reader.stopped:
            break
    yield from reader.end()


def iter_message(body: object) -> Iterator[Chunk]:
    """Yield the chunks of a whole message; the errors are those of :func:`iter_stream`."""
    message, reader = require_mapping(body, "the answer"), _Reader()
    if message.get("type") == "error":
        raise _make_error(message)
    if not isinstance(message.get("content"), list):
        raise InvalidAnswer("the answer has no list 'content': this is no message of the Messages API")
    yield from reader.read_message(message)
    yield from reader.end()


def _parse(event: Event) -> Mapping[str, Any]:
    try:
        body = event.json()
    except InvalidAnswer:
        if event.event != "error":
            raise
        body = {"error": {"message": event.data}}
    return {"type": event.event, **require_mapping(body, "an event of the stream")}


def _make_error(body: Mapping[str, Any]) -> ProviderError:
    """Return the error for an error object of the service."""
    error = body.get("error")
    found = error if isinstance(error, Mapping) else {"message": error}
    name, text = str(found.get("type") or ""), snippet(str(found.get("message") or body))
    message = f"the service says: {text}" + (f" ({snippet(name, 60)})" if name else "")
    kind, status = _ERRORS.get(name, (None, None))
    return Refused(message) if kind is None else kind(message, status=status)


class _Reader:
    """Reads the bodies of one answer, in their order."""

    def __init__(self) -> None:
        self.stopped = False
        self._finish: str | None = None
        self._details: Mapping[str, Any] = {}
        self._counts: dict[str, int] = {}
        self._tools = ToolCallBuilder(whole=False)
        self._tool_indexes: set[Any] = set()
        self._has_text = False

    def read(self, body: Mapping[str, Any]) -> Iterator[Chunk]:
        """Yield what one event adds to the answer.

        :raises ProviderError: it is an error.
        """
        if body["type"] == "error":
            raise _make_error(body)
        handle = _HANDLERS.get(body["type"])
        if handle is not None:
            yield from handle(self, body)

    def read_message(self, message: Mapping[str, Any]) -> Iterator[Chunk]:
        """Yield what a whole message holds."""
        yield from self._read_model(message)
        for index, block in enumerate(message["content"]):
            yield from self._read_block(index, require_mapping(block, "a block of the answer"))
        self._read_stop(message)
        yield from self._read_usage(message)
        self.stopped = True

    def start(self, body: Mapping[str, Any]) -> Iterator[Chunk]:
        """Read ``message_start``."""
        message = require_mapping(body.get("message"), "'message'")
        yield from self._read_model(message)
        yield from self._read_usage(message)

    def open_block(self, body: Mapping[str, Any]) -> Iterator[Chunk]:
        """Read ``content_block_start``."""
        yield from self._read_block(body.get("index"), require_mapping(body.get("content_block"), "'content_block'"))

    def add_delta(self, body: Mapping[str, Any]) -> Iterator[Chunk]:
        """Read ``content_block_delta``; one of another type, such as a signature, holds nothing for the caller."""
        delta, index = require_mapping(body.get("delta"), "'delta'"), body.get("index")
        if delta.get("type") == "input_json_delta":
            if index in self._tool_indexes:
                self._check_not_finished()
                self._tools.add({"index": index, "function": {"arguments": read_text(delta, "partial_json")}})
                yield TOOL_CALL_PIECE
        else:
            yield from self._read_piece(delta)

    def finish(self, body: Mapping[str, Any]) -> Iterator[Chunk]:
        """Read ``message_delta``."""
        self._read_stop(require_mapping(body.get("delta") or {}, "'delta'"))
        yield from self._read_usage(body)

    def stop(self, body: Mapping[str, Any]) -> Iterator[Chunk]:
        """Read ``message_stop``."""
        self.stopped = True
        yield from ()

    def end(self) -> Iterator[ToolCall | FinishReason]:
        """Yield the tool calls and the finish reason, if the answer is complete.

        :raises Refused: the model refuses.
        :raises EmptyAnswer: there is no text, and the only tool calls are cut.
        :raises InvalidAnswer: a tool call is cut, though the answer did not end for its length.
        """
        if self._finish == "refusal":
            raise self._make_end_error(Refused, _describe_refusal(self._details))
        if self._finish is None and not self.stopped:
            return
        yield from self._build_calls()
        yield FinishReason(self._finish)

    def _build_calls(self) -> list[ToolCall]:
        try:
            calls = self._tools.build(cut=self._finish in _OUT_OF_TOKENS)
        except InvalidAnswer as error:
            raise self._make_end_error(InvalidAnswer, error.message) from None
        if self._tools.names and not calls and not self._has_text:
            names = snippet(", ".join(self._tools.names), 200)
            raise self._make_end_error(
                EmptyAnswer,
                f"the answer ended ({self._finish}) before its tool call ({names}) was complete, and holds no text; "
                "raise max_tokens",
            )
        return calls

    def _make_end_error(self, kind: type[_E], message: str) -> _E:
        return kind(message, finish_reason=self._finish, usage=self._make_usage())

    def _read_model(self, message: Mapping[str, Any]) -> Iterator[ServedModel]:
        name = read_text(message, "model")
        if name:
            yield ServedModel(name)

    def _read_block(self, index: object, block: Mapping[str, Any]) -> Iterator[Chunk]:
        if block.get("type") != "tool_use":
            yield from self._read_piece(block)
            return
        self._check_not_finished()
        self._tool_indexes.add(index)
        function = {"name": read_text(block, "name"), "arguments": block.get("input") or ""}
        self._tools.add({"index": index, "id": read_text(block, "id"), "function": function})
        yield TOOL_CALL_PIECE

    def _read_piece(self, piece: Mapping[str, Any]) -> Iterator[Chunk]:
        """Yield the text or the thinking of a block or of a delta."""
        kind = piece.get("type")
        if kind in ("text", "text_delta"):
            text = read_text(piece, "text")
            self._has_text = self._has_text or bool(text.strip())
            chunk: Chunk = text
        elif kind in ("thinking", "thinking_delta"):
            text = read_text(piece, "thinking")
            chunk = Reasoning(text)
        else:
            return
        if text:
            self._check_not_finished()
            yield chunk

    def _read_stop(self, holder: Mapping[str, Any]) -> None:
        self._finish = read_text(holder, "stop_reason") or self._finish
        details = holder.get("stop_details")
        self._details = details if isinstance(details, Mapping) else self._details

    def _read_usage(self, holder: Mapping[str, Any]) -> Iterator[Usage]:
        """Yield the counts where there are new ones: those of ``message_delta`` replace the ones before."""
        usage = holder.get("usage")
        counts = usage.items() if isinstance(usage, Mapping) else ()
        found = {name: count for name, count in counts if type(count) is int and count >= 0}  # True is an int, too
        self._counts.update(found)
        if found:
            yield self._make_usage()

    def _make_usage(self) -> Usage:
        """Return the counts; tokens that were written to or read from the cache belong to the prompt."""
        prompt = [self._counts[name] for name in _PROMPT_COUNTS if name in self._counts]
        return Usage(sum(prompt) if prompt else None, self._counts.get("output_tokens"))

    def _check_not_finished(self) -> None:
        if self._finish is not None:
            raise InvalidAnswer("the service went on after its stop reason: this is not one whole answer")


_HANDLERS: Mapping[str, Callable[[_Reader, Mapping[str, Any]], Iterator[Chunk]]] = {
    "message_start": _Reader.start,
    "content_block_start": _Reader.open_block,
    "content_block_delta": _Reader.add_delta,
    "message_delta": _Reader.finish,
    "message_stop": _Reader.stop,
}


def _describe_refusal(details: Mapping[str, Any]) -> str:
    text, category = details.get("explanation"), details.get("category")
    said = snippet(str(text), 500) if text else "it gives no reason"
    return f"the model refuses: {said}" + (f" ({snippet(str(category), 60)})" if category else "")
