"""Structured answers: the data are those of the schema, uncoerced, or an error with the path and the text."""

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pydantic
import pytest
from typing_extensions import TypedDict

from providers_sdk import Client, FinishReason, Message, Registry, ToolCall, chat
from providers_sdk.errors import HTTPStatusError, InvalidAnswer, InvalidArgument, UnsupportedOption
from providers_sdk.plugin import Chunk, Http, Provider, Request
from providers_sdk_plugins.fakes.openai import OpenAISite

SCHEMA = {
    "type": "object",
    "properties": {"pizzas": {"type": "array", "items": {"type": "string"}}},
    "required": ["pizzas"],
}
FITS = {"pizzas": ["Margherita", "Funghi", "Diavola"]}


@dataclass
class Menu:
    pizzas: list[str]


class MenuDict(TypedDict):
    pizzas: list[str]


class MenuModel(pydantic.BaseModel):
    pizzas: list[str]


KINDS: dict[str, tuple[Any, Any]] = {
    "json schema": (SCHEMA, FITS),
    "dataclass": (Menu, Menu(FITS["pizzas"])),
    "typed dict": (MenuDict, FITS),
    "model": (MenuModel, MenuModel(pizzas=FITS["pizzas"])),
    "type": (dict[str, list[str]], FITS),
}
Ask = Callable[..., Any]


class Scripted(Provider):
    """Answers with the next of its texts."""

    offline = supports_tools = supports_schema = True
    models = (default_model,) = ("m",)
    answers: Iterator[Any]
    requests: list[Request]

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        self.requests.append(request)
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        yield answer
        yield FinishReason("length" if answer == '{"pizzas": [' else "stop")


@pytest.fixture
def ask() -> Iterator[Ask]:
    clients = []

    def ask_once(*answers: Any, **arguments: Any) -> Any:
        registry, requests = Registry(), list[Request]()
        registry.register("scripted", type("Mine", (Scripted,), {"answers": iter(answers), "requests": requests}))
        clients.append(Client("scripted", registry=registry, retries=0))
        return clients[-1].chat("Name three pizzas", **arguments), requests

    yield ask_once
    for client in clients:
        client.close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_the_data_are_those_of_the_schema_and_the_service_is_sent_it(kind: str, stream: bool) -> None:
    schema, expected = KINDS[kind]
    with OpenAISite("schema") as site:
        reply = chat("Hi", provider="openai", settings={"openai": site.client_settings()}, schema=schema, stream=stream)
        assert reply.data == expected
        assert "".join(reply) == reply.text == '{"pizzas": ["Margherita", "Funghi", "Diavola"]}'
        body: Any = site.requests[0].json()
        sent = body["response_format"]
    assert sent["type"] == "json_schema"
    if kind == "json schema":
        assert sent["json_schema"] == {"name": "answer", "schema": SCHEMA}
    elif kind != "type":
        assert sent["json_schema"]["name"] == schema.__name__
        assert sent["json_schema"]["schema"]["required"] == ["pizzas"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_breaks_the_schema_is_an_invalid_answer_with_the_path_and_the_text(kind: str) -> None:
    with OpenAISite("misfit") as site:
        settings = {"openai": site.client_settings()}
        reply = chat("Hi", provider="openai", settings=settings, schema=KINDS[kind][0])
        with pytest.raises(InvalidAnswer) as caught:
            _ = reply.data
    error = caught.value
    assert "the answer does not fit the schema at $.pizzas[1]: " in error.message
    assert error.message.endswith('the answer is: {"pizzas": ["Margherita", 7]}')
    assert (error.provider, error.model, error.finish_reason) == ("openai", "gpt-4o-mini", "stop")
    assert error.partial == '{"pizzas": ["Margherita", 7]}'
    assert error.attempts == reply.attempts
    assert error.status == 200
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text", ['{"pizzas": [', "Here you are", "```json\n{}\n```", '{"pizzas": "Funghi"}', "[]", "7"]
)
def test_nothing_is_coerced_or_searched_for_json(text: str, kind: str, ask: Ask) -> None:
    reply, _ = ask(text, schema=KINDS[kind][0])
    for _again in range(2):
        with pytest.raises(InvalidAnswer) as caught:
            _ = reply.data
        assert "the answer does not fit the schema at $" in caught.value.message
    assert reply.text == text


