import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers_sdk import ProviderError, RateLimited, errors
from providers_sdk._engine.retry import RetryPolicy, Wait
from providers_sdk._protocol.retry_after import parse_retry_after
from providers_sdk.errors import HTTPStatusError, InvalidArgument, TokenPageFailed

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
KINDS: list[type[ProviderError]] = [getattr(errors, name) for name in errors.__all__]


def date(seconds: float) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("007", 7),
        (" 7 ", 7),
        ("86400", 86400),
        ("999999999", 999_999_999),
        ("9" * 400, 1e9),
        (date(90), 90),
        (date(0), 0),
        (date(-90), 0),
        ("Saturday, 31-Jan-26 12:01:30 GMT", 90),
        ("Sat Jan 31 12:01:30 2026", 90),
        ("Sat, 31 Jan 2026 13:01:30 +0100", 90),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float) -> None:
    assert parse_retry_after(header, NOW.timestamp()) == seconds


@pytest.mark.parametrize(
    "header",
    [
        *("", " ", "soon", "-5", "+5", "1.5", "1e3", "nan", "inf", "Infinity", "0x10", "7 s", "7,7"),
        *("٣", "Sat, 31 Foo 2026 12:00:00 GMT", "Sat, 99 Jan 2026 99:99:99 GMT", "2026-01-31T12:00:00Z", "\0"),
    ],
    ids=ascii,
)
def test_rubbish_is_no_retry_after(header: str) -> None:
    assert parse_retry_after(header, NOW.timestamp()) is None


def test_no_header_is_no_retry_after() -> None:
    assert parse_retry_after(None, NOW.timestamp()) is None


date_words = st.sampled_from(["Sat,", "31", "Jan", "2026", "0001", "12:00:00", "99:99", "GMT", "+9999", "-0000", "("])


@settings(max_examples=300)
@given(st.text(max_size=30) | st.lists(date_words | st.text(max_size=2), max_size=8).map(" ".join), st.floats(0, 4e9))
def test_no_header_raises_or_asks_for_less_than_nothing(header: str, now: float) -> None:
    seconds = parse_retry_after(header, now)
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))


def decide(error: ProviderError, **given: Any) -> Wait:
    policy = RetryPolicy(**{name: given.pop(name) for name in list(given) if name in {"retries", "max_retry_after"}})
    return policy.decide(error, **{"made": 0, "left": None, "jitter": 1.0, **given})


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 520, 529, 599])
def test_a_status_that_may_pass_is_asked_again(status: int) -> None:
    for kind in (HTTPStatusError, RateLimited, TokenPageFailed):
        assert decide(kind("no", status=status)).seconds == 0.5


@pytest.mark.parametrize("status", [None, 200, 301, 400, 401, 402, 403, 404, 413, 422, 501, 505, 600, 999])
def test_a_status_that_stays_is_not_asked_again(status: int | None) -> None:
    assert decide(HTTPStatusError("no", status=status)).seconds is None


CURED = {"ConnectFailed", "ConnectionLost", "ConnectTimeout", "RateLimited"}


@pytest.mark.parametrize("kind", KINDS)
def test_of_errors_without_a_status_only_lost_connections_and_limits_are_asked_again(kind: type[ProviderError]) -> None:
    assert (decide(kind("no")).seconds is not None) == (kind.__name__ in CURED)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, (errors.InvalidCall, errors.PluginError))])
def test_the_callers_and_the_plugins_mistakes_are_never_repeated(kind: type[ProviderError]) -> None:
    assert decide(kind("no", status=503, retry_after=0.0)).seconds is None


def test_a_wait_doubles_up_to_a_cap_and_jitter_scales_it() -> None:
    error = errors.ConnectionLost("lost")
    waits = [decide(error, made=made, retries=1000).seconds for made in range(7)]
    assert waits == [0.5, 1, 2, 4, 8, 8, 8]
    assert decide(error, made=999, retries=1000).seconds == 8
    assert decide(error, jitter=0.0).seconds == 0
    assert decide(error, jitter=0.5).seconds == 0.25


