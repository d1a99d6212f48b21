"""Which prompt is asked next, and of which provider. Pure: no threads, and the time is given.

A prompt is a :class:`Job` from when it is read until it has an outcome. It waits, is in flight at one provider, and
then has an outcome or waits again: for the same providers after a refusal for now (429, 503), for those that are left
after another failure. A provider that has refused lately and cannot take a job now leaves it to the next in the list.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from providers_sdk._attempts import Attempt
from providers_sdk._engine.batch.budget import Budget, Ticket
from providers_sdk._engine.batch.outcome import Outcome
from providers_sdk._engine.batch.worker import Answer
from providers_sdk._engine.call import CallSpec, combine_failures, may_fall_back
from providers_sdk._model.names import ProviderName
from providers_sdk.errors import (
    AuthenticationFailed,
    BatchStopped,
    Blocked,
    HTTPStatusError,
    InvalidCall,
    ProviderError,
)

__all__ = ["OVERLOADED", "FailureLimit", "Job", "Progress", "Schedule", "Start", "list_services", "name_prompt"]

OVERLOADED = frozenset({429, 503, 529})
"""Statuses by which a service says that it takes no more calls for now; 529 is Anthropic's."""
_MOST_REFUSALS = 8
_FEW = 20


@dataclass(slots=True, eq=False)
class Job:
    """One prompt without an outcome yet.

    :param left: the providers that may still be asked, in order.
    :param refusals: how often a service refused it for now while it answered others.
    """

    index: int
    id: str | int | None
    prompt: Any
    key: bytes
    spec: CallSpec
    left: tuple[ProviderName, ...]
    failures: list[ProviderError] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    refusals: int = 0
    successes_seen: int = -1
    was_refused: bool = False
    refused_at: float | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """A job that goes to a provider.

    :param choice: the provider, with its model where it was named with one.
    :param waited: seconds since the service refused it, 0 where it did not.
    """

    job: Job
    choice: ProviderName
    ticket: Ticket
    waited: float

    @property
    def spec(self) -> CallSpec:
        """What is asked: of this one provider, and without retries of what the batch itself waits for."""
        policy = self.job.spec.policy._replace(left_to_caller=OVERLOADED)
        return self.job.spec._replace(providers=(self.choice,), policy=policy)


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """How many prompts may fail before the batch stops.

    :param most: a count, or where it is a ``float`` below 1 a share of those that are finished.
    """

    most: float | None

    def explain(self, failed: int, finished: int) -> str:
        """Return why the batch stops; empty where it goes on. A share counts from the twentieth outcome on."""
        if self.most is None:
            return ""
        if isinstance(self.most, float) and self.most < 1:
            over = finished >= _FEW and failed > self.most * finished
            return f"{failed} of {finished} prompts failed, more than {self.most:.0%} (max_failures)" if over else ""
        return f"{failed} prompts failed, more than {self.most:g} (max_failures)" if failed > self.most else ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is.

    :param answered: outcomes with an answer.
    :param failed: outcomes with an error.
    :param skipped: prompts that an earlier run has finished.
    :param in_flight: calls that are being made.
    :param waiting: prompts that are read and wait.
    :param pauses: service → seconds that it must still be left alone.
    """

    answered: int = 0
    failed: int = 0
    skipped: int = 0
    in_flight: int = 0
    waiting: int = 0
    pauses: Mapping[str, float] = field(default_factory=dict)


class Schedule:
    """The jobs of a batch and the budgets of its services.

    :param workers: calls in flight at the most.
    :param make_budget: returns the budget of a service.
    """

    def __init__(self, workers: int, make_budget: Callable[[str], Budget], limit: FailureLimit) -> None:
        self._workers, self._make_budget, self._limit = workers, make_budget, limit
        self._waiting: deque[Job] = deque()
        self._budgets: dict[str, Budget] = {}
        self.in_flight = self.answered = self.failed = 0
        self._last_error: ProviderError | None = None
        self.stopped: ProviderError | None = None
        """Why nothing more is started."""

    def add(self, job: Job) -> None:
        """Have ``job`` wait for its turn."""
        self._waiting.append(job)

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._waiting)

    def choose(self, now: float) -> Start | float:
        """Start a job, or return the seconds until one may start, infinite until something happens."""
        if self.stopped is not None or self.in_flight >= self._workers:
            return math.inf
        soonest, losses, seen = math.inf, dict[str, str](), set[tuple[ProviderName, ...]]()
        hopeless = bool(self._waiting)
        for position, job in enumerate(self._waiting):
            if job.left in seen:
                continue
            seen.add(job.left)
            for choice in job.left:
                budget = self._find_budget(choice)
                loss, wait = budget.explain_loss(now), budget.compute_wait(now)
                if loss:
                    losses[choice.name] = loss
                elif wait <= 0:
                    del self._waiting[position]
                    return self._start(job, choice, now)
                else:
                    hopeless, soonest = False, min(soonest, wait)
                    if not budget.has_refused_lately(now):
                        break  # it is only busy: the next one is for when this one refuses
        if hopeless and not self.in_flight:
            self._give_up(losses)
        return soonest

    def finish(self, start: Start, answer: Answer, now: float) -> Outcome | None:
        """Note what came of a start; return the outcome, ``None`` where the job waits again."""
        job, budget = start.job, self._find_budget(start.choice)
        self.in_flight -= 1
        self._note_attempts(start, answer)
        error = answer.error
        if error is None:
            budget.succeed(start.ticket, now, answer.quota)
            return self._make_outcome(job, answer, None)
        if _is_overloaded(error):
            alone = job.was_refused and budget.successes > job.successes_seen
            budget.refuse(start.ticket, now, error.retry_after, answer.quota, alone=alone)
            if self._may_wait(job, budget, now):
                return None
        else:
            budget.fail(now, answer.quota, key_refused=isinstance(error, AuthenticationFailed))
        return self._fall_back(start, answer, error)

    def cancel(self, start: Start, *, again: bool) -> None:
        """Note that a start came to no end.

        :param again: whether the job waits again.
        """
        self.in_flight -= 1
        self._find_budget(start.choice).cancel()
        if again:
            self._waiting.appendleft(start.job)

    def describe(self, now: float) -> Progress:
        """Return how far it is."""
        pauses = {name: pause for name, budget in self._budgets.items() if (pause := budget.compute_pause(now)) > 0}
        return Progress(self.answered, self.failed, 0, self.in_flight, len(self._waiting), pauses)

    def _find_budget(self, choice: ProviderName) -> Budget:
        if choice.name not in self._budgets:
            self._budgets[choice.name] = self._make_budget(choice.name)
        return self._budgets[choice.name]

    def _start(self, job: Job, choice: ProviderName, now: float) -> Start:
        self.in_flight += 1
        waited = 0.0 if job.refused_at is None else now - job.refused_at
        job.refused_at = None
        return Start(job, choice, self._find_budget(choice).start(now), waited)

    def _note_attempts(self, start: Start, answer: Answer) -> None:
        reason = answer.error.message if answer.error is not None else ""
        model = start.choice.model or start.job.spec.model or ""
        skipped = Attempt(start.choice.name, model, "skipped", reason)  # nothing was sent
        first, *others = answer.attempts or (skipped,)
        start.job.attempts += [replace(first, waited=first.waited + start.waited), *others]

    def _may_wait(self, job: Job, budget: Budget, now: float) -> bool:
        """Have a refused job wait again, unless the service refuses only this one again and again."""
        if budget.successes > job.successes_seen:
            job.refusals, job.successes_seen = job.refusals + 1, budget.successes
        if job.refusals > _MOST_REFUSALS:
            return False
        job.refused_at = now
        if job.was_refused:
            self._waiting.append(job)  # let another one try: it may be this one that is refused
        else:
            self._waiting.appendleft(job)
        job.was_refused = True
        return True

    def _fall_back(self, start: Start, answer: Answer, error: ProviderError) -> Outcome | None:
        job = start.job
        job.failures.append(error)
        job.left = tuple(choice for choice in job.left if choice != start.choice)
        if job.left and may_fall_back(error):
            self._waiting.appendleft(job)
            return None
        final = combine_failures(job.failures, asked=len(job.spec.providers), model=job.spec.model)
        if isinstance(final, InvalidCall):
            self.stopped = self.stopped or name_prompt(final, job.index, job.id)
            return None
        return self._make_outcome(job, answer, final)

    def _make_outcome(self, job: Job, answer: Answer, error: ProviderError | None) -> Outcome:
        attempts = tuple(job.attempts)
        if error is None:
            self.answered += 1
        else:
            self.failed += 1
            error.attempts = attempts
            self._last_error = error
        reason = self._limit.explain(self.failed, self.answered + self.failed)
        if reason and self.stopped is None:
            self.stopped = BatchStopped(f"the batch stopped: {reason}; the last error: {self._last_error}")
        return Outcome(
            index=job.index,
            id=job.id,
            prompt=job.prompt,
            text=answer.text if error is None else "",
            error=error,
            attempts=attempts,
            usage=answer.usage,
            finish_reason=answer.finish_reason,
            seconds=sum(attempt.total for attempt in attempts),
            data=answer.data,
            tool_calls=answer.tool_calls,
        )

    def _give_up(self, losses: Mapping[str, str]) -> None:
        reasons = "; ".join(f"{name} {loss}" for name, loss in losses.items())
        self.stopped = BatchStopped(f"the batch stopped: {reasons}; what is finished is kept, run the same again later")


def name_prompt(error: InvalidCall, index: int, identity: str | int | None) -> InvalidCall:
    """Return the error with the prompt that it is about."""
    named = f"prompt {index}" + ("" if identity is None else f" (id {identity!r})")
    error.args = (f"{named}: {error.message}",)
    return error


def _is_overloaded(error: ProviderError) -> bool:
    return isinstance(error, HTTPStatusError) and not isinstance(error, Blocked) and error.status in OVERLOADED


def list_services(choices: Sequence[ProviderName]) -> list[str]:
    """Return the services of the providers, each once."""
    return list(dict.fromkeys(choice.name for choice in choices))
