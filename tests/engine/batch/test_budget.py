"""The budget of one service, on a clock that the test moves."""

import heapq
import math
from dataclasses import dataclass, field

import pytest

from providers_sdk._engine.batch.budget import Budget, Ticket
from providers_sdk._protocol.quota import Quota


@dataclass
class Bucket:
    """A service with a token bucket: ``rate`` calls a second, at most ``burst`` at once."""

    rate: float = 10.0
    burst: float = 10.0
    retry_after: float | None = 1.0
    tokens: float = field(init=False)
    last: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def accepts(self, now: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now - self.last) * self.rate)
        self.last = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def run(budget: Budget, service: Bucket, *, calls: int, seconds: float) -> list[tuple[float, bool]]:
    """Make ``calls`` calls whose answers, and refusals, take ``seconds``; return when each was sent and if accepted."""
    sent: list[tuple[float, bool]] = []
    under_way: list[tuple[float, int, bool, Ticket]] = []
    now, answered = 0.0, 0
    while answered < calls:
        left = calls - answered - len(under_way)
        wait = budget.compute_wait(now) if left else math.inf
        if wait == 0:
            accepted = service.accepts(now)
            sent.append((now, accepted))
            heapq.heappush(under_way, (now + seconds, len(sent), accepted, budget.start(now)))
            continue
        now = min(now + wait, under_way[0][0] if under_way else math.inf)
        while under_way and under_way[0][0] <= now:
            _, _, accepted, ticket = heapq.heappop(under_way)
            if accepted:
                budget.succeed(ticket, now)
                answered += 1
            else:
                budget.refuse(ticket, now, service.retry_after)
    return sent


def measure(sent: list[tuple[float, bool]]) -> tuple[float, float]:
    """Return the accepted calls a second and the share refused, after the first 60."""
    rest = sent[60:]
    accepted = sum(ok for _, ok in rest)
    return accepted / (rest[-1][0] - sent[59][0]), 1 - accepted / len(rest)


@pytest.mark.parametrize("retry_after", [1.0, None])
@pytest.mark.parametrize("workers", [1, 8, 64])
@pytest.mark.parametrize("seconds", [0.005, 0.5])
def test_a_token_bucket_is_used_up_and_hardly_ever_refuses(
    workers: int, seconds: float, retry_after: float | None
) -> None:
    rate, refused = measure(run(Budget(workers), Bucket(retry_after=retry_after), calls=600, seconds=seconds))
    assert rate >= 0.9 * min(10, workers / seconds)
    assert refused <= 0.05


@pytest.mark.parametrize("seconds", [0.005, 0.5])
def test_a_pace_that_the_user_gives_is_never_refused(seconds: float) -> None:
    sent = run(Budget(64, rpm=600), Bucket(), calls=300, seconds=seconds)
    assert all(ok for _, ok in sent)
    assert sent[-1][0] == pytest.approx(29.9, abs=0.5)


def test_rpm_holds_in_every_minute() -> None:
    sent = [at for at, _ in run(Budget(64, rpm=60), Bucket(rate=1000, burst=1000), calls=200, seconds=0.01)]
    assert max(sum(at <= other < at + 60 for other in sent) for at in sent) <= 61


def test_without_refusals_the_number_doubles_each_round() -> None:
    budget, now, numbers = Budget(64), 0.0, []
    for _ in range(5):
        tickets = []
        while budget.compute_wait(now) == 0:
            tickets.append(budget.start(now))
        numbers.append(len(tickets))
        now += 1
        for ticket in tickets:
            budget.succeed(ticket, now)
    assert numbers == [4, 8, 16, 32, 64]


def fill(budget: Budget, now: float) -> list[Ticket]:
    tickets = []
    while budget.compute_wait(now) == 0:
        tickets.append(budget.start(now))
    return tickets


def test_one_burst_of_refusals_is_one_cut() -> None:
    budget = Budget(4)
    tickets = fill(budget, 0.0)
    for ticket in tickets:
        budget.refuse(ticket, 0.1, 1.0)
    assert (budget.cuts, budget.number) == (1, 3)


