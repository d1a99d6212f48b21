"""``providers config``: where the configuration file is, what is configured, and what is wrong with it."""

import json
from dataclasses import asdict

import click
from rich import box
from rich.table import Table
from rich.text import Text

from providers_sdk._config.file import default_path, read_configuration
from providers_sdk._plugins.registry import Registry
from providers_sdk._redact import printable
from providers_sdk.cli._config_check import find_mistakes
from providers_sdk.cli._config_rows import Row, list_rows
from providers_sdk.cli._console import screen
from providers_sdk.cli._exit_codes import FAILED, USAGE_ERROR, traceback_option
from providers_sdk.cli._stdout_redirect import redirect_stdout_to_stderr
from providers_sdk.cli._subcommands import Subcommands
from providers_sdk.cli._terminal import say_dim
from providers_sdk.errors import InvalidArgument

__all__ = ["command"]

_NO_FILE = "no configuration file is used: PROVIDERS_SDK_CONFIG is set and empty"


@click.group("config", cls=Subcommands, short_help="Show the configuration, and check it.")
def command() -> None:
    """Show the configuration, and check it."""


@command.command("path")
@traceback_option
def path_command() -> None:
    """Print the path of the configuration file, whether it exists or not."""
    path = default_path()
    if path is None:
        raise InvalidArgument(_NO_FILE)
    click.echo(str(path))


@command.command("show")
@click.option("--profile", metavar="NAME", help="The profile to use.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@traceback_option
def show_command(profile: str | None, as_json: bool) -> None:
    """Show what is configured and where each value comes from: file, environment or stored key. Secrets are hidden."""
    configuration = read_configuration(profile=profile)
    rows = list(list_rows(configuration, Registry().names()))
    if as_json:
        path = str(configuration.path) if configuration.path else None
        values = [asdict(row) for row in rows]
        click.echo(json.dumps({"path": path, "profile": configuration.profile, "values": values}, indent=2))
        return
    if configuration.path is None:
        say_dim(_describe_no_file())
    _print_table(rows)


@command.command("check")
@traceback_option
@click.pass_context
def check_command(ctx: click.Context) -> None:
    """Report every mistake of the configuration file; plugins that it names are imported, no command is run.

    Exit codes: 0 no mistake, 1 a plugin that it names is broken, 2 the file has a mistake.
    """
    with redirect_stdout_to_stderr():  # a plugin may print
        mistakes = find_mistakes(Registry())
        configuration = None if mistakes else read_configuration()
    for mistake in mistakes:
        click.echo(printable(mistake.sentence))
    if mistakes:
        ctx.exit(USAGE_ERROR if any(mistake.of_user for mistake in mistakes) else FAILED)
    path = configuration.path if configuration else None
    say_dim(f"{path}: no mistake" if path else _describe_no_file())


def _describe_no_file() -> str:
    path = default_path()
    return f"there is no configuration file {path}" if path else _NO_FILE


def _print_table(rows: list[Row]) -> None:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for title in ("key", "value", "from"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in (row.key, row.value, row.source)))
    screen(wide=True).print(table)
