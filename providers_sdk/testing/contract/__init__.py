"""The plugin contract as claims that a provider is held to, with its stand-in, on loopback.

In pytest::

    class TestAcme(ProviderContract):
        provider = Acme
        stand_in = AcmeSite

Outside of it: ``providers check``, or :func:`judge`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import ClassVar

from providers_sdk._provider.provider import Provider
from providers_sdk.testing.contract import behaviour as manners
from providers_sdk.testing.contract import failures as trouble
from providers_sdk.testing.contract import streaming as answer
from providers_sdk.testing.contract._claim import CLAIMS, Claim
from providers_sdk.testing.contract._harness import Bench, ClaimFailed
from providers_sdk.testing.fake_service import StandIn

__all__ = ["CLAIMS", "Bench", "Claim", "ClaimFailed", "ProviderContract", "Verdict", "judge"]

_ROOMS = (answer, trouble, manners)  # importing them is what fills CLAIMS


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one claim.

    :param state: ``"holds"``, ``"fails"``, ``"does not apply"`` or ``"not reached"``.
    :param words: what was expected and what happened, by which declaration it does not apply, or what it waits for.
    :param seconds: how long the check took.
    """

    claim: Claim
    state: str
    words: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class _Court:
    """Judges claims once, in the order of their needs."""

    bench: Bench
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def verdict(self, claim: Claim) -> Verdict:
        if claim.name not in self.verdicts:
            self.verdicts[claim.name] = self._judge(claim)
        return self.verdicts[claim.name]

    def _judge(self, claim: Claim) -> Verdict:
        declared = claim.exempt(self.bench)
        if declared:
            return Verdict(claim, "does not apply", f"the provider declares: {declared}")
        missing = [need for need in claim.needs if self.verdict(CLAIMS[need]).state != "holds"]
        if missing:
            return Verdict(claim, "not reached", f"it cannot be judged before these hold: {', '.join(missing)}")
        started = perf_counter()
        try:
            claim.check(self.bench)
        except Exception as error:  # noqa: BLE001  a provider under test may do anything
            words = str(error) if isinstance(error, ClaimFailed) else f"the check met {type(error).__name__}: {error}"
            return Verdict(claim, "fails", f"{words} [{claim.where}]", perf_counter() - started)
        return Verdict(claim, "holds", "", perf_counter() - started)


def judge(provider: type[Provider], stand_in: type[StandIn] | None) -> Iterator[Verdict]:
    """Yield the verdict of each claim about ``provider``.

    :param stand_in: the stand-in of its service; ``None`` for one that works offline.
    """
    court = _Court(Bench(provider, stand_in))
    for claim in CLAIMS.values():
        yield court.verdict(claim)


class ProviderContract:
    """A pytest class: name it ``Test...``, set :attr:`provider` and :attr:`stand_in`, and each claim is a test.

    A claim that does not apply, by the provider's own declaration, is skipped and says so; one that cannot be judged
    because a simpler one fails is skipped and names that one.
    """

    provider: ClassVar[type[Provider]]
    stand_in: ClassVar[type[StandIn] | None] = None
    _court: ClassVar[_Court | None] = None

    def test_claim(self, contract_claim: Claim) -> None:
        """Hold the provider to one claim."""
        import pytest

        kind = type(self)
        court = kind.__dict__.get("_court") or _Court(Bench(kind.provider, kind.stand_in))
        kind._court = court
        verdict = court.verdict(contract_claim)
        if verdict.state == "fails":
            pytest.fail(f"{contract_claim.text}\n{verdict.words}", pytrace=False)
        if verdict.state != "holds":
            pytest.skip(f"{verdict.state}: {verdict.words}")
