"""What every command owes a terminal: 80 columns, no colours that nobody can see, and a word where output is lost."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers_sdk.cli._group import COMMANDS

Cli = Callable[..., Any]
Launch = Callable[..., subprocess.Popen[bytes]]
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
PAGES = [[name, "--help"] for name in COMMANDS] + [["--help"], ["list"], ["show", "openai"], ["models", "-p", "echo"]]
PAGES += [["status", "echo", "openai"], ["doctor"], ["demo"], ["config", "show"]]


@pytest.mark.parametrize("arguments", PAGES, ids=" ".join)
def test_no_line_is_wider_than_a_terminal_of_80_columns(terminal: Callable[..., Any], arguments: list[str]) -> None:
    screen = terminal(*arguments, env={"TERM": "xterm-256color"})
    screen.end()
    lines = [ESCAPE.sub("", line.rpartition("\r")[2]) for line in screen.screen.splitlines()]
    wide = [line for line in lines if len(line) > 80]
    assert [
        line for line in wide if not re.match(r"\s*(fix: |.*cannot be asked: |.* needs PROVIDERS_SDK_)", line)
    ] == []


COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7]|4[0-7]|38;[0-9;]+)m")


@pytest.mark.parametrize("arguments", [["list"], ["demo"], ["doctor"], ["show", "echo"], ["status", "echo"]])
def test_there_is_no_colour_with_no_color(terminal: Callable[..., Any], arguments: list[str]) -> None:
    screen = terminal(*arguments, env={"TERM": "xterm-256color", "NO_COLOR": "1"})
    screen.end()
    assert COLOUR.findall(screen.screen) == []


def test_a_terminal_that_shows_colours_gets_them(terminal: Callable[..., Any]) -> None:
    screen = terminal("demo", env={"TERM": "xterm-256color"})
    screen.end()
    assert COLOUR.findall(screen.screen)


@pytest.mark.parametrize("arguments", [["list"], ["demo"], ["doctor"], ["show", "echo"], ["chat", "-p", "echo", "hi"]])
def test_a_pipe_gets_no_escape_sequence(run: Cli, arguments: list[str]) -> None:
    outcome = run(*arguments)
    assert outcome.code == 0
    assert "\x1b" not in outcome.out + outcome.err


CLOSED = ["/bin/sh", "-c", '"$0" -m providers_sdk "$@" >&-']


@pytest.mark.parametrize("arguments", [["list"], ["chat", "-p", "echo", "--no-stdin", "hi"], ["--help"]])
def test_a_closed_standard_output_is_one_line_and_exit_code_1(
    arguments: list[str], environ: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [*CLOSED[:3], sys.executable, *arguments], env=environ, capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.stderr == "Error: the output cannot be written: standard output is closed\n"
    assert done.returncode == 1


def test_a_closed_standard_output_does_not_matter_where_the_answer_goes_to_a_file(
    environ: dict[str, str], tmp_path: Path
) -> None:
    command = [*CLOSED[:3], sys.executable, "chat", "-p", "echo", "--no-stdin", "--output", "answer.txt", "hi"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stderr, (tmp_path / "answer.txt").read_text()) == (0, "", "hi\n")


@pytest.mark.parametrize("arguments", [["list"], ["chat", "-p", "echo", "--json", "hi"], ["--help"]])
def test_a_full_disk_is_one_line_and_exit_code_1(launch: Launch, arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        process = launch(*arguments, stdout=full)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err.count(b"\n")) == (1, 1)
    assert err.startswith(b"Error: the output cannot be written: ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_of_click_for_the_shell(cli: Cli, shell: str) -> None:
    outcome = cli("completion", shell)
    assert outcome.code == 0
    assert f"_PROVIDERS_COMPLETE={shell}_complete" in outcome.out


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("providers com", {"completion"}),
        ("providers chat -p ech", {"echo"}),
        ("providers chat --conv", {"--conversation"}),
        ("providers status giz", {"gizai"}),
    ],
)
def test_what_the_script_asks_is_completed(run: Cli, words: str, completed: set[str]) -> None:
    env = {"_PROVIDERS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    outcome = run(env=env)
    assert (outcome.code, outcome.err) == (0, "")
    assert {line.partition(",")[2] for line in outcome.out.splitlines()} == completed


def test_bash_reads_the_script(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "completion.bash").write_text(cli("completion", "bash").out)
    done = subprocess.run(
        ["bash", "--norc", "-c", f". {tmp_path}/completion.bash; complete -p providers"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "_providers_completion" in done.stdout
