"""One call: who is asked, how often, and when to stop. Nothing is repeated once a piece of an answer is there."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from providers_sdk._attempts import Attempt
from providers_sdk._engine.retry import RetryPolicy
from providers_sdk._http.clock import Clock
from providers_sdk._model.limits import Limits
from providers_sdk._model.messages import Message
from providers_sdk._model.request import Request
from providers_sdk._provider.attempt import Live, Ready
from providers_sdk.errors import (
    AllProvidersFailed,
    DeadlineExceeded,
    PluginError,
    ProviderError,
    RequestError,
    UnknownModel,
    UnsupportedOption,
)

__all__ = ["Call", "Question"]

_PASSED_OVER = (UnsupportedOption, UnknownModel, PluginError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a call asks, of whomever.

    :param providers: names, in the order in which they are asked.
    """

    providers: Sequence[str]
    messages: tuple[Message, ...]
    model: str | None = None
    stream: bool = True
    strict: bool = False
    max_chars: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    policy: RetryPolicy = field(default_factory=RetryPolicy)


class Call:
    """One question on its way through providers and retries.

    :param question: what is asked.
    :param ready: gives the provider of a name.
    :param notify: is told of each attempt: ``notify("attempt_started", attempt)``.
    :param sleep: waits the given seconds.
    """

    def __init__(
        self,
        question: Question,
        *,
        ready: Callable[[str], Ready],
        notify: Callable[[str, Attempt], None],
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.question, self.notify = question, notify
        self._ready, self._sleep, self._now = ready, sleep, now
        self._started = now()
        self.attempts: list[Attempt] = []

    def start(self) -> Live:
        """Return the first attempt whose answer has begun.

        :raises ProviderError: of the one provider; :class:`AllProvidersFailed` where more were asked.
        """
        failures: list[ProviderError] = []
        for candidate in [self._candidate(name) for name in self.question.providers]:
            if isinstance(candidate, ProviderError):
                failures.append(candidate)
                continue
            outcome = self._too_late(failures) or self._ask(candidate)
            if isinstance(outcome, Live):
                return outcome
            failures.append(outcome)
            if isinstance(outcome, DeadlineExceeded) or not _may_fall_back(outcome):
                break
        raise self._final(failures)

    def _too_late(self, failures: list[ProviderError]) -> DeadlineExceeded | None:
        """The deadline's error, where it has passed with the one asked before: the next is not to blame."""
        left = self._deadline_left()
        if not failures or left is None or left > 0:
            return None
        verdict = Clock(replace(self.question.limits, first=None), started=self._started, now=self._now).verdict()
        verdict.provider, verdict.__cause__ = failures[-1].provider, failures[-1]
        return verdict if isinstance(verdict, DeadlineExceeded) else None

    def _candidate(self, name: str) -> Ready | ProviderError:
        """Return the provider, or why it is passed over; the caller's mistakes are raised before anything is sent."""
        question = self.question
        try:
            ready = self._ready(name)
            ready.provider.guarded(lambda: ready.provider.check_options(question.messages, question.options))
        except _PASSED_OVER as error:
            if len(question.providers) == 1:
                raise
            self._pass_over(name, error)
            return error
        return ready

    def _pass_over(self, name: str, error: ProviderError) -> None:
        error.provider = error.provider or name
        attempt = Attempt(name, self.question.model or "", "skipped", error.message)
        self.attempts.append(attempt)
        self.notify("attempt_finished", attempt)

    def _ask(self, ready: Ready) -> Live | ProviderError:
        request = self._request(ready)
        if isinstance(request, ProviderError):
            return request
        waited, made = 0.0, 0
        while True:
            outcome = self._attempt(ready, request, waited)
            if isinstance(outcome, Live):
                return outcome
            left = self._deadline_left()
            wait = self.question.policy.decide(outcome, made=made, left=left, jitter=random.random())  # noqa: S311
            if wait.seconds is None:
                return _with_reason(outcome, wait.why)
            self._sleep(wait.seconds)
            waited, made = wait.seconds, made + 1

    def _request(self, ready: Ready) -> Request | ProviderError:
        question = self.question
        try:
            return ready.provider.request(
                question.model,
                question.messages,
                stream=question.stream,
                strict=question.strict,
                options=question.options,
            )
        except _PASSED_OVER as error:
            self._pass_over(ready.provider.name, error)
            return error

    def _attempt(self, ready: Ready, request: Request, waited: float) -> Live | ProviderError:
        clock = Clock(self.question.limits, started=self._started, now=self._now)
        live = Live(ready, request, clock, waited=waited, max_chars=self.question.max_chars)
        self.notify("attempt_started", live.attempt())
        try:
            live.open()
        except ProviderError as error:
            self.attempts.append(live.attempt())
            return error
        finally:
            if live.over:
                self.notify("attempt_finished", live.attempt())
        return live

    def _deadline_left(self) -> float | None:
        deadline = self.question.limits.deadline
        return None if deadline is None else self._started + deadline - self._now()

    def _final(self, failures: list[ProviderError]) -> ProviderError:
        last = failures[-1]
        options = [error for error in failures if isinstance(error, (UnsupportedOption, UnknownModel))]
        if len(options) == len(failures):
            last = options[0]
        elif len(self.question.providers) > 1 and _may_fall_back(last) and not isinstance(last, DeadlineExceeded):
            last = AllProvidersFailed(_story(failures), model=self.question.model)
            last.__cause__ = failures[-1]
        last.attempts = tuple(self.attempts)
        return last


def _may_fall_back(error: ProviderError) -> bool:
    return not isinstance(error, RequestError) or isinstance(error, _PASSED_OVER)


def _with_reason(error: ProviderError, why: str) -> ProviderError:
    if why:
        error.args = (f"{error.message}; not asked again: {why}",)
    return error


def _story(failures: Sequence[ProviderError]) -> str:
    lines = [f"  {error.provider}: {type(error).__name__}: {error.message}" for error in failures]
    return "\n".join([f"none of the {len(failures)} providers answered:", *lines])
