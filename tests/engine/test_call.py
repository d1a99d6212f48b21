"""The engine: who is asked, how often and until when; and that no answer is ever repeated or joined."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers_sdk import (
    AllProvidersFailed,
    Attempt,
    FinishReason,
    Limits,
    Message,
    ProviderError,
    RateLimited,
    Reasoning,
    Refused,
    Reply,
    StreamTruncated,
    Usage,
)
from providers_sdk._engine.call import CallRunner, CallSpec
from providers_sdk._engine.retry import RetryPolicy
from providers_sdk._model.names import ProviderName
from providers_sdk._provider.binding import BoundProvider, bind
from providers_sdk.errors import (
    AuthenticationFailed,
    Blocked,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    EmptyAnswer,
    FirstTokenTimeout,
    HTTPStatusError,
    IdleTimeout,
    InvalidAnswer,
    InvalidArgument,
    MissingSetting,
    PluginCrashed,
    PluginLoadError,
    TLSFailed,
    TooLarge,
    UnknownModel,
    UnsupportedOption,
)
from providers_sdk.plugin import Chunk, Http, ModelReplaced, Provider, Request

STOP = FinishReason("stop")
Step = Chunk | Callable[[], object]
"""A chunk that is yielded, or something to do: raise, or let time pass."""


def raises(kind: type[ProviderError], **facts: Any) -> Callable[[], object]:
    def step() -> object:
        raise kind("it did not work", **facts)

    return step


DOWN = raises(ConnectFailed)
BUSY = raises(HTTPStatusError, status=503)


class Scripted(Provider):
    """Plays one script per time that it is asked, the last one for ever."""

    models: tuple[str, ...] = ("m",)
    default_model = "m"
    supports_stream = True

    def __init__(self, name: str, *scripts: Sequence[Step]) -> None:
        super().__init__(name=name, environ={})
        self.scripts = scripts
        self.asked = 0

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        script = self.scripts[min(self.asked, len(self.scripts) - 1)]
        self.asked += 1
        for step in script:
            if callable(step):
                step()
            else:
                yield step


class Huge(Scripted):
    models = ("huge",)


@dataclass
class FaultSetup:
    """An engine with a clock of its own."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    told: list[tuple[str, str, str]] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def takes(self, seconds: float) -> Callable[[], object]:
        """Return a step of a script that takes its time."""

        def step() -> None:
            self.now += seconds

        return step

    def call(self, *providers: Scripted | ProviderError, **question: Any) -> CallRunner:
        """Return a call of the providers; an error stands for one that cannot be had."""
        by_name = {provider.provider if isinstance(provider, ProviderError) else provider.name: provider
                   for provider in providers}  # fmt: skip

        def bound(name: str, seconds: float | None) -> BoundProvider:
            provider = by_name[name]
            if isinstance(provider, ProviderError):
                raise provider
            return bind(provider)

        asked = CallSpec(
            providers=[ProviderName(str(name)) for name in by_name], messages=(Message("user", "Hi"),), **question
        )
        return CallRunner(asked, bind=bound, notify=self._notify, sleep=self.sleep, now=lambda: self.now)

    def ask(self, *providers: Scripted | ProviderError, **question: Any) -> Reply:
        runner = self.call(*providers, **question)
        return Reply(runner.start(), runner)

    def fail(self, *providers: Scripted | ProviderError, **question: Any) -> ProviderError:
        with pytest.raises(ProviderError) as raised:
            self.ask(*providers, **question)
        return raised.value

    def _notify(self, hook: str, describe: Callable[[], Mapping[str, Any]]) -> None:
        attempt = describe()["attempt"]
        self.told.append((hook, attempt.provider, attempt.outcome))


@pytest.fixture
def rig() -> FaultSetup:
    return FaultSetup()


def outcomes(attempts: Sequence[Attempt]) -> list[tuple[str, str]]:
    return [(attempt.provider, attempt.outcome) for attempt in attempts]


