"""The reply: an answer that is read as it arrives, and that says what became of it."""

import gc
import pydoc
from collections.abc import Callable, Iterator

import pytest

from providers_sdk import (
    Attempt,
    Client,
    FinishReason,
    Message,
    Reasoning,
    Registry,
    Reply,
    StreamTruncated,
    ToolCall,
    Usage,
)
from providers_sdk.errors import Closed
from providers_sdk.plugin import Chunk, Http, Provider, Request
from providers_sdk.testing import Connection, Received
from providers_sdk_plugins.fakes.aipower import AIPowerSite

Ask = Callable[..., Reply]

CHUNKS = (Reasoning("hm"), "one ", Usage(1, 2), "two ", Reasoning("so"), "three", Usage(1, 3), FinishReason("length"))


class Fixed(Provider):
    """Yields :data:`CHUNKS`, or breaks off after as many as the prompt says."""

    models = (default_model,) = ("m",)

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        most = int(request.prompt) if request.prompt.isdigit() else len(CHUNKS)
        yield from CHUNKS[:most]


@pytest.fixture
def ask() -> Iterator[Ask]:
    registry = Registry()
    registry.register("fixed", Fixed)
    with Client("fixed", registry=registry) as client:
        yield client.chat


def test_a_loop_gives_the_text_and_nothing_else(ask: Ask) -> None:
    assert list(ask("Hi")) == ["one ", "two ", "three"]


def test_chunks_are_everything_in_its_order(ask: Ask) -> None:
    assert tuple(ask("Hi").chunks()) == CHUNKS


def test_text_reads_to_the_end(ask: Ask) -> None:
    reply = ask("Hi")
    assert reply.text == "one two three"
    assert reply.text == "one two three"
    assert list(reply) == []
    assert list(reply.chunks()) == []


def test_text_after_a_loop_is_the_whole_text(ask: Ask) -> None:
    reply = ask("Hi")
    assert next(reply) == "one "
    assert reply.partial == "one "
    assert reply.text == "one two three"


def test_a_loop_goes_on_where_next_stopped(ask: Ask) -> None:
    reply = ask("Hi")
    assert next(reply) == "one "
    assert list(reply) == ["two ", "three"]
    with pytest.raises(StopIteration):
        next(reply)


def test_facts_are_there_once_they_are_known(ask: Ask) -> None:
    reply = ask("Hi")
    assert (reply.provider, reply.model) == ("fixed", "m")
    assert (reply.finish_reason, reply.usage, reply.partial) == (None, None, "")
    assert [next(reply), next(reply)] == ["one ", "two "]
    assert (reply.finish_reason, reply.usage) == (None, Usage(1, 2))
    assert reply.text == "one two three"
    assert (reply.finish_reason, reply.usage) == ("length", Usage(1, 3))


def test_the_attempt_is_told_as_it_stands(ask: Ask) -> None:
    reply = ask("Hi")
    assert [attempt.outcome for attempt in reply.attempts] == ["streaming"]
    assert reply.text
    assert [attempt.outcome for attempt in reply.attempts] == ["answered"]
    assert reply.attempts == reply.attempts


def test_printing_a_reply_prints_the_whole_answer_and_its_repr_reads_nothing(ask: Ask) -> None:
    reply = ask("Hi")
    assert repr(reply) == "<Reply from 'fixed', 0 characters, finish None>"
    assert f"{reply}" == str(reply) == "one two three"
    assert reply.done


def test_help_shows_what_a_reply_tells() -> None:
    shown = pydoc.plain(pydoc.render_doc(Reply))
    assert all(name in shown for name in ("usage", "done", "served_model", "finish_reason", "partial"))


def test_a_reply_that_was_closed_says_so_when_it_is_read_on(ask: Ask) -> None:
    reply = ask("Hi")
    assert next(reply) == "one "
    reply.close()
    reply.close()
    for read in (lambda: next(reply), lambda: reply.text, lambda: list(reply), lambda: next(reply.chunks())):
        with pytest.raises(Closed, match=r"closed before its end; the text so far is in reply\.partial") as raised:
            read()
        assert raised.value.partial == reply.partial == "one "
    assert [attempt.outcome for attempt in reply.attempts] == ["abandoned"]


def test_a_reply_that_is_closed_at_once_hands_out_nothing(ask: Ask) -> None:
    reply = ask("Hi")
    reply.close()
    with pytest.raises(Closed):
        next(reply)
    assert reply.partial == ""


def test_closing_what_was_read_to_its_end_changes_nothing(ask: Ask) -> None:
    with ask("Hi") as reply:
        text = reply.text
    assert reply.text == text == "one two three"
    assert (reply.finish_reason, reply.attempts[-1].outcome) == ("length", "answered")


def test_leaving_a_loop_early_closes_the_reply(ask: Ask) -> None:
    reply = ask("Hi")
    for _ in reply:
        break
    assert reply.attempts[-1].outcome == "abandoned"
    with pytest.raises(Closed):
        next(reply)


def test_leaving_a_loop_over_chunks_early_closes_the_reply(ask: Ask) -> None:
    reply = ask("Hi")
    for _ in reply.chunks():
        break
    assert reply.attempts[-1].outcome == "abandoned"


