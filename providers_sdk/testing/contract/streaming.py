"""Claims about an answer that arrives in pieces, and about what is left when a reply is closed."""

import threading
from collections.abc import Iterator

from providers_sdk.testing.contract._claim import claim, expect
from providers_sdk.testing.contract._crash import describe_crash
from providers_sdk.testing.contract._harness import PROMPT, ClaimFailed, Harness
from providers_sdk.testing.contract._requests import list_fields
from providers_sdk.testing.contract.answers import not_streaming, offline
from providers_sdk.testing.fake_service import FakeService

__all__ = ["STREAMING"]

_STREAM_TITLE = "Streaming"
_OPENING = 2
"""Pieces that the fake service sends before it waits: the first one may have no text."""
_OFF = ("false", "0", "no", "off", "")


@claim(_STREAM_TITLE, exempt=not_streaming)
def delivers_at_once(harness: Harness) -> None:
    """The first piece is delivered while the service still holds back the rest."""
    gate, paused = threading.Event(), threading.Event()
    pauses = iter(range(1_000))

    def hold() -> None:
        if next(pauses) >= _OPENING:
            paused.set()
            gate.wait(harness.patience)

    with harness.site(reply_pieces=[f"{number} " for number in range(9)]) as site, harness.client(site) as client:
        site.before_next_piece = hold
        try:
            chunks = harness.patiently(lambda: client.chat(PROMPT)).chunks()
            first = harness.patiently(lambda: _find_first_piece(chunks))
        except Exception as error:
            where = describe_crash(error, harness.provider)
            raise ClaimFailed(f"expected the first piece while the service waits; got {error}{where}") from error
        finally:
            gate.set()
        harness.patiently(lambda: list(chunks))  # to the end: a reply dropped earlier cuts the fake service off
    expect(paused.is_set(), "an answer in pieces", _describe_unpaced(site))
    expect(first, "a first piece while the service waits", "there was none")


def _describe_unpaced(site: FakeService) -> str:
    """Return why the answer came whole: by what the provider asked for, if that is known, else by the fake service."""
    refused = [
        f"{place} = {value} in {received.method} {received.path}"
        for received in site.requests
        for place, value in list_fields(received)
        if place.casefold().endswith("stream") and (value.casefold() in _OFF) != ("nostream" in place.casefold())
    ]
    if refused:
        return f"the provider asked for a whole one: {refused[-1]}"
    return (
        "the service sent it whole; either the provider must ask for a stream, "
        "or the fake service must send the pieces through self.paced(...)"
    )


def _find_first_piece(chunks: Iterator[object]) -> str:
    return next((chunk for chunk in chunks if isinstance(chunk, str)), "")


@claim(_STREAM_TITLE, exempt=offline)
def closes_when_closed(harness: Harness) -> None:
    """Once a reply is closed after its first piece, no connection of it is left."""
    with harness.site() as site, harness.client(site) as client:
        site.before_next_piece = lambda: None
        reply = client.chat(PROMPT)
        next(iter(reply.chunks()))
        reply.close()
        client.close()
        expect(site.wait_idle(harness.patience / 2), "no open connection", f"{site.open_connections} stayed open")


@claim(_STREAM_TITLE, exempt=offline)
def closes_when_dropped(harness: Harness) -> None:
    """A reply that is dropped after its first piece leaves no connection either, nor does a finished one."""
    with harness.site() as site:
        for leave in (True, False):
            with harness.client(site) as client:
                for _ in client.chat(PROMPT):
                    if leave:
                        break
            expect(site.wait_idle(harness.patience / 2), "no open connection", f"{site.open_connections} stayed open")


STREAMING = (
    delivers_at_once,
    closes_when_closed,
    closes_when_dropped,
)