def test_the_first_answer_is_the_answer(rig: FaultSetup) -> None:
    one, two = Scripted("one", ["Hi ", "there", STOP]), Scripted("two", ["Ho", STOP])
    reply = rig.ask(one, two)
    assert (reply.text, reply.provider) == ("Hi there", "one")
    assert outcomes(reply.attempts) == [("one", "answered")]
    assert (one.asked, two.asked, rig.slept) == (1, 0, [])


@pytest.mark.parametrize("failure", [DOWN, BUSY, raises(ConnectionLost), raises(RateLimited, status=429)])
def test_what_a_repeat_can_cure_is_repeated_after_a_wait(failure: Step, rig: FaultSetup) -> None:
    one = Scripted("one", [failure], [failure], ["Hi", STOP])
    reply = rig.ask(one)
    assert reply.text == "Hi"
    assert [attempt.waited for attempt in reply.attempts] == [0.0, *rig.slept]
    assert len(rig.slept) == 2
    assert 0 <= rig.slept[0] <= 0.5
    assert 0 <= rig.slept[1] <= 1.0


def test_retries_end_with_the_last_error_and_every_attempt(rig: FaultSetup) -> None:
    one = Scripted("one", [DOWN], [BUSY], [DOWN])
    error = rig.fail(one)
    assert type(error) is ConnectFailed
    assert outcomes(error.attempts) == [("one", "ConnectFailed"), ("one", "HTTPStatusError"), ("one", "ConnectFailed")]
    assert one.asked == 3


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_the_policy_says_how_often(retries: int, rig: FaultSetup) -> None:
    one = Scripted("one", [DOWN])
    rig.fail(one, policy=RetryPolicy(retries=retries))
    assert one.asked == retries + 1


HOPELESS = {
    "not found": raises(HTTPStatusError, status=404),
    "not built": raises(HTTPStatusError, status=501),
    "key": raises(AuthenticationFailed, status=401),
    "wall": raises(Blocked, status=403),
    "refused": raises(Refused),
    "invalid": raises(InvalidAnswer, status=200),
    "empty": raises(EmptyAnswer, status=200),
    "tls": raises(TLSFailed),
    "first_token": raises(FirstTokenTimeout),
    "truncated": raises(StreamTruncated),
    "crash": raises(PluginCrashed),
}


@pytest.mark.parametrize("failure", HOPELESS.values(), ids=HOPELESS)
def test_what_no_repeat_can_cure_is_not_repeated_but_the_next_one_is_asked(failure: Step, rig: FaultSetup) -> None:
    one, two = Scripted("one", [failure]), Scripted("two", ["Ho", STOP])
    reply = rig.ask(one, two)
    assert (reply.text, reply.provider) == ("Ho", "two")
    assert (one.asked, two.asked, rig.slept) == (1, 1, [])


def test_a_services_own_wait_is_waited_and_a_little_more(rig: FaultSetup) -> None:
    one = Scripted("one", [raises(RateLimited, status=429, retry_after=7.0)], ["Hi", STOP])
    assert rig.ask(one).text == "Hi"
    assert 7.0 <= rig.slept[0] <= 7.7


def test_a_wait_that_is_too_long_is_not_waited_but_told(rig: FaultSetup) -> None:
    error = rig.fail(Scripted("one", [raises(RateLimited, status=429, retry_after=3600.0)]))
    assert rig.slept == []
    assert error.retry_after == 3600
    assert "3600 s" in error.message


def test_a_wait_that_would_pass_the_deadline_is_not_waited_but_told(rig: FaultSetup) -> None:
    one = Scripted("one", [raises(RateLimited, status=429, retry_after=7.0)])
    error = rig.fail(one, limits=Limits(deadline=5))
    assert (one.asked, rig.slept) == (1, [])
    assert "deadline" in error.message


