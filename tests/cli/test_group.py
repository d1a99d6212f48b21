"""The command ``providers`` itself: help, version, wrong names, and the commands of extensions."""

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from providers_sdk import __version__
from providers_sdk.cli._group import COMMANDS, command_line
from providers_sdk.cli._short_help import SHORT_HELP

Cli = Callable[..., Any]
Plugin = Callable[..., Path]
GROUP = "providers_sdk.extensions"
GREETING = """
import click
from providers_sdk.plugin import hookimpl

@click.command("{name}", help="Say hello.")
def command():
    click.echo("hello from {name}")

@hookimpl
def register_commands(add):
    add(command)
"""


def test_the_table_of_the_help_says_of_each_command_what_it_says_of_itself() -> None:
    loaded = {name: import_module(module).command for name, module in COMMANDS.items()}
    assert {name: command.get_short_help_str(200) for name, command in loaded.items()} == SHORT_HELP
    assert list(SHORT_HELP) == list(COMMANDS)


def test_help_names_every_command() -> None:
    result = CliRunner().invoke(command_line(), ["--help"])

    assert result.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in result.output


def test_every_command_has_its_module_and_help(cli: Cli) -> None:
    for name, module in COMMANDS.items():
        assert find_spec(module) is not None
        assert cli(name, "--help").out.startswith(f"Usage: providers {name} ")


def test_version_is_the_distributions(cli: Cli) -> None:
    assert cli("--version").out == f"providers-sdk {__version__}\n"


def test_without_a_command_it_shows_its_help_and_has_been_asked_wrongly(cli: Cli) -> None:
    outcome = cli()

    assert (outcome.code, outcome.out) == (2, "")
    assert "Commands:" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chta", "hello"], "there is no command 'chta'; did you mean 'chat'?"),
        (["Name three pizzas"], "there is no command 'Name three pizzas'; there are demo, chat, batch, list"),
        (["\x1b[31m"], r"there is no command '\x1b[31m'"),
        (["\udcff"], r"there is no command '\udcff'"),
        (["--vresion"], "No such option"),
        (["list", "--xml"], "(see 'providers list --help')"),
    ],
)
def test_a_wrong_word_is_one_line_and_exit_code_2(cli: Cli, arguments: list[str], words: str) -> None:
    outcome = cli(*arguments)

    assert outcome.code == 2
    assert words in outcome.error


def test_importing_the_command_line_imports_no_library() -> None:
    heavy = ("requests", "bs4", "click", "rich", "pluggy")
    code = f"import sys, providers_sdk.cli; print([name for name in {heavy} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout == "[]\n"


def test_the_script_and_the_module_are_the_same_program(run: Cli) -> None:
    assert run("--version").out == f"providers-sdk {__version__}\n"
    assert run("chta").code == 2


def test_an_extension_adds_a_command(cli: Cli, plugin: Plugin) -> None:
    plugin("greet", GREETING.replace("{name}", "greet"), group=GROUP)

    assert cli("greet").out == "hello from greet\n"
    assert "\n  greet " in cli("--help").out


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("1 / 0", "importing 'plug_dist_bad' raised ZeroDivisionError"),
        (GREETING.replace("    add(command)", "    1 / 0"), "its register_commands hook raised ZeroDivisionError"),
        (GREETING.replace("    add(command)", "    raise SystemExit(3)"), "its register_commands hook raised"),
        (GREETING.replace("add(command)", "add('command')"), "'command' is no click command with a name"),
        (
            GREETING.replace("{name}", "chat"),
            "it adds a command that cannot be used: 'chat' is a command of providers-sdk itself; rename it",
        ),
        (GREETING.replace("(add)", "(add, colour)"), "colour"),
        (
            GREETING.replace("    add(command)", "    raise GeneratorExit"),
            "its register_commands hook raised Generator",
        ),
        (GREETING.replace("{name}", "\\x1b[31mred"), r"'\x1b[31mred' is no name"),
        (GREETING.replace("{name}", "two\\nlines"), r"'two\nlines' is no name"),
        (
            GREETING.replace(
                '@click.command("{name}"',
                "class Odd(click.Command):\n    def get_short_help_str(self, limit=45): "
                "raise SystemExit(0)\n\n@click.command('odd', cls=Odd",
            ),
            "it adds a command that cannot be used: SystemExit: 0",
        ),
    ],
    ids=[
        "import",
        "hook",
        "exit",
        "no command",
        "taken",
        "wrong argument",
        "GeneratorExit",
        "escape",
        "newline",
        "help",
    ],
)
def test_a_bad_extension_is_told_in_one_line_and_hurts_nothing(
    cli: Cli, plugin: Plugin, source: str, words: str
) -> None:
    plugin("bad", source, group=GROUP)
    plugin("greet", GREETING.replace("{name}", "greet"), group=GROUP)

    outcome = cli("greet")

    assert (outcome.code, outcome.out) == (0, "hello from greet\n")
    assert outcome.err.startswith("Warning: extension bad: ")
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert cli("--help").code == 0
    assert cli("chat", "-p", "echo", "hello").out == "hello\n"


GROUP_OF_COMMANDS = """
import click
from providers_sdk.plugin import hookimpl

@click.group("greet", help="\\x1b]0;owned\\x07Greet.", epilog="\\x1b[2Jgone")
def greet():
    pass

@greet.command("all", help="\\x1b[31mGreet all.", short_help="\\x9b31mall")
@click.option("--loud", help="\\x1b[5mblink", metavar="\\x1b[7m")
def greet_all(loud):
    pass

@hookimpl
def register_commands(add):
    add(greet)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["greet", "--help"], ["greet", "all", "--help"], ["greet"]])
def test_no_control_sequence_of_an_extensions_help_reaches_the_terminal(
    cli: Cli, plugin: Plugin, arguments: list[str]
) -> None:
    plugin("greet", GROUP_OF_COMMANDS, group=GROUP)

    outcome = cli(*arguments)

    assert "reet" in outcome.out + outcome.err
    assert r"\x" in outcome.out + outcome.err
    assert not {"\x1b", "\x07", "\x9b"} & set(outcome.out + outcome.err)


def test_an_error_in_an_extensions_command_is_one_line(cli: Cli, plugin: Plugin) -> None:
    source = GREETING.replace('click.echo("hello from {name}")', "raise OverflowError('too much')")
    plugin("greet", source.replace("{name}", "greet"), group=GROUP)

    outcome = cli("greet")

    assert outcome.code == 1
    assert "internal OverflowError: too much" in outcome.error
