"""Where a site's tokens are: the page, and the selectors that find each of them. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from providers_sdk._protocol.html import Page
from providers_sdk._protocol.selectors import Selector, describe_selector
from providers_sdk._redact import snippet

__all__ = ["TokenPage"]

_MAX_TOKEN = 4_096  # a signed one (JWT) has hundreds of characters


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
        looked = "; ".join(f"{name}: {', '.join(map(describe_selector, self.tokens[name]))}" for name in missing)
        was = f"status {page.status}, title {snippet(page.title, 100)!r}, {len(page.html)} bytes"
        login = ", it asks for a password" if page.is_login else ""
        have = f"; found: {', '.join(found)}" if found else ""
        return f"the page {page.url} ({was}{login}) holds no {' and no '.join(missing)} (looked for {looked}){have}"


TokenPage.__module__ = "providers_sdk.plugin"