def test_the_deadline_is_over_everything_together(rig: FaultSetup) -> None:
    slow: list[Step] = [rig.takes(4), Usage(1, 1), DOWN]
    one, two, three = Scripted("one", slow), Scripted("two", slow), Scripted("three", slow)
    error = rig.fail(one, two, three, limits=Limits(deadline=10, first_token=None), policy=RetryPolicy(retries=0))
    assert isinstance(error, DeadlineExceeded)
    assert (error.limit, error.seconds, error.elapsed) == ("deadline", 10, 12)
    assert error.provider == "three"
    assert [outcome for _, outcome in outcomes(error.attempts)] == ["ConnectFailed"] * 2 + ["DeadlineExceeded"]


def test_after_the_deadline_nobody_else_is_asked(rig: FaultSetup) -> None:
    one, two = Scripted("one", [Usage(1, 1), rig.takes(11), Usage(1, 1), "late", STOP]), Scripted("two", ["Ho", STOP])
    error = rig.fail(one, two, limits=Limits(deadline=10, first_token=None))
    assert isinstance(error, DeadlineExceeded)
    assert two.asked == 0


def test_each_provider_has_the_limit_first_for_itself(rig: FaultSetup) -> None:
    late: list[Step] = [Usage(1, 1), rig.takes(7), Usage(1, 1), "late", STOP]
    one, two = Scripted("one", late), Scripted("two", [rig.takes(4), "Ho", STOP])
    reply = rig.ask(one, two, limits=Limits(first_token=6, deadline=20))
    assert reply.text == "Ho"
    assert outcomes(reply.attempts) == [("one", "FirstTokenTimeout"), ("two", "answered")]
    assert reply.attempts[1].first_token == 4


def test_the_consumers_own_time_is_no_idleness_but_counts_for_the_deadline(rig: FaultSetup) -> None:
    one = Scripted("one", ["a", "b", "c", STOP])
    reply = rig.ask(one, limits=Limits(idle=5, deadline=25))
    for expected in "abc":
        assert next(reply) == expected
        rig.now += 8
    seen = []
    for chunk in rig.ask(Scripted("one", ["a", Usage(1, 1), "b", STOP]), limits=Limits(idle=5)).chunks():
        seen.append(chunk)
        rig.now += 8
    assert seen == ["a", Usage(1, 1), "b", STOP]
    reply = rig.ask(Scripted("one", ["a", "b", STOP]), limits=Limits(idle=5, deadline=25))
    rig.now += 26
    assert next(reply) == "a"
    with pytest.raises(DeadlineExceeded) as raised:
        next(reply)
    assert raised.value.partial == "a"


def test_a_service_that_pauses_too_long_is_idle(rig: FaultSetup) -> None:
    reply = rig.ask(Scripted("one", ["a", Usage(1, 1), rig.takes(6), Usage(1, 1), "b", STOP]), limits=Limits(idle=5))
    assert next(reply) == "a"
    with pytest.raises(IdleTimeout) as raised:
        next(reply)
    assert (raised.value.partial, raised.value.provider) == ("a", "one")


def test_all_are_asked_in_their_order_and_all_are_told(rig: FaultSetup) -> None:
    names = ("one", "two", "three")
    error = rig.fail(*(Scripted(name, [BUSY]) for name in names), policy=RetryPolicy(retries=1))
    assert isinstance(error, AllProvidersFailed)
    assert outcomes(error.attempts) == [(name, "HTTPStatusError") for name in names for _ in range(2)]
    assert "none of the 3 providers answered" in str(error)
    assert all(f"{name}: HTTPStatusError: it did not work" in str(error) for name in names)


@pytest.mark.parametrize("mistake", [InvalidArgument, MissingSetting])
def test_a_callers_mistake_is_not_papered_over(mistake: type[ProviderError], rig: FaultSetup) -> None:
    one, two = Scripted("one", [raises(mistake)]), Scripted("two", ["Ho", STOP])
    error = rig.fail(one, two)
    assert type(error) is mistake
    assert outcomes(error.attempts) == [("one", mistake.__name__)]
    assert two.asked == 0


