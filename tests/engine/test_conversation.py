"""A conversation keeps the turns that came to their end, and no others."""

from collections.abc import Iterator
from typing import Any

import pytest

from providers_sdk import Client, Conversation, FinishReason, Message, ProviderError, Registry, StreamTruncated
from providers_sdk.errors import HTTPStatusError, InvalidMessages
from providers_sdk.plugin import Chunk, Http, Provider, Request
from providers_sdk.testing import Response, json_response
from providers_sdk_plugins.fakes.gizai import GizAISite


class Counting(Provider):
    """Says how many messages it got; breaks off at "cut", fails at "fail"."""

    models = (default_model,) = ("m",)

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        last = request.messages[-1].content
        if last == "fail":
            raise HTTPStatusError("answered 404", status=404)
        yield f"{len(request.messages)} "
        yield "messages"
        if last != "cut":
            yield FinishReason("stop")


@pytest.fixture
def client() -> Iterator[Client]:
    registry = Registry()
    registry.register("counting", Counting)
    with Client("counting", registry=registry) as client:
        yield client


def test_each_turn_is_asked_with_those_before_it(client: Client) -> None:
    talk = client.conversation(system="Be brief.")
    assert [talk.chat("Hi").text, talk.chat("And?").text] == ["2 messages", "4 messages"]
    assert talk.history == (
        Message("system", "Be brief."),
        Message("user", "Hi"),
        Message("assistant", "2 messages"),
        Message("user", "And?"),
        Message("assistant", "4 messages"),
    )
    assert tuple(talk) == talk.history


def test_without_a_system_message_the_history_begins_empty(client: Client) -> None:
    assert client.conversation().history == ()
    assert client.conversation(system="").history == ()


def test_a_turn_joins_the_history_only_once_it_is_read_to_its_end(client: Client) -> None:
    talk = client.conversation()
    reply = talk.chat("Hi")
    assert talk.history == ()
    next(reply)
    assert talk.history == ()
    assert reply.text == "1 messages"
    assert len(talk.history) == 2


@pytest.mark.parametrize("text", ["fail", "cut", "", " ", "\0"])
def test_a_turn_that_failed_leaves_the_history_as_it_was(text: str, client: Client) -> None:
    talk = client.conversation(system="Be brief.")
    assert talk.chat("Hi").text
    before = talk.history
    with pytest.raises(ProviderError):
        list(talk.chat(text))
    assert talk.history == before
    assert talk.chat("And?").text == "4 messages"


def test_a_turn_that_was_left_early_leaves_the_history_as_it_was(client: Client) -> None:
    talk = client.conversation()
    for _ in talk.chat("Hi"):
        break
    talk.chat("Hi").close()
    assert talk.history == ()


def test_a_cut_turn_tells_what_had_come(client: Client) -> None:
    with pytest.raises(StreamTruncated) as raised:
        _ = client.conversation().chat("cut").text
    assert raised.value.partial == "1 messages"


@pytest.mark.parametrize("text", [None, 3, b"Hi", ["Hi"], {"role": "user", "content": "Hi"}])
def test_a_turn_is_a_string(text: Any, client: Client) -> None:
    with pytest.raises(InvalidMessages, match="a turn is a string"):
        client.conversation().chat(text)


def test_arguments_of_the_conversation_are_those_of_every_turn_and_a_turn_may_replace_them(client: Client) -> None:
    talk = client.conversation(provider="echo")
    assert talk.chat("Hi").provider == "echo"
    assert talk.chat("Hi", provider="counting").provider == "counting"
    assert talk.chat("And?").text == "And?"


def test_two_conversations_of_one_client_know_nothing_of_each_other(client: Client) -> None:
    one, two = client.conversation(system="one"), client.conversation()
    assert one.chat("Hi").text == "2 messages"
    assert two.chat("Hi").text == "1 messages"
    assert isinstance(one, Conversation)


def test_the_service_gets_the_whole_history() -> None:
    class Site(GizAISite):
        def respond(self, received: Any) -> Response:
            return json_response({"output": f"answer {len(self.requests)}"}, status=201)

    with Site() as site, Client("gizai", settings={"gizai": site.client_settings()}) as client:
        talk = client.conversation(system="Be brief.")
        assert talk.chat("Hi").text == "answer 1"
        assert talk.chat("And?").text == "answer 2"
        body = site.requests[1].json()
    assert isinstance(body, dict)
    assert body["input"]["messages"] == [
        {"content": "Be brief."},
        {"type": "human", "content": "Hi"},
        {"type": "ai", "content": "answer 1"},
        {"type": "human", "content": "And?"},
    ]
