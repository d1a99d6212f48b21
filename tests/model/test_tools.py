"""Tools, tool calls and their results as callers write them."""

import pickle
from typing import Any

import pytest

from providers_sdk import Message, ToolCall
from providers_sdk._model.messages import parse_messages
from providers_sdk._model.tools import parse_tools
from providers_sdk.errors import InvalidArgument, InvalidMessages

USER: dict[str, Any] = {"role": "user", "content": "Hi"}
BARE = {"name": "get_menu", "description": "The menu.", "parameters": {"type": "object", "properties": {"day": {}}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "get_menu", "arguments": '{"day": "friday"}'}}
RESULT: dict[str, Any] = {"role": "tool", "tool_call_id": "c1", "content": "Soup"}


def test_openais_wrapping_and_the_bare_form_are_one_tool() -> None:
    assert parse_tools([{"type": "function", "function": BARE}]) == parse_tools([BARE]) == (BARE,)
    assert parse_tools([{"name": "ping"}])[0]["parameters"] == {"type": "object", "properties": {}}
    assert parse_tools([{**BARE, "strict": True, "x": 1}]) == ({**BARE, "strict": True},)
    assert parse_tools([]) == ()


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        (BARE, "must be a list"),
        ("get_menu", "must be a list"),
        ([7], "not int"),
        ([{"type": "function"}], "not NoneType"),
        ([{}], "has the name None"),
        ([{"name": "get menu"}], "has the name 'get menu'"),
        ([{"name": "x" * 65}], "1 to 64 letters"),
        ([{**BARE, "parameters": []}, {**BARE, "parameters": 7}], "needs text as 'description' and a JSON Schema"),
        ([BARE, BARE], "two tools have the name 'get_menu'"),
    ],
)
def test_what_is_no_tool_is_refused(tools: Any, words: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse_tools(tools)
    assert words in caught.value.message


def test_turns_with_tool_calls_are_taken_as_openai_writes_them_and_as_values() -> None:
    call = ToolCall("c1", "get_menu", {"day": "friday"})
    expected = (Message("user", "Hi"), Message("assistant", "", (call,)), Message("tool", "Soup", tool_call_id="c1"))
    assert parse_messages([USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}, RESULT]) == expected
    assert parse_messages([USER, {"role": "assistant", "tool_calls": [call]}, RESULT]) == expected
    bare = {"id": "c1", "name": "get_menu", "arguments": {"day": "friday"}}
    assert parse_messages([USER, {"role": "assistant", "tool_calls": [bare]}, RESULT]) == expected
    assert parse_messages(expected) == expected
    assert pickle.loads(pickle.dumps(expected)) == expected
    assert len({*expected}) == 3


def test_a_result_may_be_empty_or_parts_of_text() -> None:
    turns: list[dict[str, Any]] = [USER, {"role": "assistant", "tool_calls": [CALL]}]
    assert parse_messages([*turns, {**RESULT, "content": ""}])[-1].content == ""
    assert parse_messages([*turns, {**RESULT, "content": [{"type": "text", "text": "Soup"}]}])[-1].content == "Soup"


@pytest.mark.parametrize(
    ("turns", "words"),
    [
        ([RESULT], "message 1 answers the tool call 'c1', which no message before it holds"),
        ([{"role": "tool", "content": "Soup"}], "message 1 has no 'tool_call_id'"),
        ([{"role": "assistant", "tool_calls": [CALL]}], "(the last) holds tool calls that nobody answered"),
        ([{"role": "assistant", "tool_calls": 7}], "message 1 has tool_calls of type int"),
        ([{"role": "assistant", "tool_calls": [7]}], "message 1, tool call 0 is int"),
        ([{"role": "assistant", "tool_calls": [{"id": "c1"}]}], "tool call 0 needs text as 'id' and as 'name'"),
        ([{"role": "assistant", "tool_calls": [{"name": "a", "arguments": "{"}]}], "arguments that are no JSON"),
        ([{"role": "assistant", "tool_calls": [{"name": "a", "arguments": "[]"}]}], "arguments of type list"),
        ([{"role": "assistant", "content": None}], "content of type NoneType"),
        ([{"role": "user", "content": None, "tool_calls": [CALL]}], "content of type NoneType"),
    ],
)
def test_turns_that_no_service_takes_are_refused(turns: list[Any], words: str) -> None:
    with pytest.raises(InvalidMessages) as caught:
        parse_messages([USER, *turns])
    assert words in caught.value.message


def test_a_tool_call_is_shown_as_a_call() -> None:
    call = ToolCall("c1", "get_menu", {"day": "é"})
    assert str(call) == 'get_menu({"day": "é"})'
    assert call.arguments_json == '{"day": "é"}'
    assert hash(call) == hash(ToolCall("c1", "get_menu", {"day": "é"}))