def test_a_callers_mistake_about_any_provider_is_raised_before_one_is_asked(rig: FaultSetup) -> None:
    one = Scripted("one", ["Hi", STOP])
    error = rig.fail(one, MissingSetting("needs a key", provider="two"))
    assert type(error) is MissingSetting
    assert one.asked == 0


def test_who_cannot_honour_an_option_is_passed_over_and_the_attempts_say_so(rig: FaultSetup) -> None:
    one, two = Scripted("one", ["Hi", STOP]), Scripted("two", ["Ho", STOP])
    two.known_options = ("temperature",)  # type: ignore[misc]
    reply = rig.ask(one, two, options={"temperature": 0.2})
    assert (reply.text, one.asked) == ("Ho", 0)
    assert outcomes(reply.attempts) == [("one", "skipped"), ("two", "answered")]
    assert "does not know the option temperature" in reply.attempts[0].reason
    assert ("attempt_finished", "one", "skipped") in rig.told


def test_an_option_that_nobody_knows_is_the_callers_mistake(rig: FaultSetup) -> None:
    one, two = Scripted("one", ["Hi", STOP]), Scripted("two", ["Ho", STOP])
    error = rig.fail(one, two, options={"colour": "red"})
    assert type(error) is UnsupportedOption
    assert outcomes(error.attempts) == [("one", "skipped"), ("two", "skipped")]
    assert type(rig.fail(one, options={"colour": "red"})) is UnsupportedOption
    assert (one.asked, two.asked) == (0, 0)


def test_who_does_not_know_a_strictly_named_model_is_passed_over(rig: FaultSetup) -> None:
    one, two = Scripted("one", ["Hi", STOP]), Scripted("two", ["Ho", STOP])
    three = Huge("three", ["Ha", STOP])
    reply = rig.ask(one, three, model="huge", strict=True)
    assert (reply.text, reply.model) == ("Ha", "huge")
    assert outcomes(reply.attempts) == [("one", "skipped"), ("three", "answered")]
    assert type(rig.fail(one, model="huge", strict=True)) is UnknownModel
    assert type(rig.fail(one, two, model="huge", strict=True)) is UnknownModel
    assert (one.asked, two.asked) == (0, 0)


def test_a_plugin_that_cannot_be_loaded_is_passed_over(rig: FaultSetup) -> None:
    broken = PluginLoadError("importing it raised ImportError", provider="broken")
    reply = rig.ask(broken, Scripted("two", ["Ho", STOP]))
    assert reply.text == "Ho"
    assert outcomes(reply.attempts) == [("broken", "skipped"), ("two", "answered")]
    assert rig.fail(broken) is broken


@pytest.mark.parametrize("piece", ["so ", Reasoning("hm")])
def test_after_the_first_piece_a_failure_is_raised_and_nobody_is_asked(piece: Chunk, rig: FaultSetup) -> None:
    one, two = Scripted("one", [piece, BUSY]), Scripted("two", ["Ho", STOP])
    reply = rig.ask(one, two)
    with pytest.raises(HTTPStatusError) as raised:
        list(reply.chunks())
    error = raised.value
    assert error.partial == (piece if isinstance(piece, str) else "")
    assert outcomes(error.attempts) == outcomes(reply.attempts) == [("one", "HTTPStatusError")]
    assert (one.asked, two.asked, rig.slept) == (1, 0, [])


def test_token_counts_alone_are_no_piece(rig: FaultSetup) -> None:
    one, two = Scripted("one", [Usage(1, 1), "", BUSY]), Scripted("two", [Usage(2, 2), "Ho", STOP])
    reply = rig.ask(one, two, policy=RetryPolicy(retries=0))
    assert list(reply.chunks()) == [Usage(2, 2), "Ho", STOP]


