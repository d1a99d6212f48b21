"""``Client.map``: outcomes of many prompts over real connections."""

import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from providers_sdk import AllProvidersFailed, Client, Image, Outcome, RateLimited, read_journal
from providers_sdk._engine.batch.batch import Batch
from providers_sdk._engine.batch.items import BatchOptions
from providers_sdk.errors import (
    BatchStopped,
    Closed,
    HTTPStatusError,
    InvalidAnswer,
    InvalidArgument,
    InvalidMessages,
    JournalError,
    PromptRejected,
    UnknownProvider,
    UnsupportedOption,
)
from providers_sdk.testing import json_response
from providers_sdk_plugins.fakes.openai import OpenAISite
from tests.engine.batch.service import BatchService, accept, hang, limit_files_to, refuse


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("providers-sdk")]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert threads() == []


# What comes out


def test_every_prompt_has_one_outcome() -> None:
    with BatchService() as site, site.client() as client:
        outcomes = list(client.map(f"p{index}" for index in range(50)))
    assert sorted(outcome.index for outcome in outcomes) == list(range(50))
    assert all(outcome.text == f"yes: p{outcome.index}" for outcome in outcomes)
    assert {(outcome.error, outcome.finish_reason, outcome.provider) for outcome in outcomes} == {
        (None, "stop", "openai")
    }
    assert all(outcome.usage is not None and outcome.usage.total_tokens == 3 for outcome in outcomes)


def test_no_prompts_are_no_outcomes() -> None:
    with Client("echo") as client:
        assert list(client.map([])) == []


def test_in_order_a_slow_first_prompt_holds_the_window_and_nothing_piles_up() -> None:
    gate = threading.Event()
    read: list[int] = []

    def prompts() -> Iterator[str]:
        for index in range(40):
            read.append(index)
            yield f"p{index}"

    def wait(prompt: str) -> None:
        if prompt == "p0":
            gate.wait(30)

    with BatchService(wait=wait) as site, site.client() as client:
        batch = client.map(prompts(), workers=4, ordered=True)
        threading.Timer(0.3, gate.set).start()
        first = next(batch)
        assert first.index == 0
        assert len(read) == 8
        assert [outcome.index for outcome in batch] == list(range(1, 40))


def test_at_most_two_prompts_a_worker_are_read_ahead() -> None:
    read, taken = 0, 0

    def prompts() -> Iterator[str]:
        nonlocal read
        for index in count():
            read += 1
            assert read - taken <= 2 * 3
            yield f"p{index}"

    with BatchService() as site, site.client() as client:
        for _ in islice(client.map(prompts(), workers=3), 30):
            taken += 1
    assert read <= 30 + 2 * 3


def test_no_more_calls_than_workers_are_under_way() -> None:
    with BatchService(wait=lambda _: threading.Event().wait(0.005)) as site, site.client() as client:
        list(client.map((f"p{index}" for index in range(60)), workers=5))
    assert 1 < site.most_under_way <= 5


def test_prompts_may_be_messages_and_the_system_message_goes_first() -> None:
    with BatchService() as site, site.client() as client:
        history = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        [outcome] = client.map([[*history, {"role": "user", "content": "c"}]], system="Be brief.", temperature=0.5)
        body = site.requests[0].json()
    assert isinstance(body, dict)
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["temperature"] == 0.5
    assert outcome.text == "yes: c"


@pytest.mark.parametrize(
    ("prompts", "identity"),
    [
        ([{"prompt": "a", "key": "k1"}, {"prompt": "b", "key": 2}], "key"),
        (["a", "b"], ["k1", 2]),
        (["a", "b"], lambda prompt: {"a": "k1", "b": 2}[prompt]),
    ],
)
def test_an_id_is_a_column_a_value_or_a_function(prompts: list[Any], identity: Any) -> None:
    with Client("echo") as client:
        outcomes = list(client.map(prompts, id=identity, ordered=True))
    assert [(outcome.id, outcome.prompt, outcome.text) for outcome in outcomes] == [("k1", "a", "a"), (2, "b", "b")]


