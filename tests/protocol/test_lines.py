"""Lines of a body that is cut anywhere."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers_sdk._protocol.lines import iter_lines
from providers_sdk.errors import TooLarge
from tests.protocol.cuts import cut, every_cut

TEXT = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", "é".encode(), "\u2028".encode(), b"\x0b"])).map(b"".join)


@given(TEXT, st.lists(st.integers(0, 60)))
def test_lines_are_the_same_wherever_the_body_is_cut(body: bytes, places: list[int]) -> None:
    *ended, rest = re.split(rb"\r\n|\r|\n", body)
    assert list(iter_lines(cut(body, places))) == ended
    assert list(iter_lines(cut(body, places), rest=True)) == [*ended, *([rest] if rest else [])]


def test_every_cut_of_a_short_body_gives_the_same_lines() -> None:
    body = "ä\r\n\n\rb\r\r\nc".encode()
    for pieces in every_cut(body):
        assert list(iter_lines(pieces, rest=True)) == ["ä".encode(), b"", b"", b"b", b"", b"c"]


def test_a_line_comes_with_the_piece_that_ends_it() -> None:
    taken: list[bytes] = []

    def pieces() -> object:
        for piece in (b"a", b"b\r", b"\nc\n"):
            taken.append(piece)
            yield piece

    lines = iter_lines(pieces())  # type: ignore[arg-type]
    assert (next(lines), taken) == (b"ab", [b"a", b"b\r"])
    assert (next(lines), len(taken)) == (b"c", 3)


@pytest.mark.parametrize("body", [b"x" * 101, b"a\n" + b"x" * 101 + b"\n"])
@pytest.mark.parametrize("rest", [True, False])
def test_a_line_that_is_too_long_is_an_error(body: bytes, rest: bool) -> None:
    for pieces in ([body], [body[at : at + 1] for at in range(len(body))]):
        with pytest.raises(TooLarge, match="a line of the response is longer than 100 bytes"):
            list(iter_lines(pieces, 100, what="response", rest=rest))


def test_a_line_of_the_longest_length_is_no_error() -> None:
    assert list(iter_lines([b"x" * 100 + b"\n"], 100)) == [b"x" * 100]
