"""Which prompt is asked next, and of which provider, on a clock that the test moves."""

from typing import Any

import pytest

from providers_sdk import AllProvidersFailed, Attempt, Outcome, ProviderError
from providers_sdk._engine.batch.budget import Budget
from providers_sdk._engine.batch.schedule import FailureLimit, Job, Schedule, Start
from providers_sdk._engine.batch.worker import Answer
from providers_sdk._engine.call import CallSpec
from providers_sdk._model.names import ProviderName, parse_names
from providers_sdk.errors import (
    BatchStopped,
    ConnectFailed,
    DeadlineExceeded,
    HTTPStatusError,
    RateLimited,
    UnsupportedOption,
)

TOO_MANY = RateLimited("too many", status=429, retry_after=2.0)


def job(index: int, *names: str) -> Job:
    choices = parse_names(names or ("acme",))
    return Job(index, None, f"prompt {index}", b"", CallSpec(providers=choices, messages=()), choices)


def answer(text: str = "", error: ProviderError | None = None) -> Answer:
    outcome = type(error).__name__ if error else "answered"
    return Answer(text, error, (Attempt("acme", "m", outcome, total=0.5),), None, None if error else "stop", None)


def make(*jobs: Job, workers: int = 4, most: float | None = None, **arguments: Any) -> Schedule:
    schedule = Schedule(workers, lambda _: Budget(workers, **arguments), FailureLimit(most))
    for one in jobs:
        schedule.add(one)
    return schedule


def start(schedule: Schedule, now: float = 0.0) -> Start:
    found = schedule.choose(now)
    assert isinstance(found, Start), found
    return found


def start_when_allowed(schedule: Schedule, now: float) -> tuple[Start, float]:
    found = schedule.choose(now)
    while not isinstance(found, Start):
        now += found
        found = schedule.choose(now)
    return found, now


def finish(schedule: Schedule, begun: Start, error: ProviderError | None = None, now: float = 1.0) -> Outcome | None:
    return schedule.finish(begun, answer("yes" if error is None else "", error), now)


def test_jobs_start_in_order_up_to_the_number_of_workers() -> None:
    schedule = make(*map(job, range(5)), workers=2)
    assert [start(schedule).job.index for _ in range(2)] == [0, 1]
    assert schedule.choose(0.0) == float("inf")


def test_a_call_goes_to_one_provider_and_leaves_refusals_to_the_batch() -> None:
    spec = start(make(job(0, "acme/small", "other"))).spec
    assert spec.providers == (ProviderName("acme", "small"),)
    assert spec.policy.left_to_caller == {429, 503, 529}


def test_an_answer_is_an_outcome() -> None:
    schedule = make(job(0))
    outcome = finish(schedule, start(schedule))
    assert outcome is not None
    assert (outcome.text, outcome.error, outcome.finish_reason, outcome.seconds) == ("yes", None, "stop", 0.5)
    assert schedule.describe(0.0).answered == 1


@pytest.mark.parametrize("status", [429, 503, 529])
def test_a_refused_job_waits_first_in_line_and_its_next_attempt_says_how_long(status: int) -> None:
    schedule = make(job(0), job(1))
    error = HTTPStatusError("not now", status=status, retry_after=2.0)
    assert finish(schedule, start(schedule), error, now=1.0) is None
    assert schedule.choose(1.0) == pytest.approx(2.0)
    assert schedule.describe(1.5).pauses == {"acme": pytest.approx(1.5)}
    again = start(schedule, 3.5)
    assert again.job.index == 0
    outcome = finish(schedule, again, now=4.0)
    assert outcome is not None
    assert [attempt.waited for attempt in outcome.attempts] == [0.0, 2.5]


def test_the_work_of_a_service_that_refuses_goes_to_the_next() -> None:
    schedule = make(job(0, "acme", "other"), job(1, "acme", "other"))
    finish(schedule, start(schedule), TOO_MANY, now=1.0)
    assert [start(schedule, 1.0).choice.name for _ in range(2)] == ["other", "other"]


