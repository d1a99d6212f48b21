"""Parses ``Retry-After`` (RFC 9110 §10.2.3) and ``retry-after-ms``. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["find_retry_after", "parse_retry_after"]

_LONGEST = 1e9  # seconds, about 30 years; float() of 400 digits is infinite


def find_retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that a response's headers ask for; ``None`` where they ask for nothing.

    ``retry-after-ms``, which OpenAI and Azure send beside the standard header, is the more exact one and wins.

    :param headers: a mapping that ignores case.
    :param now: seconds since the epoch, for a date.
    """
    milliseconds = str(headers.get("retry-after-ms") or "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", milliseconds):
        return min(float(milliseconds[:18]) / 1000, _LONGEST)
    return parse_retry_after(headers.get("retry-after"), now)


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for; ``None`` where it is absent or malformed.

    :param value: the header, seconds or an HTTP date.
    :param now: seconds since the epoch, for a date.
    """
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]+", text):
        return min(float(text[:18]), _LONGEST)
    if not text or text[0].isdigit() or text[0] in "+-":
        return None
    try:
        date = parsedate_to_datetime(text)
        at = date if date.tzinfo else date.replace(tzinfo=UTC)
        return max(0.0, (at - datetime.fromtimestamp(now, UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
