import contextlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers_sdk import ProviderError, Refused, StreamTruncated
from providers_sdk._protocol import json as _json
from providers_sdk.errors import ConnectionLost, IdleTimeout, InvalidAnswer
from providers_sdk.plugin import Chunk, Event, FinishReason, Reasoning, ServedModel, Usage, iter_completion, iter_deltas

STOP = FinishReason("stop")
PARSERS = {name: parser for name, parser in {"orjson": _json._fast, "json": None}.items() if parser or name == "json"}


@pytest.fixture(params=sorted(PARSERS))
def _each_parser(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_json, "_fast", PARSERS[request.param])
        yield


def read(*bodies: Any) -> list[Chunk]:
    """Return the chunks of a stream of ``bodies``: events, texts, or objects sent as JSON."""
    return list(iter_deltas(map(as_event, bodies)))


def as_event(body: Any) -> Event:
    if isinstance(body, Event):
        return body
    return Event(data=body if isinstance(body, str) else json.dumps(body))


def delta(content: Any = "a", **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": content, **fields}, "finish_reason": None}]}


def end(reason: str = "stop") -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def test_texts_come_in_order_and_the_finish_reason_last() -> None:
    assert read(delta("a"), delta("b"), end(), "[DONE]") == ["a", "b", STOP]


@pytest.mark.parametrize(
    "silent",
    [
        {"choices": [{"index": 0, "delta": {"role": "assistant"}}]},
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
        delta(None),
        {"choices": [{"delta": {}}]},
        {"choices": [{"delta": None}]},
        {"choices": [{}]},
        {"choices": []},
        {"choices": None},
        {},
        {"error": None, "choices": []},
        {"error": "", "choices": []},
        {"usage": None},
        {"choices": [{"index": 1, "delta": {"content": "another choice"}, "finish_reason": "stop"}]},
        "",
        "  \n ",
        Event("ping", ""),
    ],
    ids=repr,
)
def test_events_without_text_are_silence(silent: Any) -> None:
    assert read(silent, delta("a"), silent, end(), silent) == ["a", STOP]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thinking_text_comes_under_both_of_its_names(name: str) -> None:
    assert read(delta(None, **{name: "hm"}), delta("a", **{name: "aha"}), end()) == [
        Reasoning("hm"),
        Reasoning("aha"),
        "a",
        STOP,
    ]


@pytest.mark.parametrize("thinking", [None, "", 7, ["hm"], {"text": "hm"}], ids=repr)
def test_thinking_that_is_no_text_is_left_out(thinking: Any) -> None:
    assert read(delta("a", reasoning=thinking), end()) == ["a", STOP]


def test_usage_is_given_before_the_finish_reason_wherever_it_was_sent() -> None:
    usage = {"usage": {"prompt_tokens": 3, "completion_tokens": 5}}
    expected = ["a", Usage(3, 5), STOP]
    assert read(delta("a"), usage, end(), "[DONE]") == expected
    assert read(delta("a"), end(), {"choices": [], **usage}, "[DONE]") == expected
    assert read(delta("a"), {**end(), **usage}) == expected


@pytest.mark.parametrize(
    "usage",
    [
        {},
        [],
        7,
        "x",
        {"prompt_tokens": "1", "completion_tokens": None},
        {"prompt_tokens": True},
        {"prompt_tokens": 1.5, "completion_tokens": -1},
        {"total_tokens": 7},
    ],
    ids=repr,
)
def test_usage_that_counts_nothing_is_left_out(usage: Any) -> None:
    assert read(delta("a"), {**end(), "usage": usage}) == ["a", STOP]


@pytest.mark.parametrize(
    ("usage", "known"),
    [
        ({"prompt_tokens": 3.0, "completion_tokens": 5.0}, Usage(3, 5)),
        ({"prompt_tokens": 3}, Usage(3, None)),
        ({"prompt_tokens": None, "completion_tokens": 5, "total_tokens": 8}, Usage(None, 5)),
        ({"prompt_tokens": 1.5, "completion_tokens": 0}, Usage(None, 0)),
    ],
    ids=repr,
)
def test_usage_holds_the_counts_that_are_known(usage: Any, known: Usage) -> None:
    assert read(delta("a"), {**end(), "usage": usage}) == ["a", known, STOP]


def test_a_stream_that_breaks_off_without_a_finish_reason_gets_none() -> None:
    assert read(delta("a")) == ["a"]
    assert read(delta("a"), {"choices": [{"delta": {}, "finish_reason": ""}]}) == ["a"]
    assert read() == []


@pytest.mark.parametrize("reason", [None, ""], ids=repr)
def test_a_stream_with_an_end_mark_and_no_reason_is_complete(reason: str | None) -> None:
    silent = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    assert read(delta("a"), silent, "[DONE]") == ["a", FinishReason(None)]
    assert read(delta("a"), "[DONE]") == ["a", FinishReason(None)]
    assert read("[DONE]") == [FinishReason(None)]


def test_the_served_model_is_given_where_the_service_names_it_and_where_it_changes() -> None:
    named = [{**delta("a"), "model": name} for name in ("", "m-1", "m-1", "m-2")]
    assert read(*named, {**end(), "model": "m-2"}) == [
        "a", ServedModel("m-1"), "a", "a", ServedModel("m-2"), "a", STOP,
    ]  # fmt: skip
    assert read(delta("a"), end(), {"model": "m-3", "choices": []}) == ["a", ServedModel("m-3"), STOP]
    assert read({**delta("a"), "model": 7}, end()) == ["a", STOP]


PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "h"}, {"type": "text", "text": "m"}], "closed": True},
    {"type": "text", "text": "a"},
    {"type": "reference", "reference_ids": [1]},
    {"type": "text", "text": ""},
    {"text": "b"},
    {"type": "thinking", "thinking": "aha"},
]
READ_PARTS = [Reasoning("h"), Reasoning("m"), "a", "b", Reasoning("aha")]


