"""A conversation keeps the turns that came to their end, and no others."""

from collections.abc import Iterator
from typing import Any

import pytest

from providers_sdk import Client, Conversation, FinishReason, Message, ProviderError, Registry, StreamTruncated
from providers_sdk._engine.conversation import get_turns
from providers_sdk.errors import HTTPStatusError, InvalidArgument, InvalidMessages
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


@pytest.mark.parametrize("text", [None, 3, b"Hi", {"role": "user", "content": "Hi"}])
def test_a_turn_is_a_string_or_a_list_of_parts(text: Any, client: Client) -> None:
    with pytest.raises(InvalidMessages, match="a turn is a string or a list of parts"):
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


# A history that is given, windows, parts of answers


def test_a_given_history_comes_before_the_first_turn_and_system_replaces_its_system_message(client: Client) -> None:
    history: list[Any] = [
        {"role": "system", "content": "Be long."},
        {"role": "user", "content": "Hi"},
        Message("assistant", "Hello"),
    ]
    assert client.conversation(history=history).chat("And?").text == "4 messages"
    talk = client.conversation(system="Be brief.", history=history)
    assert [message.content for message in talk] == ["Be brief.", "Hi", "Hello"]
    talk.system = None
    assert [message.role for message in talk.history] == ["user", "assistant"]
    assert talk.system is None


@pytest.mark.parametrize("history", ["Hi", 3, [{"role": "user"}], [{"role": "x", "content": ""}], {"role": "user"}])
def test_what_is_no_history_is_refused(history: Any, client: Client) -> None:
    with pytest.raises(InvalidMessages):
        client.conversation(history=history)


class Listing(Provider):
    """Answers with the roles and contents that it got."""

    models = (default_model,) = ("m",)

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield " ".join(message.text for message in request.messages)[-3:]
        self.got.append([message.text for message in request.messages])
        yield FinishReason("stop")

    got: list[list[str]] = []


@pytest.fixture
def listing() -> Iterator[Client]:
    Listing.got.clear()
    registry = Registry()
    registry.register("listing", Listing)
    with Client("listing", registry=registry) as client:
        yield client


PAIRS = [Message(role, f"{role[0]}{number}") for number in range(4) for role in ("user", "assistant")]


@pytest.mark.parametrize(
    ("limits", "sent"),
    [
        ({}, ["sys", "u0", "a0", "u1", "a1", "u2", "a2", "u3", "a3", "now"]),
        ({"max_messages": 7}, ["sys", "u2", "a2", "u3", "a3", "now"]),
        ({"max_messages": 6}, ["sys", "u2", "a2", "u3", "a3", "now"]),
        ({"max_messages": 5}, ["sys", "u3", "a3", "now"]),
        ({"max_messages": 1}, ["sys", "now"]),
        ({"max_chars": 14}, ["sys", "u2", "a2", "u3", "a3", "now"]),
        ({"max_chars": 13}, ["sys", "u3", "a3", "now"]),
        ({"max_chars": 1}, ["sys", "now"]),
        ({"max_messages": 9, "max_chars": 10}, ["sys", "u3", "a3", "now"]),
    ],
)
def test_the_window_keeps_the_system_message_and_whole_turns(
    listing: Client, limits: dict[str, int], sent: list[str]
) -> None:
    talk = listing.conversation(system="sys", history=PAIRS, **limits)  # type: ignore[arg-type]
    talk.chat("now").text  # noqa: B018
    assert Listing.got == [sent]
    assert len(talk.history) == 11


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3"])
def test_a_window_is_a_positive_whole_number(value: Any, client: Client) -> None:
    for name in ("max_messages", "max_chars"):
        with pytest.raises(InvalidArgument, match=f"{name} must be a positive whole number"):
            client.conversation(**{name: value})


def test_keep_partial_keeps_a_reply_that_was_closed_early(client: Client) -> None:
    talk = client.conversation(keep_partial=True)
    for _ in talk.chat("Hi"):
        break
    assert [message.content for message in talk] == ["Hi", "1 "]
    assert [turn.partial for turn in get_turns(talk)] == [True]
    assert talk.chat("And?").text == "3 messages"
    assert [turn.partial for turn in get_turns(talk)] == [True, False]


@pytest.mark.parametrize("text", ["fail", "cut"])
def test_keep_partial_drops_a_turn_that_failed_and_one_without_text(text: str, client: Client) -> None:
    talk = client.conversation(keep_partial=True)
    with pytest.raises(ProviderError):
        list(talk.chat(text))
    talk.chat("Hi").close()
    assert talk.history == ()


def test_keep_partial_keeps_a_whole_answer_of_which_a_part_was_read() -> None:
    with Client("echo") as client:
        talk = client.conversation(keep_partial=True)
        with talk.chat("one two") as reply:
            next(reply)
        assert len(talk.history) == 2
        assert talk.chat("all").text == "all"
        assert [turn.partial for turn in get_turns(talk)] == [not reply.done, False]


def test_retry_replaces_the_last_turn_once_the_new_answer_is_there(client: Client) -> None:
    talk = client.conversation()
    with pytest.raises(InvalidArgument, match="there is no question to ask again"):
        talk.retry()
    assert talk.chat("Hi").text
    assert talk.chat("And?").text == "3 messages"
    reply = talk.retry()
    assert len(talk.history) == 4
    assert reply.text == "3 messages"
    assert [message.content for message in talk] == ["Hi", "1 messages", "And?", "3 messages"]


def test_a_retry_that_fails_leaves_the_old_turn(client: Client) -> None:
    talk = client.conversation(history=[Message("user", "cut"), Message("assistant", "an old answer")])
    with pytest.raises(StreamTruncated):
        list(talk.retry())
    assert [message.content for message in talk] == ["cut", "an old answer"]
