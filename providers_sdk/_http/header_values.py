"""Refuses headers that no request may have, before anything of them can be shown in an error of another library."""

import re
from collections.abc import Mapping

from providers_sdk.errors import InvalidArgument

__all__ = ["TOKEN", "check_headers"]

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token (RFC 9110, 5.6.2): what a header's name and a method are."""
_VALUE = re.compile(r"(?! )[\x20-\x7e]*(?<! )")


def check_headers(headers: Mapping[str, str | bytes | None]) -> None:
    """Check names and values; ``None`` is requests' way of leaving a header out.

    :raises InvalidArgument: one cannot be sent; its value is not shown.
    """
    for name, given in headers.items():
        if given is None:
            continue
        value = given.decode("latin-1") if isinstance(given, bytes) else given
        if not isinstance(name, str) or not TOKEN.fullmatch(name):
            raise InvalidArgument(f"the header name {name[:40]!r} cannot be sent")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise InvalidArgument(
                f"the value of header {name!r} holds a line break, an outer space or a character that no header may "
                "have (the value is not shown); check the setting or key that it is made of"
            )
