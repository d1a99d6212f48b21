import itertools
import re
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers_sdk._protocol.sse import iter_events_by_line, sniff_body
from providers_sdk.errors import TooLarge
from providers_sdk.plugin import Event, iter_events

STANDARD = {
    "one message of three lines": (b"data: YHOO\ndata: +2\ndata: 10\n\n", [Event(data="YHOO\n+2\n10")]),
    "a comment, an id, an id reset, a leading space": (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [Event(data="first event", id="1"), Event(data="second event"), Event(data=" third event")],
    ),
    "data without a value, and an unfinished event": (
        b"data\n\ndata\ndata\n\ndata:",
        [Event(data=""), Event(data="\n")],
    ),
    "one space after the colon is no data": (b"data:test\n\ndata: test\n\n", [Event(data="test"), Event(data="test")]),
    "messages": (
        b"data: This is the first message.\n\ndata: This is the second message, it\ndata: has two lines.\n\n"
        b"data: This is the third message.\n\n",
        [
            Event(data="This is the first message."),
            Event(data="This is the second message, it\nhas two lines."),
            Event(data="This is the third message."),
        ],
    ),
    "named events": (
        b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\n",
        [Event("add", "73857293"), Event("remove", "2153"), Event("add", "113411")],
    ),
}
SHORT = [
    b"\xef\xbb\xbfdata\r\n\r\n",
    b"data\r\rdata\n\n",
    b"\r\ndata\r\n\n\r",
    b":\n\ndata:\xc3\xa9\n\n",
    b"id:1\r\rdata\r\r\n",
    b"data:\r\n\r\ndata:",
]


def events(*chunks: bytes) -> list[Event]:
    return list(iter_events(chunks))


@pytest.mark.parametrize(("document", "expected"), STANDARD.values(), ids=STANDARD)
def test_the_examples_of_the_standard_give_the_events_that_it_names(document: bytes, expected: list[Event]) -> None:
    assert events(document) == expected


def test_the_field_error_of_older_llama_cpp_servers_is_an_event_of_that_name() -> None:
    document = b'data: a\n\nerror: {"code":500,"message":"no slot"}\n\ndata: b\n\n'
    expected = [Event(data="a"), Event("error", '{"code":500,"message":"no slot"}'), Event(data="b")]
    assert events(document) == events(*(bytes([byte]) for byte in document)) == expected


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"data: a", "events"),
        (b": ping", "events"),
        (b"\xef\xbb\xbf\r\nevent:", "events"),
        (b" {", "json"),
        (b"[", "json"),
        (b"<html>", ""),
        (b"datum", ""),
        (b"dat", None),
        (b"", None),
        (b"\xef\xbb", None),
        (b" \n", None),
        (b" " * 1_000, ""),
    ],
    ids=repr,
)
def test_a_body_is_known_by_its_first_bytes(head: bytes, kind: str | None) -> None:
    assert sniff_body(head) == kind


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"], ids=["LF", "CR", "CRLF"])
@pytest.mark.parametrize(("document", "expected"), STANDARD.values(), ids=STANDARD)
def test_all_line_ends_are_one_and_every_two_cuts_change_nothing(
    document: bytes, expected: list[Event], end: bytes
) -> None:
    document = document.replace(b"\n", end)
    assert events(*(bytes([byte]) for byte in document)) == expected
    for cut in range(len(document) + 1):
        assert events(document[:cut], b"", document[cut:]) == expected
        assert events(document[:cut], document[cut : cut + 3], document[cut + 3 :]) == expected


@pytest.mark.parametrize("document", SHORT, ids=repr)
def test_every_possible_cutting_of_a_short_document_gives_the_same_events(document: bytes) -> None:
    expected = events(document)
    assert expected
    inner = range(1, len(document))
    cuttings = itertools.chain.from_iterable(itertools.combinations(inner, many) for many in range(len(document)))
    for cuts in cuttings:
        assert events(*pieces(document, cuts)) == expected