def test_parts_of_text_are_text_and_parts_of_thinking_are_thinking() -> None:
    assert read(delta(PARTS), end()) == [*READ_PARTS, STOP]
    assert list(iter_completion(completion(PARTS))) == [*READ_PARTS, STOP]
    assert read(delta([]), delta("a"), end()) == ["a", STOP]


def test_the_choice_of_index_0_is_read_wherever_it_stands() -> None:
    both = {"choices": [{"index": 1, "delta": {"content": "other"}}, {"index": 0, "delta": {"content": "a"}}]}
    assert read(both, end()) == ["a", STOP]


def test_a_finish_reason_is_the_services_own_word_and_given_once() -> None:
    assert read(delta("a"), end("length")) == ["a", FinishReason("length")]
    assert read(delta("a"), end(), end(), "[DONE]") == ["a", STOP]


@pytest.mark.parametrize("more", [delta("b"), delta(None, reasoning="hm"), end("length")], ids=repr)
def test_a_service_that_goes_on_after_its_finish_reason_gave_no_whole_answer(more: Any) -> None:
    stream = iter_deltas(map(as_event, [delta("a"), end(), more]))
    assert next(stream) == "a"
    with pytest.raises(InvalidAnswer, match="after its finish reason"):
        next(stream)


def test_nothing_after_the_end_mark_is_read() -> None:
    def events() -> Iterator[Event]:
        yield from map(as_event, [delta("a"), end(), " [DONE] "])
        raise AssertionError("read on after the end mark")

    assert list(iter_deltas(events())) == ["a", STOP]


