"""Loads the commands that extensions add; a broken extension causes one line of warning and nothing else."""

import re
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, NamedTuple

import click

from providers_sdk._environment import redact_environment
from providers_sdk._redact import printable
from providers_sdk.cli._terminal import say

if TYPE_CHECKING:
    import pluggy

__all__ = ["CommandProblem", "PrintableContext", "extension_commands", "find_commands"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class CommandProblem(NamedTuple):
    """What is wrong with the commands of an extension.

    :param fails: whether its hook failed, so that it has none.
    """

    extension: str
    sentence: str
    fails: bool = False


def extension_commands(*, taken: Container[str]) -> dict[str, click.Command]:
    """Return the commands of all installed extensions by name; warn of those that cannot be used.

    :param taken: names that an extension cannot have.
    """
    from providers_sdk._plugins.registry import Registry  # not needed for --version, and not quick
    from providers_sdk.cli._extension_warnings import show_failing_extensions

    with show_failing_extensions():
        found, problems = find_commands(Registry().extensions(), taken=taken)
    for problem in problems:
        say(redact_environment()(f"Warning: extension {problem.extension}: {problem.sentence}"))
    return found


def find_commands(
    managers: Iterable["pluggy.PluginManager"], *, taken: Container[str]
) -> tuple[dict[str, click.Command], list[CommandProblem]]:
    """Return the commands of extensions by name, and what is wrong with others.

    :param taken: names that an extension cannot have.
    """
    search = _Search(taken)
    for manager in managers:
        search.add_commands_of(manager)
    return search.found, search.problems


class _Search:
    """The commands that were found, and whose they are."""

    def __init__(self, taken: Container[str]) -> None:
        self.found: dict[str, click.Command] = {}
        self.problems: list[CommandProblem] = []
        self._taken, self._owners = taken, dict[str, str]()

    def add_commands_of(self, manager: "pluggy.PluginManager") -> None:
        """Call the hook ``register_commands`` of one extension."""
        name = ", ".join(name for name, _ in manager.list_name_plugin())
        offered: list[object] = []
        try:
            manager.hook.register_commands(add=offered.append)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  foreign code
            self.problems.append(CommandProblem(name, f"its register_commands hook raised {_explain(error)}", True))
        else:
            for command in offered:
                self._try_to_add(name, command)

    def _try_to_add(self, name: str, command: object) -> None:
        try:
            self._add(name, command)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  a command is foreign code, its attributes too
            sentence = f"it adds a command that cannot be used: {_explain(error)}"
            self.problems.append(CommandProblem(name, sentence))

    def _add(self, name: str, command: object) -> None:
        if not isinstance(command, click.Command) or not command.name:
            raise click.ClickException(f"{command!r} is no click command with a name")
        if not _NAME.fullmatch(command.name):
            raise click.ClickException(f"{command.name!r} is no name: use letters, digits, '.', '-' and '_'")
        if command.name in self._taken:
            raise click.ClickException(f"{command.name!r} is a command of providers-sdk itself; rename it")
        if command.name in self._owners:
            raise click.ClickException(f"{command.name!r} is a command of the extension {self._owners[command.name]}")
        command.get_short_help_str()  # what fails for this one must not fail for --help
        _make_help_printable(command)
        self.found[command.name], self._owners[command.name] = command, name


class PrintableContext(click.Context):
    """The context of a foreign command: its help reaches the terminal without control sequences."""

    def get_help(self) -> str:
        """Return the help, with control characters escaped."""
        return printable(super().get_help())


def _make_help_printable(command: click.Command) -> None:
    command.context_class = PrintableContext
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        _make_help_printable(inner)


def _explain(error: BaseException) -> str:
    from providers_sdk._plugins.validation import error_text

    return error.message if isinstance(error, click.ClickException) else error_text(error)
