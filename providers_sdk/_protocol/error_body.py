"""Explains error responses: what the status means, and the service's own text, from a page's title or a JSON error."""

import json
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from providers_sdk import errors
from providers_sdk._protocol.json import parse_json
from providers_sdk._redact import snippet

__all__ = [
    "MAX_JSON_PARTS",
    "describe_body",
    "error_text",
    "explain_missing_events",
    "explain_status",
    "explain_type",
    "explain_wall",
    "is_prompt_rejection",
    "json_error_text",
    "read_json",
]

MAX_JSON_PARTS = 200_000  # each costs about 3 µs and 500 bytes, whatever its size in the body
_STATUS: dict[int, type[errors.ProviderError]] = {
    401: errors.AuthenticationFailed,
    403: errors.AuthenticationFailed,
    407: errors.ProxyFailed,
    429: errors.RateLimited,
}
_KEYS = ("error", "errors", "message", "detail")
_MAX_DEPTH = 5
_MAX_FAULTS = 5
_MAX_SHOWN = 4_000
_MESSAGE = r'(?s)"(?:message|detail|error)"\s*:\s*"((?:[^"\\]|\\.)+)'


def explain_status(status: int, description: str, text: str) -> tuple[type[errors.ProviderError], str]:
    """Return class and message of the error for an unexpected ``status``.

    :param description: what :func:`describe_body` returns for the body.
    :param text: the body.
    """
    kind = errors.PromptRejected if _is_prompt_rejected(text) else _STATUS.get(status, errors.HTTPStatusError)
    return kind, f"answered {status} {_find_phrase(status)}".rstrip() + (f": {description}" if description else "")


def explain_type(
    status: int, found: str, expected: Iterable[str], description: str
) -> tuple[type[errors.ProviderError], str]:
    """Return class and message of the error for a body whose media type is not one of ``expected``."""
    message = f"answered {status} with {snippet(found, 80) or 'no content type'} instead of {' or '.join(expected)}"
    return errors.InvalidAnswer, message + (f": {description}" if description else "")


def explain_wall(status: int, wall: str) -> tuple[type[errors.ProviderError], str]:
    """Return class and message of the error for a response of the bot wall ``wall``."""
    return (
        errors.Blocked,
        f"a bot wall ({wall}) answered {status} in the site's place; "
        "open the site in a browser to see whether it lets programs in at all",
    )


def explain_missing_events(status: int, head: bytes) -> tuple[type[errors.ProviderError], str]:
    """Return class and message of the error for an event stream that begins with ``head`` and holds no event."""
    found = head.decode("utf-8", "replace").strip()
    if not found:
        return errors.EmptyAnswer, f"answered {status} with an event stream that holds nothing"
    message = json_error_text(found)
    if message:
        return errors.Refused, f"the service says: {message}"
    shown = _describe_page(found) if found.startswith("<") else snippet(found)
    return errors.InvalidAnswer, f"answered {status} with an event stream that holds no event: {shown}"


def read_json(body: bytes) -> Any:
    """Return ``body`` as JSON.

    :raises EmptyAnswer: it is empty.
    :raises TooLarge: it has too many parts.
    :raises InvalidAnswer: it is no JSON; caused by the parser's error.
    """
    if not body.strip():
        raise errors.EmptyAnswer("an empty body")
    parts = body.count(b"[") + body.count(b"{")
    if parts > MAX_JSON_PARTS:
        raise errors.TooLarge(f"JSON of {parts} lists and objects; at most {MAX_JSON_PARTS} are read")
    try:
        return parse_json(body)
    except ValueError as error:
        text = body[:_MAX_SHOWN].decode("utf-8", "replace")
        shown = json_error_text(text) or repr(snippet(text, 100))
        raise errors.InvalidAnswer(f"JSON that cannot be read: {shown}") from error


def describe_body(text: str, content_type: str) -> str:
    """Return the text of an error body on one line; empty where it has none."""
    return _describe_page(text) if "html" in content_type else json_error_text(text) or snippet(text)


def _find_phrase(status: int) -> str:
    """Return the status's standard phrase; empty where it has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _describe_page(text: str) -> str:
    """Return a page's title, or the start of its text."""
    from providers_sdk._protocol.html import Page

    try:
        page = Page(text.encode("utf-8", "replace"))
    except errors.TooLarge:
        return "an HTML page"
    title = page.title or snippet(page.soup.get_text(" "), 150)
    login = ", which asks for a password" if page.is_login else ""
    return f"an HTML page, {snippet(title, 150)!r}{login}"


def json_error_text(text: str) -> str:
    """Return the message of an error in JSON ``text``; empty where there is none.

    For JSON that is broken or cut off, the first message in it is returned.
    """
    try:
        return error_text(parse_json(text))
    except ValueError:
        found = re.search(_MESSAGE, text) if text.lstrip()[:1] in ("{", "[") else None
        return snippet(_unescape(found[1])) if found else ""


def error_text(body: object) -> str:
    """Return the message in ``body``, the parsed JSON of an error, on one line; empty where it holds none.

    Besides OpenAI's ``{"error": {"message"}}`` these are read: a list of such objects (Gemini), a ``detail`` that
    lists faults (FastAPI), and a ``message`` that holds such a ``detail`` (Mistral).
    """
    return snippet(_find_text(body, _MAX_DEPTH)) if isinstance(body, (dict, list)) else ""


def _find_text(value: object, depth: int) -> str:
    if isinstance(value, str):
        return value
    if depth and isinstance(value, list):
        return "; ".join(filter(None, (_find_text(item, depth - 1) for item in value[:_MAX_FAULTS])))
    if depth and isinstance(value, dict):
        inner = (_find_text(value.get(key), depth - 1) for key in _KEYS)
        return _describe_fault(value) or next(filter(None, inner), "")
    return ""


def _describe_fault(value: dict[str, Any]) -> str:
    """Return one fault of FastAPI's list: where in the request it is, and what it is."""
    where, message = value.get("loc"), value.get("msg")
    if not isinstance(where, list) or not isinstance(message, str):
        return ""
    return f"{'.'.join(map(str, where))}: {message}"


def _unescape(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _is_prompt_rejected(text: str) -> bool:
    try:
        return is_prompt_rejection(parse_json(text))
    except ValueError:
        return False


def is_prompt_rejection(body: object) -> bool:
    """Return whether ``body`` rejects the question for its content: Azure's code ``content_filter``.

    https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter
    """
    error = body.get("error") if isinstance(body, dict) else None
    return isinstance(error, dict) and error.get("code") == "content_filter"
