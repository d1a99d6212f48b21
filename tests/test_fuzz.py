import runpy
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from providers_sdk.plugin import Chunk, Event

FUZZ: dict[str, Any] = runpy.run_path(str(Path(__file__).with_name("fuzz_stream.py")))


@pytest.mark.parametrize("number", range(len(FUZZ["SEEDS"])))
def test_every_seed_of_the_corpus_keeps_the_claims_wherever_it_is_cut_in_two(number: int) -> None:
    document = FUZZ["SEEDS"][number]
    for cut in range(0, len(document) + 1, 1 + len(document) // 300):
        FUZZ["check"](document, [cut])


def test_fuzzed_streams_keep_the_claims_for_six_hundred_documents() -> None:
    assert FUZZ["fuzz"](600) >= 600


def test_the_fuzzer_finds_what_no_seed_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = FUZZ["iter_deltas"]

    def unsound(events: Iterable[Event]) -> Iterator[Chunk]:
        for event in events:
            if "NaN" in event.data:
                raise ZeroDivisionError
            yield from sound([event])

    monkeypatch.setitem(FUZZ["read"].__globals__, "iter_deltas", unsound)
    with pytest.raises(AssertionError, match="our own code is at fault"):
        FUZZ["fuzz"](20_000)
