import dataclasses
import pickle
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers_sdk import Limits, TimeLimitExceeded
from providers_sdk._http.clock import Clock
from providers_sdk._model.limits import MAX_SECONDS
from providers_sdk.errors import ConnectTimeout, DeadlineExceeded, FirstTokenTimeout, IdleTimeout, InvalidArgument


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def hands() -> Hands:
    return Hands()


def test_the_limits_are_those_of_the_documentation() -> None:
    assert Limits() == Limits(connect=10, first_token=60, idle=30, deadline=600)


@pytest.mark.parametrize("name", ["connect", "first_token", "idle", "deadline"])
@pytest.mark.parametrize(
    "value",
    [0, -1, -0.5, float("nan"), float("inf"), 10**400, 1e300, MAX_SECONDS + 1, True, "5", b"5", [5], 5j],
    ids=lambda value: repr(value)[:20],
)
def test_a_limit_that_is_no_number_of_seconds_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgument, match=f"^{name} must be a positive number of seconds") as caught:
        Limits(**{name: value})
    assert len(str(caught.value)) < 300
    with pytest.raises(InvalidArgument, match=f"^{name} must be"):
        Limits().with_(**{name: value})


@pytest.mark.parametrize("value", [None, 1, 0.001, MAX_SECONDS])
def test_none_switches_a_limit_off_and_a_number_sets_it(value: float | None) -> None:
    assert Limits(connect=value, first_token=value, idle=value, deadline=value).idle == value


def test_limits_are_values() -> None:
    limits = Limits()
    assert limits.with_() is limits
    assert limits.with_(idle=5, deadline=None) == Limits(idle=5, deadline=None)
    assert limits == Limits()
    assert pickle.loads(pickle.dumps(limits)) == limits
    with pytest.raises(dataclasses.FrozenInstanceError):
        limits.idle = 5  # type: ignore[misc]


def test_first_counts_from_the_attempts_start_until_a_piece_arrives(hands: Hands) -> None:
    clock = Clock(Limits(first_token=6, idle=3, deadline=60), now=hands)
    hands.move(5)
    assert clock.left() == 1
    clock.check()
    hands.move(1)
    with pytest.raises(FirstTokenTimeout):
        clock.check()


def test_idle_counts_from_the_last_piece(hands: Hands) -> None:
    clock = Clock(Limits(first_token=6, idle=3, deadline=60), now=hands)
    hands.move(5)
    clock.stop_waiting(piece=True)
    assert clock.first_at == 1005
    hands.move(2)
    clock.stop_waiting(piece=True)
    assert clock.first_at == 1005
    assert clock.left() == 3
    hands.move(3)
    with pytest.raises(IdleTimeout):
        clock.check()


def test_the_consumers_own_time_is_no_idleness_but_counts_to_the_deadline(hands: Hands) -> None:
    clock = Clock(Limits(first_token=6, idle=3, deadline=60), now=hands)
    clock.stop_waiting(piece=True)
    hands.move(50)
    clock.start_waiting()
    assert clock.left() == 3
    clock.check()
    hands.move(2)
    clock.stop_waiting(piece=True)
    hands.move(9)
    with pytest.raises(DeadlineExceeded):
        clock.start_waiting()


def test_the_deadline_counts_from_the_calls_start_not_the_attempts(hands: Hands) -> None:
    clock = Clock(Limits(first_token=6, deadline=10), started=995.0, now=hands)
    assert clock.left() == 5
    hands.move(5)
    with pytest.raises(DeadlineExceeded) as caught:
        clock.check()
    assert caught.value.elapsed == 10


def test_a_limit_that_is_off_never_ends(hands: Hands) -> None:
    clock = Clock(Limits(connect=None, first_token=None, idle=None, deadline=None), now=hands)
    hands.move(1e9)
    clock.check()
    assert (clock.left(), clock.connect_timeout()) == (None, None)
    assert isinstance(clock.timeout_error(), TimeLimitExceeded)
    assert isinstance(clock.connect_error(1.0), TimeLimitExceeded)


@pytest.mark.parametrize(
    ("limits", "kind", "seconds"),
    [
        (Limits(first_token=2, deadline=1), DeadlineExceeded, 1),
        (Limits(first_token=1, deadline=2), FirstTokenTimeout, 1),
        (Limits(first_token=None, deadline=2), DeadlineExceeded, 2),
        (Limits(first_token=2, deadline=None), FirstTokenTimeout, 2),
    ],
    ids=repr,
)
def test_the_limit_that_ends_first_is_the_one_that_is_named(
    limits: Limits, kind: type[TimeLimitExceeded], seconds: float, hands: Hands
) -> None:
    clock = Clock(limits, now=hands)
    hands.move(5)
    error = clock.timeout_error()
    assert (type(error), error.seconds, error.elapsed) == (kind, seconds, 5)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (ConnectTimeout, "connect"),
        (FirstTokenTimeout, "first_token"),
        (IdleTimeout, "idle"),
        (DeadlineExceeded, "deadline"),
    ],
)
def test_an_error_tells_limit_value_time_passed_and_what_to_do(
    kind: type[TimeLimitExceeded], name: str, hands: Hands
) -> None:
    limits = Limits(connect=None, first_token=None, idle=None, deadline=None).with_(**{name: 2.5})
    clock = Clock(limits, now=hands)
    if name == "idle":
        clock.stop_waiting(piece=True)
    hands.move(2.75)
    error = clock.connect_error(2.75) if name == "connect" else clock.timeout_error()
    assert (type(error), error.limit, error.seconds, error.elapsed) == (kind, name, 2.5, 2.75)
    assert f"within 2.5 s (limit {name}=2.5, 2.8 s have passed); raise {name}=" in str(error)


def test_connecting_may_take_its_limit_or_what_is_left(hands: Hands) -> None:
    clock = Clock(Limits(connect=3, first_token=10), now=hands)
    assert clock.connect_timeout() == 3
    hands.move(9)
    assert clock.connect_timeout() == 1
    assert type(clock.connect_error(1.0)) is ConnectTimeout
    hands.move(1)
    assert type(clock.connect_error(2.0)) is FirstTokenTimeout


limit = st.none() | st.floats(0.01, 100)
steps = st.lists(st.tuples(st.floats(0, 50), st.sampled_from(["wait", "piece", "resume"])), max_size=8)


@given(st.builds(Limits, connect=limit, first_token=limit, idle=limit, deadline=limit), steps)
def test_what_is_left_and_what_is_raised_agree(limits: Limits, moves: list[tuple[float, str]]) -> None:
    hands = Hands()
    clock = Clock(limits, now=hands)
    for seconds, what in moves:
        hands.move(seconds)
        with suppress(TimeLimitExceeded):
            {"wait": lambda: None, "piece": lambda: clock.stop_waiting(piece=True), "resume": clock.start_waiting}[
                what
            ]()
        left = clock.left()
        if left is not None and left <= 0:
            with pytest.raises(TimeLimitExceeded) as caught:
                clock.check()
            assert caught.value.elapsed is not None
            assert caught.value.seconds is not None
            assert caught.value.elapsed >= caught.value.seconds - 1e-9
        else:
            clock.check()


@pytest.mark.parametrize("value", [[1], {"seconds": 1}, True, "1"], ids=repr)
def test_what_is_no_number_is_refused_in_a_copy_too(value: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^deadline must be a positive number of seconds"):
        Limits().with_(deadline=value)  # type: ignore[arg-type]
