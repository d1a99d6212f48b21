"""Commands that extensions add; a bad extension is told of in one line and hurts nothing else."""

from collections.abc import Container

import click
import pluggy

from providers_sdk._plugins.entry_points import EXTENSIONS
from providers_sdk._plugins.environment import environment_redactor
from providers_sdk._plugins.report import error_text
from providers_sdk.cli._terminal import say

__all__ = ["extension_commands"]


def extension_commands(*, taken: Container[str]) -> dict[str, click.Command]:
    """Return the commands of all installed extensions by name.

    :param taken: names that an extension cannot have.
    """
    from providers_sdk._plugins.registry import Registry  # not needed for --version, and not quick

    registry = Registry()
    found: dict[str, click.Command] = {}
    for manager in registry.extensions():
        _add_commands(manager, found, taken)
    for row in registry.report():
        if row.group == EXTENSIONS and not row.healthy:
            _complain(row.name, f"{row.reason}; {row.remedy}")
    return found


def _add_commands(manager: pluggy.PluginManager, found: dict[str, click.Command], taken: Container[str]) -> None:
    name = ", ".join(name for name, _ in manager.list_name_plugin())
    offered: list[object] = []
    try:
        manager.hook.register_commands(add=offered.append)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  foreign code
        return _complain(name, f"its register_commands hook raised {error_text(error)}")
    for command in offered:
        if not isinstance(command, click.Command) or not command.name:
            _complain(name, f"it adds {command!r}, which is no click command with a name")
        elif command.name in taken or command.name in found:
            _complain(name, f"it adds the command {command.name!r}, which is there already")
        else:
            found[command.name] = command
    return None


def _complain(name: str, what: str) -> None:
    say(environment_redactor()(f"Warning: extension {name}: {what}"))
