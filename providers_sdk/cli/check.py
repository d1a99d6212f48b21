"""``providers check``: run the contract tests on a provider."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from providers_sdk._engine.client import Client
from providers_sdk._redact import printable
from providers_sdk.cli._console import screen
from providers_sdk.cli._exit_codes import traceback_option
from providers_sdk.cli._report import Report, report_page
from providers_sdk.cli._stdout_redirect import redirect_stdout_to_stderr
from providers_sdk.cli._target import Target, find_targets
from providers_sdk.cli._timeline import Timeline, record_timeline
from providers_sdk.errors import (
    Blocked,
    HTTPStatusError,
    InvalidCall,
    ProviderError,
    Refused,
    StreamTruncated,
    TransportError,
)
from providers_sdk.testing.contract import CLAIMS, Claim, ClaimFailed, Result, judge

_STYLES = {"holds": "green", "fails": "bold red"}
_QUESTION = "Say hello in one word."


@click.command("check")
@click.argument("target")
@click.option(
    "--fake-service", "fake_service", default="", metavar="MODULE:CLASS", help="Instead of the provider's own."
)
@click.option("--live", is_flag=True, help="Ask the live service two short questions instead of the fake service.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--report",
    "--html",
    "html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the report as one HTML page.",
)
@traceback_option
@click.pass_context
def command(ctx: click.Context, target: str, fake_service: str, live: bool, as_json: bool, html: Path | None) -> None:
    """Run the contract tests on a provider.

    TARGET is an installed provider's name, a module, a .py file, or a project's folder.

    Exit codes: 0 it passed; 1 a test failed, or the live service could not be asked; 2 usage error, such as
    a missing setting.
    """
    with redirect_stdout_to_stderr():  # what a plugin prints is no part of the report
        targets = find_targets(target, fake_service=fake_service)
        reports = [_check_live(each) if live else _check_with_fake(each, quiet=as_json) for each in targets]
    if html is not None:
        html.write_text(report_page(reports), encoding="utf-8")
        click.echo(f"the page is in {html}", err=True)
    if as_json:
        click.echo(json.dumps([report.data() for report in reports], indent=2, ensure_ascii=False))
    else:
        for report in reports:
            _show(report)
    ctx.exit(max((report.exit_code for report in reports), default=0))


def _check_with_fake(target: Target, *, quiet: bool) -> Report:
    if target.fake_service is None and not target.provider.offline:
        raise click.UsageError(
            f"{target.name} has no fake service: set fake_service = 'module:Class', or use --fake-service or --live"
        )
    verdicts: list[Result] = []
    for verdict in judge(target.provider, target.fake_service):
        verdicts.append(verdict)
        if not quiet:
            click.echo(_mark(verdict), nl=False, err=True)
    if not quiet:
        click.echo(err=True)
    against = "its fake service" if target.fake_service else "nothing (offline)"
    fake = f"{target.fake_service.__module__}:{target.fake_service.__qualname__}" if target.fake_service else ""
    return Report(target.name, against, tuple(verdicts), _make_timeline(target, verdicts), fake_service=fake)


def _mark(verdict: Result) -> str:
    return {"holds": ".", "fails": "F"}.get(verdict.state, "-")


def _make_timeline(target: Target, verdicts: list[Result]) -> Timeline:
    held = {verdict.claim.name for verdict in verdicts if verdict.state == "holds"}
    if target.fake_service is None or not target.provider.supports_stream or "answers" not in held:
        return Timeline()
    return record_timeline(target.provider, target.fake_service)


def _check_live(target: Target) -> Report:
    """Ask twice: once to the end, once closed after the first piece. A service that refuses is asked once."""
    verdicts: list[Result] = []
    unchecked = None
    with Client(target.name, retries=0, deadline=90) as client:
        client.registry.register(target.name, target.provider)
        for name, ask in _LIVE.items():
            if verdicts and verdicts[-1].state != "holds":
                verdicts.append(Result(CLAIMS[name], "not reached", f"it waits for {verdicts[-1].claim.name}"))
                continue
            verdict, error = _judge(CLAIMS[name], ask, client)
            verdicts.append(verdict)
            unchecked = unchecked or error
    return Report(target.name, "the live service", tuple(verdicts), unchecked=unchecked)


_LIVE: dict[str, Callable[[Client], object]] = {
    "answers": lambda client: client.chat(_QUESTION).text,
    "closes_when_closed": lambda client: client.chat(_QUESTION).close(),
}
"""Claim → how to test it with the live service, in this order."""
_INCONCLUSIVE = (InvalidCall, TransportError, HTTPStatusError, Blocked, Refused)
"""Errors of the caller, the network or the service: they prove nothing about the provider's code ..."""
_CONCLUSIVE = (StreamTruncated,)
"""... but for these."""


def _judge(claim: Claim, ask: Callable[[Client], object], client: Client) -> tuple[Result, ProviderError | None]:
    """Return the verdict, and why the service could not be asked, where that is so."""
    started = time.perf_counter()
    try:
        ask(client)
    except (ProviderError, ClaimFailed) as error:
        text, seconds = f"{type(error).__name__}: {error}", time.perf_counter() - started
        if isinstance(error, _INCONCLUSIVE) and not isinstance(error, _CONCLUSIVE):
            return Result(claim, "not reached", f"it could not be checked: {text}", seconds), error
        return Result(claim, "fails", text, seconds), None
    return Result(claim, "holds", "", time.perf_counter() - started), None


def _show(report: Report) -> None:
    console = screen()
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for verdict in sorted(report.verdicts, key=lambda each: each.state == "fails"):  # where the eye is: at the end
        text = verdict.detail or f"{verdict.seconds:.2f} s"
        if verdict.state == "fails":
            text += f". {verdict.claim.text}"
        state = Text(verdict.state, _STYLES.get(verdict.state, "dim"))
        table.add_row(state, verdict.claim.name, Text(printable(text)))
    console.print(table)
    counts = ", ".join(f"{state}: {count}" for state, count in report.counts.items())
    console.print(
        Text(printable(f"{report.provider} {report.outcome}, against {report.against}: {counts}")), soft_wrap=True
    )
