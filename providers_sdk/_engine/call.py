"""One call: which providers are asked, how often, and when to stop.

Nothing is repeated once the first piece of an answer has arrived.
"""

import copy
import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from providers_sdk._attempts import Attempt
from providers_sdk._engine.hook_arguments import Notify, describe_finish, describe_skip, describe_start
from providers_sdk._engine.retry import RetryPolicy
from providers_sdk._http.clock import Clock
from providers_sdk._model.limits import Limits
from providers_sdk._model.messages import Message
from providers_sdk._model.names import ProviderName
from providers_sdk._model.request import Request
from providers_sdk._model.tools import ToolSchema
from providers_sdk._provider.attempt import AttemptRun, State
from providers_sdk._provider.binding import BoundProvider
from providers_sdk.errors import (
    AllProvidersFailed,
    DeadlineExceeded,
    InvalidCall,
    KeyUnavailable,
    PluginError,
    ProviderError,
    UnknownModel,
    UnsupportedOption,
)

if TYPE_CHECKING:
    from providers_sdk._engine.schema import AnswerSchema

__all__ = ["CallRunner", "CallSpec", "combine_failures", "may_fall_back"]

_PASSED_OVER = (UnsupportedOption, UnknownModel, KeyUnavailable, PluginError)


class CallSpec(NamedTuple):
    """What a call asks, whichever provider answers.

    :param providers: in the order in which they are asked.
    :param first_token_is_default: whether the caller left the limit ``first_token`` at its default.
    """

    providers: Sequence[ProviderName]
    messages: tuple[Message, ...]
    model: str | None = None
    stream: bool = True
    strict: bool = False
    max_chars: int | None = None
    allow_empty: bool = False
    options: Mapping[str, Any] = MappingProxyType({})
    limits: Limits = Limits()
    first_token_is_default: bool = False
    policy: RetryPolicy = RetryPolicy()
    tools: tuple[ToolSchema, ...] = ()
    schema: "AnswerSchema | None" = None
    schema_retries: int = 0

    @property
    def json_schema(self) -> Mapping[str, Any] | None:
        """The schema as the service is told it."""
        return None if self.schema is None else self.schema.json_schema


