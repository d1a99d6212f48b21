"""A conversation on a terminal with prompt_toolkit."""

import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers_sdk_plugins.fakes.aipower import AIPowerSite

Start = Callable[..., Any]


@pytest.fixture
def talk(terminal: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Start:
    """``talk("-p", "echo")`` begins a conversation on a terminal that can move its cursor."""
    (tmp_path / "config.toml").write_text("")
    env = {
        "TERM": "xterm",
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "PROVIDERS_SDK_CONFIG": str(tmp_path / "config.toml"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }

    def start(*arguments: str, **more: str) -> Any:
        return terminal("chat", *arguments, env={**env, **more})

    return start


def read_history(tmp_path: Path) -> list[dict[str, Any]]:
    [file] = (tmp_path / "data" / "providers-sdk" / "conversations").glob("*.json")
    messages: list[dict[str, Any]] = json.loads(file.read_text())["messages"]
    return messages


def test_a_question_may_have_several_lines_and_the_prompt_names_the_model(talk: Start, tmp_path: Path) -> None:
    screen = talk("-p", "echo")
    screen.wait_for("echo/echo>")
    screen.type("one\x1b\rtwo\r")  # Alt-Enter between them
    screen.wait_for("one\r\ntwo\r\n")
    screen.wait_for("echo/echo>")
    screen.type("\x1b[200~pasted\nlines\x1b[201~\r")  # a bracketed paste
    screen.wait_for("pasted\r\nlines\r\n")
    screen.wait_for("echo/echo>")
    screen.type("\x04")

    assert screen.end() == 0
    assert [row["content"] for row in read_history(tmp_path)] == ["one\ntwo"] * 2 + ["pasted\nlines"] * 2


def test_what_was_typed_is_remembered_in_a_file_of_the_user_alone(talk: Start, tmp_path: Path) -> None:
    for keys in ("hello\r", "\x1b[A\r"):  # the arrow up
        screen = talk("-p", "echo")
        screen.wait_for("echo/echo>")
        screen.type(keys)
        screen.wait_for("hello\r\n")
        screen.wait_for("echo/echo>")
        screen.type("\x04")
        assert screen.end() == 0
    file = tmp_path / "data" / "providers-sdk" / "chat-history"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().count("+hello\n") == 1


def test_ctrl_c_ends_the_answer_which_is_kept_and_marked(talk: Start, tmp_path: Path) -> None:
    gate = threading.Semaphore(1)
    with AIPowerSite(reply_pieces=("Yes, ", "indeed.")) as site:
        site.before_next_piece = lambda: gate.acquire(timeout=30)
        screen = talk("-p", "chatgptfree", PROVIDERS_SDK_CHATGPTFREE_URL=site.url)
        screen.wait_for("chatgptfree/")
        screen.type("First\r")
        screen.wait_for("Yes, ")
        screen.type("\x03")
        screen.wait_for("ended by Ctrl-C; what came is kept")
        gate.release(100)
        screen.wait_for("chatgptfree/")
        screen.type("half a line\x03/quit\r")  # Ctrl-C empties the line
        assert screen.end() == 0
    assert [(row["content"], row.get("partial")) for row in read_history(tmp_path)] == [
        ("First", None),
        ("Yes, ", True),
    ]


def test_ctrl_c_on_an_empty_line_ends_the_program(talk: Start) -> None:
    screen = talk("-p", "echo")
    screen.wait_for("echo/echo>")
    screen.type("\x03")
    assert screen.end() == 130
    assert "Traceback" not in screen.screen


def test_the_model_in_the_prompt_follows_the_commands(talk: Start) -> None:
    screen = talk("-p", "echo")
    screen.wait_for("echo/echo>")
    screen.type("/provider gizai/claude-haiku\r")
    screen.wait_for("gizai/claude-haiku>")
    screen.type("/quit\r")
    assert screen.end() == 0


def test_where_no_files_are_kept_nothing_is_remembered(terminal: Start, tmp_path: Path) -> None:
    before = set(os.listdir(tmp_path))
    screen = terminal("chat", "-p", "echo", env={"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"})
    screen.wait_for("echo/echo>")
    screen.type("hello\r")
    screen.wait_for("hello\r\n")
    screen.wait_for("echo/echo>")
    screen.type("\x04")
    assert screen.end() == 0
    assert set(os.listdir(tmp_path)) == before
