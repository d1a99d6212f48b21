"""Faults in good HTTP: an answer came, and it is none."""

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
from providers_sdk.testing.faults.fault import Act, Expected, NamedFault, kind_of_answer
from providers_sdk.testing.faults.heads import CLOSE
from providers_sdk.testing.response import Response
from providers_sdk.testing.server import Connection, Received

__all__ = ["ANSWER_FAULTS", "echoed"]

_REFUSED = Expected(stream=HTTPStatusError, json=HTTPStatusError, page=TokenPageFailed)
_UNAUTHORIZED = Expected(stream=AuthenticationFailed, json=AuthenticationFailed, page=TokenPageFailed)
_NO_ANSWER = Expected(stream=InvalidAnswer, json=InvalidAnswer, page=TokensNotFound)
_LOGIN = "<title>Log in</title><form><input type=password name=password></form>"


def _answers(make: Callable[[Connection, Received], Response]) -> Act:
    def act(connection: Connection, received: Received) -> None:
        response = make(connection, received)
        for piece in replace(response, headers={**response.headers, **CLOSE}).wire():
            connection.send(piece)

    return act


def _refusal(connection: Connection, status: int, words: str, headers: Mapping[str, str]) -> Response:
    """Say no in JSON, or in HTML where a page is asked for."""
    if kind_of_answer(connection.intended_response) == "page":
        return html(f"<title>{words}</title>", status=status, headers=headers)
    return json_response({"error": {"message": words}}, status=status, headers=headers)


def _status(status: int, words: str, **headers: str) -> Act:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return _answers(lambda connection, _: _refusal(connection, status, words, named))


def _retry_after(value: Callable[[], str]) -> Act:
    return _answers(lambda connection, _: _refusal(connection, 429, "too many", {"Retry-After": value()}))


def echoed(received: Received) -> str:
    """Return what a careless service would print of a request: its credentials, as sent and decoded."""
    sent = [value for name, value in received.headers.items() if any(word in name for word in _CREDENTIALS)]
    return " ".join([*sent, *(_decoded(value) for value in sent)])


_CREDENTIALS = ("auth", "secret", "key", "token", "cookie")


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value.rpartition(" ")[2], validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _echoes(status: int) -> Act:
    return _answers(
        lambda connection, received: _refusal(connection, status, f"your key {echoed(received)} is wrong", {})
    )


def _page(body: str) -> Act:
    return _answers(lambda connection, _: html(body, status=connection.intended_response.status))


def _plain_text(connection: Connection, _: Received) -> Response:
    return Response(connection.intended_response.status, {"Content-Type": "text/plain"}, b"It works!", "length")


def _points_to(location: Callable[[Received], str]) -> Act:
    return _answers(
        lambda _, received: html("<title>Moved</title>", status=302, headers={"Location": location(received)})
    )


def _in_an_hour() -> str:
    return formatdate(time.time() + 3600, usegmt=True)


ANSWER_FAULTS = (
    NamedFault(
        "html_answer", "A page of HTML with the status of an answer.", _page("<title>Welcome</title>"), _NO_ANSWER
    ),
    NamedFault(
        "login_page", "A page that asks for a password, with the status of an answer.", _page(_LOGIN), _NO_ANSWER
    ),
    NamedFault(
        "plain_text", "Plain text with the status of an answer.", _answers(_plain_text), Expected.all(InvalidAnswer)
    ),
    NamedFault(
        "empty_answer",
        "The head of an answer and no body.",
        _answers(lambda connection, _: replace(connection.intended_response, body=b"", framing="length")),
        Expected(stream=EmptyAnswer, json=EmptyAnswer, page=TokensNotFound),
    ),
    NamedFault("no_content", "Status 204.", _answers(lambda *_: Response(204, framing="close")), _REFUSED),
    NamedFault("key_echoed", "Status 401, and the credentials are in the body.", _echoes(401), _UNAUTHORIZED),
    NamedFault("forbidden", "Status 403, and the credentials are in the body.", _echoes(403), _UNAUTHORIZED),
    NamedFault(
        "bot_wall",
        "Status 403 and a challenge of Cloudflare's.",
        _answers(lambda *_: html("<title>Just a moment...</title>", status=403, headers={"cf-mitigated": "challenge"})),
        Expected.all(Blocked),
    ),
    NamedFault("too_many", "Status 429 and no word on when.", _status(429, "too many"), Expected.all(RateLimited)),
    *(
        NamedFault(
            f"retry_after_{name}", f"Status 429, Retry-After: {about}.", _retry_after(value), Expected.all(RateLimited)
        )
        for name, about, value in (
            ("seconds", "7", lambda: "7"),
            ("date", "a date in an hour", _in_an_hour),
            ("past", "a date that is past", lambda: "Wed, 21 Oct 2015 07:28:00 GMT"),
            ("rubbish", "no number and no date", lambda: "soon"),
            ("negative", "-5", lambda: "-5"),
            ("huge", "a number of 400 digits", lambda: "9" * 400),
        )
    ),
    *(
        NamedFault(f"status_{status}", f"Status {status}.", _status(status, words), _REFUSED)
        for status, words in (
            (400, "bad request"),
            (404, "not found"),
            (500, "it broke"),
            (501, "not built"),
            (502, "no gateway"),
            (503, "back soon"),
            (504, "upstream is slow"),
        )
    ),
    NamedFault("redirect_loop", "A redirect to the same place.", _points_to(lambda it: it.target), _REFUSED),
    NamedFault(
        "redirect_elsewhere", "A redirect to another host.", _points_to(lambda _: "http://elsewhere.invalid/"), _REFUSED
    ),
    NamedFault("redirect_to_file", "A redirect to a file.", _points_to(lambda _: "file:///etc/hostname"), _REFUSED),
)
