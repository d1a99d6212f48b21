"""Records when each piece of a streamed answer was sent, and when it arrived."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from providers_sdk._provider.provider import Provider
from providers_sdk.testing.contract import Harness
from providers_sdk.testing.fake_service import FakeService

__all__ = ["Timeline", "record_timeline"]

PACE = 0.1


@dataclass(frozen=True, slots=True)
class Timeline:
    """Seconds since the question was asked.

    :param sent: when the fake service sent each piece of its answer.
    :param arrived: when the caller had each chunk.
    """

    sent: tuple[float, ...] = ()
    arrived: tuple[float, ...] = ()

    @property
    def seconds(self) -> float:
        """The length of the whole."""
        return max((*self.sent, *self.arrived), default=0.0)


def record_timeline(
    provider: type[Provider], fake_service: type[FakeService], *, sleep: Callable[[float], None] = time.sleep
) -> Timeline:
    """Ask once, with a fake service that pauses a tenth of a second between its pieces."""
    harness = Harness(provider, fake_service)
    arrived: list[float] = []
    with harness.site() as site, harness.client(site) as client:
        site.before_next_piece = lambda: sleep(PACE)
        started = time.monotonic()
        for _ in client.chat("Name three pizzas.").chunks():
            arrived.append(time.monotonic())
        sent = list(site.sent_at)
    return Timeline(tuple(at - started for at in sent), tuple(at - started for at in arrived))
