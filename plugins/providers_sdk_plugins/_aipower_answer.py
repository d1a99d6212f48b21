"""Reads the responses of an AI Power site: a model's events, with the plugin's own sentences among them, or JSON."""

import html
import json
from collections.abc import Iterable, Iterator

from providers_sdk.plugin import EmptyAnswer, Event, InvalidAnswer, PromptRejected, Refused, snippet

__all__ = ["answer_text", "model_events"]

_FLAGS = ("tokenLimitReached", "messageFlagged", "ipBanned")


def model_events(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the model's events; raise the plugin's own sentences among them.

    :raises Refused: the plugin sent a sentence of its own, or a refusal.
    """
    events = iter(events)
    for event in events:
        if event.event == "message":
            raise Refused(f"the site says: {_read_sentence(event, events)}")
        if event.data.strip() == "[LIMITED]":
            raise Refused("the site ended the answer with its mark for a limit, [LIMITED]; try later")
        if '"msg"' in event.data and '"choices"' not in event.data:
            _refuse(_parse_object(event.data))
        yield event


def _read_sentence(first: Event, rest: Iterator[Event]) -> str:
    """Return the sentence that the plugin sends one word an event, up to its first end (it may send all twice)."""
    words = [_read_word(first)]
    for event in rest:
        if event.event != "message":
            break
        words.append(_read_word(event))
    return snippet("".join(words), 400) or "an error, in words that cannot be read"


def _read_word(event: Event) -> str:
    body = _parse_object(event.data)
    if not body:
        return _read_broken_json(event.data)
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    delta = choice.get("delta") if isinstance(choice, dict) else None
    content = delta.get("content") if isinstance(delta, dict) else None
    return content if isinstance(content, str) else event.data if choices is None else ""


def _read_broken_json(data: str) -> str:
    """Return the content of an event whose word holds a quote: the plugin writes words into the JSON as they are."""
    _, mark, rest = data.partition('"content":"')
    content, end, _ = rest.rpartition('"}')
    if mark and end:
        return content
    return "" if data.lstrip().startswith("{") else data


def _parse_object(data: str) -> dict[str, object]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def answer_text(body: object) -> str:
    """Return the text of a JSON response."""
    if not isinstance(body, dict):
        raise InvalidAnswer(f"answered a JSON {type(body).__name__} where an object belongs")
    _refuse(body)
    if body.get("status") != "success":
        raise InvalidAnswer(f"answered JSON without a status that is known: {snippet(json.dumps(body), 120)}")
    data = body.get("data")
    if data == "" or data is None:
        raise EmptyAnswer("answered 'success' without any text: its own upstream failed; ask again later")
    if not isinstance(data, str):
        raise InvalidAnswer(f"answered 'success' with data of type {type(data).__name__} where text belongs")
    return data


def _refuse(body: dict[str, object]) -> None:
    """Raise if ``body`` is one of the plugin's refusals; on success, ``msg`` means nothing."""
    if body.get("status") == "success":
        return
    if body.get("status") == "error" or any(body.get(flag) for flag in _FLAGS):
        message = html.unescape(str(body.get("msg") or body.get("data") or "no reason given"))
        kind = PromptRejected if body.get("messageFlagged") else Refused
        raise kind(f"the site says: {snippet(message, 400)}")
