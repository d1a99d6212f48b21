"""The report of ``providers check``: plain data, or one self-contained page with a chart of the chunks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from platform import python_version
from typing import Any

from providers_sdk._version import __version__
from providers_sdk.cli._chart import Chart, draw_chart
from providers_sdk.cli._exit_codes import FAILED, USAGE_ERROR
from providers_sdk.cli._timeline import Timeline
from providers_sdk.errors import InvalidCall, ProviderError
from providers_sdk.testing.contract import Result

__all__ = ["Report", "report_page"]

STATES = ("fails", "not reached", "not judged", "holds", "does not apply")
"""The states of a claim, those first that need work."""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of checking one provider.

    :param against: ``"its fake service"``, ``"nothing (offline)"`` or ``"the live service"``.
    :param fake_service: the class of the fake service, as ``"module:Class"``.
    :param checked_at: when it was checked.
    :param unchecked: why the provider could not be asked, where that is no matter of the contract.
    """

    provider: str
    against: str
    verdicts: tuple[Result, ...]
    timeline: Timeline = field(default_factory=Timeline)
    unchecked: ProviderError | None = None
    fake_service: str = ""
    checked_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def passed(self) -> bool:
        """Whether no claim failed or was not reached; one that its fake service cannot show does not count."""
        return all(verdict.passes for verdict in self.verdicts)

    @property
    def outcome(self) -> str:
        """What the check found, as the end of a sentence about the provider."""
        if self.unchecked is not None:
            return "could not be checked"
        return "passes the contract tests" if self.passed else "fails the contract tests"

    @property
    def exit_code(self) -> int:
        """0 if it passed, 2 if it could not be asked because of a usage error such as a missing setting, else 1."""
        if isinstance(self.unchecked, InvalidCall):
            return USAGE_ERROR
        return 0 if self.passed else FAILED

    @property
    def counts(self) -> dict[str, int]:
        """How many claims are in each state."""
        return dict(Counter(verdict.state for verdict in self.verdicts))

    @property
    def sections(self) -> list[tuple[str, list[Result]]]:
        """The verdicts by section, in the contract's order."""
        groups = groupby(self.verdicts, key=lambda verdict: verdict.claim.section)
        return [(section, list(verdicts)) for section, verdicts in groups]

    @property
    def problems(self) -> list[Result]:
        """The verdicts that somebody should look at, failures first."""
        order = ("fails", "not reached", "not judged")
        return sorted((each for each in self.verdicts if each.state in order), key=lambda each: order.index(each.state))

    @property
    def chart(self) -> Chart:
        """The layout of the timeline."""
        return draw_chart(self.timeline)

    def data(self) -> dict[str, Any]:
        """Return the report as plain data."""
        rows = [
            {
                "claim": verdict.claim.name,
                "section": verdict.claim.section,
                "text": verdict.claim.text,
                "state": verdict.state,
                "detail": verdict.detail,
                "seconds": round(verdict.seconds, 3),
            }
            for verdict in self.verdicts
        ]
        timeline = {
            "sent": _round(self.timeline.sent),
            "arrived": _round(self.timeline.arrived),
            "sent_labels": list(self.timeline.sent_labels),
            "arrived_labels": list(self.timeline.arrived_labels),
        }
        facts = {"provider": self.provider, "against": self.against, "passed": self.passed, "counts": self.counts}
        facts["unchecked"] = "" if self.unchecked is None else str(self.unchecked)
        facts |= {"fake_service": self.fake_service, "checked_at": self.checked_at.isoformat(timespec="seconds")}
        return {**facts, "library": __version__, "python": python_version(), "claims": rows, "timeline": timeline}


def _round(times: Sequence[float]) -> list[float]:
    return [round(at, 4) for at in times]


def report_page(reports: Sequence[Report]) -> str:
    """Return ``reports`` as one HTML page that loads nothing else."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("providers_sdk.cli", "pages"), autoescape=True, trim_blocks=True)
    return environment.get_template("report.html.j2").render(
        reports=reports, version=__version__, python=python_version(), states=STATES
    )