def test_repeats_end_when_they_are_used_up() -> None:
    error = errors.ConnectionLost("lost")
    assert decide(error, made=1).seconds is not None
    refused = decide(error, made=2)
    assert refused.seconds is None
    assert "2 retries are used up" in refused.why
    assert decide(error, retries=0).seconds is None


def test_the_services_own_wish_is_honoured_with_a_little_more() -> None:
    error = RateLimited("no", status=429, retry_after=10.0)
    assert decide(error, jitter=0.0).seconds == 10
    assert decide(error, jitter=1.0).seconds == 11
    assert decide(RateLimited("no", status=429, retry_after=0.0)).seconds == 0


def test_a_wish_beyond_the_cap_or_the_deadline_fails_at_once_and_says_so() -> None:
    hour = RateLimited("no", status=429, retry_after=3600.0)
    assert decide(hour) == Wait(None, "the service asks to wait 3600 s, longer than 30 s")
    assert decide(hour, max_retry_after=4000.0).seconds == 3960
    late = decide(RateLimited("no", status=429, retry_after=10.0), left=10.0, jitter=0.0)
    assert late.seconds is None
    assert late.why == "waiting 10.0 s would pass the deadline, 10.0 s from now"
    assert "0.0 s from now" in decide(errors.ConnectionLost("lost"), left=-3.0).why


@pytest.mark.parametrize("wish", [-5.0, -0.0001, float("nan")])
def test_a_wish_that_is_no_time_counts_for_none(wish: float) -> None:
    assert decide(RateLimited("no", status=429, retry_after=wish)).seconds == 0.5


@pytest.mark.parametrize("retries", [-1, 1.5, "2", None, True, float("nan")], ids=repr)
def test_retries_are_a_whole_number(retries: Any) -> None:
    with pytest.raises(InvalidArgument, match="retries"):
        RetryPolicy.of(retries)


def test_a_policy_is_a_frozen_value() -> None:
    assert RetryPolicy() == RetryPolicy(retries=2)
    with pytest.raises(AttributeError):
        RetryPolicy().retries = 5  # type: ignore[misc]


wishes = st.none() | st.floats(allow_nan=True) | st.floats(0, 100)
policies = st.builds(
    RetryPolicy,
    retries=st.integers(0, 5),
    base=st.floats(0, 10),
    cap=st.floats(0, 60),
    max_retry_after=st.floats(0, 99),
)


def failed(kind: type[ProviderError], status: int | None, wish: float | None) -> ProviderError:
    error = kind("no")
    error.status, error.retry_after = status, wish
    return error


failures = st.builds(failed, st.sampled_from(KINDS), st.none() | st.integers(100, 999), wishes)


@settings(max_examples=500)
@given(policies, failures, st.integers(0, 2000), st.none() | st.floats(-100, 1000), st.floats(0, 1))
def test_no_wait_is_negative_endless_or_past_the_deadline(
    policy: RetryPolicy, error: ProviderError, made: int, left: float | None, jitter: float
) -> None:
    wait = policy.decide(error, made=made, left=left, jitter=jitter)
    if wait.seconds is None:
        return
    assert 0 <= wait.seconds <= max(policy.cap, 1.1 * policy.max_retry_after)
    assert left is None or wait.seconds < left
    assert made < policy.retries
    assert not isinstance(error, errors.InvalidCall)


@given(policies, st.lists(failures, max_size=30), st.floats(0, 100))
def test_a_provider_is_never_asked_again_more_often_than_allowed(
    policy: RetryPolicy, given: list[ProviderError], deadline: float
) -> None:
    made, left = 0, deadline
    for error in given:
        wait = policy.decide(error, made=made, left=left, jitter=0.5)
        if wait.seconds is None:
            break
        made, left = made + 1, left - wait.seconds
    assert made <= policy.retries
    assert left >= 0