def test_data_and_tool_calls_are_in_the_outcome_and_in_the_journal(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"stars": {"type": "integer"}}, "required": ["stars"]}
    with BatchService(lambda prompt, _: accept('{"stars": 3}' if prompt == "good" else "many")) as site:
        with site.client() as client:
            good, bad = client.map(["good", "bad"], ordered=True, schema=schema, journal=tmp_path / "j")
    assert good.data == {"stars": 3}
    assert isinstance(bad.error, InvalidAnswer)
    assert {outcome.prompt: outcome.data for outcome in read_journal(tmp_path / "j")} == {
        "good": {"stars": 3},
        "bad": None,
    }


def test_a_tool_call_is_an_answer(tmp_path: Path) -> None:
    tool = {"name": "get_menu", "description": "The menu.", "parameters": {"type": "object", "properties": {}}}
    with OpenAISite("tools") as site:
        settings = {"openai": {"url": site.url, "key": "fake-key"}}
        with Client("openai", settings=settings) as client:
            [outcome] = client.map(["menu?"], tools=[tool], journal=tmp_path / "j")
    assert [call.name for call in outcome.tool_calls] == ["get_menu"]
    [kept] = read_journal(tmp_path / "j")
    assert kept.tool_calls == outcome.tool_calls


def test_an_image_is_told_by_its_digest(tmp_path: Path) -> None:
    image = Image(b"\x89PNG\r\n\x1a\n" + bytes(20))
    with BatchService() as site, site.client() as client:
        site._behave = lambda *_: accept("a pizza")
        list(client.map([[{"role": "user", "content": ["What is it?", image]}]], journal=tmp_path / "j"))
    [kept] = read_journal(tmp_path / "j")
    assert isinstance(kept.prompt, list)
    text, told = kept.prompt[0]["content"]
    assert text == {"type": "text", "text": "What is it?"}
    assert (told["type"], told["media_type"], told["bytes"]) == ("image", "image/png", 28)
    assert len(told["sha256"]) == 64


# Failures


def test_an_error_is_a_value() -> None:
    with BatchService(lambda prompt, _: refuse(500) if prompt == "p1" else None) as site, site.client() as client:
        outcomes = list(client.map(["p0", "p1", "p2"], ordered=True))
    assert [type(outcome.error) for outcome in outcomes] == [type(None), HTTPStatusError, type(None)]
    assert outcomes[1].text == ""
    assert outcomes[1].attempts[0].status == 500


def test_more_failures_than_allowed_stop_the_batch_after_what_is_finished() -> None:
    with BatchService(lambda *_: refuse(500)) as site, site.client() as client:
        outcomes: list[Outcome] = []
        with pytest.raises(BatchStopped, match=r"failed, more than 3 \(max_failures\); the last error: openai: "):
            outcomes.extend(client.map(map(str, count()), max_failures=3, workers=2))
    assert 4 <= len(outcomes) <= 5
    assert sum(site.asked.values()) == len(outcomes)


def test_a_mistake_of_the_caller_stops_at_once_and_names_the_prompt() -> None:
    with BatchService() as site, site.client() as client:
        with pytest.raises(InvalidMessages, match=r"prompt 2 \(id 'c'\): the prompt is empty"):
            list(client.map(["a", "b", " ", "d"], id=["a", "b", "c", "d"]))
        with pytest.raises(UnsupportedOption, match="prompt 0: does not know the option colour"):
            list(client.map(["a"], colour="red"))
    assert "d" not in site.asked


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": 0}, "workers must be a whole number from 1, not 0"),
        ({"workers": True}, "workers must be"),
        ({"rpm": 0}, "rpm must be calls a minute"),
        ({"max_failures": -1}, "max_failures must be"),
        ({"max_failures": 1.5}, "max_failures must be a count, or a share such as 0.1"),
        ({"journal": 7}, "journal must be a path"),
        ({"executor": "dask"}, "executor must be a concurrent.futures.Executor"),
        ({"system": 7}, "system must be a string"),
        ({"deadline": -1}, "deadline must be"),
    ],
)
def test_an_argument_that_cannot_be_used_is_refused_before_anything_is_read(
    arguments: dict[str, Any], message: str
) -> None:
    with Client("echo") as client, pytest.raises(InvalidArgument, match=message):
        client.map(iter(["a"]), **arguments)


