"""Finds the secrets in a ``requests.Session`` that the caller passed in.

A session does not tell which of its values are credentials, so this library decides by name and by value:

- all cookies, and all that its ``auth`` holds or adds to a request;
- headers and ``params`` whose name contains a word for a credential (``X-Session-Id``, ``client_secret``);
- any other header or parameter whose value looks made by a machine: without white space, of at least 8 characters
  with a digit among them, or of at least 20;
- never the headers that describe a message or its sender (``Accept-Language``, ``User-Agent``).

To hide too much costs a word in a message; to hide too little costs a key. So the rule prefers the first.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    import requests

__all__ = ["find_added_secrets", "find_lent_secrets", "snapshot"]

_CREDENTIAL = re.compile(
    "auth|cookie|credential|csrf|jwt|key|nonce|pass|pwd|secret|session|sid$|signature|ticket|token", re.IGNORECASE
)
_MACHINE_MADE = re.compile(r"(?=\S*\d)\S{8,}|\S{20,}")
_PUBLIC_HEADER = re.compile(
    "accept(-.*)?|cache-control|connection|content-.*|date|dnt|expect|from|host|keep-alive|origin|pragma|range|referer|te"
    "|transfer-encoding|upgrade-insecure-requests|user-agent|via",
    re.IGNORECASE,
)

Pairs = Iterable[tuple[str, str]]


def find_lent_secrets(lent: "requests.Session") -> Iterator[str]:
    """Yield the values of the session ``lent`` that no message or log may show."""
    for name, value in _iter_pairs(lent.headers):
        if not _PUBLIC_HEADER.fullmatch(name):
            yield from _find_secret_parts(name, value)
    for name, value in _iter_pairs(lent.params):
        yield from _find_secret_parts(name, value)
    yield from (cookie.value for cookie in lent.cookies if cookie.value)
    yield from _find_auth_secrets(lent.auth)


def snapshot(prepared: "requests.PreparedRequest") -> frozenset[tuple[str, str]]:
    """Return the headers and the query of a prepared request, to be compared with what they are later."""
    query = parse_qsl(urlsplit(prepared.url or "").query, keep_blank_values=True)
    return frozenset(
        [*(pair for pair in _iter_pairs(prepared.headers) if not _PUBLIC_HEADER.fullmatch(pair[0])), *query]
    )


def find_added_secrets(before: frozenset[tuple[str, str]], after: frozenset[tuple[str, str]]) -> Iterator[str]:
    """Yield what an ``auth`` added to a request: all of it counts as secret."""
    for _, value in after - before:
        yield from _add_last_word(value)


def _find_secret_parts(name: str, value: str) -> Iterator[str]:
    if _CREDENTIAL.search(name) or _MACHINE_MADE.fullmatch(value.rpartition(" ")[2]):
        yield from _add_last_word(value)


def _add_last_word(value: str) -> Iterator[str]:
    yield from (value, value.rpartition(" ")[2])  # "Bearer <key>": the key alone, too


def _find_auth_secrets(auth: object) -> Iterator[str]:
    if isinstance(auth, tuple):
        yield from _join_user_and_password(auth)
        return
    held = {name: _decode(value) for name, value in getattr(auth, "__dict__", {}).items()}
    yield from _join_user_and_password((held.get("username", ""), held.get("password", "")))
    for name, value in held.items():
        yield from _find_secret_parts(name, value)


def _join_user_and_password(pair: tuple[Any, ...]) -> Iterator[str]:
    texts = [_decode(item) for item in pair]
    if texts and texts[-1]:
        yield from (texts[-1], ":".join(texts))


def _iter_pairs(given: Any) -> Pairs:
    """Yield name and value of what requests takes for headers or params: a mapping, pairs, or a query string."""
    if isinstance(given, (str, bytes)):
        given = parse_qsl(_decode(given))
    for name, values in given.items() if isinstance(given, Mapping) else given or ():
        for value in values if isinstance(values, (list, tuple, set)) else (values,):
            yield _decode(name), _decode(value)


def _decode(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return str(value) if isinstance(value, (str, int)) else ""
