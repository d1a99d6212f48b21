"""``providers keys``: store a service's key, list and remove stored ones. No key is ever an argument or printed."""

import json
import sys

import click

from providers_sdk._config.file import read_configuration
from providers_sdk._config.keys import StoredKey, list_stored_keys, remove_key, store_key
from providers_sdk._plugins.registry import Registry
from providers_sdk._suggest import find_nearest, suggest_name
from providers_sdk.cli._exit_codes import traceback_option
from providers_sdk.cli._stdin import read_standard_input
from providers_sdk.cli._subcommands import Subcommands
from providers_sdk.cli._terminal import say, say_dim
from providers_sdk.errors import InvalidArgument, InvalidConfiguration

__all__ = ["command"]

_SECONDS = 60.0  # for standard input to end

_setting_option = click.option("--setting", default="key", metavar="SETTING", help="Instead of 'key'.")


@click.group("keys", cls=Subcommands, short_help="Store keys of services, list and remove them.")
def command() -> None:
    """Store keys of services, list and remove them.

    A stored key is used by the command line and by scripts, unless another is given: as an argument, in the
    environment, or in the configuration file.
    """


@command.command("set")
@_setting_option
@click.option("--keyring", "in_keyring", is_flag=True, help="Store it in the system's keyring, not in a file.")
@traceback_option
@click.argument("words", metavar="NAME", nargs=-1)
@click.pass_context
def set_command(ctx: click.Context, words: tuple[str, ...], setting: str, in_keyring: bool) -> None:
    """Store the key of NAME, a provider or an instance.

    The key is typed, without being shown, or comes on standard input: providers keys set groq < key.txt. It is written
    to a file that only you can read (mode 0600).
    """
    name = _require_name(ctx, words)
    stored = store_key(name, _read_secret(name, setting), setting=setting, in_keyring=in_keyring)
    _warn_of_unknown(name)
    say_dim(f"the {setting} of {name} is {stored.source}")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@traceback_option
def list_command(as_json: bool) -> None:
    """List the stored keys: for which service and where, never the key."""
    rows = list_stored_keys()
    if as_json:
        click.echo(json.dumps([_describe(row) for row in rows], indent=2))
        return
    widths = [max((len(cell) for cell in column), default=0) for column in zip(*map(_cells, rows), strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(_cells(row), widths, strict=True)).rstrip())
    if not rows:
        say_dim("no key is stored; 'providers keys set NAME' stores one")


@command.command("remove")
@_setting_option
@traceback_option
@click.argument("name")
def remove_command(name: str, setting: str) -> None:
    """Remove the stored key of NAME."""
    removed = remove_key(name, setting=setting)
    if not removed:
        known = sorted({row.name for row in list_stored_keys() if row.setting == setting})
        raise InvalidArgument(f"no {setting} is stored for {name!r}; {suggest_name(name, known)}")
    for row in removed:
        say_dim(f"the {setting} of {name} is no longer {row.source}")


def _require_name(ctx: click.Context, words: tuple[str, ...]) -> str:
    """Return the name; what stands behind it may be the key, so no message quotes it."""
    if not words:
        raise click.UsageError("Missing argument 'NAME'", ctx)
    if len(words) > 1:
        raise click.UsageError(
            "only NAME is an argument; a key there would stay in the shell's history: type it when asked, or give it "
            "on standard input",
            ctx,
        )
    return words[0]


def _read_secret(name: str, setting: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"{setting} of {name} (not shown)", hide_input=True, err=True))
    return read_standard_input(_SECONDS)


def _warn_of_unknown(name: str) -> None:
    known = set(Registry().names())
    try:
        known |= set(read_configuration().services)
    except InvalidConfiguration:
        return  # the name may be one of the file's; 'providers config check' reports what is wrong with it
    if name not in known:
        near = find_nearest(name, known)
        say(f"Warning: there is no provider or instance {name!r} yet" + (f"; did you mean {near!r}?" if near else ""))


def _describe(row: StoredKey) -> dict[str, str]:
    return {
        "name": row.name,
        "setting": row.setting,
        "where": "keyring" if row.in_keyring else "file",
        "path": "" if row.in_keyring else str(row.path),
    }


def _cells(row: StoredKey) -> tuple[str, ...]:
    return row.name, row.setting, "keyring" if row.in_keyring else str(row.path)
