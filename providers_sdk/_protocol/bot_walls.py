"""Detects bot walls by the status and headers of a response; one row for each signature.

Sources: the vendors' own documentation of these headers. A wall is reported as :class:`Blocked`; this
library never tries to pass it.
"""

from collections.abc import Mapping

__all__ = ["WALLS", "Wall", "detect_bot_wall"]

_NO = frozenset({401, 403, 405, 429, 503})


class Wall:
    """A signature: the header is there, holds ``value`` (lower case), and the status is one of ``statuses``."""

    def __init__(self, name: str, header: str, value: str = "", statuses: frozenset[int] | None = None) -> None:
        self.name, self.header, self.value, self.statuses = name, header, value, statuses

    def matches(self, status: int, headers: Mapping[str, str]) -> bool:
        """Return whether a response carries this signature."""
        found = headers.get(self.header)
        in_status = self.statuses is None or status in self.statuses
        return found is not None and in_status and self.value in found.lower()


WALLS = (
    Wall("Cloudflare challenge", "cf-mitigated", "challenge"),
    Wall("AWS WAF challenge", "x-amzn-waf-action", "challenge"),
    Wall("AWS WAF captcha", "x-amzn-waf-action", "captcha"),
    Wall("Vercel challenge", "x-vercel-mitigated"),
    Wall("DataDome", "x-datadome", "", _NO),
    Wall("DDoS-Guard", "server", "ddos-guard", _NO),
    Wall("Imperva", "x-iinfo", "", _NO),
    Wall("Sucuri", "server", "sucuri", _NO),
    Wall("Sucuri", "x-sucuri-block"),
    Wall("Akamai", "server", "akamaighost", _NO),
)


def detect_bot_wall(status: int, headers: Mapping[str, str]) -> str | None:
    """Return the name of the wall that responded, or ``None``."""
    sent = {name.lower() for name in headers}
    return next((wall.name for wall in WALLS if wall.header in sent and wall.matches(status, headers)), None)
