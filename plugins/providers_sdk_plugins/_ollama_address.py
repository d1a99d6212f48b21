"""The address in ``OLLAMA_HOST``, which is often a host only.

As the vendor's own programs read it (ollama 0.6.3, _client.py; Ollama's envconfig): ``host``, ``host:port``, ``:port``
or an address, with the port 11434 where there is no scheme. The same variable tells the server where to listen: there
``0.0.0.0`` stands for all addresses, and a client asks the loopback one.
"""

import ipaddress
from urllib.parse import urlsplit, urlunsplit

__all__ = ["make_address"]

_PORT = 11434


def make_address(host: str) -> str:
    """Return the address that ``host`` means; ``host`` itself where it means none."""
    has_scheme = "://" in host
    try:
        parts = urlsplit(host.strip() if has_scheme else f"http://{host.strip()}")
        port, name = parts.port, _make_connectable(parts.hostname or "127.0.0.1")
    except ValueError:
        return host
    if port is None and not has_scheme:
        port = _PORT
    place = f"[{name}]" if ":" in name else name
    netloc = f"{parts.username}:{parts.password}@{place}" if parts.username else place
    return urlunsplit((parts.scheme, netloc if port is None else f"{netloc}:{port}", parts.path.rstrip("/"), "", ""))


def _make_connectable(name: str) -> str:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name
    if not address.is_unspecified:
        return name
    return "127.0.0.1" if address.version == 4 else "::1"
