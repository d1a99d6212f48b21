"""Keys of prompts, and the compact table."""

import hashlib

import hypothesis.strategies as st
from hypothesis import given

from providers_sdk._engine.batch.keys import Keys, KeyTable, number_key

QUESTION = {"provider": ["a"], "model": "m", "system": None, "options": {"temperature": 0.2}}


def digest(number: int) -> bytes:
    return hashlib.blake2b(number.to_bytes(8), digest_size=16).digest()


def test_a_table_holds_what_a_dictionary_would() -> None:
    table, mirror = KeyTable(), dict[bytes, int]()
    for number in range(5_000):
        key = digest(number % 3_000)
        table.merge(key, 0, number)
        mirror[key] = number
    assert {key: table.get(key) for key in mirror} == mirror
    assert len(table) == len(mirror)
    assert table.get(digest(3_000)) == 0


@given(st.lists(st.tuples(st.binary(min_size=16, max_size=16), st.integers(0, 2**62))))
def test_a_table_holds_any_keys(rows: list[tuple[bytes, int]]) -> None:
    table = KeyTable()
    for key, number in rows:
        table.merge(key, 0, number)
    assert {key: table.get(key) for key, _ in rows} == dict(rows)


def test_merging_keeps_some_bits_and_returns_the_number_before() -> None:
    table, key = KeyTable(), digest(1)
    assert [table.merge(key, -1, 1), table.merge(key, 1, 6), table.merge(key, 3, 8), table.get(key)] == [0, 1, 7, 11]


def test_keys_that_share_a_slot_stay_apart() -> None:
    table = KeyTable()
    keys = [bytes([head]) * 8 + bytes(8) for head in range(40)]
    for number, key in enumerate(keys):
        assert table.merge(key, 0, number) == 0
    assert [table.get(key) for key in keys] == list(range(40))


def test_a_key_depends_on_everything_that_decides_the_answer() -> None:
    key = Keys(QUESTION).make("Hi", None)
    assert key == Keys(dict(QUESTION)).make("Hi", None)
    changed: list[dict[str, object]] = [
        {"provider": ["b"]},
        {"model": None},
        {"system": "Be brief."},
        {"options": {"temperature": 0.3}},
    ]
    others = [Keys({**QUESTION, **change}).make("Hi", None) for change in changed]
    others += [Keys(QUESTION).make("Hi", identity) for identity in (1, "1", "Hi", "")]
    others += [Keys(QUESTION).make(prompt, None) for prompt in ("Hi ", [{"role": "user", "content": "Hi"}])]
    others += [number_key(key, occurrence) for occurrence in (2, 3)]
    assert len({key, *others}) == 1 + len(others)


def test_a_lone_surrogate_has_a_key() -> None:
    assert len(Keys(QUESTION).make("\ud800", "\udfff")) == 16