class CallRunner:
    """Takes one call through its providers and retries.

    :param spec: what is asked.
    :param bind: returns the provider of a name, bound to its connections; its second argument is the seconds that are
        left for that, ``None`` for no limit.
    :param is_slow: returns whether binding a provider has to wait for its key; that is put off until its turn.
    :param notify: is called for each attempt: ``notify("attempt_started", describe)``, where ``describe()`` returns the
        hook's arguments.
    :param sleep: waits the given seconds.
    :param observe: is given each attempt before it is opened.
    """

    def __init__(
        self,
        spec: CallSpec,
        *,
        bind: Callable[[str, float | None], BoundProvider],
        is_slow: Callable[[str], bool] = lambda _: False,
        notify: Notify,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
        observe: Callable[[AttemptRun], None] | None = None,
    ) -> None:
        self.spec, self._notify, self._observe = spec, notify, observe
        self._bind, self._is_slow, self._sleep, self._now = bind, is_slow, sleep, now
        self._started = now()
        self.attempts: list[Attempt] = []

    def start(self) -> AttemptRun:
        """Return the first attempt whose answer has begun.

        :raises ProviderError: of the one provider; :class:`AllProvidersFailed` where more were asked.
        """
        failures: list[ProviderError] = []
        for choice, found in [(choice, self._find_early(choice)) for choice in self.spec.providers]:
            candidate = found or self._find_candidate(choice)
            if isinstance(candidate, ProviderError):
                failures.append(candidate)
                continue
            outcome = self._check_deadline(failures) or self._ask(candidate, choice.model)
            if isinstance(outcome, AttemptRun):
                return outcome
            failures.append(outcome)
            if not may_fall_back(outcome):
                break
        raise self._make_error(failures)

    def follow(self, messages: tuple[Message, ...], attempts: Sequence[Attempt]) -> "CallRunner":
        """Return a runner that asks ``messages`` in the same call: its deadline runs on, and its attempts are kept."""
        follower = copy.copy(self)
        follower.spec, follower.attempts = self.spec._replace(messages=messages), list(attempts)
        return follower

    def _check_deadline(self, failures: list[ProviderError]) -> DeadlineExceeded | None:
        """Return the deadline's error, where it has passed with the provider before: the next one is not to blame."""
        left = self._compute_time_left()
        if not failures or left is None or left > 0:
            return None
        deadline_only = Limits(connect=None, first_token=None, idle=None, deadline=self.spec.limits.deadline)
        error = Clock(deadline_only, started=self._started, now=self._now).timeout_error()
        error.provider, error.__cause__ = failures[-1].provider, failures[-1]
        return error if isinstance(error, DeadlineExceeded) else None

    def _find_early(self, choice: ProviderName) -> BoundProvider | ProviderError | None:
        """Return the candidate before anything is sent; ``None`` where that would wait for a key not needed yet."""
        first = choice is self.spec.providers[0]
        return None if not first and self._is_slow(choice.name) else self._find_candidate(choice)

    def _find_candidate(self, choice: ProviderName) -> BoundProvider | ProviderError:
        """Return the provider, or why it is skipped; the caller's mistakes are raised."""
        try:
            bound = self._bind(choice.name, self._compute_time_left())
            bound.check_options(self.spec.messages, self.spec.options, self.spec.tools, self.spec.json_schema)
        except _PASSED_OVER as error:
            if len(self.spec.providers) == 1:
                raise
            self._skip(choice.name, choice.model, error)
            return error
        return bound

    def _skip(self, name: str, model: str | None, error: ProviderError) -> None:
        error.provider = error.provider or name
        attempt = Attempt(name, model or self.spec.model or "", "skipped", error.message)
        self.attempts.append(attempt)
        self._notify("attempt_finished", lambda: describe_skip(attempt, error))

    def _ask(self, bound: BoundProvider, model: str | None) -> AttemptRun | ProviderError:
        try:
            request, limits = self._create_request(bound, model), self._find_limits(bound)
        except _PASSED_OVER as error:
            self._skip(bound.name, model, error)
            return error
        waited, made = 0.0, 0
        while True:
            outcome = self._run_attempt(bound, request, limits, waited)
            if isinstance(outcome, AttemptRun):
                return outcome
            left = self._compute_time_left()
            wait = self.spec.policy.decide(outcome, made=made, left=left, jitter=random.random())  # noqa: S311
            if wait.seconds is None:
                return _add_reason(outcome, wait.why)
            self._sleep(wait.seconds)
            waited, made = wait.seconds, made + 1

    def _create_request(self, bound: BoundProvider, model: str | None) -> Request:
        spec = self.spec
        return bound.create_request(
            model or spec.model,
            spec.messages,
            stream=spec.stream,
            strict=spec.strict,
            exact_model=model is not None,
            options=spec.options,
            tools=spec.tools,
            schema=spec.json_schema,
        )

    def _find_limits(self, bound: BoundProvider) -> Limits:
        spec = self.spec
        return bound.attempt_limits(spec.limits, stream=spec.stream, first_token_is_default=spec.first_token_is_default)

    def _run_attempt(
        self, bound: BoundProvider, request: Request, limits: Limits, waited: float
    ) -> AttemptRun | ProviderError:
        clock = Clock(limits, started=self._started, now=self._now)
        run = AttemptRun(
            bound,
            request,
            clock,
            earlier=self.attempts,
            waited=waited,
            max_chars=self.spec.max_chars,
            allow_empty=self.spec.allow_empty,
        )
        if self._observe is not None:
            self._observe(run)
        self._notify("attempt_started", lambda: describe_start(run, self.spec.options))
        run.add_done_callback(self._notify_finished)
        try:
            run.open()
        except ProviderError as error:
            if run.state is State.FAILED:
                self.attempts += run.records()
            return error
        return run

    def _notify_finished(self, run: AttemptRun) -> None:
        for at in range(len(run.http.refused_attempts) + 1):  # as run.records() has
            self._notify("attempt_finished", partial(describe_finish, run, at, self.spec.options))

    def _compute_time_left(self) -> float | None:
        deadline = self.spec.limits.deadline
        return None if deadline is None else self._started + deadline - self._now()

    def _make_error(self, failures: list[ProviderError]) -> ProviderError:
        error = combine_failures(failures, asked=len(self.spec.providers), model=self.spec.model)
        error.attempts = tuple(self.attempts)
        return error


def combine_failures(failures: Sequence[ProviderError], *, asked: int, model: str | None) -> ProviderError:
    """Return the error of a whole call: of its last provider, or :class:`AllProvidersFailed`.

    :param failures: one error a provider, in order.
    :param asked: how many providers were named.
    """
    last = failures[-1]
    options = [error for error in failures if isinstance(error, (UnsupportedOption, UnknownModel))]
    if len(options) == len(failures):
        return options[0]
    if asked > 1 and may_fall_back(last):
        error = AllProvidersFailed(_list_failures(failures), model=model)
        error.__cause__ = last
        return error
    return last


def may_fall_back(error: ProviderError) -> bool:
    """Return whether the next provider is asked after ``error``: not if the deadline or the caller is to blame."""
    if isinstance(error, DeadlineExceeded):
        return False
    return not isinstance(error, InvalidCall) or isinstance(error, _PASSED_OVER)


def _add_reason(error: ProviderError, why: str) -> ProviderError:
    if why:
        error.args = (f"{error.message}; not asked again: {why}",)
    return error


def _list_failures(failures: Sequence[ProviderError]) -> str:
    lines = [f"  {_name(error, failures)}: {type(error).__name__}: {error.message}" for error in failures]
    return "\n".join([f"none of the {len(failures)} providers answered:", *lines])


def _name(error: ProviderError, failures: Sequence[ProviderError]) -> str:
    """Return the provider, with its model where it was asked for several."""
    models = {other.model for other in failures if other.provider == error.provider}
    return f"{error.provider}/{error.model}" if len(models) > 1 else str(error.provider)
