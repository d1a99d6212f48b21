"""Faults in valid HTTP: refusals, pages, redirects and other responses without an answer."""

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import formatdate

from providers_sdk.errors import (
    AuthenticationFailed,
    Blocked,
    EmptyAnswer,
    HTTPStatusError,
    InvalidAnswer,
    RateLimited,
    TokenPageFailed,
    TokensNotFound,
)
from providers_sdk.testing.fake_service import html, json_response
from providers_sdk.testing.faults.fault import Act, Expected, NamedFault, find_kind
from providers_sdk.testing.faults.heads import CLOSE
from providers_sdk.testing.response import Response
from providers_sdk.testing.server import Connection, Received

__all__ = ["ANSWER_FAULTS", "echoed"]

_REFUSED = Expected(stream=HTTPStatusError, json=HTTPStatusError, page=TokenPageFailed)
_UNAUTHORIZED = Expected(stream=AuthenticationFailed, json=AuthenticationFailed, page=TokenPageFailed)
_NO_ANSWER = Expected(stream=InvalidAnswer, json=InvalidAnswer, page=TokensNotFound)
_LOGIN = "<title>Log in</title><form><input type=password name=password></form>"


def _respond_with(make: Callable[[Connection, Received], Response]) -> Act:
    def act(connection: Connection, received: Received) -> None:
        response = make(connection, received)
        for piece in replace(response, headers={**response.headers, **CLOSE}).encode():
            connection.send(piece)

    return act


def _make_refusal(connection: Connection, status: int, message: str, headers: Mapping[str, str]) -> Response:
    """Return a refusal in JSON, or in HTML where a page is requested."""
    if find_kind(connection.intended_response) == "page":
        return html(f"<title>{message}</title>", status=status, headers=headers)
    return json_response({"error": {"message": message}}, status=status, headers=headers)


def _refuse_with(status: int, message: str, **headers: str) -> Act:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return _respond_with(lambda connection, _: _make_refusal(connection, status, message, named))


def _refuse_until(value: Callable[[], str]) -> Act:
    return _respond_with(lambda connection, _: _make_refusal(connection, 429, "too many", {"Retry-After": value()}))


def echoed(received: Received) -> str:
    """Return what a careless service would print of a request: its credentials, as sent and decoded."""
    sent = [value for name, value in received.headers.items() if any(word in name for word in _CREDENTIALS)]
    return " ".join([*sent, *(_decode(value) for value in sent)])


_CREDENTIALS = ("auth", "secret", "key", "token", "cookie")


def _decode(value: str) -> str:
    try:
        return base64.b64decode(value.rpartition(" ")[2], validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _echo_credentials(status: int) -> Act:
    return _respond_with(
        lambda connection, received: _make_refusal(connection, status, f"your key {echoed(received)} is wrong", {})
    )


def _respond_with_page(body: str) -> Act:
    return _respond_with(lambda connection, _: html(body, status=connection.intended_response.status))


def _make_plain_text(connection: Connection, _: Received) -> Response:
    return Response(connection.intended_response.status, {"Content-Type": "text/plain"}, b"It works!", "length")


def _redirect_to(location: Callable[[Received], str]) -> Act:
    return _respond_with(
        lambda _, received: html("<title>Moved</title>", status=302, headers={"Location": location(received)})
    )


def _format_next_hour() -> str:
    return formatdate(time.time() + 3600, usegmt=True)


ANSWER_FAULTS = (
    NamedFault(
        "html_answer", "A page of HTML with a success status.", _respond_with_page("<title>Welcome</title>"), _NO_ANSWER
    ),
    NamedFault(
        "login_page", "A page that asks for a password, with a success status.", _respond_with_page(_LOGIN), _NO_ANSWER
    ),
    NamedFault(
        "plain_text", "Plain text with a success status.", _respond_with(_make_plain_text), Expected.all(InvalidAnswer)
    ),
    NamedFault(
        "empty_answer",
        "The head of a response and no body.",
        _respond_with(lambda connection, _: replace(connection.intended_response, body=b"", framing="length")),
        Expected(stream=EmptyAnswer, json=EmptyAnswer, page=TokensNotFound),
    ),
    NamedFault("no_content", "Status 204.", _respond_with(lambda *_: Response(204, framing="close")), _REFUSED),
    NamedFault("key_echoed", "Status 401, and the credentials are in the body.", _echo_credentials(401), _UNAUTHORIZED),
    NamedFault("forbidden", "Status 403, and the credentials are in the body.", _echo_credentials(403), _UNAUTHORIZED),
    NamedFault(
        "bot_wall",
        "Status 403 and a challenge of Cloudflare's.",
        _respond_with(
            lambda *_: html("<title>Just a moment...</title>", status=403, headers={"cf-mitigated": "challenge"})
        ),
        Expected.all(Blocked),
    ),
    NamedFault("too_many", "Status 429 without Retry-After.", _refuse_with(429, "too many"), Expected.all(RateLimited)),
    *(
        NamedFault(
            f"retry_after_{name}", f"Status 429, Retry-After: {about}.", _refuse_until(value), Expected.all(RateLimited)
        )
        for name, about, value in (
            ("seconds", "7", lambda: "7"),
            ("date", "a date in an hour", _format_next_hour),
            ("past", "a date that is past", lambda: "Wed, 21 Oct 2015 07:28:00 GMT"),
            ("rubbish", "no number and no date", lambda: "soon"),
            ("negative", "-5", lambda: "-5"),
            ("huge", "a number of 400 digits", lambda: "9" * 400),
        )
    ),
    *(
        NamedFault(f"status_{status}", f"Status {status}.", _refuse_with(status, message), _REFUSED)
        for status, message in (
            (400, "bad request"),
            (404, "not found"),
            (500, "it broke"),
            (501, "not built"),
            (502, "no gateway"),
            (503, "back soon"),
            (504, "upstream is slow"),
        )
    ),
    NamedFault("redirect_loop", "A redirect to the same place.", _redirect_to(lambda it: it.target), _REFUSED),
    NamedFault(
        "redirect_elsewhere",
        "A redirect to another host.",
        _redirect_to(lambda _: "http://elsewhere.invalid/"),
        _REFUSED,
    ),
    NamedFault("redirect_to_file", "A redirect to a file.", _redirect_to(lambda _: "file:///etc/hostname"), _REFUSED),
)
