"""Loads the commands that extensions add; a broken extension causes one line of warning and nothing else."""

import re
from collections.abc import Container
from typing import TYPE_CHECKING

import click

from providers_sdk._environment import redact_environment
from providers_sdk._redact import printable
from providers_sdk.cli._terminal import say

if TYPE_CHECKING:
    import pluggy

__all__ = ["PrintableContext", "extension_commands"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def extension_commands(*, taken: Container[str]) -> dict[str, click.Command]:
    """Return the commands of all installed extensions by name.

    :param taken: names that an extension cannot have.
    """
    from providers_sdk._plugins.entry_points import EXTENSIONS  # --version needs neither, and they are not quick
    from providers_sdk._plugins.registry import Registry

    registry = Registry()
    found: dict[str, click.Command] = {}
    for manager in registry.extensions():
        _add_commands(manager, found, taken)
    for row in registry.report():
        if row.group == EXTENSIONS and not row.healthy:
            _warn(row.name, f"{row.reason}; {row.remedy}")
    return found


def _add_commands(manager: "pluggy.PluginManager", found: dict[str, click.Command], taken: Container[str]) -> None:
    from providers_sdk._plugins.report import error_text

    name = ", ".join(name for name, _ in manager.list_name_plugin())
    offered: list[object] = []
    try:
        manager.hook.register_commands(add=offered.append)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  foreign code
        return _warn(name, f"its register_commands hook raised {error_text(error)}")
    for command in offered:
        try:
            _add(command, found, taken)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  a command is foreign code, its attributes too
            reason = error.message if isinstance(error, click.ClickException) else error_text(error)
            _warn(name, f"it adds a command that cannot be used: {reason}")
    return None


def _add(command: object, found: dict[str, click.Command], taken: Container[str]) -> None:
    if not isinstance(command, click.Command) or not command.name:
        raise click.ClickException(f"{command!r} is no click command with a name")
    if not _NAME.fullmatch(command.name):
        raise click.ClickException(f"{command.name!r} is no name: use letters, digits, '.', '-' and '_'")
    if command.name in taken or command.name in found:
        raise click.ClickException(f"{command.name!r} is there already")
    command.get_short_help_str()  # what fails for this one must not fail for --help
    _make_help_printable(command)
    found[command.name] = command


class PrintableContext(click.Context):
    """The context of a foreign command: its help reaches the terminal without control sequences."""

    def get_help(self) -> str:
        """Return the help, with control characters escaped."""
        return printable(super().get_help())


def _make_help_printable(command: click.Command) -> None:
    command.context_class = PrintableContext
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        _make_help_printable(inner)


def _warn(name: str, what: str) -> None:
    say(redact_environment()(f"Warning: extension {name}: {what}"))
