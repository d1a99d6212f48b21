"""Reads an answer of Ollama's own API: lines of JSON, or one, in; chunks out. Pure.

After ``ChatResponse`` in ollama 0.6.3 (_types.py) and https://docs.ollama.com/api/streaming. Each line adds a piece of
text or thinking, or whole tool calls; the last one has ``done``, the reason and the counts. An error in mid-stream is a
line that holds ``error`` and, from some versions on, ``status``.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from providers_sdk.plugin import (
    TOOL_CALL_PIECE,
    AuthenticationFailed,
    Chunk,
    FinishReason,
    HTTPStatusError,
    InvalidAnswer,
    ProviderError,
    RateLimited,
    Reasoning,
    Refused,
    ServedModel,
    ToolCallBuilder,
    Usage,
    snippet,
)
from providers_sdk_plugins._fields import read_text, require_mapping

__all__ = ["is_last", "iter_lines"]

_KINDS: Mapping[int, type[HTTPStatusError]] = {401: AuthenticationFailed, 403: AuthenticationFailed, 429: RateLimited}


def is_last(line: object) -> bool:
    """Return whether the value of a line is the last one of its answer."""
    return isinstance(line, dict) and line.get("done") is True


def iter_lines(lines: Iterable[object]) -> Iterator[Chunk]:
    """Yield the chunks of an answer; the finish reason last, and only if the answer is complete.

    :param lines: the values of the lines; the one body of an answer that is not streamed.
    :raises Refused: a line holds an error.
    :raises HTTPStatusError: it holds an error with its status.
    :raises InvalidAnswer: a line is not what the API sends.
    """
    tools, model = ToolCallBuilder(whole=True), ""
    for line in lines:
        body = require_mapping(line, "a line of the answer")
        if body.get("error"):
            raise _make_error(body)
        name = read_text(body, "model")
        if name and name != model:
            model = name
            yield ServedModel(name)
        yield from _read_message(require_mapping(body.get("message") or {}, "'message'"), tools)
        if is_last(body):
            yield from tools.build(cut=False)
            yield from _read_usage(body)
            yield FinishReason(read_text(body, "done_reason") or None)
            return


def _make_error(body: Mapping[str, Any]) -> ProviderError:
    error, status = body["error"], body.get("status", body.get("status_code"))
    text = error if isinstance(error, str) else error.get("message") if isinstance(error, dict) else None
    message = f"the service says: {snippet(str(text or error))}"
    if type(status) is not int or not 400 <= status <= 599:
        return Refused(message)
    return _KINDS.get(status, HTTPStatusError)(message, status=status)


def _read_message(message: Mapping[str, Any], tools: ToolCallBuilder) -> Iterator[Chunk]:
    thinking, text = read_text(message, "thinking"), read_text(message, "content")
    if thinking:
        yield Reasoning(thinking)
    if text:
        yield text
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise InvalidAnswer(f"'tool_calls' should be a list, not {type(calls).__name__}")
    for call in calls:
        tools.add(require_mapping(call, "a tool call"))
        yield TOOL_CALL_PIECE


def _read_usage(body: Mapping[str, Any]) -> Iterator[Usage]:
    """Yield the counts; the prompt's is left out where all of it was in the cache."""
    prompt, completion = _read_count(body, "prompt_eval_count"), _read_count(body, "eval_count")
    if prompt is not None or completion is not None:
        yield Usage(prompt, completion)


def _read_count(body: Mapping[str, Any], key: str) -> int | None:
    value = body.get(key)
    return value if type(value) is int and value >= 0 else None  # True is an int, too
