"""Selectors: the ways to find a token on a page. Pure."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from providers_sdk._protocol.html import Page
from providers_sdk._protocol.json import parse_json
from providers_sdk.errors import InvalidArgument

__all__ = [
    "Attr",
    "CookieValue",
    "ElementText",
    "Meta",
    "ScriptJson",
    "ScriptMatch",
    "ScriptValue",
    "Selector",
    "describe_selector",
]

_JSON_SCRIPTS = "script[type='application/json'], script[type='application/ld+json']"
_MOST_STARTS = 20
_LITERAL = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)  # an escaped character, or a class
_UNBOUNDED = re.compile(r"[*+]|\{\d*,\}")
_decoder = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Attr:
    """A token in an attribute: of the first element that matches and has it.

    :param css: a CSS selector.
    :param name: the attribute.
    :param pattern: a regular expression whose first group is the token; the whole value where there is none.
    """

    css: str
    name: str
    pattern: str | None = None

    def find(self, page: Page) -> str | None:
        """Return the token, or ``None``."""
        values = (element.get(self.name) for element in page.soup.select(self.css))
        texts = (" ".join(value) if isinstance(value, list) else value for value in values if value)
        return next(filter(None, map(self._cut, texts)), None)

    def _cut(self, value: str) -> str | None:
        if self.pattern is None:
            return value.strip()
        found = re.search(self.pattern, value[:1000])
        return found.group(1) if found else None

    def __str__(self) -> str:
        return f"{self.css} {self.name}"


@dataclass(frozen=True, slots=True)
class ScriptValue:
    """A token in an inline script as ``"name": "value"``."""

    name: str

    def find(self, page: Page) -> str | None:
        """Return the token, or ``None``."""
        return next(filter(None, (self._search(str(script.string or "")) for script in page.soup("script"))), None)

    def _search(self, script: str) -> str | None:
        found = re.search(rf'"{re.escape(self.name)}"\s*:\s*("(?:[^"\\\n]|\\.){{1,200}}")', script)
        try:
            value = parse_json(found.group(1)) if found else None
        except ValueError:
            return None
        return value if isinstance(value, str) else None

    def __str__(self) -> str:
        return f"script value {self.name!r}"


@dataclass(frozen=True, slots=True)
class ElementText:
    """A token in the text of the first element that matches and has some, white space folded.

    :param css: a CSS selector.
    :param pattern: a regular expression whose first group is the token; the whole text where there is none.
    :raises InvalidArgument: the pattern has no group, or repeats something without a bound.
    """

    css: str
    pattern: str | None = None

    def __post_init__(self) -> None:
        if self.pattern is not None:
            _check_pattern(self.pattern)

    def find(self, page: Page) -> str | None:
        """Return the token, or ``None``."""
        texts = (" ".join(element.get_text().split()) for element in page.soup.select(self.css))
        return next(filter(None, map(self._cut, texts)), None)

    def _cut(self, text: str) -> str | None:
        return text if self.pattern is None else _search(self.pattern, text)

    def __str__(self) -> str:
        return f"text of {self.css}"


@dataclass(frozen=True, slots=True)
class Meta:
    """A token in ``<meta name="…" content="…">``, or in one with that ``property`` or ``http-equiv``."""

    name: str

    def find(self, page: Page) -> str | None:
        """Return the token, or ``None``."""
        named = (meta for meta in page.soup("meta") if self._is_named(meta))
        return next(filter(None, (str(meta.get("content") or "").strip() for meta in named)), None)

    def _is_named(self, meta: Any) -> bool:
        names = (str(meta.get(name) or "") for name in ("name", "property", "http-equiv"))
        return self.name.lower() in map(str.lower, names)

    def __str__(self) -> str:
        return f"meta {self.name!r}"


@dataclass(frozen=True, slots=True)
class CookieValue:
    """A token that is the value of a cookie of the page, for services that want it in the request, too."""

    name: str

    def find(self, page: Page) -> str | None:
        """Return the token, or ``None``."""
        return page.cookies.get(self.name) or None

    def __str__(self) -> str:
        return f"cookie {self.name!r}"


@dataclass(frozen=True, slots=True)
class ScriptMatch:
    """A token in an inline script: the first group of a regular expression.

    :param pattern: such as ``r'nonce = "([0-9a-f]{10})"'``; begin it with literal text, and bound each repetition, as
        ``{1,200}`` does: a page can make an unbounded one run for hours.
    :raises InvalidArgument: the pattern has no group, or repeats something without a bound.
    """

    pattern: str

    def __post_init__(self) -> None:
        _check_pattern(self.pattern)

    def find(self, page: Page) -> str | None:
        """Return the token, or ``None``."""
        return next(filter(None, (_search(self.pattern, script) for script in _iter_scripts(page, "script"))), None)

    def __str__(self) -> str:
        return f"script match {self.pattern!r}"


@dataclass(frozen=True, slots=True)
class ScriptJson:
    """A token in the JSON of a script: text or a whole number at a path of names and indices.

    Without ``after``, the whole script is JSON, as in ``<script type="application/json" id="…">``. With it, the JSON is
    what follows that text in an inline script, as in ``window.__STATE__ = {"user": {"token": "…"}}``.

    :param path: such as ``"props.pageProps.token"`` or ``"users.0.token"``; a tuple where a name holds a dot.
    :param css: which scripts; those of a JSON type where nothing is given, with ``after`` all inline scripts.
    :param after: the text before the JSON, such as ``"window.__STATE__ ="``.
    """

    path: str | tuple[str | int, ...]
    css: str | None = None
    after: str | None = None

    def find(self, page: Page) -> str | None:
        """Return the token, or ``None``."""
        scripts = _iter_scripts(page, self.css or (_JSON_SCRIPTS if self.after is None else "script"))
        values = (value for script in scripts for value in self._iter_json(script))
        return next(filter(None, (self._follow(value) for value in values)), None)

    def _iter_json(self, script: str) -> Iterator[Any]:
        starts = [0] if self.after is None else _find_ends(self.after, script)
        for start in starts:
            try:
                yield _decoder.raw_decode(script[start:].lstrip())[0]
            except (ValueError, RecursionError):
                continue

    def _follow(self, value: Any) -> str | None:
        for step in self.path.split(".") if isinstance(self.path, str) else self.path:
            value = _take(value, step)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return value if isinstance(value, str) else None

    def __str__(self) -> str:
        path = self.path if isinstance(self.path, str) else ".".join(map(str, self.path))
        where = "JSON script" if self.css is None else f"JSON of {self.css}"
        return f"{path!r} in {where if self.after is None else f'the JSON after {self.after!r}'}"


def _iter_scripts(page: Page, css: str) -> Iterator[str]:
    yield from (str(script.string or "") for script in page.soup.select(css))


def _find_ends(text: str, script: str) -> list[int]:
    """Return where the first occurrences of ``text`` in ``script`` end."""
    found = re.finditer(re.escape(text), script) if text else ()
    return [one.end() for one in islice(found, _MOST_STARTS)]


def _take(value: Any, step: str | int) -> Any:
    """Return the member or item of ``value`` at ``step``; ``None`` where there is none."""
    if isinstance(value, dict):
        return value.get(str(step))
    if isinstance(value, list) and str(step).isdecimal() and int(step) < len(value):
        return value[int(step)]
    return None


def _search(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found.group(1) if found else None


def _check_pattern(pattern: str) -> None:
    """Refuse a pattern that Python's ``re``, which goes back over all ways to repeat, may need hours for."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise InvalidArgument(f"the pattern {pattern!r:.60} is no regular expression: {error}") from None
    if not groups:
        raise InvalidArgument(f"the pattern {pattern!r:.60} has no group; put the token into parentheses")
    if _UNBOUNDED.search(_LITERAL.sub("x", pattern)):
        raise InvalidArgument(f"the pattern {pattern!r:.60} repeats without a bound; write {{0,200}} instead of * or +")


class Selector(Protocol):
    """A way to find a token on a page: :class:`Attr`, :class:`Meta` and the others, or a class of your own.

    Where a token is missing, the error shows the selector's ``str()``, or the name of its class where it has none.
    """

    def find(self, page: Page) -> str | None:
        """Return the token, or ``None`` where the page does not hold it."""


def describe_selector(selector: Selector) -> str:
    """Return what an error's message says of ``selector``."""
    has_text = type(selector).__str__ is not object.__str__ or type(selector).__repr__ is not object.__repr__
    return str(selector) if has_text else type(selector).__name__


for _public in (Attr, CookieValue, ElementText, Meta, ScriptJson, ScriptMatch, ScriptValue, Selector):
    _public.__module__ = "providers_sdk.plugin"
