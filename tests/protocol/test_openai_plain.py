"""Ordinary bodies of a stream are read by a shorter way; with any bodies in any order it gives the same chunks."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers_sdk._protocol import openai_fields
from providers_sdk.errors import ProviderError
from providers_sdk.plugin import Event, iter_deltas

PLAIN = {"object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, "delta": {"content": "a"}}]}


def read(bodies: list[Any]) -> list[object]:
    found: list[object] = []
    try:
        found.extend(iter_deltas(Event(data=json.dumps(body)) for body in bodies))
    except ProviderError as error:
        found += [type(error), error.message, error.finish_reason]
    return found


def change(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies in which some of ``fields`` have another value, or are there at all."""
    return st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in fields.items()})


TEXTS: list[Any] = ["", "a", " ", "\n", "é", None, 1, [], ["a"], [{"type": "text", "text": "b"}], {}]
deltas = change(
    content=TEXTS,
    role=["assistant", None],
    reasoning_content=["", "t", None, 1],
    reasoning=["", "t", None],
    refusal=["", "no", None, 7],
    tool_calls=[None, [], [{"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}}], "x"],
    function_call=[None, {}, {"name": "", "arguments": ""}, {"name": "f", "arguments": "{}"}],
)
choices = st.builds(
    lambda fields, delta: {**fields, **delta},
    change(
        index=[0, 1, None, "0"],
        finish_reason=[None, "", "stop", "length", "content_filter", 3],
        logprobs=[None, {"content": []}],
        content_filter_results=[None, {}, {"hate": {"filtered": False}}, {"hate": {"filtered": True}}],
    ),
    st.fixed_dictionaries({"delta": deltas | st.sampled_from([None, "x", [], {}])}) | st.just({}),
)
bodies = st.builds(
    lambda fields, found: {**PLAIN, **fields, **found},
    change(
        model=["m", "n", "", None, 4],
        object=["error", "chat.completion.chunk", None],
        error=[None, {}, "", {"message": "no"}, "no"],
        usage=[None, {}, {"prompt_tokens": 1, "completion_tokens": 2}, [], "x"],
    ),
    st.fixed_dictionaries({"choices": st.lists(choices, max_size=2) | st.sampled_from([None, {}, "x", [None], [[]]])})
    | st.just({}),
)


@settings(max_examples=1_500)
@given(st.lists(st.just(PLAIN) | bodies | st.sampled_from([None, [], 1, "x", [{"error": "no"}]]), max_size=6))
def test_the_short_way_gives_the_chunks_and_errors_of_the_long_one(stream: list[Any]) -> None:
    short = read(stream)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openai_fields, "find_plain_text", lambda *_: "")
        assert short == read(stream)


def test_an_ordinary_body_takes_the_short_way_with_null_fields_too() -> None:
    nulls: dict[str, Any] = {"role": None, "refusal": None, "reasoning_content": None, "tool_calls": [], "content": "a"}
    for delta in ({"content": "a"}, nulls):
        body = {**PLAIN, "usage": None, "error": None, "choices": [{"delta": delta, "finish_reason": None}]}
        assert openai_fields.find_plain_text(body, "m") == "a"
    assert openai_fields.find_plain_text({**PLAIN}, "other") == ""
