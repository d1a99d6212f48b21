"""Keys of prompts, and a compact table of them.

A prompt's key covers what decides its answer: the question of the batch (providers, model, system message, options),
the prompt, its id, and which occurrence of them it is, so that intended duplicates stay two. It is a BLAKE2 digest of
16 bytes (RFC 7693): the chance that any two of ten million prompts share one is below 10⁻²⁴.

A dictionary of a million such keys takes 150 MB. :class:`KeyTable` is a hash table with linear probing in three flat
arrays and takes 24 bytes a slot, of which at most four fifths are in use. The keys are digests already, so their own
bits are the hash.
"""

import json
from array import array
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from struct import Struct
from typing import Any

__all__ = ["KEY_SIZE", "KeyTable", "Keys", "number_key"]

KEY_SIZE = 16
_EMPTY = -1
_HALVES, _JOINED = Struct(">QQ").unpack, Struct(">QQ").pack


class KeyTable:
    """A mapping of keys of 16 bytes to whole numbers from 0.

    :param expected: how many keys there will be, about.
    """

    def __init__(self, expected: int = 0) -> None:
        self._used = 0
        self._allocate(max(64, 1 << (expected * 5 // 4).bit_length()))

    def __len__(self) -> int:
        return self._used

    def get(self, key: bytes) -> int:
        """Return the number of ``key``; 0 where it is not there."""
        number: int
        head, tail = _HALVES(key)
        slot = tail & self._mask
        while (number := self._numbers[slot]) != _EMPTY:
            if self._tails[slot] == tail and self._heads[slot] == head:
                return number
            slot = (slot + 1) & self._mask
        return 0

    def merge(self, key: bytes, kept: int, bits: int) -> int:
        """Keep the bits ``kept`` of the number of ``key``, set ``bits``, and return the number before.

        One pass and no further calls: a journal of a million records takes a million of these.
        """
        number: int
        head, tail = _HALVES(key)
        heads, tails, numbers, mask = self._heads, self._tails, self._numbers, self._mask
        slot = tail & mask
        while (number := numbers[slot]) != _EMPTY:
            if tails[slot] == tail and heads[slot] == head:
                numbers[slot] = number & kept | bits
                return number
            slot = (slot + 1) & mask
        heads[slot], tails[slot], numbers[slot] = head, tail, bits
        self._used += 1
        if self._used > self._most:
            self._grow()
        return 0

    def _allocate(self, size: int) -> None:
        self._mask, self._most = size - 1, size * 4 // 5
        self._heads, self._tails = array("Q", bytes(8 * size)), array("Q", bytes(8 * size))
        self._numbers = array("q", b"\xff" * (8 * size))  # -1 everywhere

    def _grow(self) -> None:
        heads, tails, numbers = self._heads, self._tails, self._numbers
        self._used = 0
        self._allocate(2 * len(numbers))
        for head, tail, number in zip(heads, tails, numbers, strict=True):
            if number != _EMPTY:
                self.merge(_JOINED(head, tail), 0, number)


class Keys:
    """Makes the keys of one batch.

    :param question: what is asked of every prompt: providers, model, system message, options.
    """

    def __init__(self, question: Mapping[str, Any]) -> None:
        self._base = blake2b(_encode(question), digest_size=KEY_SIZE)

    def make(self, prompt: str | Sequence[Any], identity: str | int | None) -> bytes:
        """Return the key of the first occurrence of a prompt.

        :param prompt: as :func:`describe_prompt` returns it.
        :param identity: its id, if any.
        """
        digest = self._base.copy()
        if identity is not None:
            digest.update(_encode({"id": identity}))
        digest.update(
            b"text\0" + prompt.encode("utf-8", "surrogatepass") if isinstance(prompt, str) else _encode(prompt)
        )
        return digest.digest()


def number_key(key: bytes, occurrence: int) -> bytes:
    """Return the key of a later occurrence of what ``key`` is the first of."""
    return blake2b(key + b"%d" % occurrence, digest_size=KEY_SIZE).digest()


def _encode(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, default=_describe).encode()


def _describe(value: object) -> str:
    return f"{value.__module__}.{value.__qualname__}" if isinstance(value, type) else repr(value)