def test_a_with_block_closes_whatever_happens_in_it(ask: Ask) -> None:
    with pytest.raises(LookupError), ask("Hi") as reply:
        raise LookupError
    assert reply.attempts[-1].outcome == "abandoned"


def test_an_answer_that_breaks_off_raises_with_what_had_come(ask: Ask) -> None:
    for most, partial in ((1, ""), (2, "one "), (4, "one two "), (7, "one two three")):
        reply = ask(str(most))
        with pytest.raises(StreamTruncated) as raised:
            list(reply)
        error = raised.value
        assert (error.partial, error.provider, error.model) == (partial, "fixed", "m")
        assert reply.partial == partial
        assert error.attempts == reply.attempts
        assert reply.attempts[-1].outcome == "StreamTruncated"
        assert reply.attempts[-1].reason
        assert reply.finish_reason is None


def test_what_broke_off_cannot_be_mistaken_for_an_answer(ask: Ask) -> None:
    reply = ask("2")
    for _ in range(2):
        with pytest.raises(StreamTruncated) as raised:
            _ = reply.text
        assert raised.value.partial == "one "


def test_a_repr_tells_how_far_it_is(ask: Ask) -> None:
    reply = ask("Hi")
    next(reply)
    assert repr(reply) == "<Reply from 'fixed', 4 characters, finish None>"


def test_a_done_callback_is_called_once_however_the_reply_ends(ask: Ask) -> None:
    def read(reply: Reply) -> None:
        assert reply.text

    def break_off(reply: Reply) -> None:
        for _ in reply:
            break

    def fail(reply: Reply) -> None:
        with pytest.raises(StreamTruncated):
            list(reply)

    for question, end, outcome in (
        ("Hi", read, "answered"),
        ("Hi", Reply.close, "abandoned"),
        ("Hi", break_off, "abandoned"),
        ("2", fail, "StreamTruncated"),
    ):
        seen: list[Attempt] = []
        reply = ask(question)
        reply.add_done_callback(lambda run, seen=seen: seen.append(run.record()))  # type: ignore[misc]
        end(reply)
        reply.close()
        del reply
        gc.collect()
        assert [attempt.outcome for attempt in seen] == [outcome]


def first_piece_only(connection: Connection, _: Received) -> None:
    pieces = iter(connection.intended_response.encode())
    for _piece in range(3):
        connection.send(next(pieces))
    connection.wait_closed()


def test_an_iterator_that_outlives_its_loop_keeps_the_reply_open() -> None:
    with AIPowerSite() as site, Client("chatgptfree", settings={"chatgptfree": site.client_settings()}) as client:
        site.fault = first_piece_only
        reply = client.chat("Hi")
        pieces = iter(reply)
        assert next(pieces) == site.reply_pieces[0]
        assert reply.attempts[-1].outcome == "streaming"
        assert site.open_connections == 1
        del pieces
        assert reply.attempts[-1].outcome == "abandoned"
        assert site.wait_idle(10)


CALLS = (ToolCall("a", "ping", {}), ToolCall("b", "ping", {"x": 1}))


class Calling(Provider):
    """Yields text and tool calls, and breaks off where it is asked to."""

    models = (default_model,) = ("m",)

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield from ("one ", "two", *CALLS)
        if request.prompt != "cut":
            yield FinishReason("tool_calls")


@pytest.fixture
def call() -> Iterator[Ask]:
    registry = Registry()
    registry.register("calling", Calling)
    with Client("calling", registry=registry) as client:
        yield client.chat


def test_asking_for_tool_calls_reads_to_the_end_and_takes_no_text_from_a_loop(call: Ask) -> None:
    reply = call("Hi")
    assert next(reply) == "one "
    assert reply.tool_calls == CALLS
    assert reply.done
    assert list(reply) == ["two"]
    assert reply.tool_calls == CALLS
    assert call("Hi").text == "one two"
    assert [chunk for chunk in call("Hi").chunks() if isinstance(chunk, ToolCall)] == [*CALLS]


def test_the_message_of_a_reply_is_its_turn(call: Ask) -> None:
    reply = call("Hi")
    assert reply.message == Message("assistant", "one two", CALLS)
    assert reply.question == (Message("user", "Hi"),)


def test_an_answer_that_breaks_off_has_no_tool_calls_and_its_text_can_still_be_read(call: Ask) -> None:
    reply = call("cut")
    with pytest.raises(StreamTruncated):
        _ = reply.tool_calls
    assert [next(reply), next(reply)] == ["one ", "two"]
    with pytest.raises(StreamTruncated):
        next(reply)


def test_an_answer_of_tool_calls_alone_prints_nothing() -> None:
    registry = Registry()
    registry.register("bare", type("Bare", (Calling,), {"complete": lambda *_: iter([*CALLS, FinishReason(None)])}))
    with Client("bare", registry=registry) as client:
        reply = client.chat("Hi")
        assert (list(reply), reply.tool_calls, reply.finish_reason) == ([], CALLS, None)
