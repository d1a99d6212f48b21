"""``client.run`` calls the tools that a model asks for until there is an answer, and hides nothing that went wrong."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from providers_sdk import Client, FinishReason, Message, Registry, ToolCall
from providers_sdk.errors import (
    DeadlineExceeded,
    EmptyAnswer,
    HTTPStatusError,
    InvalidArgument,
    InvalidMessages,
    TooManyRounds,
    UnsupportedOption,
)
from providers_sdk.plugin import Chunk, Http, Provider, Request
from providers_sdk_plugins.fakes.openai import OpenAISite

MENU, PRICE = ToolCall("call_1", "get_menu", {"day": "friday"}), ToolCall("call_2", "get_price", {"pizza": "Funghi"})


def get_menu(day: str) -> list[str]:
    """Return the menu of a day."""
    return ["Funghi", day]


def get_price(pizza: str) -> float:
    """Return the price of a pizza in euros."""
    raise LookupError(f"no price for {pizza}")


class Scripted(Provider):
    """Answers each round with the next of :attr:`rounds`; keeps the requests."""

    offline = supports_tools = supports_schema = True
    models = (default_model,) = ("m",)
    rounds: tuple[tuple[Chunk | Exception, ...], ...] = ()
    requests: list[Request]

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        self.requests.append(request)
        for chunk in self.rounds[min(len(self.requests), len(self.rounds)) - 1]:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


Make = Callable[..., tuple[Client, list[Request]]]


@pytest.fixture
def make() -> Iterator[Make]:
    clients = []

    def make_client(*rounds: tuple[Chunk | Exception, ...], **arguments: Any) -> tuple[Client, list[Request]]:
        requests: list[Request] = []
        registry = Registry()
        registry.register("scripted", type("Mine", (Scripted,), {"rounds": rounds, "requests": requests}))
        clients.append(Client("scripted", registry=registry, retries=0, **arguments))
        return clients[-1], requests

    yield make_client
    for client in clients:
        client.close()


def ask_for(*calls: ToolCall) -> tuple[Chunk, ...]:
    return (*calls, FinishReason("tool_calls"))


DONE: tuple[Chunk, ...] = ("Fun", "ghi.", FinishReason("stop"))


def test_two_tools_at_once_one_of_which_raises_are_told_to_the_model_and_kept_on_the_reply() -> None:
    with (
        OpenAISite("two_tools") as site,
        Client("openai", retries=0, settings={"openai": site.client_settings()}) as client,
    ):
        reply = client.run("What is on?", tools=[get_menu, get_price])
        assert reply.text == site.text
    bodies: Any = [received.json() for received in site.requests]
    first, second = bodies
    assert [tool["function"]["name"] for tool in first["tools"]] == ["get_menu", "get_price"]
    assert second["messages"][-2:] == [
        {"role": "tool", "tool_call_id": "call_1", "content": '["Funghi","friday"]'},
        {"role": "tool", "tool_call_id": "call_2", "content": "error: LookupError: no price for Funghi"},
    ]
    good, bad = reply.tool_results
    assert (good.call, good.text, good.error) == (MENU, '["Funghi","friday"]', None)
    assert (bad.call, type(bad.error), bad.text) == (PRICE, LookupError, "error: LookupError: no price for Funghi")
    assert [attempt.outcome for attempt in reply.attempts] == ["answered", "answered"]


def test_the_reply_of_a_run_is_read_as_any_other(make: Make) -> None:
    client, _ = make(ask_for(MENU), DONE)
    reply = client.run("Hi", tools=[get_menu])
    assert (reply.finish_reason, reply.done, reply.partial, reply.tool_calls) == ("stop", True, "Funghi.", ())
    assert list(reply) == ["Fun", "ghi."]
    assert list(reply) == []
    assert str(reply) == "Funghi."
    assert tuple(client.run("Hi", tools=[get_menu]).chunks()) == DONE


def test_the_messages_of_a_run_are_the_next_ones_history(make: Make) -> None:
    client, requests = make(("Let me see. ", *ask_for(MENU)), DONE)
    messages = client.run([Message("system", "Be brief."), Message("user", "Hi")], tools=[get_menu]).messages
    assert messages == (
        Message("system", "Be brief."),
        Message("user", "Hi"),
        Message("assistant", "Let me see. ", (MENU,)),
        Message("tool", '["Funghi","friday"]', tool_call_id="call_1"),
        Message("assistant", "Funghi."),
    )
    assert client.run([*messages, Message("user", "And?")], tools=[get_menu]).text == "Funghi."
    assert requests[-1].messages == (*messages, Message("user", "And?"))


def test_an_answer_without_tool_calls_ends_the_run_at_once(make: Make) -> None:
    client, requests = make(DONE)
    assert client.run("Hi", tools=[get_menu]).tool_results == ()
    assert len(requests) == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (ToolCall("c", "get_soup", {}), "error: there is no tool 'get_soup'; there are get_menu, get_price"),
        (ToolCall("c", "get_menu", {}), "Field required"),
        (ToolCall("c", "get_menu", {"day": 5}), "Input should be a valid string"),
        (ToolCall("c", "get_menu", {"day": "friday", "x": 1}), "Extra inputs are not permitted"),
    ],
    ids=["unknown", "missing", "type", "extra"],
)
def test_a_call_that_cannot_be_made_is_told_to_the_model(call: ToolCall, words: str, make: Make) -> None:
    client, requests = make(ask_for(call), DONE)
    reply = client.run("Hi", tools=[get_menu, get_price])
    [result] = reply.tool_results
    assert words in result.text
    assert result.error is not None
    assert requests[1].messages[-1] == Message("tool", result.text, tool_call_id="c")


def test_what_a_tool_returns_or_raises_can_always_be_sent(make: Make) -> None:
    class Unprintable(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def odd(kind: str) -> Any:
        """Return something odd."""
        if kind == "unprintable":
            raise Unprintable
        return {"nul": "a\0b\ud83c", "none": None, "set": {1}, "object": object(), "long": "x" * 9_000_000}[kind]

    kinds = ("nul", "none", "set", "object", "long", "unprintable")
    client, _ = make(ask_for(*(ToolCall(kind, "odd", {"kind": kind}) for kind in kinds)), DONE)
    told = {result.call.id: result.text for result in client.run("Hi", tools=[odd]).tool_results}
    assert (told["nul"], told["none"], told["set"]) == ("a\ufffdb\ufffd", "null", "[1]")
    assert told["object"].startswith("error: PydanticSerializationError")
    assert told["long"] == "error: ValueError: the result has 9000000 characters; at most 8000000 can be sent"
    assert told["unprintable"] == "error: Unprintable: (its text cannot be read)"


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_program_ends_the_run(stop: type[BaseException], make: Make) -> None:
    def quit_now() -> None:
        """Stop."""
        raise stop

    client, requests = make(ask_for(ToolCall("c", "quit_now", {})), DONE)
    with pytest.raises(stop):
        client.run("Hi", tools=[quit_now])
    assert len(requests) == 1


def test_a_model_that_never_stops_asking_ends_after_max_rounds_with_its_messages(make: Make) -> None:
    client, requests = make(ask_for(MENU))
    with pytest.raises(TooManyRounds, match=r"after 3 rounds the model still asks for tools \(get_menu\)") as caught:
        client.run("Hi", tools=[get_menu], max_rounds=3)
    error = caught.value
    assert len(requests) == len(error.attempts) == 3
    assert [message.role for message in error.messages] == ["user", "assistant", "tool", "assistant", "tool"]
    assert (error.provider, error.finish_reason) == ("scripted", "tool_calls")
    with pytest.raises(TooManyRounds):
        client.run("Hi", tools=[get_menu], max_rounds=1)


def test_a_round_that_fails_keeps_the_messages_and_a_run_can_go_on_from_there(make: Make) -> None:
    client, requests = make(ask_for(MENU), (HTTPStatusError("answered 503", status=503),), DONE)
    with pytest.raises(HTTPStatusError) as caught:
        client.run("Hi", tools=[get_menu])
    messages = caught.value.messages
    assert messages == requests[1].messages
    assert [attempt.outcome for attempt in caught.value.attempts] == ["answered", "HTTPStatusError"]
    assert client.run(messages, tools=[get_menu]).text == "Funghi."


@pytest.mark.parametrize("rounds", [0, 1])
def test_a_round_without_an_answer_keeps_them_too(rounds: int, make: Make) -> None:
    client, _ = make(*[ask_for(MENU)] * rounds, (FinishReason("length"),))
    with pytest.raises(EmptyAnswer) as caught:
        client.run("Hi", tools=[get_menu])
    assert len(caught.value.messages) == 1 + 2 * rounds


def test_one_deadline_is_for_all_rounds_and_the_tools_time_counts(make: Make) -> None:
    over = threading.Event()

    def wait() -> str:
        """Wait for longer than the deadline."""
        over.wait(0.6)
        return "done"

    client, requests = make(ask_for(ToolCall("c", "wait", {})), DONE)
    with pytest.raises(DeadlineExceeded, match=r"within 0\.5 s") as caught:
        client.run("Hi", tools=[wait], deadline=0.5)
    assert len(requests) == 1
    assert caught.value.messages[-1] == Message("tool", "done", tool_call_id="c")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"tools": []}, "there are no tools"),
        ({"tools": get_menu}, "must be a list"),
        ({"tools": [{"name": "get_menu"}]}, "so each is a function"),
        ({"tools": [get_menu, get_menu]}, "two tools have the name"),
        ({"tools": [get_menu], "max_rounds": 0}, "max_rounds must be"),
        ({"tools": [get_menu], "max_rounds": True}, "max_rounds must be"),
        ({"tools": [get_menu], "schema_retries": -1}, "schema_retries must be"),
        ({"tools": [get_menu], "schema_retries": 1}, "schema_retries needs schema="),
    ],
)
def test_a_run_that_is_called_wrongly_asks_nothing(arguments: Any, words: str, make: Make) -> None:
    client, requests = make(DONE)
    with pytest.raises(InvalidArgument, match=words):
        client.run("Hi", **arguments)
    with pytest.raises(InvalidMessages):
        client.run("", tools=[get_menu])
    assert requests == []


def test_a_provider_that_takes_no_tools_refuses() -> None:
    with Client("echo") as client, pytest.raises(UnsupportedOption, match="echo: takes no tools, or ask another"):
        client.run("Hi", tools=[get_menu])


def test_arguments_are_those_of_chat_in_every_round(make: Make) -> None:
    client, requests = make(ask_for(MENU), ('{"a": 7}', FinishReason("stop")), ('{"a": "b"}', FinishReason("stop")))
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    reply = client.run("Hi", tools=[get_menu], model="m", stream=False, schema=schema, schema_retries=1)
    assert reply.data == {"a": "b"}
    assert [request.stream for request in requests] == [False] * 3
    assert [request.schema for request in requests] == [schema] * 3
    assert requests[2].tools == requests[0].tools != ()
    assert "does not fit the schema at $.a" in requests[2].messages[-1].text
    assert [message.role for message in reply.messages[-3:]] == ["assistant", "user", "assistant"]
