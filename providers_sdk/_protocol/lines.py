"""Splits a body that is cut anywhere into lines. Pure."""

import re
from collections.abc import Iterable, Iterator

from providers_sdk.errors import TooLarge

__all__ = ["MAX_LINE", "iter_lines"]

MAX_LINE = 1_000_000
_LINE_END = re.compile(rb"\r\n|\r|\n")


def iter_lines(chunks: Iterable[bytes], max_line: int) -> Iterator[bytes]:
    """Yield each line that ends, without its end: CR, LF or CRLF."""
    pending = bytearray()
    after_cr = False
    for chunk in chunks:
        if not chunk:
            continue
        start = 1 if after_cr and chunk[0] == 0x0A else 0
        for end in _LINE_END.finditer(chunk, start):
            pending += chunk[start : end.start()]
            yield bytes(_check_line(pending, max_line))
            pending.clear()
            start = end.end()
        pending += chunk[start:]
        _check_line(pending, max_line)
        after_cr = chunk.endswith(b"\r")


def _check_line(line: bytearray, max_line: int) -> bytearray:
    if len(line) > max_line:
        raise TooLarge(f"a line of the event stream is longer than {max_line} bytes")
    return line
