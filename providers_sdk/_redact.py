"""Hides secrets in text by their values, and makes foreign text printable.

How it works. A service sends a key back as a URL, JSON, HTML or Python writes it, so comparing text is not enough. Each
secret becomes one regular expression: a *part* for each of its characters, which matches that character in all the
spellings that it may take (``/`` is also ``%2F``, ``\\/`` and ``&#47;``). White space may have been folded, so a run of
it is one part. A run that mixes white space with pluses is one part too: a form writes a space as a plus, and parts of
their own for both could share out the same text in more ways than a computer can try. Base64 depends on where the
secret begins, so three more spellings hold what is certain of it at each of the three places.

Foreign text is cut to a snippet before it is redacted, and so the end of a secret may be missing. At the mark of a cut
the parts are matched one by one: what begins like a secret and runs into the cut is hidden as well.

Runs are bounded, so that hostile text costs no more than its size.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote, urlsplit, urlunsplit

__all__ = ["HIDDEN", "Redactor", "bare_url", "printable", "snippet", "userinfo_secrets"]

HIDDEN = "[hidden]"
_CUT = "…"
_MIN_SECRET = 4  # replacing a shorter value would damage ordinary text and hide nothing
_LONGEST_FORM = 8  # characters that one of the secret's takes, escaped; the last one may be torn
_UNIT = r"(?s)(?=\+* )[ +]*\+[ +]*|."
_GAP = r"[\s+]|%(?:20|0[9aAdD]|2[bB])|\\{1,16}(?:[nrt+]|u002[bB])|&#0*43;|&#[xX]0*2[bB];"
_INVISIBLE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"


@lru_cache(maxsize=64)
def _compile_pattern(secrets: frozenset[str]) -> re.Pattern[str]:
    spellings = (spelling for secret in sorted(secrets, key=len, reverse=True) for spelling in _iter_spellings(secret))
    return re.compile("|".join("".join(map(_write_forms, _split_units(spelling))) for spelling in spellings))


def _split_units(spelling: str) -> list[str]:
    """Return what has a pattern of its own: each run that mixes spaces and pluses, and each other character."""
    return re.findall(_UNIT, spelling)


def _iter_spellings(secret: str) -> Iterator[str]:
    """Yield the secret, and what is certain of its base64 at each of the three places where it may begin in it."""
    from base64 import b64encode  # here, like html and json below: most programs have nothing to hide

    yield re.sub(r"\\+", r"\\", re.sub(r"[ \t\r\n]+", " ", secret))  # runs of both are as long as the writer likes
    raw = secret.encode("utf-8", "replace")
    for before in range(3):
        whole = b64encode(bytes(before) + raw).decode()
        yield whole[(8 * before + 5) // 6 : 8 * (before + len(raw)) // 6]


def _write_forms(character: str, *, whole: bool = True) -> str:
    """Return a pattern for ``character``, or a run of spaces and pluses, as URLs, JSON, Python and HTML write it.

    :param whole: whether a run must be there to its end.
    """
    if len(character) > 1:
        return f"(?:{_GAP}){{{len(character) if whole else 1},{len(character) + 40}}}"
    if character.isascii() and character.isalnum():
        return character
    if character == " ":
        return r"(?:[\s+]|%(?:20|0[9aAdD])|\\{1,16}[nrt]){1,40}"
    if character == "\\":
        return r"(?:\\|%5[cC]){1,24}"
    import html
    import json

    raw, number = character.encode("utf-8", "replace"), ord(character)
    # the character itself comes last: it may begin one of the others
    escaped = (json.dumps(character)[1:-1], repr(character)[1:-1], repr(raw)[2:-1], f"\\{character}")
    forms = ("".join(f"%{byte:02x}" for byte in raw), html.escape(character), *escaped)
    patterns = "|".join(re.escape(form).replace(r"\\", r"\\{0,16}") for form in forms if form != character)
    return f"(?i:&#0*{number};|&#x0*{number:x};|{patterns})"


class Redactor:
    """Replaces each of ``secrets``, as URLs, JSON, HTML or Python write it, by ``[hidden]``, also where cut off."""

    __slots__ = ("secrets",)

    def __init__(self, secrets: frozenset[str] = frozenset()) -> None:
        self.secrets = secrets

    def __repr__(self) -> str:
        return "Redactor()"  # tracebacks with local variables show it

    @classmethod
    def of(cls, secrets: Iterable[str]) -> "Redactor":
        """Return a redactor for ``secrets``; values of fewer than four characters are left alone."""
        return cls(frozenset(secret for secret in map(str.strip, secrets) if len(secret) >= _MIN_SECRET))

    def __call__(self, text: str) -> str:
        if not self.secrets:
            return text
        text = _compile_pattern(self.secrets).sub(HIDDEN, text)
        return self._hide_beginnings(text) if _CUT in text else text

    def _hide_beginnings(self, text: str) -> str:
        """Hide what :func:`snippet` has left of a secret at its end."""
        *heads, last = text.split(_CUT)
        return _CUT.join([*map(self._hide_beginning, heads), last])

    def _hide_beginning(self, head: str) -> str:
        starts = [start for parts in _compile_parts(self.secrets) if (start := _find_torn(parts, head)) is not None]
        return head[: min(starts)] + HIDDEN if starts else head


_Parts = tuple[tuple[re.Pattern[str], int], ...]


@lru_cache(maxsize=64)
def _compile_parts(secrets: frozenset[str]) -> tuple[_Parts, ...]:
    """Return each spelling of each secret as patterns, one a unit, with the number of its characters."""
    spellings = (spelling for secret in secrets for spelling in _iter_spellings(secret))
    return tuple(
        tuple((re.compile(_write_forms(unit, whole=False)), len(unit)) for unit in _split_units(one))
        for one in spellings
    )


def _find_torn(parts: _Parts, text: str) -> int | None:
    """Return where in ``text`` a beginning of the spelling starts that the end of ``text`` cuts off."""
    longest = _LONGEST_FORM * sum(size for _, size in parts)
    starts = range(max(0, len(text) - longest), len(text))
    return next((start for start in starts if _is_torn(parts, text, start)), None)


def _is_torn(parts: _Parts, text: str, at: int) -> bool:
    known = 0
    for part, size in parts:
        found = part.match(text, at)
        if found is None:
            return known >= _MIN_SECRET and len(text) - at < _LONGEST_FORM
        known, at = known + min(size, found.end() - at), found.end()
    return known >= _MIN_SECRET and at == len(text)


def userinfo_secrets(url: str) -> Iterator[str]:
    """Yield what is secret in the user info of ``url``, as written and decoded; nothing where there is none."""
    user, colon, password = url.rpartition("@")[0].rpartition("://")[2].partition(":")
    yield from {password, unquote(password)} if password else {user, unquote(user)}  # a lone name is the key
    yield f"{unquote(user)}{colon}{unquote(password)}"


def bare_url(url: str) -> str:
    """Return ``url`` without user info, query and fragment: fit for a message or a log."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def printable(text: str) -> str:
    """Return ``text`` with control and direction characters escaped; newline and tab stay."""
    return re.sub(_INVISIBLE, lambda found: found.group().encode("unicode_escape").decode(), text)


def snippet(text: str, most: int = 200) -> str:
    """Return the start of foreign ``text`` on one line, printable, at most ``most`` characters."""
    line = " ".join(printable(text[: most * 20]).split())
    return line if len(line) <= most and len(text) <= most * 20 else line[: most - 1] + _CUT


snippet.__module__ = "providers_sdk.plugin"
