"""Asks a provider the same question with something changed, and tells whether that made a difference."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from providers_sdk.testing.contract._harness import Harness, Outcome
from providers_sdk.testing.contract._requests import find_differences
from providers_sdk.testing.fake_service import FakeService
from providers_sdk.testing.server import Received

__all__ = ["Comparison", "compare_requests"]


@dataclass(slots=True)
class Comparison:
    """The question without a change, and what differs in it by itself.

    :param noise: places that differ though nothing was changed.
    """

    harness: Harness
    site: FakeService
    plain: list[Received] = field(default_factory=list)
    answer: Outcome = field(default_factory=Outcome)
    noise: set[tuple[int, str]] = field(default_factory=set)

    def measure(self) -> None:
        """Ask three times without a change; a first question may differ from all others."""
        self._send()
        self.plain, self.answer = self._send()
        self.noise = find_differences(self.plain, self._send()[0])

    def ask(self, *, than: list[Received] | None = None, **changes: Any) -> bool:
        """Return whether the requests differ from ``than`` (those without a change), or the outcome does."""
        sent, outcome = self._send(**changes)
        differs = find_differences(self.plain if than is None else than, sent) - self.noise
        return bool(differs) or (than is None and self._is_other(outcome))

    def _is_other(self, outcome: Outcome) -> bool:
        return outcome.error is not None or outcome.chunks != self.answer.chunks

    def _send(self, **changes: Any) -> tuple[list[Received], Outcome]:
        before = len(self.site.requests)
        outcome = self.harness.ask(self.site, **changes)
        return self.site.requests[before:], outcome


@contextmanager
def compare_requests(harness: Harness) -> Iterator[Comparison]:
    with harness.site() as site:
        comparison = Comparison(harness, site)
        comparison.measure()
        yield comparison
