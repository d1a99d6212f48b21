"""Records when each piece of a streamed answer was sent, and when it arrived."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from providers_sdk._model.chunks import Chunk, FinishReason
from providers_sdk._provider.provider import Provider
from providers_sdk.testing.contract import Harness
from providers_sdk.testing.fake_service import FakeService

__all__ = ["Timeline", "record_timeline"]

PACE = 0.1
_LONGEST = 16


@dataclass(frozen=True, slots=True)
class Timeline:
    """Seconds since the question was asked.

    :param sent: when the fake service sent each piece of its answer.
    :param arrived: when the caller had each chunk.
    :param sent_labels: the text of each piece that was sent, or what it is where it has none.
    :param arrived_labels: the same of each chunk.
    """

    sent: tuple[float, ...] = ()
    arrived: tuple[float, ...] = ()
    sent_labels: tuple[str, ...] = ()
    arrived_labels: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """The length of the whole."""
        return max((*self.sent, *self.arrived), default=0.0)


def record_timeline(
    provider: type[Provider], fake_service: type[FakeService], *, sleep: Callable[[float], None] = time.sleep
) -> Timeline:
    """Ask once, with a fake service that pauses a tenth of a second between its pieces."""
    harness = Harness(provider, fake_service)
    arrived: list[tuple[float, Chunk]] = []
    with harness.site() as site, harness.client(site) as client:
        site.before_next_piece = lambda: sleep(PACE)
        started = time.monotonic()
        for chunk in client.chat("Name three pizzas.").chunks():
            arrived.append((time.monotonic(), chunk))
        sent, pieces = list(site.sent_at), list(site.sent_pieces)
    return Timeline(
        tuple(at - started for at in sent),
        tuple(at - started for at, _ in arrived),
        tuple(_label_pieces(pieces, site.reply_pieces)),
        tuple(_shorten(_describe_chunk(chunk)) for _, chunk in arrived),
    )


def _label_pieces(pieces: Iterable[bytes], texts: Sequence[str]) -> Iterator[str]:
    """Yield the text that each piece holds; the texts follow one another."""
    left = list(texts)
    for piece in pieces:
        text = piece.decode("utf-8", "replace")
        if left and left[0] in text:
            yield _shorten(left.pop(0))
        else:
            yield "end mark" if "[DONE]" in text else "no text"


def _describe_chunk(chunk: Chunk) -> str:
    if isinstance(chunk, str):
        return chunk
    return f"finish: {chunk}" if isinstance(chunk, FinishReason) else type(chunk).__name__


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
