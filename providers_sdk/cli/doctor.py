"""``providers doctor``: the state of every plugin, why it is unhealthy, and how to fix it."""

import json
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import click
from rich.padding import Padding
from rich.text import Text

from providers_sdk._engine.client import Client
from providers_sdk._plugins.entry_points import PROVIDERS
from providers_sdk._redact import printable
from providers_sdk.cli._console import screen
from providers_sdk.cli._diagnosis import Checkup, Health, Note, Package, Proxy, examine
from providers_sdk.cli._exit_codes import traceback_option
from providers_sdk.cli._stdout_redirect import redirect_stdout_to_stderr
from providers_sdk.cli._trial import try_extensions
from providers_sdk.errors import InvalidCall

__all__ = ["command", "describe_extra"]

_STYLES = {"loaded": "green", "disabled": "dim", "available": ""}


@click.command("doctor", short_help="Show what is wrong with each plugin, and how to fix it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@traceback_option
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.pass_context
def command(ctx: click.Context, as_json: bool, names: tuple[str, ...]) -> None:
    """Import every plugin, or those named, and show what is wrong with each and how to fix it.

    DIST:NAME means the one of that distribution; a plugin that is named is shown in full. The hooks of extensions are
    called as for an attempt at a provider "providers-doctor". Exit codes: 0 all are healthy, 1 one is not, 2 there is
    no such plugin.
    """
    client, notes = _make_client()
    with redirect_stdout_to_stderr(), _show_import_on_last_line(), client:
        client.registry.report(*names, load=True)
        problems = try_extensions(client.registry)
        health = examine(client, client.registry.report(*names, load=True), notes, problems)
    if as_json:
        click.echo(json.dumps(_make_json(health), indent=2))
    else:
        _Page(in_full=bool(names)).show(health)
    ctx.exit(0 if health.healthy else 1)


def _make_client() -> tuple[Client, list[Note]]:
    """Return a client with the configuration, or without it and a note about what is wrong with it."""
    try:
        return Client(), []
    except InvalidCall as error:
        return Client(config=None), [Note("the configuration file", f"is not used: {error.message}")]


@contextmanager
def _show_import_on_last_line() -> Iterator[None]:
    """Show on a terminal which plugin is being imported: the name stays visible if an import hangs."""
    if not sys.stderr.isatty():
        yield
        return
    log, line = logging.getLogger("providers_sdk"), _Line()
    level = log.level
    log.addHandler(line)
    log.setLevel(logging.DEBUG)
    try:
        yield
        line.write("")
    except BaseException:
        sys.stderr.write("\n")  # Ctrl-C at one that hangs: its name stays
        raise
    finally:
        log.removeHandler(line)
        log.setLevel(level)


class _Line(logging.Handler):
    """The last line of a terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        """Show the record instead of the one before it."""
        self.write(printable(record.getMessage())[:79])

    def write(self, text: str) -> None:
        """Replace the line by ``text``."""
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


class _Page:
    """Prints for a terminal: healthy plugins first, unhealthy ones at the end.

    :param in_full: show all facts about healthy plugins; one line each otherwise.
    """

    def __init__(self, *, in_full: bool) -> None:
        self._screen, self._in_full = screen(), in_full

    def show(self, health: Health) -> None:
        """Print ``health``."""
        for line in _list_surroundings(health):
            self._print_line(line)
        self._print_line("")
        rows = sorted(health.plugins, key=lambda one: not one.report.healthy)
        widths = [_measure_column(rows, column) for column in _COLUMNS]
        for checkup in rows:
            self._print_plugin(checkup, widths)
        self._print_line("")
        self._print_line(_summarize(health), "green" if health.healthy else "bold red")

    def _print_plugin(self, checkup: Checkup, widths: list[int]) -> None:
        row = checkup.report
        cells = [f"{column(checkup):<{width}}" for column, width in zip(_COLUMNS, widths, strict=True)]
        line, remarks = "  ".join(cells).rstrip(), list(_list_remarks(checkup))
        if not row.healthy:
            self._print_line("")
        elif not self._in_full and remarks and len(line) + len(remarks[0]) + 2 <= self._screen.width:
            line = f"{line}  {remarks.pop(0)}"
        self._print_line(line, _STYLES.get(row.state, "bold red"))
        facts = list(_list_facts(checkup)) if self._in_full or not row.healthy else []
        for text in facts + remarks:
            self._print_line(text, indent=4)
        if row.remedy and row.state != "disabled":
            self._print_line(f"fix: {row.remedy}", "bold", indent=4, whole=True)

    def _print_line(self, content: str, style: str = "", *, indent: int = 0, whole: bool = False) -> None:
        """Print one line; a pipe, and a line to be copied, gets it unwrapped, a terminal gets it wrapped."""
        text = Text(printable(content), style)
        if not content or whole or not self._screen.is_terminal:
            self._screen.print(Text(" " * indent) + text, soft_wrap=True)
        else:
            self._screen.print(Padding(text, (0, 0, 0, indent), expand=False))


def _measure_column(rows: list[Checkup], column: Callable[[Checkup], str]) -> int:
    return min(max((len(column(row)) for row in rows), default=0), 28)


def _describe_source(checkup: Checkup) -> str:
    return f"{checkup.report.distribution} {checkup.report.version}".strip()


_COLUMNS: tuple[Callable[[Checkup], str], ...] = (
    lambda checkup: checkup.report.name,
    lambda checkup: checkup.report.state,
    _describe_source,
)


def _list_facts(checkup: Checkup) -> Iterator[str]:
    """Yield the facts about a plugin, healthy or not."""
    row = checkup.report
    if row.entry_point:
        kind = "" if row.group == PROVIDERS else "extension, "
        wanted = f"contract {row.requires_contract}" if row.requires_contract else "any contract"
        hooks = f", hooks: {', '.join(row.hooks)}, {wanted}" if row.hooks else ""
        yield f"{kind}{row.entry_point}{hooks}"
    if row.import_seconds is not None:
        yield f"import: {row.import_seconds * 1000:.1f} ms"
    if checkup.given:
        yield f"set: {', '.join(checkup.given)}"


def _list_remarks(checkup: Checkup) -> Iterator[str]:
    """Yield what a user of a plugin should know."""
    if checkup.missing:
        yield f"needs {', '.join(checkup.missing)}"
    if checkup.unusable:
        yield f"the value cannot be used: {', '.join(checkup.unusable)}"
    if checkup.report.reason:
        yield checkup.report.reason
    if checkup.hidden:
        yield f"an instance of the configuration has its name; {checkup.report.qualified_name} means the plugin"
    yield from checkup.advice


def _list_surroundings(health: Health) -> Iterator[str]:
    yield f"providers-sdk {health.version}, plugin contract {health.contract}, Python {health.python}"
    needed = [package for package in health.packages if not package.extra]
    shown = [package for package in needed if package.name in ("requests", "urllib3") or not package.fits]
    yield "  " + (
        ", ".join(map(_describe_package, shown)) or "not installed as a distribution: its dependencies are unknown"
    )
    extras = dict.fromkeys(package.extra for package in health.packages if package.extra)
    of_extra = {name: [package for package in health.packages if package.extra == name] for name in extras}
    yield "  extras: " + ", ".join(describe_extra(name, packages) for name, packages in of_extra.items())
    yield from map(_describe_proxy, health.proxies)
    for note in health.notes:
        yield f"  {note.variable} {note.problem}" + (note.near and f"; did you mean {note.near}?")


def _describe_proxy(proxy: Proxy) -> str:
    if proxy.scheme == "no":
        return f"  no proxy for {proxy.address}"
    return f"  proxy for {proxy.scheme}: {proxy.address}{proxy.problem and f' ({proxy.problem})'}"


def _describe_package(package: Package) -> str:
    text = f"{package.name} {package.version or 'is missing'} (needs {package.needs})"
    return text if package.fits else f"{text}: pip install --upgrade {package.name}"


def describe_extra(name: str, packages: Sequence[Package]) -> str:
    """Return an extra with the versions of its packages, as part of a line."""
    if not any(package.version for package in packages):
        return f"no {name}"
    return f"{name} ({', '.join(map(_describe_version, packages))})"


def _describe_version(package: Package) -> str:
    if not package.version:
        return f"{package.name} is missing"
    return f"{package.name} {package.version}" + ("" if package.fits else f", needs {package.needs}")


def _summarize(health: Health) -> str:
    rows = [checkup.report for checkup in health.plugins]
    states = ", ".join(f"{count} {state}" for state, count in sorted(Counter(row.state for row in rows).items()))
    unhealthy = sorted({row.name for row in rows if not row.healthy})
    return f"{len(rows)} plugin{'' if len(rows) == 1 else 's'}: {states or 'none'}" + (
        f"; unhealthy: {', '.join(unhealthy)}" if unhealthy else ""
    )


def _make_json(health: Health) -> dict[str, Any]:
    return {
        "healthy": health.healthy,
        "library": {
            "name": "providers-sdk",
            "version": health.version,
            "contract": health.contract,
            "python": health.python,
        },
        "packages": [asdict(package) for package in health.packages],
        "proxies": [asdict(proxy) for proxy in health.proxies],
        "notes": [asdict(note) for note in health.notes],
        "plugins": [_make_plugin_json(checkup) for checkup in health.plugins],
    }


def _make_plugin_json(checkup: Checkup) -> dict[str, Any]:
    row = checkup.report
    return {
        **asdict(row),
        "kind": "provider" if row.group == PROVIDERS else "extension",
        "healthy": row.healthy,
        "settings": {"given": checkup.given, "missing": checkup.missing, "unusable": checkup.unusable},
        "advice": checkup.advice,
    }
