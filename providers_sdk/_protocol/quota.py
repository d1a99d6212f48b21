"""Reads the quota that a service reports in the headers of each response. Pure.

Three families are in use: ``x-ratelimit-*-requests`` and ``-tokens`` (OpenAI's, most of its dialect),
``anthropic-ratelimit-requests-*`` and ``-tokens-*``, and the plain ``ratelimit-*`` with its older spelling
``x-ratelimit-*`` (draft-ietf-httpapi-ratelimit-headers-06). A reset is a number of seconds, a duration such as
``6m0s``, a date, or seconds or milliseconds since the epoch.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["Quota", "find_quota"]

_NAMES = (
    "x-ratelimit-{}-requests",
    "x-ratelimit-{}-tokens",
    "anthropic-ratelimit-requests-{}",
    "anthropic-ratelimit-tokens-{}",
    "ratelimit-{}",
    "x-ratelimit-{}",
)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+")
_NUMBER = re.compile(r"[0-9]{1,18}(?:\.[0-9]+)?")
_EPOCH = 1e9  # no quota resets in thirty years: a number beyond is a time of day


@dataclass(frozen=True, slots=True)
class Quota:
    """What a service allows until its quota is renewed.

    :param remaining: calls that are left, or tokens.
    :param limit: of how many; ``None`` where the service does not tell.
    :param reset: seconds until the quota is renewed; ``None`` where the service does not tell.
    :param counts_calls: whether calls are counted, not tokens.
    """

    remaining: float
    limit: float | None
    reset: float | None
    counts_calls: bool = True


def find_quota(headers: Mapping[str, str], now: float) -> Quota | None:
    """Return the quota that is nearest to its end; ``None`` where the headers hold none.

    :param headers: a mapping that ignores case.
    :param now: seconds since the epoch, for a time of day.
    """
    return min(_iter_quotas(headers, now), key=_compute_share_left, default=None)


def _iter_quotas(headers: Mapping[str, str], now: float) -> Iterator[Quota]:
    for name in _NAMES:
        remaining = _parse_number(headers.get(name.format("remaining")))
        if remaining is not None:
            limit = _parse_number(headers.get(name.format("limit")))
            yield Quota(remaining, limit, _parse_reset(headers.get(name.format("reset")), now), "tokens" not in name)


def _compute_share_left(quota: Quota) -> float:
    if quota.remaining <= 0:
        return 0.0
    return quota.remaining / quota.limit if quota.limit else math.inf


def _parse_number(value: str | None) -> float | None:
    found = _NUMBER.match((value or "").strip())
    return float(found[0]) if found else None


def _parse_reset(value: str | None, now: float) -> float | None:
    text = (value or "").strip()
    if _NUMBER.fullmatch(text):
        seconds = float(text)
        at = seconds / 1000 if seconds > 1000 * _EPOCH else seconds
        return max(0.0, at - now) if at > _EPOCH else at
    if _DURATION.fullmatch(text):
        return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9.]+)(ms|[smhd])", text))
    return _parse_date(text, now)


def _parse_date(text: str, now: float) -> float | None:
    try:
        at = datetime.fromisoformat(text)  # RFC 3339
        return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, OverflowError):
        return None
