"""Newline-delimited JSON that is cut anywhere."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers_sdk import ProviderError
from providers_sdk._protocol.error_body import MAX_JSON_PARTS
from providers_sdk._protocol.ndjson import iter_ndjson
from providers_sdk.errors import InvalidAnswer, StreamTruncated, TooLarge
from tests.protocol.cuts import cut, every_cut

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
ENDS = st.sampled_from(["\n", "\r\n", " \n", "\n\n", "\r\n \r\n"])


def read(pieces: list[bytes]) -> tuple[list[Any], type[ProviderError] | None]:
    """Return the values that come, and the error that ends them."""
    values: list[Any] = []
    try:
        values.extend(iter_ndjson(pieces))
    except ProviderError as error:
        return values, type(error)
    return values, None


@given(st.lists(st.tuples(VALUES, ENDS)), st.booleans(), st.lists(st.integers(0, 300)), st.booleans())
def test_values_are_the_same_wherever_the_stream_is_cut(
    lines: list[tuple[Any, str]], ascii_only: bool, places: list[int], bom: bool
) -> None:
    text = "".join(json.dumps(value, ensure_ascii=ascii_only) + end for value, end in lines)
    body = text.encode("utf-8-sig" if bom else "utf-8", "surrogatepass")
    assert list(iter_ndjson(cut(body, places))) == [value for value, _ in lines]


@given(st.lists(VALUES, min_size=1), st.data())
def test_a_stream_that_breaks_off_is_an_error_unless_it_does_so_between_two_lines(
    values: list[Any], data: st.DataObject
) -> None:
    lines = [json.dumps(value).encode() + b"\n" for value in values]
    body = b"".join(lines)
    end = data.draw(st.integers(0, len(body)))
    found, error = read(cut(body[:end], data.draw(st.lists(st.integers(0, 100)))))
    whole = body[:end].count(b"\n")
    last = body[:end].rpartition(b"\n")[2]
    is_complete = last + b"\n" == lines[whole] if last else False
    if not last or (is_complete and last[-1:] in b'}]"el'):
        assert (found, error) == (values[: whole + bool(last)], None)
    else:
        assert (found, error) == (values[:whole], StreamTruncated)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_any_bytes_give_values_or_an_error_of_this_library_wherever_they_are_cut(
    body: bytes, places: list[int]
) -> None:
    assert repr(read(cut(body, places))) == repr(read([body]))


def test_every_cut_of_a_short_stream_gives_the_same_values() -> None:
    for pieces in every_cut('{"ä":1}\r\n\n[2]'.encode()):
        assert read(pieces) == ([{"ä": 1}, [2]], None)


def test_a_value_comes_with_the_piece_that_ends_its_line() -> None:
    taken: list[bytes] = []

    def pieces() -> Any:
        for piece in (b'{"a"', b':1}\n{"b":2', b"}\n"):
            taken.append(piece)
            yield piece

    values = iter_ndjson(pieces())
    assert (next(values), len(taken)) == ({"a": 1}, 2)
    assert (next(values), len(taken)) == ({"b": 2}, 3)


@pytest.mark.parametrize("line", ['{"a": "é', '{"a": 1', "[1, 2", '"tex', "12", "-", "1e", "tru", "n", '{"a": 12.'])
def test_a_torn_last_line_is_a_truncated_stream(line: str) -> None:
    with pytest.raises(StreamTruncated, match="the stream breaks off within a line: ") as caught:
        list(iter_ndjson([b'{"a": 1}\n', line.encode()]))
    assert line in caught.value.message


@pytest.mark.parametrize("line", ['{"a": 1}', "[1]", '"text"', "true", "null", ' {"a": 1} \r'])
def test_a_last_line_that_is_certain_to_be_whole_needs_no_end(line: str) -> None:
    assert list(iter_ndjson([line.encode()])) == [json.loads(line)]


@pytest.mark.parametrize(
    "line", ["Internal error", "<html>", "no such model", "{'a': 1}\n", "{}{}\n", "1 2\n", "[" * 100_000 + "\n"]
)
def test_a_line_that_is_no_json_is_an_invalid_answer_which_shows_its_beginning(line: str) -> None:
    with pytest.raises(InvalidAnswer, match="a line of the stream is no JSON: ") as caught:
        list(iter_ndjson([line.encode()]))
    assert line[:20].strip() in caught.value.message
    assert len(caught.value.message) < 300
    assert caught.value.__context__ is None


def test_a_carriage_return_within_a_value_ends_no_line() -> None:
    assert list(iter_ndjson([b'{"a":\r1}\n'])) == [{"a": 1}]


def test_what_is_no_utf8_becomes_the_replacement_character() -> None:
    assert list(iter_ndjson([b'{"a": "\xff"}\n'])) == [{"a": "\ufffd"}]


def test_a_line_is_bounded_in_size_and_in_parts() -> None:
    with pytest.raises(TooLarge, match="a line of the stream is longer than 10 bytes"):
        list(iter_ndjson([b'"', b"x" * 10], max_line=10))
    with pytest.raises(TooLarge, match="lists and objects"):
        list(iter_ndjson([b"[" + b"[]," * MAX_JSON_PARTS + b"1]\n"]))


def test_what_an_error_shows_of_a_line_is_the_callers_choice() -> None:
    with pytest.raises(InvalidAnswer, match=r"no JSON: '\[hidden\]'"):
        list(iter_ndjson([b"sesame\n"], show=lambda line: line.replace("sesame", "[hidden]")))