def test_a_refusal_of_what_was_sent_after_the_pause_cuts_again() -> None:
    budget = Budget(4)
    for ticket in fill(budget, 0.0):
        budget.refuse(ticket, 0.1, 1.0)
    for ticket in fill(budget, 1.2):
        budget.refuse(ticket, 1.3, 1.0)
    assert (budget.cuts, budget.number) == (2, 1)


def test_a_success_that_was_sent_before_the_cut_grows_nothing() -> None:
    budget = Budget(4)
    first, *others = fill(budget, 0.0)
    budget.refuse(first, 0.1, 1.0)
    for ticket in others:
        budget.succeed(ticket, 0.2)
    assert budget.number == 3


def test_retry_after_pauses_the_service() -> None:
    budget = Budget(4)
    budget.refuse(budget.start(0.0), 0.1, 7.0)
    assert budget.compute_pause(0.1) == pytest.approx(7.0)
    assert budget.compute_wait(5.1) == pytest.approx(2.0)
    assert budget.compute_wait(7.2) == 0


def test_without_retry_after_pauses_double_until_a_success() -> None:
    budget, now, pauses = Budget(1), 0.0, []
    for _ in range(9):
        budget.refuse(budget.start(now), now)
        pauses.append(budget.compute_pause(now))
        now += pauses[-1] + 0.1
    assert pauses == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60])
    budget.succeed(budget.start(now), now)
    now += 100
    budget.refuse(budget.start(now), now)
    assert budget.compute_pause(now) == pytest.approx(1)


def test_a_used_up_quota_pauses_before_anything_is_refused() -> None:
    budget = Budget(4)
    budget.succeed(budget.start(0.0), 0.1, Quota(0, 60, 5.0))
    assert budget.compute_wait(0.1) == pytest.approx(5.0)
    assert budget.cuts == 0


def test_a_quota_that_runs_low_is_spread_over_the_time_until_its_renewal() -> None:
    budget = Budget(4)
    budget.succeed(budget.start(0.0), 0.1, Quota(4, 60, 20.0))
    starts, now = [], 0.1
    for _ in range(3):
        now += budget.compute_wait(now)
        starts.append(now)
        budget.succeed(budget.start(now), now)
    assert starts == pytest.approx([0.1, 4.85, 9.85])


def test_tokens_that_run_low_are_no_calls() -> None:
    budget = Budget(4)
    budget.succeed(budget.start(0.0), 0.1, Quota(4, 6000, 20.0, counts_calls=False))
    assert len(fill(budget, 0.2)) == 4


def test_the_pace_recovers_when_the_service_takes_more() -> None:
    budget, bucket = Budget(64), Bucket(rate=2, burst=2)
    run(budget, bucket, calls=60, seconds=0.01)
    before = budget.pace
    bucket.rate = bucket.burst = 1000.0
    now = 1000.0
    for _ in range(800):
        now += budget.compute_wait(now)
        budget.succeed(budget.start(now), now)
    assert before < 4
    assert budget.pace > 20


def test_a_service_without_success_for_minutes_is_given_up() -> None:
    budget, now = Budget(1), 0.0
    while not budget.explain_loss(now):
        now += budget.compute_wait(now)
        budget.refuse(budget.start(now), now)
        assert now < 400
    assert budget.explain_loss(now).startswith("has not answered for 3")


def test_a_service_that_answers_now_and_then_is_not_given_up() -> None:
    budget, now = Budget(1), 0.0
    for _ in range(20):
        budget.succeed(budget.start(now), now)
        for _ in range(4):
            now += 50
            budget.fail(now)
            budget.in_flight += 1
        assert not budget.explain_loss(now)
        budget.in_flight = 0


def test_a_service_that_asks_for_a_pause_of_hours_is_given_up_at_once() -> None:
    budget = Budget(1)
    budget.refuse(budget.start(0.0), 0.1, 3600.0)
    assert budget.explain_loss(0.1) == "asks to wait 3600 s"


def test_a_service_that_refuses_the_key_from_the_start_is_given_up_at_once() -> None:
    budget = Budget(8)
    for ticket in fill(budget, 0.0)[:3]:
        assert not budget.explain_loss(0.1)
        budget.fail(0.1 + ticket.at, key_refused=True)
    assert "refused the key 3 times" in budget.explain_loss(0.2)
