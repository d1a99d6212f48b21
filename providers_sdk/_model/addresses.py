"""Checks a service's address, and whether it is one that a vendor's key was issued for."""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

__all__ = ["clean_address", "is_own_address"]

_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=64)
def clean_address(value: str) -> str | None:
    """Return the address without its last slashes; ``None`` where ``value`` is no http(s) address.

    A backslash is refused: urlsplit takes ``http://one\\@two`` for the host ``two``, urllib3 connects to ``one``.
    """
    try:
        parts = urlsplit(value)
        sound = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or re.search(r"[\x00-\x20\x7f?#\\]", value):
        return None
    return value.rstrip("/")


@lru_cache(maxsize=64)
def is_own_address(address: str, own: tuple[str, ...], hosts: tuple[str, ...]) -> bool:
    """Whether ``address`` is the vendor's.

    :param own: the vendor's addresses; scheme, host and port must be those of one of them.
    :param hosts: names of the vendor's hosts, ``"*.example.org"`` for those below a domain; only over https.
    """
    try:
        parts = urlsplit(address)
        if _find_origin(parts) in [_find_origin(urlsplit(one)) for one in own]:
            return True
        return parts.scheme == "https" and parts.port in (None, 443) and _matches(parts.hostname or "", hosts)
    except ValueError:
        return False


def _find_origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _matches(host: str, patterns: Iterable[str]) -> bool:
    return any(host.endswith(one[1:]) if one.startswith("*.") else host == one for one in patterns)
