"""``providers check``: is a provider what the contract says?"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from providers_sdk._engine.client import Client
from providers_sdk.cli._report import Report, report_page
from providers_sdk.cli._target import Target, find_targets
from providers_sdk.cli._timeline import Timeline, record_timeline
from providers_sdk.errors import ProviderError
from providers_sdk.testing.contract import CLAIMS, Claim, ClaimFailed, Result, judge

_COLOUR = {"holds": "green", "fails": "bold red"}
_QUESTION = "Say hello in one word."


@click.command("check")
@click.argument("target")
@click.option("--stand-in", "stand_in", default="", metavar="MODULE:CLASS", help="In place of the provider's own.")
@click.option("--live", is_flag=True, help="Ask the live service two short questions instead of the stand-in.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as one HTML page.")
def command(target: str, stand_in: str, live: bool, as_json: bool, html: Path | None) -> None:
    """Hold a provider to the contract.

    TARGET is an installed provider's name, a module, a .py file, or a project's folder.
    """
    targets = find_targets(target, stand_in=stand_in)
    reports = [_live(each) if live else _against_stand_in(each, quiet=as_json) for each in targets]
    if html is not None:
        html.write_text(report_page(reports), encoding="utf-8")
        click.echo(f"the page is in {html}", err=True)
    if as_json:
        click.echo(json.dumps([report.data() for report in reports], indent=2, ensure_ascii=False))
    else:
        for report in reports:
            _summary(report)
    click.get_current_context().exit(0 if all(report.passed for report in reports) else 1)


def _against_stand_in(target: Target, *, quiet: bool) -> Report:
    if target.stand_in is None and not target.provider.offline:
        raise click.UsageError(
            f"{target.name} has no stand-in: set stand_in = 'module:Class' in it, give --stand-in, or use --live"
        )
    verdicts: list[Result] = []
    for verdict in judge(target.provider, target.stand_in):
        verdicts.append(verdict)
        if not quiet:
            click.echo(_mark(verdict), nl=False, err=True)
    if not quiet:
        click.echo(err=True)
    against = "its stand-in" if target.stand_in else "nothing (offline)"
    return Report(target.name, against, tuple(verdicts), _timeline(target, verdicts))


def _mark(verdict: Result) -> str:
    return {"holds": ".", "fails": "F"}.get(verdict.state, "-")


def _timeline(target: Target, verdicts: list[Result]) -> Timeline:
    held = {verdict.claim.name for verdict in verdicts if verdict.state == "holds"}
    if target.stand_in is None or not target.provider.supports_stream or "answers" not in held:
        return Timeline()
    return record_timeline(target.provider, target.stand_in)


def _live(target: Target) -> Report:
    """Ask twice: once to the end, once closed after the first piece."""
    with Client(target.name, retries=0, deadline=90) as client:
        client.registry.register(target.name, target.provider)
        return Report(target.name, "the live service", tuple(_live_verdicts(client)))


def _live_verdicts(client: Client) -> Iterator[Result]:
    yield _judged(CLAIMS["answers"], lambda: client.chat(_QUESTION).text)
    yield _judged(CLAIMS["lets_go_when_closed"], lambda: client.chat(_QUESTION).close())


def _judged(claim: Claim, ask: Callable[[], object]) -> Result:
    started = time.perf_counter()
    try:
        ask()
    except (ProviderError, ClaimFailed) as error:
        return Result(claim, "fails", f"{type(error).__name__}: {error}", time.perf_counter() - started)
    return Result(claim, "holds", "", time.perf_counter() - started)


def _summary(report: Report) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for verdict in report.verdicts:
        colour = _COLOUR.get(verdict.state, "dim")
        words = verdict.detail or f"{verdict.seconds:.2f} s"
        if verdict.state == "fails":
            words += f". {verdict.claim.text}"
        table.add_row(f"[{colour}]{verdict.state}[/]", verdict.claim.name, escape(words))
    console.print(table)
    counts = ", ".join(f"{state}: {count}" for state, count in report.counts.items())
    outcome = "keeps the contract" if report.passed else "breaks the contract"
    console.print(f"{escape(report.provider)} {outcome}, against {report.against}: {counts}")