def test_an_answer_that_is_too_long_is_broken_off(rig: FaultSetup) -> None:
    reply = rig.ask(Scripted("one", ["12345", "67890", "1", STOP]), max_chars=10)
    with pytest.raises(TooLarge, match="max_chars") as raised:
        list(reply)
    assert raised.value.partial == "1234567890"


def test_ctrl_c_ends_the_call_at_once(rig: FaultSetup) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    two = Scripted("two", ["Ho", STOP])
    for one in (Scripted("one", [interrupted]), Scripted("one", [DOWN])):
        call = rig.call(one, two)
        call._sleep = interrupted
        with pytest.raises(KeyboardInterrupt):
            call.start()
    assert two.asked == 0


def test_a_replaced_model_is_warned_of_once_however_often_it_is_asked(rig: FaultSetup) -> None:
    one = Scripted("one", [DOWN], [DOWN], ["Hi", STOP])
    with pytest.warns(ModelReplaced) as caught:
        assert rig.ask(one, model="huge").text == "Hi"
    assert (one.asked, len(caught)) == (3, 1)


def test_every_attempt_that_started_is_told_to_have_finished(rig: FaultSetup) -> None:
    reply = rig.ask(Scripted("one", [DOWN], [BUSY], ["Hi", STOP]), Scripted("two", ["Ho", STOP]))
    assert len(reply.attempts) == 3
    assert rig.told == [
        ("attempt_started", "one", "streaming"),
        ("attempt_finished", "one", "ConnectFailed"),
        ("attempt_started", "one", "streaming"),
        ("attempt_finished", "one", "HTTPStatusError"),
        ("attempt_started", "one", "streaming"),
    ]


FAILURES = [DOWN, BUSY, *HOPELESS.values(), raises(RateLimited, status=429, retry_after=1.0)]
STEPS = st.one_of(
    st.just("text"),
    st.just(""),
    st.just(Reasoning("hm")),
    st.just(Usage(1, 1)),
    st.just(STOP),
    st.sampled_from(FAILURES),
)
SCRIPTS = st.lists(st.lists(st.lists(STEPS, max_size=6), min_size=1, max_size=4), min_size=1, max_size=4)


def signed(name: str, script: Sequence[Step], time: int) -> list[Step]:
    """Return the script with its texts saying whose they are, and of which time."""
    return [f"{name}{time} " if step == "text" else step for step in script]


@settings(max_examples=500)
@given(scripts=SCRIPTS, retries=st.integers(0, 3))
def test_a_reply_holds_the_text_of_one_provider_asked_once(scripts: list[list[list[Step]]], retries: int) -> None:
    rig = FaultSetup()
    providers = [
        Scripted(f"p{number}:", *(signed(f"p{number}:", script, time) for time, script in enumerate(rows)))
        for number, rows in enumerate(scripts)
    ]

    def asked() -> int:
        return sum(provider.asked for provider in providers)

    delivered, error, at_first_piece = "", None, None
    try:
        reply = rig.ask(*providers, policy=RetryPolicy(retries=retries))
        at_first_piece = asked()
        for text in reply:
            delivered += text
        attempts = reply.attempts
    except ProviderError as failure:
        error, attempts = failure, failure.attempts

    assert len(set(delivered.split())) <= 1, "text of two providers, or of one asked twice"
    assert at_first_piece in (None, asked()), "somebody was asked after the first piece"
    assert len(attempts) == asked()
    assert [attempt.provider for attempt in attempts] == sorted(attempt.provider for attempt in attempts)
    assert error is None or error.partial == delivered
    assert (error is None) == (attempts[-1].outcome == "answered")
    assert all(attempt.outcome not in ("answered", "streaming") for attempt in attempts[:-1])
    assert all(provider.asked <= retries + 1 for provider in providers)