def test_a_byte_order_mark_is_dropped_at_the_start_only() -> None:
    assert events(b"\xef\xbb\xbfdata: a\n\n") == [Event(data="a")]
    assert events(b"\xef", b"\xbb", b"\xbf", b"data: a\n\n") == [Event(data="a")]
    assert events(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n") == [Event(data="b")]
    assert events(b"\n\xef\xbb\xbfdata: a\n\ndata: b\n\n") == [Event(data="b")]
    assert events(b"data: \xef\xbb\xbfa\n\n") == [Event(data="\ufeffa")]


def test_comments_and_unknown_fields_are_no_data() -> None:
    assert events(b": keep alive\n\n:\n\n") == []
    assert events(b":data: no\ndata: yes\nfoo: bar\nDATA: no\n data: no\ndata : no\n\n") == [Event(data="yes")]


def test_the_value_starts_after_the_first_colon() -> None:
    assert events(b"data: a: b\n\n") == [Event(data="a: b")]
    assert events(b"data:\ta\n\n") == [Event(data="\ta")]


@pytest.mark.parametrize(
    ("value", "retry"),
    [
        (b"3000", 3000),
        (b"007", 7),
        (b"0", 0),
        (b"", None),
        (b"+1", None),
        (b"-1", None),
        (b"1_0", None),
        (b"1.5", None),
        (b"1 ", None),
        (b" 1", None),
        (b"\xd9\xa3", None),
        (b"\xc2\xb2", None),
        (b"9" * 5000, None),
    ],
    ids=repr,
)
def test_retry_is_ascii_digits_or_nothing(value: bytes, retry: int | None) -> None:
    assert events(b"retry: " + value + b"\ndata\n\n") == [Event(retry=retry)]


def test_retry_belongs_to_the_event_whose_lines_gave_it() -> None:
    assert events(b"retry: 5\ndata: a\n\ndata: b\n\n") == [Event(data="a", retry=5), Event(data="b")]


def test_an_id_is_kept_over_events_and_ignored_when_it_holds_nul() -> None:
    document = b"id: 7\ndata: a\n\ndata: b\n\nid: x\0y\ndata: c\n\nid: 8\n\ndata: d\n\nid\ndata: e\n\n"
    assert [event.id for event in events(document)] == ["7", "7", "7", "8", ""]


def test_an_event_name_lasts_for_one_event_even_if_that_is_not_dispatched() -> None:
    assert events(b"event: ping\n\ndata: a\n\n") == [Event(data="a")]
    assert events(b"event: a\nevent: b\ndata\n\n") == [Event("b")]
    assert Event().type == "message"
    assert Event("b").type == "b"


def test_nothing_is_dispatched_without_data_or_before_the_empty_line() -> None:
    assert events(b"event: done\nid: 1\n\n") == []
    assert events(b"data: a\n") == []
    assert events(b"data: a") == []
    assert events() == []
    assert events(b"") == []


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1e", "\0"], ids=ascii)
def test_what_other_splitters_take_for_a_line_end_is_data(character: str) -> None:
    assert events(f"data: a{character}data: b\n\n".encode()) == [Event(data=f"a{character}data: b")]


def test_invalid_utf8_is_replaced_and_the_stream_goes_on() -> None:
    assert events(b"data: a\xff\xc3\ndata: \xe2\x82\n\ndata: \xed\xa0\x80\n\n") == [
        Event(data="a\ufffd\ufffd\n\ufffd"),
        Event(data="\ufffd\ufffd\ufffd"),
    ]


def test_a_character_cut_between_chunks_is_whole() -> None:
    assert events(b"data: \xf0\x9f", b"\x8d", b"\x95\n\n") == [Event(data="🍕")]


def test_an_event_comes_with_the_chunk_that_completes_it() -> None:
    asked: list[int] = []

    def chunks() -> Iterator[bytes]:
        for number, chunk in enumerate([b"data: a\r", b"\n\r", b"\ndata: b\n\n", b"never asked for"]):
            asked.append(number)
            yield chunk

    stream = iter_events(chunks())
    assert next(stream) == Event(data="a")
    assert asked == [0, 1]
    assert next(stream) == Event(data="b")
    assert asked == [0, 1, 2]


def test_a_line_may_have_as_many_bytes_as_the_limit_and_no_more() -> None:
    assert list(iter_events([b"data:" + b"x" * 5 + b"\n\n"], max_line=10)) == [Event(data="xxxxx")]
    for chunks in ([b"data:" + b"x" * 6 + b"\n\n"], [b"data:", b"x" * 6], [b":" * 11]):
        with pytest.raises(TooLarge, match=r"line .* 10 bytes"):
            list(iter_events(chunks, max_line=10))


def test_the_data_of_an_event_has_a_limit_and_what_came_before_is_delivered() -> None:
    stream = iter_events([b"data: a\n\ndata:" + b"x" * 6 + b"\ndata:y\n\n"], max_event=16)
    assert next(stream) == Event(data="a")
    with pytest.raises(TooLarge, match=r"event .* 16 bytes"):
        next(stream)
    assert len(list(iter_events([b"data:123456\n\n"] * 9, max_event=16))) == 9


@pytest.mark.parametrize("piece", [b"x" * 65_536, b"data: x\n", b"data\n", b"data: " + b"y" * 60_000 + b"\n"])
def test_an_endless_line_or_event_is_refused_before_it_fills_the_memory(piece: bytes) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += len(piece)
            yield piece

    with pytest.raises(TooLarge):
        list(iter_events(endless(), max_line=100_000, max_event=400_000))
    assert taken <= 500_000 + len(piece)


def test_an_endless_stream_of_comments_and_events_keeps_nothing() -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(200):
            yield b": " + b"x" * 50_000 + b"\nevent: y\nid: z\n\ndata: a\n\n"

    stream = iter_events(chunks())
    next(stream)
    tracemalloc.start()
    try:
        assert sum(1 for _ in stream) == 199
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_line_of_a_megabyte_in_small_pieces_costs_no_more_than_its_size() -> None:
    line = b"data: " + b"x" * 999_900
    small = [line[start : start + 64] for start in range(0, len(line), 64)]
    started = time.thread_time()
    assert len(events(*small, b"\n\n")[0].data) == 999_900
    assert time.thread_time() - started < 1.0  # copying what is there with each piece would move 8 GB


def pieces(document: bytes, cuts: Iterable[int]) -> list[bytes]:
    ends = [0, *sorted({min(cut, len(document)) for cut in cuts}), len(document)]
    return [document[start:end] for start, end in itertools.pairwise(ends)]


NAMES = [b"data", b"event", b"id", b"retry", b"data: x\n\n", b"[DONE]"]
SIGNS = [b":", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"7", b"x" * 40]
BEYOND_ASCII = [b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xc3", b"\xa9", b"\xff"]
words = st.sampled_from([*NAMES, *SIGNS, *BEYOND_ASCII])
documents = st.lists(words | st.binary(max_size=6), max_size=40).map(b"".join)


@settings(max_examples=500)
@given(documents, st.lists(st.integers(0, 400), max_size=12))
def test_any_bytes_cut_anywhere_give_the_same_events_or_the_same_refusal(document: bytes, cuts: list[int]) -> None:
    assert outcome(pieces(document, cuts)) == outcome([document])
    assert outcome([bytes([byte]) for byte in document]) == outcome([document])


def outcome(
    chunks: Iterable[bytes], decode: Callable[..., Iterator[Event]] = iter_events, max_line: int = 60
) -> list[object]:
    found: list[object] = []
    try:
        found.extend(decode(chunks, max_line=max_line, max_event=100))
    except TooLarge as error:
        found.append(error.message)
    return found


@settings(max_examples=1_000)
@given(documents, st.lists(st.integers(0, 400), max_size=12), st.sampled_from([20, 60, 10_000]))
def test_decoding_by_blocks_is_decoding_by_lines_with_the_same_bytes(
    document: bytes, cuts: list[int], max_line: int
) -> None:
    chunks = pieces(document, cuts)
    for many in range(1, len(chunks) + 1):
        begun = chunks[:many]
        assert outcome(begun, iter_events, max_line) == outcome(begun, iter_events_by_line, max_line)


@settings(max_examples=500)
@given(documents)
def test_the_decoder_agrees_with_the_standard_read_aloud(document: bytes) -> None:
    assert [(event.type, event.data, event.id) for event in events(document)] == list(read_aloud(document))


def read_aloud(document: bytes) -> Iterator[tuple[str, str, str]]:
    text = document.decode("utf-8", "replace").removeprefix("\ufeff")
    data, kind, last_id = "", "", ""
    for line in re.split("\r\n|\r|\n", text)[:-1]:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            if data:
                yield kind or "message", data.removesuffix("\n"), last_id
            data, kind = "", ""
        elif name in ("data", "error"):  # the one field that is not the standard's
            data += value + "\n"
            kind = "error" if name == "error" else kind
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            last_id = value
