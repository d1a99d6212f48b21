import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers_sdk import ProviderError, Refused, StreamTruncated
from providers_sdk._protocol.validation import validate_chunks
from providers_sdk.errors import ConnectionLost, EmptyAnswer, PluginContractError
from providers_sdk.plugin import TOOL_CALL_PIECE, Chunk, FinishReason, Reasoning, ServedModel, ToolCall, Usage

STOP = FinishReason("stop")


def read(*chunks: object) -> list[Chunk]:
    return list(validate_chunks(iter(chunks)))


def test_a_sound_answer_passes_unchanged() -> None:
    assert read(Reasoning("hm"), "a", Usage(1, 2), "b", STOP) == [Reasoning("hm"), "a", Usage(1, 2), "b", STOP]


def test_chunks_pass_as_they_come() -> None:
    log: list[object] = []

    def answer() -> Iterator[Chunk]:
        chunks: list[Chunk] = ["a", "b", STOP]
        for chunk in chunks:
            log.append(chunk)
            yield chunk

    stream = validate_chunks(answer())
    assert log == []
    assert (next(stream), log) == ("a", ["a"])
    assert (next(stream), log) == ("b", ["a", "b"])


def test_empty_pieces_are_dropped() -> None:
    assert read("", "a", "", Reasoning(""), STOP) == ["a", STOP]


def test_an_answer_without_finish_reason_was_cut_off() -> None:
    for chunks in ([], ["a"], [Reasoning("hm")], ["a", Usage(1, 2)]):
        with pytest.raises(StreamTruncated):
            read(*chunks)


def test_the_text_of_a_cut_answer_is_delivered_before_the_error() -> None:
    stream = validate_chunks(iter(["a", "b"]))
    assert [next(stream), next(stream)] == ["a", "b"]
    with pytest.raises(StreamTruncated):
        next(stream)


@pytest.mark.parametrize("silence", [[], [""], [" \n\t"], [Reasoning("hm")], [Usage(1, 2)]], ids=repr)
def test_an_answer_that_ends_without_text_is_empty(silence: list[Chunk]) -> None:
    with pytest.raises(EmptyAnswer, match="stop"):
        read(*silence, STOP)


def empty(*chunks: object) -> EmptyAnswer:
    with pytest.raises(EmptyAnswer) as caught:
        read(*chunks)
    return caught.value


def test_an_empty_answer_keeps_its_finish_reason_and_its_last_usage() -> None:
    error = empty(Usage(1, 2), Reasoning("hm"), Usage(3, 4), STOP)
    assert (error.finish_reason, error.usage) == ("stop", Usage(3, 4))
    assert "allow_empty=True" in error.message
    error = empty(FinishReason(None))
    assert (error.finish_reason, error.usage) == (None, None)
    assert "without a finish reason" in error.message


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS"])
def test_an_empty_answer_that_ran_out_of_tokens_advises_more_of_them(reason: str) -> None:
    error = empty(Reasoning("hm"), Usage(16, 16), FinishReason(reason))
    assert (error.finish_reason, error.usage) == (reason, Usage(16, 16))
    assert "raise max_tokens" in error.message


@pytest.mark.parametrize("silence", [[], [""], [" \n\t"], [Reasoning("hm")], [Usage(1, 2)]], ids=repr)
@pytest.mark.parametrize("finish", [STOP, FinishReason("length"), FinishReason(None)], ids=repr)
def test_an_empty_answer_passes_where_it_is_right(finish: FinishReason, silence: list[Chunk]) -> None:
    expected = [chunk for chunk in silence if chunk != ""]
    assert list(validate_chunks(iter([*silence, finish]), allow_empty=True)) == [*expected, finish]


def test_an_answer_that_may_be_empty_must_still_come_to_its_end() -> None:
    with pytest.raises(StreamTruncated):
        list(validate_chunks(iter([]), allow_empty=True))


def test_white_space_is_kept_where_there_is_text() -> None:
    assert read(" ", "a", "\n", STOP) == [" ", "a", "\n", STOP]