@pytest.mark.parametrize("prompts", ["one prompt", b"bytes", {"a": "mapping"}, 7])
def test_one_prompt_is_no_list_of_prompts(prompts: Any) -> None:
    with Client("echo") as client, pytest.raises(InvalidArgument, match="prompts must be an iterable of prompts"):
        client.map(prompts)


@pytest.mark.parametrize(
    ("prompts", "identity", "message"),
    [
        (["a", "b"], ["k1"], "id has fewer values than there are prompts"),
        ([{"prompt": "a"}], "key", "has no column 'key'; it is: prompt"),
        ([{"text": "a"}], None, "has no column 'prompt'"),
        (["a"], [1.5], "has no usable id: 1.5"),
    ],
)
def test_an_id_that_is_missing_is_refused(prompts: list[Any], identity: Any, message: str) -> None:
    with Client("echo") as client, pytest.raises(InvalidArgument, match=message):
        list(client.map(prompts, id=identity))


def test_an_unknown_provider_and_a_closed_client_are_refused() -> None:
    client = Client("ekho")
    with pytest.raises(UnknownProvider):
        list(client.map(["a"]))
    client.close()
    with pytest.raises(Closed):
        client.map(["a"])


def test_an_error_of_the_prompts_reaches_the_consumer_and_the_journal_keeps_what_was_asked(tmp_path: Path) -> None:
    def prompts() -> Iterator[str]:
        yield from ("a", "b")
        raise RuntimeError("the database is gone")

    with BatchService() as site, site.client() as client:
        with pytest.raises(RuntimeError, match="the database is gone"):
            list(client.map(prompts(), journal=tmp_path / "j"))
    assert sorted(str(outcome.prompt) for outcome in read_journal(tmp_path / "j")) == sorted(site.asked)


# Refusals for now


def test_the_batch_waits_out_a_refusal_once_for_all_and_its_outcomes_say_so() -> None:
    def behave(prompt: str, asked: int) -> Any:
        return refuse(429, Retry_After="0.1") if prompt == "p0" and asked == 1 else None

    with BatchService(behave) as site, site.client() as client:
        outcomes = list(client.map([f"p{index}" for index in range(10)], ordered=True))
    assert all(outcome.error is None for outcome in outcomes)
    first = outcomes[0]
    assert [attempt.outcome for attempt in first.attempts] == ["RateLimited", "answered"]
    assert first.attempts[1].waited > 0
    assert site.asked["p0"] == 2


def test_a_calls_own_retries_do_not_multiply_the_waits() -> None:
    with BatchService(lambda _, asked: refuse(503, Retry_After="0") if asked < 3 else None) as site:
        with Client("openai", settings={"openai": {"url": site.url, "key": "k"}}, retries=5) as client:
            [outcome] = client.map(["p"])
    assert outcome.error is None
    assert len(outcome.attempts) == site.asked["p"] == 3


def test_other_failures_are_retried_by_the_call() -> None:
    with BatchService(lambda _, asked: refuse(502, Retry_After="0") if asked < 3 else None) as site:
        with Client("openai", settings={"openai": {"url": site.url, "key": "k"}}, retries=2) as client:
            [outcome] = client.map(["p"])
    assert outcome.error is None
    assert site.asked["p"] == 3


def test_in_a_fallback_list_the_work_of_a_paused_service_goes_to_the_next() -> None:
    with BatchService(lambda *_: refuse(429, Retry_After="200")) as site, site.client() as client:
        outcomes = list(client.map([f"p{index}" for index in range(20)], provider=["openai", "echo"], workers=2))
    assert [outcome.text for outcome in outcomes if outcome.provider == "echo"] == [
        str(outcome.prompt) for outcome in outcomes
    ]
    assert sum(site.asked.values()) <= 2