def test_a_repeat_tells_the_model_what_was_wrong() -> None:
    with (
        OpenAISite("misfit") as site,
        Client("openai", retries=0, settings={"openai": site.client_settings()}) as client,
    ):
        reply = client.chat("Hi", schema=SCHEMA, schema_retries=1)
        assert (reply.data, len(reply.attempts)) == (FITS, 2)
        assert "".join(reply) == reply.text
    body: Any = site.requests[1].json()
    question, wrong, told = body["messages"]
    assert (question["content"], wrong["content"]) == ("Hi", '{"pizzas": ["Margherita", 7]}')
    assert told == {
        "role": "user",
        "content": "the answer does not fit the schema at $.pizzas[1]: 7 is not of type 'string'. "
        "Answer again, with JSON that fits.",
    }


def test_an_answer_that_fits_is_not_repeated_and_one_that_never_fits_is_the_last_error(ask: Ask) -> None:
    reply, requests = ask('{"pizzas": []}', schema=SCHEMA, schema_retries=3)
    assert (reply.data, len(requests)) == ({"pizzas": []}, 1)
    with pytest.raises(InvalidAnswer, match=r"the answer is: \{2") as caught:
        ask("{1", "{2", "{3", schema=SCHEMA, schema_retries=1)
    assert len(caught.value.attempts) == 2


def test_a_repeat_that_fails_keeps_the_messages(ask: Ask) -> None:
    with pytest.raises(HTTPStatusError) as caught:
        ask("{1", HTTPStatusError("answered 503", status=503), schema=SCHEMA, schema_retries=1)
    assert [message.role for message in caught.value.messages] == ["user", "assistant", "user"]
    assert len(caught.value.attempts) == 2


def test_an_answer_of_tool_calls_has_no_data_and_is_not_repeated(ask: Ask) -> None:
    reply, requests = ask(ToolCall("c", "ping", {}), schema=SCHEMA, schema_retries=1, tools=[{"name": "ping"}])
    assert (reply.tool_calls, len(requests)) == ((ToolCall("c", "ping", {}),), 1)
    with pytest.raises(InvalidAnswer, match="tool calls and no text"):
        _ = reply.data


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"schema": {"type": "objekt"}}, "the schema is no JSON Schema: at $.type: 'objekt' is not valid"),
        ({"schema": 7}, "is no JSON Schema (a mapping) and no type that pydantic can read"),
        ({"schema": (1,)}, "is no JSON Schema (a mapping) and no type that pydantic can read"),
        ({"schema": SCHEMA, "schema_retries": -1}, "schema_retries must be a whole number from 0"),
        ({"schema": SCHEMA, "schema_retries": True}, "schema_retries must be a whole number from 0"),
        ({"schema_retries": 1}, "schema_retries needs schema="),
    ],
    ids=repr,
)
def test_a_schema_that_is_none_is_refused_before_anything_is_sent(arguments: Any, words: str, ask: Ask) -> None:
    with pytest.raises(InvalidArgument) as caught:
        ask("{}", **arguments)
    assert words in caught.value.message


def test_a_foreign_reference_is_never_fetched(ask: Ask) -> None:
    reply, _ = ask("{}", schema={"$ref": "http://example.invalid/schema.json"})
    with pytest.raises(InvalidArgument, match=r"refers to 'http://example.invalid/schema.json', which is not in it"):
        _ = reply.data


def test_a_service_that_knows_no_schemas_refuses_and_data_need_a_schema(ask: Ask) -> None:
    with pytest.raises(UnsupportedOption, match="echo: takes no schema"):
        chat("Hi", provider="echo", schema=SCHEMA)
    reply, _ = ask("{}")
    with pytest.raises(InvalidArgument, match="needs schema="):
        _ = reply.data


def test_a_schema_and_response_format_cannot_both_be_given() -> None:
    with OpenAISite() as site:
        settings, given = {"openai": site.client_settings()}, {"type": "json_object"}
        with pytest.raises(InvalidArgument, match="give one of them"):
            chat("Hi", provider="openai", settings=settings, schema=SCHEMA, response_format=given)
    assert site.requests == []


def test_a_conversation_keeps_an_answer_that_was_repeated() -> None:
    with (
        OpenAISite("misfit") as site,
        Client("openai", retries=0, settings={"openai": site.client_settings()}) as client,
    ):
        talk = client.conversation(schema=SCHEMA, schema_retries=1)
        assert talk.chat("Hi").data == FITS
        assert [message.role for message in talk.history] == ["user", "assistant"]
        assert talk.history[-1] == Message("assistant", '{"pizzas": ["Margherita", "Funghi", "Diavola"]}')