@pytest.mark.parametrize("more", ["b", "", STOP, FinishReason("length"), Usage(1, 2), Reasoning("hm"), None], ids=repr)
def test_nothing_may_follow_the_finish_reason(more: object) -> None:
    stream = validate_chunks(iter(["a", STOP, more]))
    assert [next(stream), next(stream)] == ["a", STOP]
    with pytest.raises(PluginContractError, match="after its FinishReason"):
        next(stream)


@pytest.mark.parametrize("foreign", [None, b"a", 7, ["a"], {"a": 1}, ("a",), object(), Reasoning, str], ids=type)
def test_a_foreign_object_is_named_not_passed_on(foreign: object) -> None:
    with pytest.raises(PluginContractError, match=type(foreign).__name__):
        read("a", foreign, STOP)


def test_a_service_that_names_no_reason_ends_its_answer_with_none() -> None:
    assert read("a", FinishReason(None)) == ["a", FinishReason(None)]
    assert str(FinishReason(None)) == ""


@pytest.mark.parametrize("name", ["", None, 7], ids=repr)
def test_a_served_model_has_a_name(name: Any) -> None:
    assert read(ServedModel("m-1"), "a", ServedModel("m-2"), STOP) == [
        ServedModel("m-1"),
        "a",
        ServedModel("m-2"),
        STOP,
    ]
    with pytest.raises(PluginContractError, match="ServedModel"):
        read("a", ServedModel(name), STOP)


CALL = ToolCall("c", "ping", {})


def test_an_answer_of_tool_calls_is_not_empty() -> None:
    assert read(CALL, STOP) == [CALL, STOP]
    assert read(TOOL_CALL_PIECE, CALL, STOP) == ["", CALL, STOP]
    assert empty(TOOL_CALL_PIECE, STOP).finish_reason == "stop"


@pytest.mark.parametrize("fields", [(None, "ping", {}), ("c", "", {}), ("c", 7, {}), ("c", "ping", "{}")], ids=repr)
def test_a_tool_call_is_text_and_an_object(fields: Any) -> None:
    with pytest.raises(PluginContractError, match="ToolCall"):
        read("a", ToolCall(*fields), STOP)


@pytest.mark.parametrize("reason", ["", 7, False, ["stop"]], ids=repr)
def test_a_finish_reason_is_a_word_or_none(reason: Any) -> None:
    with pytest.raises(PluginContractError, match="FinishReason"):
        read("a", FinishReason(reason))


def test_thinking_is_text() -> None:
    wrong: Any = None
    with pytest.raises(PluginContractError, match="Reasoning"):
        read(Reasoning(wrong), "a", STOP)