def test_where_all_providers_fail_the_outcome_names_each() -> None:
    with BatchService(lambda *_: refuse(500)) as site, site.client() as client:
        [outcome] = client.map(["p"], provider=["openai", "gizai"], temperature=0.1)
    assert isinstance(outcome.error, AllProvidersFailed)
    assert [attempt.provider for attempt in outcome.attempts] == ["openai", "gizai"]


def test_a_service_that_asks_to_wait_for_hours_stops_the_batch_with_a_sentence(tmp_path: Path) -> None:
    with BatchService(lambda *_: refuse(429, Retry_After="7200")) as site, site.client() as client:
        with pytest.raises(BatchStopped, match=r"openai asks to wait 7200 s; what is finished is kept"):
            list(client.map(["p"], journal=tmp_path / "j"))
    assert list(read_journal(tmp_path / "j")) == []


def test_a_used_up_quota_is_seen_in_the_headers_of_an_answer() -> None:
    quota = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "0.2"}
    with BatchService(lambda prompt, _: accept("yes", quota)) as site, site.client() as client:
        batch = client.map(["a", "b"], workers=1)
        next(batch)
        assert 0 < batch.progress.pauses["openai"] <= 0.2
        next(batch)


@pytest.mark.parametrize(("setting", "argument", "pace"), [(None, 600, 10), ("120", None, 2), ("120", 600, 10)])
def test_rpm_is_an_argument_and_a_setting(setting: str | None, argument: float | None, pace: float) -> None:
    rpm = {} if setting is None else {"rpm": setting}
    with Client("openai", settings={"openai": {"key": "k", **rpm}}) as client, client.map([], rpm=argument) as batch:
        budget = batch._runner._schedule._make_budget("openai")
    assert budget.pace == pace


# Leaving


def test_leaving_the_loop_lets_what_is_in_flight_finish(tmp_path: Path) -> None:
    with BatchService(wait=lambda _: threading.Event().wait(0.02)) as site, site.client() as client:
        for _ in client.map(map(str, count()), workers=4, journal=tmp_path / "j"):
            break
        assert threads() == []
        asked = sum(site.asked.values())
    assert asked == len(list(read_journal(tmp_path / "j")))


def test_what_does_not_finish_in_time_is_cut_off_and_asked_again(tmp_path: Path) -> None:
    with BatchService() as site, site.client() as client:
        site.fault = hang
        batch = make_batch(client, ["a", "b"], tmp_path / "j", grace=0.1)
        threading.Timer(0.2, batch.close).start()
        assert list(batch) == []
        assert site.wait_idle(10)
        site.fault = None
        assert len(list(client.map(["a", "b"], journal=tmp_path / "j"))) == 2


def make_batch(client: Client, prompts: Any, journal: Path, **arguments: Any) -> Batch:
    options = BatchOptions(journal=journal, workers=2)
    return Batch(client, prompts, options, {}, open_client=lambda: client, **arguments)


def test_a_batch_that_is_dropped_or_never_begun_leaves_nothing(tmp_path: Path) -> None:
    with Client("echo") as client, warnings.catch_warnings():
        warnings.simplefilter("error")
        client.map(["a"], journal=tmp_path / "j")
        batch = client.map(map(str, count()), journal=tmp_path / "j")
        next(batch)
        del batch
        with client.map(["a"], journal=tmp_path / "j") as batch:
            batch.close()
            assert list(batch) == []