def test_each_chunk_comes_with_its_event() -> None:
    taken: list[int] = []

    def events() -> Iterator[Event]:
        for number, body in enumerate([delta("a"), delta("b"), end()]):
            taken.append(number)
            yield as_event(body)

    stream = iter_deltas(events())
    assert (next(stream), taken) == ("a", [0])
    assert (next(stream), taken) == ("b", [0, 1])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"error": {"message": "too long", "type": "invalid_request", "code": None}}, "too long (invalid_request)"),
        ({"error": {"message": "too long", "code": 400}}, "too long (400)"),
        ({"error": {"status": "gone"}}, "{'status': 'gone'}"),
        ({"error": "no credit"}, "no credit"),
        ({"error": ["no", "credit"]}, "no; credit"),
        ([{"error": {"message": "no credit", "code": 429, "status": "EXHAUSTED"}}], "no credit (429)"),
        ({"object": "error", "message": "no credit", "code": 402}, "no credit (402)"),
        ({"error": {"message": {"detail": [{"loc": ["body", "n"], "msg": "extra"}]}}}, "body.n: extra"),
        (Event("error", '{"error": {"message": "no cred'), "no cred"),
        (Event("error", '{"code":500,"message":"no slot","type":"server_error"}'), "no slot (500)"),
        ({"error": True, "choices": []}, "True"),
        (Event("error", "no credit\ntoday"), "no credit today"),
        (Event("error", '{"error": {"message": "no credit"}}'), "no credit"),
        (Event("error", '{"message": "no credit", "type": "quota"}'), "no credit (quota)"),
        (Event("error", '"no credit"'), "no credit"),
        (Event("error", "\x1b[31mred"), "\\x1b[31mred"),
    ],
    ids=repr,
)
def test_an_error_in_mid_stream_is_a_refusal_in_the_services_words(said: Any, words: str) -> None:
    stream = iter_deltas(map(as_event, [delta("a"), said, end()]))
    assert next(stream) == "a"
    with pytest.raises(Refused) as caught:
        next(stream)
    assert str(caught.value) == f"the service says: {words}"


def test_a_long_error_is_cut_to_a_line() -> None:
    with pytest.raises(Refused) as caught:
        read({"error": {"message": "x" * 5000, "type": "y" * 5000}})
    assert len(str(caught.value)) < 300


@pytest.mark.usefixtures("_each_parser")
@pytest.mark.parametrize(
    "wrong",
    [
        "no json",
        "{",
        "123",
        "null",
        '"text"',
        "[]",
        "[1]",
        '{"choices": "text"}',
        '{"choices": {"delta": {}}}',
        '{"choices": ["text"]}',
        '{"choices": [null]}',
        '{"choices": [{"delta": "text"}]}',
        '{"choices": [{"delta": ["text"]}]}',
        '{"choices": [{"delta": {"content": 7}}]}',
        '{"choices": [{"delta": {"content": ["text"]}}]}',
        '{"choices": [{"delta": {}, "finish_reason": 7}]}',
        '{"choices": [{"delta": {}, "finish_reason": false}]}',
        "9" * 5000,
        "-" + "9" * 5000,
        '{"choices": ' + "9" * 5000 + "}",
    ],
    ids=lambda wrong: wrong[:40],
)
def test_an_event_that_is_not_in_the_dialect_is_an_invalid_answer_never_skipped(wrong: str) -> None:
    stream = iter_deltas(map(as_event, [delta("a"), wrong, end()]))
    assert next(stream) == "a"
    with pytest.raises(InvalidAnswer) as caught:
        next(stream)
    assert len(str(caught.value)) < 300


@pytest.mark.usefixtures("_each_parser")
@pytest.mark.parametrize("depth", [150, 199, 250, 600, 950, *range(990, 1035, 4), 100_000])
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        '{{"error": {}}}',
        '{{"error": {{"message": {}}}}}',
        '{{"error": {{"code": {}}}}}',
        '{{"choices": [{}]}}',
        '{{"choices": [{{"delta": {{"content": {}}}}}]}}',
    ],
)
def test_json_of_any_depth_is_an_error_of_ours(around: str, depth: int) -> None:
    for nest in ("[" * depth + "]" * depth, '{"a":' * depth + "[1]" + "}" * depth, "[" * depth):
        document = around.format(nest)
        for event in (Event(data=document), Event("error", document)):
            try:
                chunks = list(iter_deltas([event]))
            except (InvalidAnswer, Refused):
                continue
            assert chunks == []


@pytest.mark.parametrize("lost", [ConnectionLost("lost"), StreamTruncated("cut"), IdleTimeout("idle")], ids=repr)
def test_a_connection_lost_after_the_finish_reason_takes_nothing_from_the_answer(lost: Exception) -> None:
    def events(bodies: Iterable[Any]) -> Iterator[Event]:
        yield from map(as_event, bodies)
        raise lost

    assert list(iter_deltas(events([delta("a"), end()]))) == ["a", STOP]
    stream = iter_deltas(events([delta("a")]))
    assert next(stream) == "a"
    with pytest.raises(type(lost)) as caught:
        next(stream)
    assert caught.value is lost


