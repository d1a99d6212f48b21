"""A request as the OpenAI dialect writes it."""

from typing import Any

import pytest

from providers_sdk import File, Image, Message, ToolCall
from providers_sdk.errors import InvalidArgument, UnsupportedOption
from providers_sdk.plugin import Request, make_openai_body

PNG = b"\x89PNG\r\n\x1a\n"
USER = Message("user", "Hi")


def written(*messages: Message, **fields: Any) -> dict[str, Any]:
    return make_openai_body(Request(messages or (USER,), "m", **fields))


def test_text_is_written_as_text_and_nothing_else_is_there() -> None:
    assert written(Message("system", "Be brief."), USER) == {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    }


def test_parts_are_written_in_their_order() -> None:
    parts = ("a", Image(PNG, detail="low"), "b", Image("https://example.org/a.png"), File(b"%PDF-", name="a.pdf"))
    [message] = written(Message("user", (*parts, File(b"%PDF-"), File(id="file-1"))))["messages"]
    assert message["content"] == [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}},
        {"type": "text", "text": "b"},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
        {"type": "file", "file": {"filename": "file.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]


def test_a_file_that_has_only_an_address_is_refused() -> None:
    with pytest.raises(UnsupportedOption, match="download it and give its bytes"):
        written(Message("user", (File("https://example.org/a.pdf"),)))


def test_calls_and_results_are_written_as_they_were_received() -> None:
    call = ToolCall("c1", "get_menu", {"day": "é"})
    turns = (USER, Message("assistant", "", (call,)), Message("tool", "Soup", tool_call_id="c1"))
    assert written(*turns, tools=({"name": "get_menu", "description": "", "parameters": {}, "strict": True},)) == {
        "messages": [
            {"role": "user", "content": "Hi"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "get_menu", "arguments": '{"day": "é"}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "Soup"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "get_menu", "description": "", "parameters": {}, "strict": True},
            }
        ],
    }
    assert written(Message("assistant", "Let me see.", (call,)))["messages"][0]["content"] == "Let me see."


CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (CLOSED, True),
        ({**CLOSED, "properties": {"a": CLOSED}}, True),
        ({**CLOSED, "additionalProperties": True}, False),
        ({**CLOSED, "required": []}, False),
        ({**CLOSED, "properties": {"a": {"type": "object"}}}, False),
        ({**CLOSED, "properties": {"a": {"anyOf": [{"type": "null"}, {"type": "object"}]}}}, False),
    ],
)
def test_strict_mode_is_asked_for_only_where_the_schema_allows_it(schema: dict[str, Any], strict: bool) -> None:
    form = written(schema={**schema, "title": "My menu"})["response_format"]
    assert form["type"] == "json_schema"
    assert form["json_schema"]["name"] == "My_menu"
    assert form["json_schema"].get("strict", False) is strict


def test_a_schema_beside_response_format_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="give one of them"):
        written(schema=CLOSED, options={"response_format": {}})