def test_an_interrupt_while_waiting_ends_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with BatchService() as site, site.client() as client:
        batch = client.map(["a", "b"], journal=tmp_path / "j", workers=1)
        runner = batch._runner
        monkeypatch.setattr(runner, "take", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            next(batch)
        assert list(batch) == []
    assert [outcome.prompt for outcome in read_journal(tmp_path / "j")] in (["a"], [], ["a", "b"])


def test_a_lent_thread_pool_is_used_and_left_running() -> None:
    with ThreadPoolExecutor(2, thread_name_prefix="mine") as executor, Client("echo") as client:
        assert len(list(client.map(map(str, range(20)), executor=executor))) == 20
        assert executor.submit(lambda: 1).result() == 1


# Resuming


def test_a_second_run_asks_only_what_is_not_finished(tmp_path: Path) -> None:
    def behave(prompt: str, asked: int) -> Any:
        return refuse(500) if prompt in ("p3", "p7") and asked == 1 else None

    prompts = [f"p{index}" for index in range(40)]
    with BatchService(behave) as site, site.client() as client:
        assert len(list(client.map(prompts, journal=tmp_path / "j"))) == 40
        batch = client.map(prompts, journal=tmp_path / "j", workers=2)  # more finished ones than workers
        assert sorted(outcome.index for outcome in batch) == [3, 7]
        assert batch.progress.skipped == 38
        assert list(client.map(prompts, journal=tmp_path / "j")) == []
    assert {prompt: number for prompt, number in site.asked.items() if number > 1} == {"p3": 2, "p7": 2}
    assert len(list(read_journal(tmp_path / "j"))) == 40


def test_another_model_option_or_system_message_is_another_question(tmp_path: Path) -> None:
    with BatchService() as site, site.client() as client:
        for arguments in ({}, {"model": "large"}, {"temperature": 0.5}, {"system": "Be brief."}, {}):
            list(client.map(["p"], journal=tmp_path / "j", **arguments))
    assert site.asked["p"] == 4


def test_a_prompt_refused_for_good_is_not_asked_again(tmp_path: Path) -> None:
    rejected = {"error": {"message": "filtered", "code": "content_filter"}}
    with BatchService(lambda *_: json_response(rejected, status=400)) as site, site.client() as client:
        [outcome] = client.map(["p"], journal=tmp_path / "j")
        assert isinstance(outcome.error, PromptRejected)
        assert list(client.map(["p"], journal=tmp_path / "j")) == []
    assert site.asked["p"] == 1


def test_failures_are_not_asked_again_where_the_caller_says_so(tmp_path: Path) -> None:
    with BatchService(lambda *_: refuse(500)) as site, site.client() as client:
        list(client.map(["p"], journal=tmp_path / "j"))
        assert list(client.map(["p"], journal=tmp_path / "j", retry_failed=False)) == []
    assert site.asked["p"] == 1


def test_each_outcome_is_in_the_journal_before_it_is_yielded(tmp_path: Path) -> None:
    with BatchService() as site, site.client() as client:
        for outcome in client.map(map(str, range(20)), journal=tmp_path / "j"):
            assert (outcome.index, outcome.text) in [(one.index, one.text) for one in read_journal(tmp_path / "j")]


def test_after_a_journal_that_cannot_be_written_nothing_more_is_asked(tmp_path: Path) -> None:
    with BatchService() as site, site.client() as client:
        batch = client.map(map(str, count()), journal=tmp_path / "j", workers=2)
        next(batch)
        with limit_files_to((tmp_path / "j").stat().st_size + 100):
            with pytest.raises(JournalError, match=r"cannot be written: .*what it holds is whole"):
                list(batch)
        asked = sum(site.asked.values())
    assert asked <= len(list(read_journal(tmp_path / "j"))) + 2


def test_a_second_batch_on_the_same_journal_gets_a_sentence(tmp_path: Path) -> None:
    with Client("echo") as client, client.map(["a"], journal=tmp_path / "j"):
        with pytest.raises(JournalError, match="is in use by another run"):
            client.map(["a"], journal=tmp_path / "j")


def test_rate_limited_is_the_error_of_a_prompt_that_alone_is_refused() -> None:
    def behave(prompt: str, _: int) -> Any:
        return refuse(429, Retry_After="0") if prompt == "poison" else None

    with BatchService(behave) as site, site.client() as client:
        prompts = ["poison", *(f"p{index}" for index in range(200))]
        outcomes = {outcome.prompt: outcome for outcome in client.map(prompts, workers=1)}
    assert isinstance(outcomes["poison"].error, RateLimited)
    assert sum(outcome.error is None for outcome in outcomes.values()) == 200