def test_an_error_that_is_none_of_transports_is_raised_even_after_the_finish_reason() -> None:
    with pytest.raises(InvalidAnswer):
        read(delta("a"), end(), "no json")
    with pytest.raises(Refused):
        read(delta("a"), end(), {"error": "no credit"})


def completion(content: Any = "Funghi", reason: Any = "stop", **fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **fields}
    return {"choices": [{"index": 0, "message": message, "finish_reason": reason}]}


def test_a_whole_completion_gives_the_same_chunks_as_a_stream() -> None:
    usage = {"usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}}
    assert list(iter_completion({**completion(reasoning="hm"), **usage})) == [
        Reasoning("hm"),
        "Funghi",
        Usage(3, 5),
        STOP,
    ]


def test_a_whole_completion_without_text_or_reason_invents_neither() -> None:
    assert list(iter_completion(completion(None))) == [STOP]
    assert list(iter_completion(completion(reason=None))) == ["Funghi", FinishReason(None)]
    assert list(iter_completion(completion(reason=""))) == ["Funghi", FinishReason(None)]
    assert list(iter_completion({"choices": [{"message": None}]})) == [FinishReason(None)]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "no"}}, Refused),
        ({"error": "no", **completion()}, Refused),
        ({}, InvalidAnswer),
        ({"choices": []}, InvalidAnswer),
        ({"choices": [{"message": "text"}]}, InvalidAnswer),
        (completion(["part"]), InvalidAnswer),
        (completion([{"type": "text", "text": 7}]), InvalidAnswer),
        (completion([{"type": "thinking", "thinking": [7]}]), InvalidAnswer),
        ([{"error": {"message": "no"}}], Refused),
        ({"object": "error", "message": "no"}, Refused),
        (completion(reason=7), InvalidAnswer),
        ([completion()], InvalidAnswer),
        (None, InvalidAnswer),
        ("text", InvalidAnswer),
    ],
    ids=repr,
)
def test_a_whole_completion_that_is_none_is_an_error(body: Any, kind: type[ProviderError]) -> None:
    with pytest.raises(kind):
        list(iter_completion(body))


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("stop")
names = st.sampled_from(
    [
        "choices",
        "delta",
        "content",
        "reasoning",
        "error",
        "usage",
        "finish_reason",
        "index",
        "message",
        "code",
        "refusal",
        "tool_calls",
        "function_call",
        "model",
        "type",
        "text",
        "thinking",
        "detail",
    ]
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)
likely = st.fixed_dictionaries(
    {},
    optional={
        "choices": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "index": st.sampled_from([0, 1, None]) | anything,
                    "delta": st.fixed_dictionaries({}, optional={"content": st.text(max_size=3) | anything}),
                    "finish_reason": st.sampled_from(["stop", None]) | anything,
                },
            ),
            max_size=2,
        ),
        "usage": anything,
        "error": st.none() | anything,
    },
)
bodies = st.one_of(likely, anything).map(json.dumps) | st.sampled_from(["[DONE]", "", "{"]) | st.text(max_size=8)
streams = st.lists(st.builds(Event, st.sampled_from(["", "", "", "message", "error"]), bodies), max_size=8)


@pytest.mark.usefixtures("_each_parser")
@settings(max_examples=200)
@given(streams)
def test_whatever_the_events_hold_only_chunks_or_our_errors_come_out(events: list[Event]) -> None:
    chunks: list[Chunk] = []
    with contextlib.suppress(ProviderError):
        chunks.extend(iter_deltas(events))
    assert all(isinstance(chunk, Chunk) and chunk != "" for chunk in chunks)
    assert not any(isinstance(chunk, FinishReason) for chunk in chunks[:-1])


@pytest.mark.usefixtures("_each_parser")
@settings(max_examples=200)
@given(likely | anything)
def test_whatever_a_completion_holds_only_chunks_or_our_errors_come_out(body: Any) -> None:
    chunks: list[Chunk] = []
    with contextlib.suppress(ProviderError):
        chunks.extend(iter_completion(body))
    assert all(isinstance(chunk, Chunk) and chunk != "" for chunk in chunks)
    assert not any(isinstance(chunk, FinishReason) for chunk in chunks[:-1])
