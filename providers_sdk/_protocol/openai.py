"""The OpenAI dialect: events or a whole completion in, chunks out. Pure.

After the public reference of ``POST /chat/completions`` and what compatible services really send: role-only first
deltas, ``content`` null or absent, empty ``choices``, usage after the finish, thinking text under two names, error
objects in mid-stream, and streams without ``[DONE]``.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from providers_sdk._model.chunks import Chunk, FinishReason, Reasoning, Usage
from providers_sdk._protocol.json import parse_json
from providers_sdk._protocol.sse import Event
from providers_sdk._redact import snippet
from providers_sdk.errors import InvalidAnswer, Refused, TransportError

__all__ = ["DONE", "iter_completion", "iter_deltas"]

DONE = "[DONE]"


def iter_deltas(events: Iterable[Event]) -> Iterator[Chunk]:
    """Yield the chunks of a stream of deltas; the finish reason last, and only if the service gave one.

    Once the finish reason is there the answer is complete: a connection that dies while the end mark is awaited
    takes nothing from it.

    :raises Refused: on an error object or an ``error`` event, with the service's words.
    :raises InvalidAnswer: when an event is not what the dialect has.
    """
    finish: FinishReason | None = None
    try:
        for event in events:
            if event.data.strip() == DONE:
                break
            for chunk in _of_event(event):
                if finish is not None and not isinstance(chunk, Usage) and chunk != finish:
                    raise InvalidAnswer("the service went on after its finish reason: this is not one whole answer")
                if isinstance(chunk, FinishReason):
                    finish = chunk
                else:
                    yield chunk
    except TransportError:
        if finish is None:
            raise
    if finish is not None:
        yield finish


def iter_completion(answer: object) -> Iterator[Chunk]:
    """Yield the chunks of a whole, not streamed completion.

    :raises Refused: on an error object.
    :raises InvalidAnswer: when it is not what the dialect has.
    """
    body = _mapping(answer, "the answer")
    _refuse(body)
    choice = _first_choice(body)
    if choice is None:
        raise InvalidAnswer("the answer has no choices")
    yield from _texts(_mapping(choice.get("message") or {}, "message"))
    yield from _usage(body)
    yield from _finish(choice)


def _of_event(event: Event) -> Iterator[Chunk]:
    if not event.data.strip():
        return
    if event.event == "error":
        raise Refused(f"the service says: {_words(event.data)}")
    body = _mapping(_parsed(event.data), "an event")
    _refuse(body)
    choice = _first_choice(body)
    if choice is not None:
        yield from _texts(_mapping(choice.get("delta") or {}, "delta"))
    yield from _usage(body)
    if choice is not None:
        yield from _finish(choice)


def _parsed(data: str) -> object:
    try:
        return parse_json(data)
    except ValueError as error:
        raise InvalidAnswer(f"an event of the stream is no JSON: {snippet(data, 100)!r}") from error


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidAnswer(
            f"{what} of the stream should be an object, not {type(value).__name__}: {snippet(str(value), 80)!r}"
        )
    return value


def _first_choice(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    choices = body.get("choices")
    if not choices:
        return None
    if not isinstance(choices, list):
        raise InvalidAnswer(f"'choices' should be a list, not {type(choices).__name__}")
    choice = _mapping(choices[0], "a choice")
    return choice if not choice.get("index") else None


def _texts(delta: Mapping[str, Any]) -> Iterator[Chunk]:
    thinking = delta.get("reasoning_content") or delta.get("reasoning")
    if isinstance(thinking, str) and thinking:
        yield Reasoning(thinking)
    content = delta.get("content")
    if content is not None and not isinstance(content, str):
        raise InvalidAnswer(f"'content' should be text, not {type(content).__name__}")
    if content:
        yield content


def _usage(body: Mapping[str, Any]) -> Iterator[Usage]:
    usage = body.get("usage")
    if isinstance(usage, dict):
        prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if type(prompt) is int and type(completion) is int:  # True is an int, too
            yield Usage(prompt, completion)


def _finish(choice: Mapping[str, Any]) -> Iterator[FinishReason]:
    reason = choice.get("finish_reason")
    if reason is not None and not isinstance(reason, str):
        raise InvalidAnswer(f"'finish_reason' should be text, not {type(reason).__name__}")
    if reason:
        yield FinishReason(reason)


def _refuse(body: Mapping[str, Any]) -> None:
    error = body.get("error")
    if error:
        raise Refused(f"the service says: {_error_words(error)}")


def _error_words(error: object) -> str:
    if isinstance(error, dict):
        kind = error.get("code") or error.get("type")
        words = snippet(str(error.get("message") or error))
        return f"{words} ({snippet(str(kind), 60)})" if kind else words
    return snippet(str(error))


def _words(data: str) -> str:
    try:
        body = parse_json(data)
    except ValueError:
        return snippet(data)
    return _error_words(body.get("error") or body if isinstance(body, dict) else body)


for _public in (iter_deltas, iter_completion):
    _public.__module__ = "providers_sdk.plugin"
