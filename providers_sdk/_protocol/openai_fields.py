"""Reads the fields of the OpenAI dialect's bodies as services really fill them. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from providers_sdk._model.chunks import Reasoning, Usage
from providers_sdk._redact import snippet
from providers_sdk.errors import InvalidAnswer

__all__ = [
    "find_choice",
    "find_error",
    "find_plain_text",
    "iter_content",
    "list_filtered",
    "read_finish_reason",
    "read_refusal",
    "read_usage",
    "require_mapping",
]


def require_mapping(value: object, name: str) -> Mapping[str, Any]:
    """Return ``value`` if it is a JSON object.

    :raises InvalidAnswer: it is not; ``name`` is what it should have been.
    """
    if not isinstance(value, dict):
        raise InvalidAnswer(f"{name} should be an object, not {type(value).__name__}: {snippet(str(value), 80)!r}")
    return value


def find_error(body: object) -> object:
    """Return the error in ``body``, ``None`` where there is none: under ``error``, in a list (Gemini), or all of it."""
    if isinstance(body, list):
        return next((item["error"] for item in body if isinstance(item, dict) and item.get("error")), None)
    if not isinstance(body, dict):
        return None
    return body.get("error") or (body if body.get("object") == "error" else None)


def find_choice(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the choice of index 0; with ``n`` above 1 a service mixes several."""
    choices = body.get("choices") or []
    if not isinstance(choices, list):
        raise InvalidAnswer(f"'choices' should be a list, not {type(choices).__name__}")
    found = [require_mapping(choice, "a choice") for choice in choices]
    return next((choice for choice in found if not choice.get("index")), None)


_TEXT_FIELDS = frozenset({"content", "role"})


def find_plain_text(body: Any, model: str) -> str:
    """Return the text of an ordinary body of a stream, which holds nothing else; empty where a closer look is needed.

    Nearly all bodies are such ones, and most fields are there to be asked for in each of them.

    :param model: the model's name in the body before.
    """
    if not isinstance(body, dict) or body.get("error") or body.get("object") == "error":
        return ""
    choices = body.get("choices")
    if body.get("usage") is not None or body.get("model", "") != model or type(choices) is not list:
        return ""
    choice = choices[0] if len(choices) == 1 else None
    if not isinstance(choice, dict) or choice.get("index") or choice.get("finish_reason") is not None:
        return ""
    delta = choice.get("delta")
    if not isinstance(delta, dict) or choice.get("content_filter_results") is not None:
        return ""
    if len(delta) > 1 and any(delta[name] for name in delta.keys() - _TEXT_FIELDS):
        return ""
    content = delta.get("content")
    return content if isinstance(content, str) else ""


def iter_content(delta: Mapping[str, Any]) -> Iterator[str | Reasoning]:
    """Yield thinking and text: strings, or Mistral's list of parts."""
    thinking = delta.get("reasoning_content") or delta.get("reasoning")
    if isinstance(thinking, str) and thinking:
        yield Reasoning(thinking)
    content = delta.get("content")
    if isinstance(content, list):
        for part in content:
            yield from _iter_part(require_mapping(part, "a part of 'content'"))
    elif content is not None and not isinstance(content, str):
        raise InvalidAnswer(f"'content' should be text or a list, not {type(content).__name__}")
    elif content:
        yield content


def _iter_part(part: Mapping[str, Any]) -> Iterator[str | Reasoning]:
    """Yield a part's text or thinking; other types (a reference, an image) hold none."""
    kind = part.get("type", "text")
    if kind == "text" and part.get("text"):
        yield _require_text(part["text"])
    elif kind == "thinking":
        inner = part.get("thinking")
        pieces = inner if isinstance(inner, list) else [{"text": inner}]
        for piece in pieces:
            text = require_mapping(piece, "a part of 'thinking'").get("text")
            if text:
                yield Reasoning(_require_text(text))


def _require_text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidAnswer(f"'text' should be text, not {type(value).__name__}")
    return value


def read_refusal(delta: Mapping[str, Any]) -> str:
    """Return the model's refusal, from its own field or from a part of the content; empty where there is none."""
    content = delta.get("content")
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    found = [holder.get("refusal") for holder in (delta, *parts)]
    return "".join(text for text in found if isinstance(text, str))


def read_usage(body: Mapping[str, Any]) -> Usage | None:
    """Return the token counts that are known; ``None`` where none is."""
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt, completion = _read_count(usage.get("prompt_tokens")), _read_count(usage.get("completion_tokens"))
    return None if prompt is None and completion is None else Usage(prompt, completion)


def _read_count(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and value >= 0 else None  # True is an int, too


def read_finish_reason(choice: Mapping[str, Any]) -> str | None:
    """Return the finish reason; ``None`` where it is null, absent or empty."""
    reason = choice.get("finish_reason")
    if reason is not None and not isinstance(reason, str):
        raise InvalidAnswer(f"'finish_reason' should be text, not {type(reason).__name__}")
    return reason or None


def list_filtered(choice: Mapping[str, Any]) -> list[str]:
    """Return the categories for which Azure's content filter held the answer back."""
    results = choice.get("content_filter_results")
    rows = results.items() if isinstance(results, dict) else ()
    return [str(name) for name, row in rows if isinstance(row, dict) and row.get("filtered") is True]
