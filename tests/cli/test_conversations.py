"""``providers chat`` with a conversation that is kept: ``--conversation`` and ``-c``."""

import json
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from providers_sdk.cli._conversations import find_conversation, make_unnamed, remove_old_unnamed
from providers_sdk.errors import InvalidArgument
from providers_sdk_plugins.fakes.openai import OpenAISite

Cli = Callable[..., Any]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of conversations of a user who has a home."""
    (tmp_path / "config.toml").write_text("")
    monkeypatch.setenv("PROVIDERS_SDK_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "providers-sdk" / "conversations"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAISite]:
    with OpenAISite() as running:
        monkeypatch.setenv("PROVIDERS_SDK_OPENAI_URL", running.url)
        monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "fake-key")
        yield running


def asked(site: OpenAISite) -> list[list[str]]:
    bodies = [received.json() for received in site.requests]
    return [[message["content"] for message in body["messages"]] for body in bodies if isinstance(body, dict)]


def test_a_named_conversation_goes_on(cli: Cli, folder: Path, site: OpenAISite) -> None:
    first = ["--conversation", "pizza", "--system", "Be brief.", "-p", "openai"]
    assert cli("chat", *first, "Name one").out == f"{site.text}\n"
    outcome = cli("chat", "--conversation", "pizza", "And another")
    assert outcome.out == f"{site.text}\n"
    assert outcome.err == "asking openai: the conversation pizza is with it\n"
    assert asked(site) == [["Be brief.", "Name one"], ["Be brief.", "Name one", site.text, "And another"]]
    assert stat.S_IMODE((folder / "pizza.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_last_one_goes_on_with_its_model_unless_another_is_named(cli: Cli, folder: Path, site: OpenAISite) -> None:
    cli("chat", "--conversation", "old", "-p", "echo", "Hi")
    cli("chat", "--conversation", "new", "-p", "openai", "-m", "gpt-4o", "Hi")
    os.utime(folder / "old.json", (1, 1))
    assert cli("chat", "-c", "again").code == 0
    assert cli("chat", "-c", "-p", "echo", "here").out == "here\n"
    assert [received.json()["model"] for received in site.requests] == ["gpt-4o", "gpt-4o"]  # type: ignore[index]
    assert len(json.loads((folder / "new.json").read_text())["messages"]) == 6


def test_a_failed_turn_and_a_question_of_a_program_are_kept_nowhere(cli: Cli, folder: Path, site: OpenAISite) -> None:
    site.case = "cut"
    assert cli("chat", "--conversation", "pizza", "-p", "openai", "Hi").code == 1
    assert cli("chat", "-p", "echo", "Hi").code == 0
    assert list(folder.glob("*")) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-c", "Hi"], "there is no conversation to continue; begin one with --conversation NAME"),
        (["-c", "--conversation", "x", "Hi"], "-c means the last conversation; leave it out"),
        (["--conversation", "../x", "Hi"], "'../x' is no name of a conversation"),
        (["--conversation", "", "Hi"], "'' is no name of a conversation"),
        (["--conversation", ".x", "Hi"], "'.x' is no name of a conversation"),
    ],
)
def test_what_cannot_go_on_is_one_line_and_exit_code_2(
    cli: Cli, folder: Path, arguments: list[str], words: str
) -> None:
    outcome = cli("chat", "-p", "echo", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.error


def test_a_file_of_an_unknown_version_is_refused_before_anything_is_sent(
    cli: Cli, folder: Path, site: OpenAISite
) -> None:
    folder.mkdir(parents=True)
    (folder / "pizza.json").write_text('{"format": "providers-sdk conversation", "version": 9, "messages": []}')
    outcome = cli("chat", "-p", "openai", "--conversation", "pizza", "Hi")
    assert (outcome.code, site.requests) == (2, [])
    assert "holds a conversation of version 9, and this version of providers-sdk reads version 1" in outcome.error


def test_where_no_files_are_kept_a_name_is_refused(cli: Cli) -> None:
    outcome = cli("chat", "-p", "echo", "--conversation", "pizza", "Hi")
    assert outcome.code == 2
    assert "no conversations are kept, because PROVIDERS_SDK_CONFIG is set and empty" in outcome.error
    assert make_unnamed() is None


def test_of_those_without_a_name_the_newest_twenty_are_kept(folder: Path) -> None:
    kept = find_conversation("kept")
    files = [make_unnamed() for _ in range(25)]
    for number, file in enumerate([kept, *files]):
        assert file is not None
        file.write_text("{}")
        os.utime(file, (number, number))
    remove_old_unnamed()
    assert set(folder.iterdir()) == {kept, *files[5:]}
    with pytest.raises(InvalidArgument):
        find_conversation("a/b")


def test_two_processes_that_continue_one_conversation_at_once_lose_no_turn(
    launch: Callable[..., subprocess.Popen[bytes]], folder: Path, cli: Cli
) -> None:
    cli("chat", "-p", "echo", "--conversation", "pizza", "first")
    env = {name: os.environ[name] for name in ("PROVIDERS_SDK_CONFIG", "XDG_DATA_HOME")}
    texts = [f"text {number}" for number in range(6)]
    running = [launch("chat", "--conversation", "pizza", "--no-stdin", text, env=env) for text in texts]
    for process in running:
        assert process.communicate(timeout=60)[1].decode().startswith("asking echo")
    found = [row["content"] for row in json.loads((folder / "pizza.json").read_text())["messages"]]
    assert found[:2] == ["first", "first"]
    assert sorted(found[2:]) == sorted(texts * 2)
    assert all(question == answer for question, answer in zip(found[::2], found[1::2], strict=True))


def test_a_question_on_a_terminal_is_kept_and_goes_on(terminal: Callable[..., Any], folder: Path) -> None:
    env = {name: os.environ[name] for name in ("PROVIDERS_SDK_CONFIG", "XDG_DATA_HOME")}
    assert terminal("chat", "-p", "echo", "Hi", env=env).end() == 0
    [file] = folder.iterdir()
    assert file.name.startswith("unnamed-")
    screen = terminal("chat", "-c", "And?", env=env)
    assert screen.end() == 0
    assert screen.screen == f"asking echo: the conversation {file.stem} is with it\nAnd?\n"
    assert len(json.loads(file.read_text())["messages"]) == 4
