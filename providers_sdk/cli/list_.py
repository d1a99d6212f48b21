"""``providers list``: every installed provider, and what is wrong with those that are not well."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from providers_sdk._plugins.entry_points import PROVIDERS
from providers_sdk._plugins.registry import Registry
from providers_sdk._plugins.report import PluginReport
from providers_sdk._redact import printable
from providers_sdk.cli._console import screen
from providers_sdk.cli._exit_codes import traceback_option
from providers_sdk.cli._stdout_redirect import stdout_aside

__all__ = ["command"]

_NOTHING: dict[str, Any] = {
    "working": None,
    "offline": None,
    "default_model": None,
    "models": None,
    "supports_stream": None,
}
_NAMES = {True: "yes", False: "no", None: "-"}


@click.command("list", short_help="Show the installed providers, and what is wrong with them.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, one object a provider.")
@traceback_option
def command(as_json: bool) -> None:
    """Show every installed provider, and what is wrong with those that are not well.

    "working" is what a provider says of itself: "not known to" is not known to answer programs; asking it by name tries
    it all the same.
    """
    registry = Registry()
    with stdout_aside():
        rows = registry.report(load=True)
        described = [{**asdict(row), **_described(registry, row)} for row in rows if row.group == PROVIDERS]
    if as_json:
        click.echo(json.dumps(described, indent=2))
    else:
        _show(described, rows)


def _described(registry: Registry, row: PluginReport) -> dict[str, Any]:
    """Return what the provider's class says of itself, nothing where it cannot be asked."""
    if row.state != "loaded":
        return _NOTHING
    try:
        kind = registry.get(row.qualified_name)
        return {
            "working": bool(kind.working),
            "offline": bool(kind.offline),
            "default_model": str(kind.default_model),
            "models": [str(model) for model in kind.models],
            "supports_stream": bool(kind.supports_stream),
        }
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  a plugin's attributes are its own code; it must not break the list
        return _NOTHING


def _show(described: Iterable[dict[str, Any]], rows: Iterable[PluginReport]) -> None:
    show = screen(wide=True)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for title in ("provider", "state", "working", "streams", "model", "from"):
        table.add_column(title, no_wrap=title != "model", overflow="fold")
    for row in described:
        table.add_row(*(Text(printable(cell)) for cell in _cells(row)))
    show.print(table)
    for report in rows:
        if report.reason:
            show.print(Text(printable(_trouble(report))), soft_wrap=True)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["name"],
        row["state"],
        _working(row),
        _NAMES[row["supports_stream"]],
        row["default_model"] or "-",
        f"{row['distribution']} {row['version']}".strip() or "-",
    )


def _working(row: dict[str, Any]) -> str:
    if row["offline"]:
        return "offline"
    return {True: "yes", False: "not known to", None: "-"}[row["working"]]


def _trouble(report: PluginReport) -> str:
    kind = "" if report.group == PROVIDERS else "extension "
    where = f" ({report.distribution} {report.version})" if report.distribution else ""
    cure = f"\n  remedy: {report.remedy}" if report.remedy else ""
    return f"{kind}{report.name}{where}: {report.state}: {report.reason}{cure}"
