"""Cuts a body into pieces, as a network does."""

from collections.abc import Iterable, Iterator
from itertools import pairwise


def cut(body: bytes, places: Iterable[int]) -> list[bytes]:
    """Return ``body`` cut at ``places``; places beyond its end, or named twice, make empty pieces."""
    ends = [0, *sorted(min(place, len(body)) for place in places), len(body)]
    return [body[start:end] for start, end in pairwise(ends)]


def every_cut(body: bytes) -> Iterator[list[bytes]]:
    """Yield ``body`` in every way of cutting it."""
    for bits in range(1 << (len(body) - 1)):
        yield cut(body, [place + 1 for place in range(len(body) - 1) if bits >> place & 1])
