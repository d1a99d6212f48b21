"""Fuzz what stands between the wire and the caller: bytes to events, events to deltas, deltas to checked chunks.

Run ``python tests/fuzz_stream.py --seconds 60``; it prints how many documents were tried, or the smallest one that
breaks a claim.
"""

import argparse
import itertools
import time
from collections.abc import Iterable, Iterator

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from providers_sdk._protocol.validation import validate_chunks
from providers_sdk.errors import PluginError, ProviderError
from providers_sdk.plugin import Chunk, FinishReason, Usage, iter_deltas, iter_events

ROUND = 200
MAX_LINE, MAX_EVENT = 2_000, 3_000

SEEDS = (
    b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{"content":"Margherita, "}}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    b': OPENROUTER PROCESSING\r\n\r\ndata: {"choices":[{"delta":{"reasoning_content":"hm"}}]}\r\n\r\n'
    b'data: {"choices":[{"delta":{"reasoning":"hm","content":null}}]}\r\n\r\n'
    b'data: {"choices":[{"delta":{"content":"a"},"finish_reason":"length"}],"usage":null}\r\n\r\n'
    b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}\r\n\r\ndata: [DONE]\r\n\r\n',
    b'\xef\xbb\xbfdata: {"choices":[{"delta":{"content":"\xf0\x9f\x8d\x95 \xe2\x80\xa8 \xc2\x85"}}]}\r\r'
    b'data: {"choices":[{"delta":{"content":"\\ud83c"}}]}\r\rdata: {"choices":[{"delta":{"content":"\\udf55"}}]}\r\r'
    b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\r\r',
    b'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: {"error":{"message":"no credit","type":"quota"}}\n\n',
    b"event: error\ndata: no credit\n\nevent: ping\ndata:\n\n",
    b'event: message\nid: 7\nretry: 3000\ndata: {"choices":\ndata: [{"delta": {"content": "two lines"}}]}\n\n',
    b'data: {"choices":[{"finish_reason":"stop"}]}\n\n',
    b'data: 123\n\ndata: null\n\ndata: "text"\n\ndata: [1]\n\n',
    b"data: " + b"[" * 300 + b"]" * 300 + b"\n\n",
    b"data: " + b"9" * 1_900 + b"\n\n",
    b"data: " + b"x" * 2_100 + b"\n\n",
    b"data\ndata\n\n" + b"data: x\n" * 500 + b"\n",
    b"<html><title>Log in</title>\n\n",
    b"",
)
WORDS = [
    *(b"data: ", b"data:", b"event: ", b"id: ", b"retry: ", b": ", b"\n", b"\r\n", b"\r", b"\n\n", b"[DONE]"),
    *(b'{"choices":[{"delta":{"content":"', b'"}}]}', b'{"choices":[{"delta":{},"finish_reason":"stop"}]}'),
    *(b'{"error":', b'{"usage":{"prompt_tokens":1,"completion_tokens":1}}', b'"index":1,', b'"reasoning":"', b"null"),
    *(b"\\ud83c", b"\\udf55", b"\\u0000", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xc3", b"\xa9", b"\xff", b"\0"),
    *(b"{", b"}", b"[", b"]", b'"', b",", b"1e999", b"NaN", b"-1", b"error", b"x" * 500),
]


def mutated(document: bytes, cut: tuple[int, int], word: bytes) -> bytes:
    """Return ``document`` with a part of it replaced by ``word``."""
    start, end = sorted(place % (len(document) + 1) for place in cut)
    return document[:start] + word + document[end:]


places = st.integers(0, 5_000)
words = st.lists(st.sampled_from(WORDS) | st.binary(max_size=8), max_size=12).map(b"".join)
documents = st.one_of(
    words,
    st.builds(mutated, st.sampled_from(SEEDS), st.tuples(places, places), words),
    st.lists(st.sampled_from(SEEDS) | words, max_size=4).map(b"".join),
)
cuttings = st.lists(places, max_size=8)


def pieces(document: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Return ``document`` in pieces."""
    ends = [0, *sorted(cut % (len(document) + 1) for cut in cuts), len(document)]
    return [document[start:end] for start, end in itertools.pairwise(ends)]


def read(chunks: Iterable[bytes]) -> tuple[list[Chunk], ProviderError | None]:
    """Return the chunks of a stream of bytes, and the error that ended it, if one did."""
    found: list[Chunk] = []
    try:
        events = iter_events(chunks, max_line=MAX_LINE, max_event=MAX_EVENT)
        found.extend(validate_chunks(iter_deltas(events)))
    except ProviderError as error:
        return found, error
    return found, None


def check(document: bytes, cuts: Iterable[int]) -> None:
    """Check every claim for one document.

    :raises AssertionError: one of them does not hold.
    """
    found, error = read(pieces(document, cuts))
    again, same = read([document])
    assert (found, type(error), str(error)) == (again, type(same), str(same)), "the cutting changes the answer"
    assert not isinstance(error, PluginError), f"our own code is at fault: {error!r}"
    finishes = [chunk for chunk in found if isinstance(chunk, FinishReason)]
    assert finishes == (found[-1:] if error is None else []), "an answer has one finish reason, an error none"
    for chunk in found:
        assert isinstance(chunk, Chunk), f"a foreign object came out: {chunk!r}"
        assert isinstance(chunk, (Usage, FinishReason)) or str(chunk).encode(), "text is there and can be written"
    assert error is None or len(str(error)) < 1_000, "an error is a sentence, not the document"


def fuzz(documents: int, *, start: int = 0) -> int:
    """Try at least ``documents`` documents; return how many.

    :param start: the first seed; the same seed tries the same documents.
    :raises AssertionError: a claim does not hold.
    """
    return next(tried for tried in fuzz_on(start) if tried >= documents)


def fuzz_on(start: int = 0) -> Iterator[int]:
    """Yield how many documents were tried, first the corpus, then round after round without end."""
    for document in SEEDS:
        for size in (1, 2, 3, 64):
            check(document, range(0, len(document), size))
    yield len(SEEDS) * 4
    for number in itertools.count(start):
        _round(number)
        yield len(SEEDS) * 4 + ROUND * (number - start + 1)


def _round(number: int) -> None:
    limits = settings(
        max_examples=ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
    )
    seed(number)(limits(given(documents, cuttings)(check)))()


def main() -> None:
    """Read the command line and fuzz."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="the first seed (default: 0)")
    given_by_user = parser.parse_args()
    ends = time.monotonic() + given_by_user.seconds
    tried = next(tried for tried in fuzz_on(given_by_user.seed) if time.monotonic() >= ends)
    print(f"{tried} documents tried, every claim held")


if __name__ == "__main__":
    main()
