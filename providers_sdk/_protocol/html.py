"""HTML pages, and the selectors that find named tokens in them; parsed by BeautifulSoup with lxml."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from providers_sdk._protocol.json import parse_json
from providers_sdk._redact import snippet
from providers_sdk.errors import TooLarge

if TYPE_CHECKING:
    from bs4 import BeautifulSoup

__all__ = ["Attr", "Page", "ScriptValue", "Selector", "TokenPage"]

MAX_TAGS = 50_000  # a parsed tag costs about 10 µs and 1 kB; the largest page seen had 477
_MAX_TOKEN = 200


class Page:
    """One fetched page.

    :param html: its bytes.
    :param url: its address, without user info and query.
    :param status: its HTTP status.
    :raises TooLarge: when the page has more than 50 000 tags.
    """

    def __init__(self, html: bytes, *, url: str = "", status: int = 200) -> None:
        tags = html.count(b"<")
        if tags > MAX_TAGS:
            raise TooLarge(f"the page {url} has {tags} tags; at most {MAX_TAGS} are read", url=url, status=status)
        self.html, self.url, self.status = html, url, status

    @cached_property
    def soup(self) -> "BeautifulSoup":
        """The parsed page."""
        from bs4 import BeautifulSoup  # half of the cold start, and only pages need it

        html = _XML.sub(b"", self.html, count=1)
        return BeautifulSoup(
            html if b"<" in html else b"<p>" + html, "lxml"
        )  # bs4 warns that text without a tag looks like a path

    @property
    def title(self) -> str:
        """The text of ``<title>``, white space folded; empty where there is none."""
        found = self.soup.find("title")
        return " ".join(found.get_text().split()) if found else ""

    @property
    def is_login(self) -> bool:
        """Whether the page asks for a password."""
        return self.soup.select_one("input[type=password]") is not None


_XML = re.compile(rb"^\s*<\?xml[^>]{0,200}>")  # XHTML is read as what it is meant for; BeautifulSoup would warn of it


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


Selector = Attr | ScriptValue
"""One way to find a token."""


@dataclass(frozen=True, slots=True)
class TokenPage:
    """Where to find a site's tokens: the page, and for each token the selectors to try, best first.

    :param tokens: name → selectors.
    :param path: the page, below the provider's ``url``.
    :param optional: names of tokens that a page may lack.
    :param advice: what to check where the page is not there or lacks a token; the end of that error's message.
    """

    tokens: Mapping[str, tuple[Selector, ...]]
    path: str = "/"
    optional: Collection[str] = ()
    advice: str = "check that the site still carries the chat"

    def extract(self, page: Page) -> dict[str, str]:
        """Return each token that the page holds."""
        return dict(self._iter_found(page))

    def _iter_found(self, page: Page) -> Iterator[tuple[str, str]]:
        for name, selectors in self.tokens.items():
            value = next(filter(None, (selector.find(page) for selector in selectors)), None)
            if value and len(value) <= _MAX_TOKEN:
                yield name, value

    def required(self, found: Mapping[str, str]) -> dict[str, str]:
        """Return those of ``found`` that a page must have: two pages carry the same tokens where these are equal."""
        return {name: value for name, value in found.items() if name not in self.optional}

    def missing(self, found: Mapping[str, str]) -> list[str]:
        """Return the names of the tokens that a page must have and that are not among ``found``."""
        return [name for name in self.tokens if name not in found and name not in self.optional]

    def describe_missing(self, page: Page, found: Mapping[str, str]) -> str:
        """Return what is missing, where it was looked for, and what the page was: for an error's message."""
        missing = self.missing(found)
        looked = "; ".join(f"{name}: {', '.join(map(str, self.tokens[name]))}" for name in missing)
        was = f"status {page.status}, title {snippet(page.title, 100)!r}, {len(page.html)} bytes"
        login = ", it asks for a password" if page.is_login else ""
        have = f"; found: {', '.join(found)}" if found else ""
        return f"the page {page.url} ({was}{login}) holds no {' and no '.join(missing)} (looked for {looked}){have}"


for _public in (Attr, Page, ScriptValue, TokenPage):
    _public.__module__ = "providers_sdk.plugin"
