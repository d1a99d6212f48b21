"""Decides which redirects are followed, and describes those that are not. Pure.

A redirect is followed within one host (``www.`` is the same one), never from https to http. Credentials of an address
go to another address only if that is the same host and no less safe (RFC 9110 §15.4, §4.2.2).
"""

from collections.abc import Collection
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from providers_sdk._redact import bare_url, snippet

__all__ = [
    "build_address",
    "describe_redirect",
    "find_next_address",
    "find_site",
    "is_own_host",
    "is_redirect",
    "redirect_target",
    "with_credentials",
]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def is_redirect(status: int, location: str | None) -> bool:
    """Return whether a response redirects elsewhere."""
    return status in _REDIRECTS and bool(location)


def find_next_address(address: str, status: int, location: str | None) -> str | None:
    """Return where a response from ``address`` sends to; ``None`` where it does not, or that is not allowed."""
    return redirect_target(address, location) if location and is_redirect(status, location) else None


def build_address(base: str, url: str) -> str:
    """Return the address of ``url``, a path below ``base`` or a whole address."""
    if url.startswith(("http://", "https://")):
        return with_credentials(base, url)
    return f"{base}/{url.lstrip('/')}"


def redirect_target(address: str, location: str) -> str | None:
    """Return where to go from ``address``; ``None`` where that is not allowed."""
    try:
        here, there = urlsplit(address), urlsplit(urljoin(address, location))
        same = find_site(here) == find_site(there) and (here.port == there.port or there.scheme != here.scheme)
    except ValueError:
        return None
    # urllib3 and urlsplit read different hosts from an address with one of these
    same = same and not {"\\", "@"} & set(location)
    allowed = same and (there.scheme == here.scheme or (here.scheme, there.scheme) == ("http", "https"))
    return there.geturl() if allowed else None


def describe_redirect(address: str, location: str, visited: Collection[str]) -> str:
    """Return why the redirect from ``address`` to ``location`` was not followed, its target named.

    :param visited: the addresses, without query, that have responded before.
    """
    try:
        there = urlsplit(urljoin(address, location))
        target = snippet(bare_url(there.geturl()), 120)
    except ValueError:
        return "it redirects to an address that cannot be read"
    if redirect_target(address, location) is not None:
        circle = bare_url(there.geturl()) in visited
        return f"it redirects {'in a circle, back' if circle else 'too often, at last'} to {target}"
    if there.scheme not in ("http", "https"):
        return f"it redirects to {target}, which is no web address"
    if find_site(there) == find_site(urlsplit(address)):
        return f"it redirects to {target}, another port or from https to http, which is not followed"
    return f"it redirects to {target}, another host, which is not followed; if that is the site, set 'url' to it"


def with_credentials(base: str, address: str) -> str:
    """Return ``address`` with the user info of ``base``, where it is the same host and no less safe."""
    user = urlsplit(base).netloc.rpartition("@")[0]
    if not user or not is_own_host(base, address):
        return address
    other = urlsplit(address)
    return address if "@" in other.netloc else urlunsplit(other._replace(netloc=f"{user}@{other.netloc}"))


def is_own_host(base: str, address: str) -> bool:
    """Whether ``address`` is on the host of ``base``, and no less safe: what is meant for that host may go there."""
    try:
        own, other = urlsplit(base), urlsplit(address)
        same = (own.scheme, _find_place(own)) == (other.scheme, _find_place(other))
        return same or (own.hostname == other.hostname and other.scheme == "https")
    except ValueError:
        return False


def _find_place(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2].lower()


def find_site(parts: SplitResult) -> str:
    """Return the host of an address, in lower case and without ``www.``."""
    return str(parts.hostname or "").lower().removeprefix("www.")
