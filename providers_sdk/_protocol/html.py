"""HTML pages; parsed by BeautifulSoup with lxml."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from providers_sdk.errors import TooLarge

if TYPE_CHECKING:
    from bs4 import BeautifulSoup

__all__ = ["Page"]

MAX_TAGS = 50_000  # a parsed tag costs about 10 µs and 1 kB; the largest page seen had 477


class Page:
    """One fetched page.

    :param html: its bytes.
    :param url: its address, without user info and query.
    :param status: its HTTP status.
    :param cookies: the cookies that came with it, name → value.
    :raises TooLarge: when the page has more than 50 000 tags.
    """

    def __init__(
        self, html: bytes, *, url: str = "", status: int = 200, cookies: Mapping[str, str] | None = None
    ) -> None:
        tags = html.count(b"<")
        if tags > MAX_TAGS:
            raise TooLarge(f"the page {url} has {tags} tags; at most {MAX_TAGS} are read", url=url, status=status)
        self.html, self.url, self.status = html, url, status
        self.cookies: Mapping[str, str] = dict(cookies or {})

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


Page.__module__ = "providers_sdk.plugin"
