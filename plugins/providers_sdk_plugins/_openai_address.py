"""The address of an OpenAI-compatible service: what is refused, what is added, and what a 404 says."""

import re
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

__all__ = ["add_version_path", "fill_endpoint", "find_base", "join", "propose_base"]

_VERSION = re.compile(r"/v\d+[a-z0-9]*(?:/|$)")


def find_base(url: str, endpoint: str) -> str | None:
    """Return the part of ``url`` before ``endpoint``, the path of questions; ``None`` where it does not hold it.

    Of an endpoint that names the model only the part before the name counts. User and password are left out: the
    address is for a message.
    """
    fixed, _, model = endpoint.partition("{model}")
    at = url.find(fixed) if model else url.endswith(fixed) and len(url) - len(fixed)
    return hide_user(url[:at]) if at and at > 0 else None


def hide_user(url: str) -> str:
    """Return ``url`` without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def add_version_path(url: str, version_path: str) -> str:
    """Return ``url`` with ``version_path`` where it is a host only, as the vendor's own variable has it."""
    return url if urlsplit(url).path.strip("/") or not url else url.rstrip("/") + version_path


def fill_endpoint(endpoint: str, model: str) -> str:
    """Return the path of questions to ``model``."""
    return endpoint.replace("{model}", quote(model, safe=""))


def join(url: str, reference: str) -> str:
    """Return the address of ``reference``, which is relative to the folder ``url``."""
    return urljoin(url + "/", reference)


def propose_base(url: str, default: str) -> str | None:
    """Return the address that was probably meant by ``url``, at which nothing was found; ``None`` where nobody can say.

    Nearly all services have a version in their path, and a ``url`` without one is the usual mistake.

    :param default: the service's own address.
    """
    if not url or url == default or _VERSION.search(urlsplit(url).path):
        return None
    return hide_user(url) + ("/v1" if urlsplit(url).path.strip("/") else urlsplit(default).path or "/v1")
