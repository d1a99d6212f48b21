"""Tool calls in the OpenAI dialect: put together from pieces, however they are cut and numbered."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers_sdk import ToolCall
from providers_sdk._protocol import openai_tools
from providers_sdk.errors import InvalidAnswer, TooLarge
from providers_sdk.plugin import Chunk, Event, FinishReason, iter_completion, iter_deltas

END = FinishReason("tool_calls")
ARGUMENTS = '{"city": "Zürich \\ud83c\\udf55", "days": [1, 2]}'
WEATHER = ToolCall("c1", "get_weather", {"city": "Zürich 🍕", "days": [1, 2]})


def read(*deltas: Any, finish: str | None = "tool_calls") -> list[Chunk]:
    """Return the chunks of a stream of deltas, without the pieces that are never delivered."""
    choices = [*({"index": 0, "delta": delta} for delta in deltas), {"index": 0, "delta": {}, "finish_reason": finish}]
    events = [*(Event(data=json.dumps({"choices": [choice]})) for choice in choices), Event(data="[DONE]")]
    return [chunk for chunk in iter_deltas(events) if chunk != ""]


def calls(*pieces: dict[str, Any]) -> dict[str, Any]:
    return {"tool_calls": list(pieces)}


def piece(arguments: Any = "", name: str | None = None, **fields: Any) -> dict[str, Any]:
    return {**fields, "function": {"arguments": arguments, **({"name": name} if name is not None else {})}}


@given(st.lists(st.integers(0, len(ARGUMENTS)), max_size=5), st.sampled_from(["index", "id", "neither"]))
def test_arguments_cut_anywhere_are_the_same_call(cuts: list[int], by: str) -> None:
    ends = [0, *sorted(cuts), len(ARGUMENTS)]
    keys: dict[str, dict[str, Any]] = {"index": {"index": 0}, "id": {"id": "c1"}, "neither": {}}
    key = keys[by]
    first = piece("", "get_weather", **{"id": "c1", **key})
    rest = [piece(ARGUMENTS[start:end], **key) for start, end in itertools.pairwise(ends)]
    assert read(*(calls(one) for one in (first, *rest))) == [WEATHER, END]
    assert read(calls(first, *rest)) == [WEATHER, END]


@pytest.mark.parametrize("key", ["index", "id"])
def test_several_calls_at_once_are_told_apart(key: str) -> None:
    one: dict[str, Any] = {"index": 0} if key == "index" else {"id": "c1"}
    two: dict[str, Any] = {"index": 1} if key == "index" else {"id": "c2"}
    first, second = piece("", "get_a", **{"id": "c1", **one}), piece("", "get_b", **{"id": "c2", **two})
    mixed = [piece('{"a"', **one), piece('{"b"', **two), piece(":1}", **one), piece(":2}", **two)]
    expected = [ToolCall("c1", "get_a", {"a": 1}), ToolCall("c2", "get_b", {"b": 2}), END]
    assert read(calls(first, second), *map(calls, mixed)) == expected
    assert read(calls(first, second, *mixed)) == expected


def test_calls_that_are_all_numbered_0_or_not_at_all_are_told_apart() -> None:
    expected = [ToolCall("c1", "get_a", {}), ToolCall("c2", "get_a", {"a": 1}), END]
    for number in ({"index": 0}, {"index": None}, {}):
        pieces = [piece("{}", "get_a", id="c1", **number), piece('{"a": 1}', "get_a", id="c2", **number)]
        assert read(*map(calls, pieces)) == expected
        assert list(iter_completion(completion(pieces))) == expected
    nameless = [piece("{}", "get_a"), piece("{}", "get_a")]
    assert read(*map(calls, nameless)) == [ToolCall("", "get_a", {}), ToolCall("", "get_a", {}), END]


def completion(tool_calls: Any, finish: str = "tool_calls") -> dict[str, Any]:
    message = {"role": "assistant", "content": None, "tool_calls": tool_calls}
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}


def test_id_and_name_that_every_piece_repeats_are_one_call() -> None:
    pieces = [piece(part, "get_weather", index=0, id="c1") for part in (ARGUMENTS[:9], ARGUMENTS[9:])]
    assert read(*map(calls, pieces)) == [WEATHER, END]
    changing = [piece(ARGUMENTS[:9], "get_weather", index=0, id="c1"), piece(ARGUMENTS[9:], index=0, id="c9")]
    assert read(*map(calls, changing)) == [WEATHER, END]


def test_a_name_in_two_pieces_is_put_together() -> None:
    assert read(calls(piece("", "get_", index=0, id="c1")), calls(piece(ARGUMENTS, "weather", index=0))) == [
        WEATHER,
        END,
    ]


@pytest.mark.parametrize("none", ["", " ", None, "null", "{}", {}], ids=repr)
def test_a_call_without_arguments_has_an_empty_object(none: Any) -> None:
    assert read(calls(piece(none, "ping", index=0, id="c1"))) == [ToolCall("c1", "ping", {}), END]
    assert list(iter_completion(completion([piece(none, "ping", id="c1")]))) == [ToolCall("c1", "ping", {}), END]


def test_arguments_that_are_an_object_already_are_taken() -> None:
    assert read(calls(piece({"a": [1]}, "ping", id="c1"))) == [ToolCall("c1", "ping", {"a": [1]}), END]


def test_the_older_function_call_is_a_call_without_an_id() -> None:
    deltas = [{"function_call": {"name": "ping", "arguments": ""}}, {"function_call": {"arguments": '{"a": 1}'}}]
    assert read(*deltas, finish="function_call") == [ToolCall("", "ping", {"a": 1}), FinishReason("function_call")]


def test_text_beside_tool_calls_comes_first() -> None:
    assert read({"content": "Let me see."}, calls(piece("{}", "ping", id="c1"))) == [
        "Let me see.",
        ToolCall("c1", "ping", {}),
        END,
    ]


def test_an_answer_that_ended_for_its_length_has_only_its_complete_calls() -> None:
    whole, cut, begun = piece("{}", "a", index=0, id="c1"), piece('{"x": ', "b", index=1), piece("", "c", index=2)
    expected = [ToolCall("c1", "a", {}), FinishReason("length")]
    assert read(calls(whole, cut), finish="length") == expected
    assert read(calls(whole, begun), finish="length") == expected
    assert read(calls(whole, piece("{}", index=1)), finish="length") == expected
    assert read({"content": "a"}, calls(cut), finish="length") == ["a", FinishReason("length")]
    assert list(iter_completion(completion([whole, cut], "length"))) == expected


@pytest.mark.parametrize("text", ['{"x": ', "[1]", '"x"', "7", "no json", "{}{}"])
def test_arguments_that_are_no_object_are_an_invalid_answer_with_the_text(text: str) -> None:
    with pytest.raises(InvalidAnswer) as caught:
        read(calls(piece(text, "ping", index=0)))
    assert caught.value.message == f"the arguments of the tool call 'ping' are no JSON object: {text.strip()}"
    assert caught.value.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    "wrong",
    [
        piece(7, "ping"),
        piece(["a"], "ping"),
        {"function": {"name": 7}},
        {"id": 7, "function": {"name": "ping"}},
        piece("{}"),
    ],
    ids=repr,
)
def test_a_call_that_is_not_in_the_dialect_is_an_invalid_answer(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidAnswer):
        read(calls(wrong))
    with pytest.raises(InvalidAnswer):
        list(iter_completion(completion([wrong])))


def test_a_call_after_the_finish_reason_makes_it_no_whole_answer() -> None:
    bodies = [
        {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]},
        {"choices": [{"index": 0, "delta": calls(piece("{}", "ping"))}]},
    ]
    with pytest.raises(InvalidAnswer, match="after its finish reason"):
        list(iter_deltas(Event(data=json.dumps(body)) for body in bodies))


def test_half_a_character_in_arguments_becomes_a_replacement_character() -> None:
    [call, _] = read(calls(piece('{"a": "\\ud83c"}', "ping", id="c1")))
    assert call == ToolCall("c1", "ping", {"a": "\ufffd"})


def test_endless_arguments_and_endless_calls_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_tools, "MAX_CHARACTERS", 100)
    for flood in (piece("x" * 60, index=0), piece("", "x" * 60, index=0, id="c")):
        with pytest.raises(TooLarge, match="tool calls"):
            read(*[calls(flood), calls({**flood, "index": 1})])
    monkeypatch.setattr(openai_tools, "MAX_CALLS", 3)
    with pytest.raises(TooLarge):
        read(*[calls(piece("", "a", index=index)) for index in range(5)])


def test_an_answer_that_breaks_off_has_no_calls() -> None:
    events = [Event(data=json.dumps({"choices": [{"index": 0, "delta": calls(piece("{}", "ping"))}]}))]
    assert [chunk for chunk in iter_deltas(events) if chunk != ""] == []
