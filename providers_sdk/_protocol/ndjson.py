"""Decodes newline-delimited JSON: bytes in, values out.

After https://github.com/ndjson/ndjson-spec: one JSON value a line, UTF-8, lines end with LF (a CR before it is white
space of JSON), empty lines are ignored. A CR alone is white space within a value and ends no line. For a stream that is
cut anywhere. Pure: no client, no clock.

The last line may lack its end if it is certain to be whole: an object, a list or a text that is closed. What breaks off
before is an error, because a value that is cut may be another value (``12`` of ``123``).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from providers_sdk._protocol.error_body import MAX_JSON_PARTS
from providers_sdk._protocol.json import parse_json
from providers_sdk._protocol.lines import BOM, MAX_LINE, check_line
from providers_sdk._redact import snippet
from providers_sdk.errors import InvalidAnswer, StreamTruncated, TooLarge

__all__ = ["iter_ndjson"]

_WORDS = ("true", "false", "null")
_WHOLE = ("}", "]", '"')


def iter_ndjson(
    chunks: Iterable[bytes], *, max_line: int = MAX_LINE, show: Callable[[str], str] = snippet
) -> Iterator[Any]:
    """Decode newline-delimited JSON as it arrives; a value is yielded with the chunk that completes its line.

    :param chunks: the body's bytes, cut anywhere.
    :param max_line: bytes that one line may have.
    :param show: makes of a line what an error's message shows of it.
    :raises TooLarge: a line is longer, or has more than 200 000 lists and objects.
    :raises InvalidAnswer: a line is no JSON.
    :raises StreamTruncated: the last line breaks off.
    """
    for raw, has_end in _iter_lines(chunks, max_line):
        line = raw.decode("utf-8", "replace").strip()
        if line:
            yield _parse_line(line, has_end, show)


def _iter_lines(chunks: Iterable[bytes], max_line: int) -> Iterator[tuple[bytes, bool]]:
    """Yield each line, and whether it has an end."""
    pending, first = bytearray(), True
    for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            pending += part
            line = bytes(check_line(pending, max_line, "stream"))
            yield line.removeprefix(BOM) if first else line, True
            pending.clear()
            first = False
        pending += rest
        check_line(pending, max_line, "stream")
    if pending:
        yield bytes(pending.removeprefix(BOM) if first else pending), False


def _parse_line(line: str, has_end: bool, show: Callable[[str], str]) -> Any:
    parts = line.count("[") + line.count("{")
    if parts > MAX_JSON_PARTS:
        raise TooLarge(f"a line of JSON with {parts} lists and objects; at most {MAX_JSON_PARTS} are read")
    try:
        value = parse_json(line)
    except ValueError:
        is_json = False  # raised below, where the parser's error is no context: it holds the whole text
    else:
        is_json = True
    if is_json and (has_end or line.endswith(_WHOLE) or line in _WORDS):
        return value
    if not has_end and (is_json or _may_go_on(line)):
        raise StreamTruncated(f"the stream breaks off within a line: {show(line)!r}")
    raise InvalidAnswer(f"a line of the stream is no JSON: {show(line)!r}")


def _may_go_on(line: str) -> bool:
    """Whether ``line`` may be the beginning of JSON; a sentence or a page is not."""
    return line[0] in '{["-0123456789' or any(word.startswith(line) for word in _WORDS)