def test_text_is_plain_str_whatever_its_class_was() -> None:
    class Fancy(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "disguised"

    chunk = read(Fancy("a"), STOP)[0]
    assert (type(chunk), chunk) == (str, "a")


@pytest.mark.parametrize("answer", ["text", b"text", None, ["a", STOP], {"a": 1}, 7, ("a", STOP)], ids=repr)
def test_complete_must_return_an_iterator(answer: object) -> None:
    with pytest.raises(PluginContractError, match=rf"returned {type(answer).__name__}.*generator"):
        list(validate_chunks(answer))


def test_any_iterator_will_do() -> None:
    class Countdown:
        def __init__(self) -> None:
            self.left: list[Chunk] = [STOP, "a"]

        def __iter__(self) -> "Countdown":
            return self

        def __next__(self) -> Chunk:
            if not self.left:
                raise StopIteration
            return self.left.pop()

    assert list(validate_chunks(Countdown())) == ["a", STOP]


@pytest.mark.parametrize("raised", [ValueError("boom"), KeyError("data"), RecursionError()], ids=repr)
def test_what_the_plugin_raises_passes_through(raised: Exception) -> None:
    def answer() -> Iterator[Chunk]:
        yield "a"
        raise raised

    stream = validate_chunks(answer())
    assert next(stream) == "a"
    with pytest.raises(type(raised)) as caught:
        next(stream)
    assert caught.value is raised


def test_an_error_of_ours_passes_as_it_is() -> None:
    for raised in (Refused("no"), ConnectionLost("lost")):

        def answer(error: ProviderError = raised) -> Iterator[Chunk]:
            yield "a"
            raise error

        with pytest.raises(type(raised)) as caught:
            list(validate_chunks(answer()))
        assert caught.value is raised


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_what_stops_the_program_passes_as_it_is(raised: type[BaseException]) -> None:
    def answer() -> Iterator[Chunk]:
        yield "a"
        raise raised

    with pytest.raises(raised):
        list(validate_chunks(answer()))


class Watched:
    """A provider's generator that notes when it is closed."""

    def __init__(self, chunks: Iterable[object]) -> None:
        self.closed = 0
        self._chunks = chunks

    def answer(self) -> Iterator[object]:
        try:
            yield from self._chunks
        finally:
            self.closed += 1


@pytest.mark.parametrize(
    "chunks", [["a", STOP], ["a"], ["a", None], ["a", STOP, "b"], ["", STOP], ["a", FinishReason("")]], ids=repr
)
def test_the_generator_is_closed_however_the_answer_ends(chunks: list[object]) -> None:
    watched = Watched(chunks)
    generator = watched.answer()
    outcome: list[object] = []
    try:
        outcome.extend(validate_chunks(generator))
    except ProviderError as error:
        outcome.append(error)
    assert outcome
    assert watched.closed == 1


def test_an_abandoned_answer_closes_the_generator() -> None:
    watched = Watched(["a", "b", STOP])
    generator = watched.answer()
    stream = validate_chunks(generator)
    next(stream)
    assert watched.closed == 0
    stream.close()  # type: ignore[attr-defined]
    assert watched.closed == 1


def test_what_a_generator_raises_as_it_is_closed_passes_through() -> None:
    def stubborn() -> Iterator[Chunk]:
        try:
            yield "a"
        finally:
            yield "b"

    def clumsy() -> Iterator[Chunk]:
        try:
            yield "a"
        finally:
            raise OSError("cannot clean up")

    for answer in (stubborn(), clumsy()):
        stream = validate_chunks(answer)
        next(stream)
        with pytest.raises((RuntimeError, OSError)):
            stream.close()  # type: ignore[attr-defined]


def test_an_error_of_ours_that_closing_raises_passes_as_it_is() -> None:
    def answer() -> Iterator[Chunk]:
        try:
            yield "a"
        finally:
            raise ConnectionLost("lost while saying goodbye")

    stream = validate_chunks(answer())
    next(stream)
    with pytest.raises(ConnectionLost, match="saying goodbye"):
        stream.close()  # type: ignore[attr-defined]


HIGH, LOW = "\ud83c", "\udf55"  # together: a pizza


def test_surrogate_pairs_torn_apart_are_joined() -> None:
    assert read(f"a{HIGH}", f"{LOW}b", STOP) == ["a", "🍕b", STOP]
    assert read(HIGH, LOW, STOP) == ["🍕", STOP]
    assert read(HIGH, "", LOW, STOP) == ["🍕", STOP]
    assert read(f"{HIGH}{LOW}", STOP) == ["🍕", STOP]
    assert read(HIGH, Usage(1, 2), LOW, STOP) == [Usage(1, 2), "🍕", STOP]
    assert read(Reasoning(HIGH), Reasoning(LOW), "a", STOP) == [Reasoning("🍕"), "a", STOP]


def test_lone_surrogates_become_replacement_characters() -> None:
    assert read(f"a{LOW}b", STOP) == ["a\ufffdb", STOP]
    assert read(HIGH, STOP) == ["\ufffd", STOP]
    assert read(HIGH, "a", STOP) == ["\ufffda", STOP]
    assert read(HIGH, HIGH, LOW, STOP) == ["\ufffd", "🍕", STOP]
    assert read("a", Reasoning(HIGH), STOP) == ["a", Reasoning("\ufffd"), STOP]


@given(st.text(st.sampled_from([*"ab\u00e9🍕", HIGH, LOW]), max_size=12), st.lists(st.integers(0, 12), max_size=4))
def test_text_cut_anywhere_is_the_same_text_and_can_be_printed(text: str, cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(ends)]
    joined = "".join(str(chunk) for chunk in read("x", *pieces, STOP)[:-1])
    assert joined == "x" + text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert joined.encode()
