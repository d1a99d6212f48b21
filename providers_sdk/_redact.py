"""Secrets are hidden by value, wherever they turn up; foreign text is made printable."""

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

__all__ = ["HIDDEN", "Redactor", "bare_url", "printable", "snippet"]

HIDDEN = "[hidden]"
_MIN_SECRET = 4  # a shorter value would blot out ordinary words and hide nothing
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def _spellings(secret: str) -> set[str]:
    plain = base64.b64encode(secret.encode("utf-8", "replace")).decode()
    quoted = {quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")}
    return {secret, *quoted, json.dumps(secret)[1:-1], repr(secret)[1:-1], plain.rstrip("=")}


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces each of ``secrets``, in any of the spellings it takes on the wire, by ``[hidden]``."""

    secrets: frozenset[str] = field(default_factory=frozenset, repr=False)

    @classmethod
    def of(cls, secrets: Iterable[str]) -> "Redactor":
        """Return a redactor for ``secrets``; values of fewer than four characters are left alone."""
        wanted = [secret for secret in secrets if len(secret) >= _MIN_SECRET]
        return cls(frozenset(spelling for secret in wanted for spelling in _spellings(secret)))

    def __call__(self, text: str) -> str:
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text


def bare_url(url: str) -> str:
    """Return ``url`` without user info, query and fragment: fit for a message or a log."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def printable(text: str) -> str:
    """Return ``text`` with control and direction characters shown, not obeyed; newline and tab stay."""
    return _INVISIBLE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def snippet(text: str, most: int = 200) -> str:
    """Return the start of foreign ``text`` on one line, printable, at most ``most`` characters."""
    line = " ".join(printable(text[: most * 20]).split())
    return line if len(line) <= most else line[: most - 1] + "…"
