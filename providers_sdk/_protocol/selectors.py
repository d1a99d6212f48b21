"""Selectors: the ways to find a token on a page. Pure."""

import re
from dataclasses import dataclass

from providers_sdk._protocol.html import Page
from providers_sdk._protocol.json import parse_json

__all__ = ["Attr", "ScriptValue", "Selector"]


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


for _public in (Attr, ScriptValue):
    _public.__module__ = "providers_sdk.plugin"
