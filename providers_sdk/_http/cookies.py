"""The cookies that services set during one attempt (RFC 6265), narrowed to the site that set them.

Python's ``http.cookiejar`` decides by domain, path and expiry, as it does for requests. Three rules are stricter than
RFC 6265, because a cookie is a credential and an attempt may ask more than one service:

- A cookie goes back to the host and port that set it and nowhere else; ``www.`` counts as the same host, as it does for
  redirects, and the two standard ports count as one. RFC 6265 section 8.5 ignores ports: two services on one machine
  would get each other's cookies.
- A cookie that came over https never goes over http.
- A cookie of more than 4096 bytes or with a control character is dropped (RFC 6265bis section 5.6), and so is what
  exceeds 50 cookies a site.
"""

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from copy import copy
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from providers_sdk._http.redirects import find_site
from providers_sdk._redact import Redactor, bare_url

if TYPE_CHECKING:
    from http.cookiejar import Cookie, CookieJar
    from urllib.request import Request

__all__ = ["AttemptSecrets", "CookieSnapshot", "Cookies", "list_pairs", "names_cookie"]

_MAX_COOKIE = 4_096
_MAX_COOKIES = 50
_MAX_SECRETS = 64
_STANDARD_PORTS = {"http": 80, "https": 443}
_CLEAN = re.compile(r"[\x20-\x7e\x80-\xff]*")

_Site = tuple[str, int | None]
CookieSnapshot = tuple[tuple[_Site, "Cookie"], ...]
"""Cookies as they were at one moment; never changed, so that threads may share it."""


class AttemptSecrets:
    """Hides the secrets of one attempt: those of its session, and what it has received since, such as cookies.

    :param known: returns what hides those of the session.
    """

    def __init__(self, known: Callable[[], Redactor]) -> None:
        self._known = known
        self._received: dict[str, None] = {}

    def add(self, value: str) -> None:
        """Hide ``value`` from now on; of more than 64 values the last ones count."""
        for spelling in (value, unquote(value)):
            self._received.pop(spelling, None)
            self._received[spelling] = None
        while len(self._received) > _MAX_SECRETS:
            del self._received[next(iter(self._received))]

    def redactor(self) -> Redactor:
        """Return what hides the secrets as they are now."""
        known = self._known()
        return Redactor(known.secrets | Redactor.of(self._received).secrets) if self._received else known


class Cookies:
    """The cookies of one attempt.

    :param secrets: learns every value.
    """

    def __init__(self, secrets: AttemptSecrets) -> None:
        self._secrets = secrets
        self._jars: dict[_Site, CookieJar] = {}

    def keep(self, url: str, raw: Any) -> dict[str, str]:
        """Keep the cookies that a response sets, and remove those that it expires; return the names and values set.

        :param url: the address that responded.
        :param raw: urllib3's response.
        """
        if not url or "set-cookie" not in raw.headers or not hasattr(raw, "info"):
            return {}
        return {cookie.name: cookie.value or "" for cookie in self._extract(url, raw)}

    def add_header(self, url: str, headers: MutableMapping[str, Any]) -> None:
        """Add the cookies for ``url`` to the header ``cookie``, in the place of those of the same name."""
        own = self._make_header(url)
        if own:
            names = {pair.partition("=")[0] for pair in own.split("; ")}
            before = headers.get("cookie") or ""
            given = (before.decode("latin-1") if isinstance(before, bytes) else before).split("; ")
            kept = [pair for pair in given if pair and pair.partition("=")[0] not in names]
            headers["cookie"] = "; ".join([*kept, own])

    def snapshot(self) -> CookieSnapshot:
        """Return the cookies as they are now."""
        return tuple((site, copy(cookie)) for site, jar in self._jars.items() for cookie in jar)

    def adopt(self, cookies: CookieSnapshot) -> None:
        """Keep ``cookies``, too."""
        for site, cookie in cookies:
            self._secrets.add(cookie.value or "")
            self._open_jar(site).set_cookie(copy(cookie))

    def _extract(self, url: str, raw: Any) -> "Iterator[Cookie]":
        jar, request = self._open_jar(_find_place(url)), _make_request(url)
        for cookie in jar.make_cookies(raw, request):
            self._secrets.add(cookie.value or "")
            cookie.secure = cookie.secure or request.type == "https"
            if _can_be_kept(cookie):
                jar.set_cookie_if_ok(cookie, request)
            if len(jar) > _MAX_COOKIES:
                jar.clear(cookie.domain, cookie.path, cookie.name)
            if any(kept is cookie for kept in jar):
                yield cookie

    def _make_header(self, url: str) -> str:
        jar = self._jars.get(_find_place(url)) if self._jars else None
        if jar is None:
            return ""
        request = _make_request(url)
        jar.add_cookie_header(request)
        return str(request.get_header("Cookie") or "")

    def _open_jar(self, site: _Site) -> "CookieJar":
        from http.cookiejar import CookieJar, DefaultCookiePolicy

        # by default a cookie without the attribute Domain would go to every host below its own
        policy = DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain)
        return self._jars.setdefault(site, CookieJar(policy))


def _find_place(url: str) -> _Site:
    parts = urlsplit(url)
    return find_site(parts), None if parts.port in (None, _STANDARD_PORTS.get(parts.scheme)) else parts.port


def _make_request(url: str) -> "Request":
    """Return what ``http.cookiejar`` takes for a request; user info would pass for a part of the host."""
    from urllib.request import Request

    return Request(bare_url(url))  # noqa: S310  it opens nothing


def _can_be_kept(cookie: "Cookie") -> bool:
    text = f"{cookie.name}={cookie.value or ''}"
    return len(text) <= _MAX_COOKIE and _CLEAN.fullmatch(text) is not None


def list_pairs(cookies: CookieSnapshot) -> frozenset[tuple[str, str]]:
    """Return names and values of ``cookies``."""
    return frozenset((cookie.name, cookie.value or "") for _, cookie in cookies)


def names_cookie(headers: Mapping[str, Any]) -> bool:
    """Whether ``headers`` say themselves what cookies are sent."""
    return any(name.lower() == "cookie" for name in headers)