def test_a_service_that_is_only_busy_keeps_its_work() -> None:
    schedule = make(*(job(index, "acme", "other") for index in range(9)), workers=8)
    assert [start(schedule).choice.name for _ in range(4)] == ["acme"] * 4
    assert schedule.choose(0.0) == float("inf")


def test_models_of_one_service_share_its_budget() -> None:
    schedule = make(job(0, "acme/small"), job(1, "acme/large"))
    finish(schedule, start(schedule), TOO_MANY, now=1.0)
    assert schedule.choose(1.0) == pytest.approx(2.0)


def test_after_another_failure_the_next_provider_is_asked() -> None:
    schedule = make(job(0, "acme", "other"))
    assert finish(schedule, start(schedule), ConnectFailed("down")) is None
    second = start(schedule, 1.0)
    assert second.choice.name == "other"
    outcome = finish(schedule, second, ConnectFailed("down, too"))
    assert outcome is not None
    assert isinstance(outcome.error, AllProvidersFailed)
    assert len(outcome.error.attempts) == 2


def test_after_a_deadline_nobody_else_is_asked() -> None:
    schedule = make(job(0, "acme", "other"))
    outcome = finish(schedule, start(schedule), DeadlineExceeded("too long"))
    assert outcome is not None
    assert isinstance(outcome.error, DeadlineExceeded)


def test_a_prompt_that_alone_is_refused_again_and_again_fails() -> None:
    schedule = make(job(0), workers=1)
    now, outcome = 0.0, None
    for _ in range(9):
        assert outcome is None
        begun, now = start_when_allowed(schedule, now)
        outcome = finish(schedule, begun, TOO_MANY, now)
        if outcome is None:
            schedule.add(job(1))
            schedule._waiting.rotate(1)  # the other one is answered in between
            begun, now = start_when_allowed(schedule, now)
            finish(schedule, begun, None, now)
    assert outcome is not None
    assert isinstance(outcome.error, RateLimited)


def test_while_nothing_succeeds_a_prompt_does_not_use_up_its_refusals() -> None:
    schedule, now = make(job(0), workers=1, patience=10_000.0), 0.0
    for _ in range(50):
        assert finish(schedule, start(schedule, now), TOO_MANY, now) is None
        now += 100


def test_a_mistake_of_the_caller_stops_the_batch_and_names_the_prompt() -> None:
    schedule = make(job(3), job(4))
    assert finish(schedule, start(schedule), UnsupportedOption("does not know the option x")) is None
    assert isinstance(schedule.stopped, UnsupportedOption)
    assert schedule.stopped.message == "prompt 3: does not know the option x"
    assert schedule.choose(1.0) == float("inf")


def test_more_failures_than_allowed_stop_the_batch() -> None:
    schedule = make(*map(job, range(3)), most=1)
    for _ in range(2):
        assert schedule.stopped is None
        finish(schedule, start(schedule), ConnectFailed("down"))
    assert isinstance(schedule.stopped, BatchStopped)
    assert "2 prompts failed, more than 1 (max_failures); the last error: down" in schedule.stopped.message


def test_a_share_of_failures_counts_from_the_twentieth_outcome() -> None:
    limit = FailureLimit(0.1)
    assert [limit.explain(failed, finished) for failed, finished in ((19, 19), (2, 20), (0, 0))] == ["", "", ""]
    assert limit.explain(3, 20) == "3 of 20 prompts failed, more than 10% (max_failures)"


def test_a_service_that_is_given_up_stops_the_batch_once_nothing_is_in_flight() -> None:
    schedule = make(job(0), job(1))
    first, second = start(schedule), start(schedule)
    finish(schedule, first, RateLimited("used up", status=429, retry_after=3600.0))
    schedule.choose(1.0)
    assert schedule.stopped is None
    finish(schedule, second)
    schedule.choose(1.0)
    assert isinstance(schedule.stopped, BatchStopped)
    assert "acme asks to wait 3600 s; what is finished is kept" in schedule.stopped.message


def test_with_another_service_one_that_is_given_up_stops_nothing() -> None:
    schedule = make(job(0, "acme", "other"))
    finish(schedule, start(schedule), RateLimited("used up", status=429, retry_after=3600.0))
    assert start(schedule, 1.0).choice.name == "other"
    assert schedule.stopped is None
