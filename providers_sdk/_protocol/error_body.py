"""What a status means, and the words of a service in a body that is no answer: a title, a JSON error's message."""

from http import HTTPStatus

from providers_sdk import errors
from providers_sdk._protocol.html import Page
from providers_sdk._protocol.json import parse_json
from providers_sdk._redact import snippet

__all__ = ["html_words", "json_words", "phrase", "status_class"]

_STATUS: dict[int, type[errors.ProviderError]] = {
    401: errors.AuthenticationFailed,
    403: errors.AuthenticationFailed,
    407: errors.ProxyFailed,
    429: errors.RateLimited,
}


def status_class(status: int) -> type[errors.ProviderError]:
    """Return the class of the error that a status is, where it is none of an answer."""
    return _STATUS.get(status, errors.HTTPStatusError)


def phrase(status: int) -> str:
    """Return the status's standard phrase; empty where it has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def html_words(text: str) -> str:
    """Return what a page says of itself."""
    try:
        page = Page(text.encode("utf-8", "replace"))
    except errors.TooLarge:
        return "an HTML page"
    words = page.title or snippet(page.soup.get_text(" "), 150)
    login = ", which asks for a password" if page.is_login else ""
    return f"an HTML page, {snippet(words, 150)!r}{login}"


def json_words(text: str) -> str:
    """Return the message of a JSON error; empty where there is none."""
    try:
        body = parse_json(text)
    except ValueError:
        return ""
    inner = body.get("error") or body.get("message") or body.get("detail") if isinstance(body, dict) else None
    words = inner.get("message") if isinstance(inner, dict) else inner
    return snippet(words) if isinstance(words, str) else ""
