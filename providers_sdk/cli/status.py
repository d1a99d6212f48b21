"""``providers status``: what is configured, what has its key, and what answered last."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from providers_sdk._engine.client import Client
from providers_sdk._redact import printable
from providers_sdk.cli._chat_options import complete_provider
from providers_sdk.cli._console import screen
from providers_sdk.cli._exit_codes import FAILED, spell_options, traceback_option
from providers_sdk.cli._outcomes import Outcome
from providers_sdk.cli._status import Status, ask_each, list_statuses
from providers_sdk.cli._stdout_redirect import redirect_stdout_to_stderr
from providers_sdk.cli._terminal import say_dim

__all__ = ["command"]

_SECONDS = 30.0


@click.command("status", short_help="Show which services are configured, and what answered last.")
@click.option("--live", is_flag=True, help="Ask each one short question first; nothing is retried.")
@click.option("--profile", metavar="NAME", help="The profile of the configuration file.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, one object a service.")
@traceback_option
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_provider)
@click.pass_context
def command(ctx: click.Context, live: bool, profile: str | None, as_json: bool, names: tuple[str, ...]) -> None:
    """Show every service that is configured, or those named: whether it has its key, and how the last question to it
    ended within a day, as 'providers chat' and '--live' have seen it.

    Exit codes: 0, and 1 where --live asked a service that gave no answer.
    """
    with redirect_stdout_to_stderr(), Client(profile=profile, retries=0, deadline=_SECONDS) as client:
        statuses = list(list_statuses(client, names))
        asked = [status.name for status in statuses if live and status.ready]
        ask_each(client, asked, lambda name: say_dim(f"asking {name}"))
        statuses = list(list_statuses(client, names)) if asked else statuses
    if as_json:
        click.echo(json.dumps([_make_json(status) for status in statuses], indent=2))
    else:
        _show(statuses)
    failed = any(status.name in asked and not _is_answer(status.last) for status in statuses)
    ctx.exit(FAILED if failed else 0)


def _is_answer(last: Outcome | None) -> bool:
    return last is not None and last.outcome == "answered"


def _make_json(status: Status) -> dict[str, Any]:
    last = status.last and {**status.last._asdict(), "at": datetime.fromtimestamp(status.last.at, UTC).isoformat()}
    return {**asdict(status), "ready": status.ready, "last": last}


def _show(statuses: Sequence[Status]) -> None:
    show = screen(wide=True)
    if not statuses:
        show.print("no service is configured; 'providers keys set NAME' gives one its key, 'providers list' shows all")
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for title, whole in (("service", True), ("key", False), ("model", False), ("last answer", True)):
        table.add_column(title, no_wrap=whole)
    for status in statuses:
        table.add_row(*(Text(printable(cell), no_wrap=True, overflow="ellipsis") for cell in _make_cells(status)))
    show.print(table)
    remarks = [remark for status in statuses if (remark := _make_remark(status))]
    for remark in ["", *remarks] if remarks else []:
        show.print(Text(printable(remark)), soft_wrap=True)


def _make_cells(status: Status) -> tuple[str, ...]:
    key = {None: "none needed", "": "missing"}.get(status.key, status.key) or ""
    return status.name, key.rpartition(os.sep)[2], status.model or "-", _describe_last(status.last)


def _describe_last(last: Outcome | None) -> str:
    if last is None:
        return "-"
    how = f"{last.seconds:.1f} s" if _is_answer(last) else last.outcome
    return f"{how}, {_describe_age(time.time() - last.at)}"


def _describe_age(seconds: float) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return "just now"


def _make_remark(status: Status) -> str:
    if status.problem:
        return f"{status.name} cannot be asked: {spell_options(status.problem)}"
    if status.last is not None and status.last.reason:
        return f"{status.name}: {spell_options(status.last.reason)}"
    return ""
