"""Splits a body that is cut anywhere into lines. Pure."""

import re
from collections.abc import Iterable, Iterator

from providers_sdk.errors import TooLarge

__all__ = ["BOM", "MAX_LINE", "check_line", "iter_lines"]

MAX_LINE = 1_000_000
BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")


def iter_lines(
    chunks: Iterable[bytes], max_line: int = MAX_LINE, *, what: str = "stream", rest: bool = False
) -> Iterator[bytes]:
    """Yield each line without its end, which is CR, LF or CRLF, with the chunk that completes it.

    :param chunks: the body's bytes, cut anywhere.
    :param max_line: bytes that a line may have.
    :param what: what the lines belong to, for the error.
    :param rest: whether what follows the last end counts as a line, too.
    :raises TooLarge: a line is longer.
    """
    pending = bytearray()
    after_cr = False
    for chunk in chunks:
        if not chunk:
            continue
        start = 1 if after_cr and chunk[0] == 0x0A else 0
        for end in _LINE_END.finditer(chunk, start):
            pending += chunk[start : end.start()]
            yield bytes(check_line(pending, max_line, what))
            pending.clear()
            start = end.end()
        pending += chunk[start:]
        check_line(pending, max_line, what)
        after_cr = chunk.endswith(b"\r")
    if rest and pending:
        yield bytes(pending)


def check_line(line: bytearray, max_line: int, what: str) -> bytearray:
    """Return ``line``.

    :raises TooLarge: it is too long.
    """
    if len(line) > max_line:
        raise TooLarge(f"a line of the {what} is longer than {max_line} bytes")
    return line
