"""What is sent to Anthropic: turns, parts, tools, options and schemas."""

from typing import Any

import pytest

from providers_sdk import Client, File, Image, Message, ToolCall
from providers_sdk._model.messages import parse_messages
from providers_sdk._model.tools import parse_tools
from providers_sdk.errors import InvalidArgument, UnsupportedOption
from providers_sdk.plugin import Request
from providers_sdk_plugins._anthropic_request import make_body
from providers_sdk_plugins._anthropic_schema import adapt_schema
from providers_sdk_plugins.fakes.anthropic import AnthropicSite

PNG = b"\x89PNG\r\n\x1a\n"
SYSTEM, ASKED = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}
PIZZAS = {"type": "object", "properties": {"pizzas": {"type": "array", "items": {"type": "string"}}}}


def body_of(messages: Any = "Hi", **fields: Any) -> dict[str, Any]:
    return make_body(Request(parse_messages(messages), "m", **fields))


def turns_of(*messages: Any) -> Any:
    return body_of(messages)["messages"]


def test_a_plain_question_has_the_fields_that_the_api_requires() -> None:
    assert body_of() == {"model": "m", "max_tokens": 8192, "messages": [ASKED], "stream": True}
    assert "stream" not in body_of(stream=False)


def test_system_messages_before_the_first_turn_stand_apart() -> None:
    assert body_of([SYSTEM, ASKED])["system"] == "Be brief."
    developer = {"role": "developer", "content": "In Italian."}
    assert body_of([SYSTEM, developer, ASKED])["system"] == [
        {"type": "text", "text": "Be brief."},
        {"type": "text", "text": "In Italian."},
    ]
    assert turns_of(ASKED, SYSTEM, ASKED) == [ASKED, SYSTEM, ASKED]


def test_images_are_sent_as_bytes_or_as_their_address() -> None:
    images = [Image(PNG), Image("https://example.org/a.png")]
    [turn] = turns_of(Message("user", ("What?", *images)))
    assert turn["content"] == [
        {"type": "text", "text": "What?"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
    ]


def test_files_are_documents() -> None:
    files = [
        File(b"%PDF-1.7", name="a.pdf"),
        File("Käse".encode(), name="a.txt"),
        File("https://example.org/a.pdf"),
        File(id="f1"),
    ]
    [turn] = turns_of(Message("user", ("What?", *files)))
    assert turn["content"][1:] == [
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjc="},
            "title": "a.pdf",
        },
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "Käse"},
            "title": "a.txt",
        },
        {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}},
        {"type": "document", "source": {"type": "file", "file_id": "f1"}},
    ]


def test_a_file_of_another_type_is_refused() -> None:
    with pytest.raises(UnsupportedOption, match="PDF and text as files, not application/zip"):
        turns_of(Message("user", ("What?", File(b"PK\x03\x04", name="a.zip"))))


def test_results_of_tools_that_were_asked_for_together_are_one_turn() -> None:
    calls = (ToolCall("1", "get_menu", {"day": "friday"}), ToolCall("2", "get_price", {}))
    results = [
        {"role": "tool", "tool_call_id": "1", "content": "Funghi"},
        {"role": "tool", "tool_call_id": "2", "content": "9"},
    ]
    assert turns_of(ASKED, Message("assistant", "Let me see.", calls), *results)[1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "1", "name": "get_menu", "input": {"day": "friday"}},
                {"type": "tool_use", "id": "2", "name": "get_price", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "1", "content": "Funghi"},
                {"type": "tool_result", "tool_use_id": "2", "content": "9"},
            ],
        },
    ]


def test_tools_have_their_schema_under_its_own_name() -> None:
    tools = parse_tools([{"name": "get_menu", "description": "The menu.", "parameters": PIZZAS, "strict": True}])
    assert body_of(tools=tools)["tools"] == [
        {"name": "get_menu", "description": "The menu.", "input_schema": PIZZAS, "strict": True}
    ]


OPTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "max_tokens": ({"max_tokens": 7}, {"max_tokens": 7}),
    "max_completion_tokens": ({"max_completion_tokens": 7}, {"max_tokens": 7}),
    "one stop": ({"stop": "."}, {"stop_sequences": ["."]}),
    "stops": ({"stop": [".", "!"]}, {"stop_sequences": [".", "!"]}),
    "user": ({"user": "u1"}, {"metadata": {"user_id": "u1"}}),
    "effort": ({"reasoning_effort": "low"}, {"output_config": {"effort": "low"}}),
    "thinking": ({"thinking": {"type": "adaptive"}}, {"thinking": {"type": "adaptive"}}),
    "any tool": ({"tool_choice": "required"}, {"tool_choice": {"type": "any"}}),
    "one tool": (
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"tool_choice": {"type": "tool", "name": "f"}},
    ),
    "own form": ({"tool_choice": {"type": "tool", "name": "f"}}, {"tool_choice": {"type": "tool", "name": "f"}}),
    "one at once": (
        {"parallel_tool_calls": False},
        {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
    ),
    "both": (
        {"tool_choice": "required", "parallel_tool_calls": True},
        {"tool_choice": {"type": "any", "disable_parallel_tool_use": False}},
    ),
    "extra": ({"extra_body": {"service_tier": "auto"}}, {"service_tier": "auto"}),
}


@pytest.mark.parametrize(("given", "sent"), OPTIONS.values(), ids=list(OPTIONS))
def test_an_option_is_sent_by_the_apis_own_name(given: dict[str, Any], sent: dict[str, Any]) -> None:
    assert body_of(options=given) == {**body_of(), **sent}


def test_two_options_that_are_one_here_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="'max_tokens' and 'max_completion_tokens' are one option"):
        body_of(options={"max_tokens": 7, "max_completion_tokens": 7})


def test_a_schema_is_sent_beside_the_effort() -> None:
    body = body_of(schema=PIZZAS, options={"reasoning_effort": "low"})
    closed = {**PIZZAS, "additionalProperties": False}
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": closed}, "effort": "low"}


def test_what_the_service_refuses_of_a_schema_is_told_in_its_description() -> None:
    schema = {
        "type": "object",
        "properties": {
            "price": {"type": "number", "minimum": 1, "description": "In euros."},
            "day": {"type": "string", "format": "date", "default": "today"},
            "sizes": {"type": "array", "items": {"$ref": "#/$defs/Size"}, "minItems": 2},
            "note": {"oneOf": [{"type": "null"}, {"type": "string", "maxLength": 9}]},
        },
        "required": ["price"],
        "$defs": {"Size": {"type": "object", "properties": {"cm": {"type": "integer"}}}},
    }
    assert adapt_schema(schema) == {
        "type": "object",
        "properties": {
            "price": {"type": "number", "description": 'In euros. It also has to fit {"minimum": 1}.'},
            "day": {"type": "string", "format": "date"},
            "sizes": {
                "type": "array",
                "items": {"$ref": "#/$defs/Size"},
                "description": 'It also has to fit {"minItems": 2}.',
            },
            "note": {
                "anyOf": [
                    {"type": "null"},
                    {"type": "string", "description": 'It also has to fit {"maxLength": 9}.'},
                ]
            },
        },
        "required": ["price"],
        "$defs": {"Size": {"type": "object", "properties": {"cm": {"type": "integer"}}, "additionalProperties": False}},
        "additionalProperties": False,
    }


@pytest.mark.parametrize("schema", [{"type": "object"}, {"type": "object", "additionalProperties": {"type": "string"}}])
def test_an_object_that_cannot_be_closed_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedOption, match="properties are not named"):
        adapt_schema(schema)


def connect(site: AnthropicSite) -> Client:
    return Client("anthropic", settings={"anthropic": site.client_settings()}, retries=0)


def get_menu(day: str) -> str:
    """Return the menu."""
    return f"Funghi on {day}"


def get_price(pizza: str) -> float:
    """Return a price."""
    raise LookupError(f"no price for {pizza}")


def test_tools_are_run_until_there_is_an_answer() -> None:
    with AnthropicSite("two_tools") as site, connect(site) as client:
        reply = client.run("What is on?", tools=[get_menu, get_price])
        assert reply.text == site.text
        first, second = (received.json() for received in site.requests)
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert [tool["name"] for tool in first["tools"]] == ["get_menu", "get_price"]
    assert [block["content"] for block in second["messages"][-1]["content"]] == [
        "Funghi on friday",
        "error: LookupError: no price for Funghi",
    ]


def test_a_structured_answer_is_asked_for_and_asked_for_once_more() -> None:
    with AnthropicSite("misfit") as site, connect(site) as client:
        reply = client.chat("Name three pizzas", schema=PIZZAS, schema_retries=1)
        assert reply.data == {"pizzas": ["Margherita", "Funghi", "Diavola"]}
        assert len(site.requests) == 2
