"""Answers in the OpenAI dialect that hold no text: refusals, filters, tool calls, errors."""

import json
from typing import Any

import pytest

from providers_sdk import ProviderError, Refused
from providers_sdk.errors import EmptyAnswer, InvalidAnswer, PromptRejected
from providers_sdk.plugin import Chunk, Event, FinishReason, Usage, iter_completion, iter_deltas

STOP = FinishReason("stop")


def read(*bodies: Any) -> list[Chunk]:
    return list(iter_deltas(Event(data=body if isinstance(body, str) else json.dumps(body)) for body in bodies))


def delta(content: Any = "a", **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": content, **fields}, "finish_reason": None}]}


def end(reason: str = "stop") -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def completion(content: Any = "Funghi", **fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **fields}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def refused(kind: type[ProviderError], *bodies: Any) -> ProviderError:
    with pytest.raises(kind) as caught:
        read(*bodies)
    assert type(caught.value) is kind
    return caught.value


USAGE = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5}}


@pytest.mark.parametrize(
    "pieces",
    [
        [delta(None, refusal="I can't "), delta("", refusal="help.")],
        [delta([{"type": "refusal", "refusal": "I can't help."}])],
        [delta("a"), delta(None, refusal="I can't help.")],
    ],
    ids=["deltas", "a part", "after text"],
)
def test_a_refusal_of_the_model_is_a_refusal_in_its_own_text(pieces: list[Any]) -> None:
    error = refused(Refused, *pieces, end(), USAGE, "[DONE]")
    assert error.message == "the model refuses: I can't help."
    assert (error.finish_reason, error.usage) == ("stop", Usage(3, 5))


def test_a_refusal_of_a_whole_completion_is_one_too() -> None:
    with pytest.raises(Refused, match=r"the model refuses: No\.") as caught:
        list(iter_completion({**USAGE, **completion(None, refusal="No.")}))
    assert (caught.value.finish_reason, caught.value.usage) == ("stop", Usage(3, 5))


def test_an_endless_refusal_is_cut() -> None:
    assert len(refused(Refused, *[delta(None, refusal="no " * 50)] * 1000, end()).message) < 2_100


def test_a_content_filter_that_left_no_text_is_a_refusal() -> None:
    filtered = {"hate": {"filtered": True, "severity": "high"}, "violence": {"filtered": False}}
    choice = {"index": 0, "finish_reason": "content_filter", "content_filter_results": filtered}
    error = refused(Refused, {"choices": [choice]}, USAGE, "[DONE]")
    assert "content filter" in error.message
    assert "(hate)" in error.message
    assert (error.finish_reason, error.usage) == ("content_filter", Usage(3, 5))
    with pytest.raises(Refused):
        list(iter_completion({"choices": [choice]}))
    assert read(delta("a"), end("content_filter")) == ["a", FinishReason("content_filter")]


def test_a_prompt_that_azure_filters_is_rejected() -> None:
    error = {"error": {"message": "The prompt was filtered", "code": "content_filter", "status": 400}}
    assert "The prompt was filtered" in refused(PromptRejected, error).message
    with pytest.raises(PromptRejected):
        list(iter_completion(error))


def call(name: str = "", arguments: str = "") -> dict[str, Any]:
    return {"index": 0, "function": {"name": name, "arguments": arguments}}


def test_a_cut_tool_call_is_an_error() -> None:
    pieces = [delta("\n", tool_calls=[call("get_weather")]), delta(None, tool_calls=[call("", '{"city":')])]
    error = refused(InvalidAnswer, *pieces, end("tool_calls"), USAGE, "[DONE]")
    assert error.message == "the arguments of the tool call 'get_weather' are no JSON object: {\"city\":"
    assert (error.finish_reason, error.usage) == ("tool_calls", Usage(3, 5))
    error = refused(EmptyAnswer, *pieces, end("length"), USAGE)
    assert "tool call (get_weather) was complete" in error.message
    assert "raise max_tokens" in error.message
    assert (error.finish_reason, error.usage) == ("length", Usage(3, 5))


@pytest.mark.parametrize(
    "none",
    [
        {"function_call": {"name": "", "arguments": ""}},
        {"tool_calls": []},
        {"tool_calls": None},
        {"tool_calls": [7]},
    ],
    ids=repr,
)
def test_an_empty_call_is_none(none: dict[str, Any]) -> None:
    assert list(iter_completion(completion(None, **none))) == [STOP]


def test_an_error_keeps_the_finish_reason_and_the_usage_that_came_with_it() -> None:
    error = refused(Refused, end("length"), {"error": {"message": "no"}, "usage": USAGE["usage"]})
    assert (error.finish_reason, error.usage) == ("length", Usage(3, 5))
