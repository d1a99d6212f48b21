"""Parses and checks proxy addresses."""

import importlib.util
from urllib.parse import SplitResult, urlsplit

from providers_sdk.errors import InvalidArgument

__all__ = ["add_scheme", "check_proxy", "parse_proxy"]

_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


def add_scheme(proxy: str) -> str:
    """Return ``proxy`` with ``http://`` where it has no scheme, as the environment's proxies may be written."""
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


def parse_proxy(proxy: str) -> SplitResult:
    """Return the parts of a proxy's address.

    :raises InvalidArgument: it cannot be used; the message holds no part of it.
    """
    try:
        parts = urlsplit(proxy)
        sound = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except (ValueError, AttributeError, TypeError):
        sound = False
    if not sound:
        raise InvalidArgument("proxy must be an address such as 'http://user:password@host:port' (http, https, socks5)")
    if parts.scheme.startswith("socks") and importlib.util.find_spec("socks") is None:
        raise InvalidArgument("a socks proxy needs the extra: pip install 'providers-sdk[socks]'")
    return parts


def check_proxy(proxy: str | None) -> str | None:
    """Return ``proxy`` if it can be used.

    :param proxy: ``"http://user:pass@host:port"``, also https and, with the extra ``socks``, socks4 and socks5;
        ``""`` for no proxy at all, ``None`` for the environment's.
    :raises InvalidArgument: it cannot be used; the message holds no part of it.
    """
    if proxy:
        parse_proxy(proxy)
    return proxy
