"""The contract tests: claims about a provider, tested with its fake service on loopback.

In pytest::

    class TestAcme(ProviderContract):
        provider = Acme
        fake_service = AcmeSite

Outside of it: ``providers check``, or :func:`judge`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import ClassVar

from providers_sdk._provider.provider import Provider
from providers_sdk.testing.contract._claim import Claim
from providers_sdk.testing.contract._crash import describe_crash
from providers_sdk.testing.contract._harness import ClaimFailed, Harness, NotApplicable, NotJudged
from providers_sdk.testing.contract._sockets import SocketGuard
from providers_sdk.testing.contract._suites import CLAIMS, SUITES
from providers_sdk.testing.fake_service import FakeService

__all__ = [
    "CLAIMS",
    "SUITES",
    "Claim",
    "ClaimFailed",
    "ContractRunner",
    "Harness",
    "ProviderContract",
    "Result",
    "judge",
]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one claim.

    :param state: ``"holds"``, ``"fails"``, ``"does not apply"``, ``"not judged"`` (the fake service cannot show it) or
        ``"not reached"`` (a claim that it needs does not hold).
    :param detail: what was expected and what happened, or why it does not apply, was not judged or not reached.
    :param seconds: how long the check took.
    """

    claim: Claim
    state: str
    detail: str = ""
    seconds: float = 0.0

    @property
    def passes(self) -> bool:
        """Whether nothing is wrong as far as can be judged."""
        return self.state in ("holds", "does not apply", "not judged")


@dataclass(slots=True)
class ContractRunner:
    """Checks each claim once, after the claims that it needs."""

    harness: Harness
    results: dict[str, Result] = field(default_factory=dict)
    guard: SocketGuard = field(init=False)

    def __post_init__(self) -> None:
        self.guard = SocketGuard(self.harness.provider)

    def run(self, claim: Claim) -> Result:
        """Return the result of ``claim``; the claims that it needs are checked first."""
        if claim.name not in self.results:
            self.results[claim.name] = self._run(claim)
        return self.results[claim.name]

    def _run(self, claim: Claim) -> Result:
        declared = claim.exempt(self.harness)
        if declared:
            return Result(claim, "does not apply", f"the provider declares: {declared}")
        missing = [need for need in claim.needs if self.run(CLAIMS[need]).state != "holds"]
        if missing:
            return Result(claim, "not reached", f"it cannot be judged before these hold: {', '.join(missing)}")
        started = perf_counter()
        self.harness.crashes.clear()
        with self.guard.watch():
            state, detail = self._check(claim)
        refused = self.guard.take_attempts()
        if refused:
            state, detail = "fails", f"expected no connection but to the fake service; {', '.join(refused)}"
        return Result(claim, state, detail, perf_counter() - started)

    def _check(self, claim: Claim) -> tuple[str, str]:
        try:
            claim.check(self.harness)
        except NotApplicable as reason:
            return "does not apply", str(reason)
        except NotJudged as reason:
            return "not judged", str(reason)
        except Exception as error:  # noqa: BLE001  a provider under test may do anything
            return "fails", self._describe(error) + self._describe_crash_of_the_fake(str(error))
        return "holds", ""

    def _describe(self, error: Exception) -> str:
        if isinstance(error, ClaimFailed):
            return str(error)
        where = describe_crash(error, self.harness.provider)
        return f"expected no error; got {type(error).__name__}: {error}{where}"

    def _describe_crash_of_the_fake(self, said: str) -> str:
        """Return what the fake service raised, unless it was ``said`` already."""
        found = self.harness.crashes[:1]
        return f"; the fake service raised {found[0]}" if found and found[0] not in said else ""


def judge(provider: type[Provider], fake_service: type[FakeService] | None) -> Iterator[Result]:
    """Yield the result of each claim about ``provider``.

    :param fake_service: the fake service of its service; ``None`` for one that works offline.
    """
    runner = ContractRunner(Harness(provider, fake_service))
    for claim in CLAIMS.values():
        yield runner.run(claim)


class ProviderContract:
    """A pytest class: name it ``Test...``, set :attr:`provider` and :attr:`fake_service`, and each claim is a test.

    A claim that does not apply, by the provider's own declaration, is skipped with that reason, and so is one that the
    fake service cannot show; one that cannot be judged because a simpler one fails is skipped and names that one.
    """

    provider: ClassVar[type[Provider]]
    fake_service: ClassVar[type[FakeService] | None] = None
    _runner: ClassVar[ContractRunner | None] = None

    def test_claim(self, contract_claim: Claim) -> None:
        """Test one claim about the provider."""
        import pytest

        kind = type(self)
        runner = kind.__dict__.get("_runner") or ContractRunner(Harness(kind.provider, kind.fake_service))
        kind._runner = runner
        result = runner.run(contract_claim)
        if result.state == "fails":
            pytest.fail(f"{contract_claim.text}\n{result.detail}", pytrace=False)
        if result.state != "holds":
            pytest.skip(f"{result.state}: {result.detail}")
