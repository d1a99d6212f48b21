"""The quota in a response's headers."""

import pytest

from providers_sdk._protocol.quota import Quota, find_quota

NOW = 1_800_000_000.0
FAMILIES = [
    (
        {
            "x-ratelimit-remaining-requests": "59",
            "x-ratelimit-limit-requests": "60",
            "x-ratelimit-reset-requests": "1s",
        },
        Quota(59, 60, 1.0),
    ),
    (
        {
            "anthropic-ratelimit-requests-remaining": "0",
            "anthropic-ratelimit-requests-limit": "50",
            "anthropic-ratelimit-requests-reset": "2027-01-15T08:00:30Z",
        },
        Quota(0, 50, 30.0),
    ),
    ({"ratelimit-remaining": "3", "ratelimit-reset": "50"}, Quota(3, None, 50.0)),
    ({"ratelimit-remaining": "3", "ratelimit-limit": "100, 100;w=60"}, Quota(3, 100, None)),
    ({"x-ratelimit-remaining": "7", "x-ratelimit-reset": "1800000012"}, Quota(7, None, 12.0)),
    ({"x-ratelimit-remaining": "7", "x-ratelimit-reset": "1800000012000"}, Quota(7, None, 12.0)),
    ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, Quota(0, None, 360.0, False)),
    ({"x-ratelimit-remaining-tokens": "9", "x-ratelimit-reset-tokens": "120ms"}, Quota(9, None, 0.12, False)),
]
NONSENSE = [
    {},
    {"x-ratelimit-remaining": ""},
    {"x-ratelimit-remaining": "many"},
    {"x-ratelimit-remaining": "-1"},
    {"x-ratelimit-limit": "60"},
]


@pytest.mark.parametrize(("headers", "expected"), FAMILIES)
def test_each_family_of_headers_is_read(headers: dict[str, str], expected: Quota) -> None:
    assert find_quota(headers, NOW) == expected


@pytest.mark.parametrize("headers", NONSENSE)
def test_headers_that_say_nothing_are_no_quota(headers: dict[str, str]) -> None:
    assert find_quota(headers, NOW) is None


def test_the_quota_nearest_to_its_end_counts() -> None:
    headers = {
        "x-ratelimit-remaining-requests": "90",
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-tokens": "10",
        "x-ratelimit-limit-tokens": "1000",
    }
    assert find_quota(headers, NOW) == Quota(10, 1000, None, False)


@pytest.mark.parametrize("reset", ["soon", "1w", "2027-13-45", "", "-5"])
def test_a_reset_that_cannot_be_read_is_unknown(reset: str) -> None:
    assert find_quota({"ratelimit-remaining": "0", "ratelimit-reset": reset}, NOW) == Quota(0, None, None)
