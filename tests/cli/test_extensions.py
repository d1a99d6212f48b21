"""Extensions on the command line: one that fails is reported once, and a command that cannot be had is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
Plugin = Callable[..., Path]
GROUP = "providers_sdk.extensions"
FAILING = """
from providers_sdk.plugin import hookimpl

@hookimpl
def attempt_started(attempt, request):
    raise ValueError("no good")
"""
COMMAND = """
import click
from providers_sdk.plugin import hookimpl

@click.command("{name}", help="Say hello.")
def command():
    click.echo("hello from {where}")

@hookimpl
def register_commands(add):
    add(command)
"""


def put_command(plugin: Plugin, extension: str, name: str) -> None:
    plugin(extension, COMMAND.replace("{name}", name).replace("{where}", extension), group=GROUP)


@pytest.mark.parametrize(
    ("source", "warning"),
    [
        (FAILING, "its attempt_started hook raised ValueError: no good; the call goes on"),
        (
            "1 / 0",
            "importing 'plug_dist_bad' raised ZeroDivisionError: division by zero; pip install --upgrade dist-bad,",
        ),
    ],
    ids=["hook", "import"],
)
def test_an_extension_that_fails_is_one_line_on_stderr(cli: Cli, plugin: Plugin, source: str, warning: str) -> None:
    plugin("bad", source, group=GROUP)
    outcome = cli("chat", "-p", "echo", "hello")
    assert (outcome.code, outcome.out) == (0, "hello\n")
    assert outcome.err.startswith(f"Warning: extension bad: {warning}")
    assert outcome.err.count("\n") == 1


def test_several_attempts_of_a_run_report_it_once(cli: Cli, plugin: Plugin) -> None:
    plugin("bad", FAILING, group=GROUP)
    outcome = cli("chat", "-p", "pizzagpt", "-p", "echo", "--proxy", "http://127.0.0.1:9", "hello")
    assert (outcome.code, outcome.out) == (0, "hello\n")
    assert outcome.err.count("extension bad") == 1


def examine(cli: Cli, *names: str) -> tuple[int, dict[str, dict[str, Any]]]:
    outcome = cli("doctor", "--json", *names)
    assert "Warning" not in outcome.err
    return outcome.code, {row["name"]: row for row in json.loads(outcome.out)["plugins"]}


def test_the_doctor_finds_a_hook_that_fails(cli: Cli, plugin: Plugin) -> None:
    plugin("bad", FAILING, group=GROUP)
    code, rows = examine(cli)
    assert (code, rows["bad"]["state"], rows["bad"]["healthy"]) == (1, "failed", False)
    assert rows["bad"]["reason"] == "its attempt_started hook raised ValueError: no good"


def test_the_doctor_finds_a_hook_for_commands_that_fails(cli: Cli, plugin: Plugin) -> None:
    plugin("bad", COMMAND.replace("    add(command)", "    1 / 0"), group=GROUP)
    code, rows = examine(cli, "bad")
    assert (code, rows["bad"]["state"], rows["bad"]["advice"]) == (1, "failed", [])
    assert rows["bad"]["reason"] == "its register_commands hook raised ZeroDivisionError: division by zero"


def test_a_command_whose_name_is_taken_is_reported_by_help_and_by_the_doctor(cli: Cli, plugin: Plugin) -> None:
    put_command(plugin, "alpha", "greet")
    put_command(plugin, "beta", "greet")
    put_command(plugin, "gamma", "chat")
    theirs = "it adds a command that cannot be used: 'greet' is a command of the extension alpha"
    ours = "it adds a command that cannot be used: 'chat' is a command of providers-sdk itself; rename it"

    helped = cli("--help")
    assert helped.err == f"Warning: extension beta: {theirs}\nWarning: extension gamma: {ours}\n"
    assert cli("greet").out == "hello from alpha\n"

    code, rows = examine(cli)
    assert (code, rows["alpha"]["advice"], rows["beta"]["advice"], rows["gamma"]["advice"]) == (0, [], [theirs], [ours])
    assert ours in cli("doctor").out


def test_the_doctor_calls_no_hook_of_an_extension_that_is_not_examined(
    cli: Cli, plugin: Plugin, tmp_path: Path
) -> None:
    mark = tmp_path / "called"
    plugin("bad", FAILING.replace("raise ValueError", f"import os; os.mkdir({str(mark)!r}) #"), group=GROUP)
    plugin("other", FAILING, group=GROUP)
    examine(cli, "other")
    assert not mark.exists()
    examine(cli, "bad")
    assert mark.exists()


def test_the_doctor_checks_whether_the_attempt_log_can_be_written(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_ATTEMPT_LOG", str(tmp_path / "nowhere" / "log"))
    code, rows = examine(cli, "attempt-log")
    assert (code, rows["attempt-log"]["state"]) == (1, "failed")
    assert "FileNotFoundError" in rows["attempt-log"]["reason"]


def test_an_extension_that_is_off_is_no_remark_below_the_list(cli: Cli) -> None:
    assert "attempt-log" not in cli("list").out
    assert "PROVIDERS_SDK_ATTEMPT_LOG is not set" in cli("doctor").out
