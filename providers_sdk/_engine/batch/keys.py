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
from typing import Any

__all__ = ["KEY_SIZE", "KeyTable", "Keys"]

KEY_SIZE = 16
_EMPTY = -1


class KeyTable:
    """A mapping of keys of 16 bytes to whole numbers from 0.

    :param expected: how many keys there will be, about.
    """

    def __init__(self, expected: int = 0) -> None:
        self._used = 0
        self._allocate(max(64, 1 << (expected * 5 // 4).bit_length()))

    def __len__(self) -> int:
        return self._used

    def get(self, key: bytes) -> int | None:
        """Return the number of ``key``; ``None`` where it is not there."""
        found = self._numbers[self._find(int.from_bytes(key[:8]), int.from_bytes(key[8:]))]
        return None if found == _EMPTY else found

    def set(self, key: bytes, number: int) -> None:
        """Set the number of ``key``."""
        self._put(int.from_bytes(key[:8]), int.from_bytes(key[8:]), number)
        if self._used * 5 > self._size * 4:
            self._grow()

    def _allocate(self, size: int) -> None:
        self._size = size
        self._heads, self._tails = array("Q", bytes(8 * size)), array("Q", bytes(8 * size))
        self._numbers = array("q", b"\xff" * (8 * size))  # -1 everywhere

    def _find(self, head: int, tail: int) -> int:
        """Return the slot of the key, or the empty one where it belongs."""
        mask, heads, numbers = self._size - 1, self._heads, self._numbers
        slot = tail & mask
        while numbers[slot] != _EMPTY and (heads[slot] != head or self._tails[slot] != tail):
            slot = (slot + 1) & mask
        return slot

    def _put(self, head: int, tail: int, number: int) -> None:
        slot = self._find(head, tail)
        self._used += self._numbers[slot] == _EMPTY
        self._heads[slot], self._tails[slot], self._numbers[slot] = head, tail, number

    def _grow(self) -> None:
        heads, tails, numbers = self._heads, self._tails, self._numbers
        self._used = 0
        self._allocate(2 * self._size)
        for slot, number in enumerate(numbers):
            if number != _EMPTY:
                self._put(heads[slot], tails[slot], number)


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
