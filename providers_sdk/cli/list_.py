"""``providers list``: every installed provider, and what is wrong with those that are unhealthy."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from providers_sdk._engine.client import Client, get_binder
from providers_sdk._environment import variable_name
from providers_sdk._model.settings import Found
from providers_sdk._plugins.entry_points import BUNDLED, PROVIDERS, same_distribution
from providers_sdk._plugins.report import PluginReport
from providers_sdk._provider.provider import Provider
from providers_sdk._redact import printable
from providers_sdk.cli._columns import are_lines_unbounded, print_columns
from providers_sdk.cli._exit_codes import traceback_option
from providers_sdk.cli._provider_settings import find_values, loaded_class, missing_variables, settings_by_variable
from providers_sdk.cli._stdout_redirect import redirect_stdout_to_stderr

__all__ = ["command"]

_UNKNOWN: dict[str, Any] = {
    "working": None,
    "offline": None,
    "default_model": None,
    "models": None,
    "supports_stream": None,
    "needs": [],
    "missing": [],
}
_NAMES = {True: "yes", False: "no", None: "-"}
_TITLES = ("provider", "state", "working", "streams", "needs", "model", "from")
_FLEXIBLE = ("model", "from")  # cut where the screen is narrow
_NARROW, _MOST = 100, {"needs": 9}


@click.command("list", short_help="Show the installed providers, and what is wrong with them.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, one object a provider.")
@traceback_option
def command(as_json: bool) -> None:
    """Show every installed provider, and what is wrong with those that are unhealthy.

    "working" is what a provider declares: "unverified" is not known to answer programs; asking it by name tries
    it anyway. "needs" are the settings that it requires, with "(set)" behind those that have a value.
    """
    with redirect_stdout_to_stderr(), Client() as client:
        rows = client.registry.report(load=True)
        described = [{**asdict(row), **_describe_row(client, row)} for row in rows if row.group == PROVIDERS]
    if as_json:
        click.echo(json.dumps(described, indent=2))
    else:
        _show(described, rows)


def _describe_row(client: Client, row: PluginReport) -> dict[str, Any]:
    """Return what the provider's class declares; nothing where it cannot be read."""
    try:
        provider = loaded_class(client.registry, row)
        found = find_values(get_binder(client), row.qualified_name)
        return _read_description(row.name, provider, found) if provider else _UNKNOWN
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  a plugin's attributes are its own code; it must not break the list
        return _UNKNOWN


def _read_description(name: str, provider: type[Provider], found: Mapping[str, Found]) -> dict[str, Any]:
    settings = settings_by_variable(name, provider)
    return {
        "working": bool(provider.working),
        "offline": bool(provider.offline),
        "default_model": str(provider.default_model),
        "models": [str(model) for model in provider.models],
        "supports_stream": bool(provider.supports_stream),
        "needs": sorted(setting for setting, facts in settings.values() if facts.required and not facts.default),
        "missing": missing_variables(settings, found),
    }


def _show(described: Sequence[dict[str, Any]], rows: Iterable[PluginReport]) -> None:
    lines = [tuple(map(printable, _make_cells(row))) for row in described]
    remarks = list(map(printable, _list_remarks(described, rows)))
    if are_lines_unbounded():
        print_columns(_TITLES, lines)
        for line in ["", *remarks] if remarks else []:
            click.echo(line)
    else:
        _print_table(lines, remarks)


def _print_table(lines: Iterable[Sequence[str]], remarks: Sequence[str]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from providers_sdk.cli._console import screen

    show = screen()
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    narrow = show.width < _NARROW
    for title in _TITLES:
        table.add_column(title, no_wrap=title not in _FLEXIBLE, max_width=_MOST.get(title) if narrow else None)
    for line in lines:
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in line))
    show.print(table)
    if remarks:
        show.print()
    for remark in remarks:
        show.print(Text(remark), soft_wrap=True)


def _list_remarks(described: Iterable[dict[str, Any]], rows: Iterable[PluginReport]) -> list[str]:
    missing = next((row["name"] for row in described if row["missing"]), "")
    hint = f"'providers show {missing}' says how to give what {missing} needs; so for the others"
    return [*([hint] if missing else []), *(_describe_reason(report) for report in rows if _is_remarkable(report))]


def _make_cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["name"],
        row["state"],
        _describe_working(row),
        _NAMES[row["supports_stream"]],
        _needs(row),
        row["default_model"] or "-",
        _describe_source(row),
    )


def _describe_working(row: dict[str, Any]) -> str:
    if row["offline"]:
        return "offline"
    return {True: "yes", False: "unverified", None: "-"}[row["working"]]


def _describe_source(row: dict[str, Any]) -> str:
    if same_distribution(row["distribution"], BUNDLED):
        return "bundled"
    return f"{row['distribution']} {row['version']}".strip() or "-"


def _needs(row: dict[str, Any]) -> str:
    return ", ".join(setting + _mark(row, setting) for setting in row["needs"]) or "-"


def _mark(row: dict[str, Any], setting: str) -> str:
    return "" if variable_name(row["name"], setting) in row["missing"] else " (set)"


def _is_remarkable(report: PluginReport) -> bool:
    """Whether the reason of its state belongs below a list of providers: that an extension is off does not."""
    return bool(report.reason) and (report.group == PROVIDERS or not report.healthy)


def _describe_reason(report: PluginReport) -> str:
    kind = "" if report.group == PROVIDERS else "extension "
    where = f" ({report.distribution} {report.version})" if report.distribution else ""
    fix = f"\n  fix: {report.remedy}" if report.remedy else ""
    return f"{kind}{report.name}{where}: {report.state}: {report.reason}{fix}"
