"""A conversation in a file: saved and loaded whole, never torn, and no turn of another process is lost."""

import json
import os
import random
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from providers_sdk import Client, Conversation, File, Image, Message, ToolCall
from providers_sdk._engine.conversation import get_turns
from providers_sdk.errors import InvalidArgument
from providers_sdk_plugins.fakes.openai import OpenAISite


@pytest.fixture
def client() -> Iterator[Client]:
    with Client("echo") as client:
        yield client


def ask(talk: Conversation, *texts: str) -> Conversation:
    for text in texts:
        assert talk.chat(text).text == text
    return talk


def questions(talk: Conversation) -> list[Any]:
    return [message.content for message in talk if message.role == "user"]


def test_what_was_saved_is_loaded(client: Client, tmp_path: Path) -> None:
    talk = ask(client.conversation(system="Be brief."), "Hi", "naïve 🍕\n\u2028")
    talk.save(tmp_path / "talk.json")
    loaded = client.conversation().load(str(tmp_path / "talk.json"))
    assert loaded.history == talk.history
    assert [(turn.provider, turn.model) for turn in get_turns(loaded)] == [("echo", "echo")] * 2
    assert list(tmp_path.iterdir()) == [tmp_path / "talk.json"]


def test_a_part_of_an_answer_stays_marked(client: Client, tmp_path: Path) -> None:
    talk = client.conversation(keep_partial=True)
    with talk.chat("one two") as reply:
        next(reply)
    talk.save(tmp_path / "talk.json")
    loaded = client.conversation().load(tmp_path / "talk.json")
    assert [turn.partial for turn in get_turns(loaded)] == [turn.partial for turn in get_turns(talk)] == [True]


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_only_its_owner_may_read_the_file_and_its_folder_keeps_its_mode(
    client: Client, tmp_path: Path, umask: int
) -> None:
    tmp_path.chmod(0o755)
    before = os.umask(umask)
    try:
        ask(client.conversation(), "Hi").save(tmp_path / "talk.json")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "talk.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_link_stays_a_link(client: Client, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "talk.json")
    ask(client.conversation(), "Hi").save(tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert questions(client.conversation().load(tmp_path / "talk.json")) == ["Hi"]


def test_a_folder_that_is_not_there_is_no_place_to_save(client: Client, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        client.conversation().save(tmp_path / "none" / "talk.json")


SAVED = {"format": "providers-sdk conversation", "version": 1, "messages": []}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            {**SAVED, "version": 2},
            r"talk\.json holds a conversation of version 2, and this version of .* reads version 1",
        ),
        ({**SAVED, "version": None}, "holds a conversation of version None"),
        ({"version": 1, "messages": []}, "holds no conversation of providers-sdk"),
        ([], "holds no conversation"),
        ({**SAVED, "messages": {}}, "cannot be read: there is no list of messages"),
        ({**SAVED, "messages": [{"role": "user"}]}, "cannot be read: message 0 has no 'content'"),
        ({**SAVED, "messages": [3]}, "cannot be read: message 0 must be a mapping"),
    ],
)
def test_a_file_that_holds_something_else_is_refused_with_a_sentence(
    client: Client, tmp_path: Path, content: Any, words: str
) -> None:
    (tmp_path / "talk.json").write_text(json.dumps(content))
    talk = ask(client.conversation(), "Hi")
    with pytest.raises(InvalidArgument, match=words):
        talk.load(tmp_path / "talk.json")
    assert questions(talk) == ["Hi"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 200_000], ids=["empty", "torn", "bytes", "deep"])
def test_a_file_that_is_no_json_is_refused(client: Client, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "talk.json").write_bytes(content)
    with pytest.raises(InvalidArgument, match="holds no conversation"):
        client.conversation().load(tmp_path / "talk.json")


def test_fields_that_are_not_known_are_ignored(client: Client, tmp_path: Path) -> None:
    rows = [{"role": "user", "content": "Hi", "mood": 1}, {"role": "assistant", "content": "", "model": 3}]
    (tmp_path / "talk.json").write_text(json.dumps({**SAVED, "messages": rows, "title": "x"}))
    assert questions(client.conversation().load(tmp_path / "talk.json")) == ["Hi"]


# Two at once


def test_turns_that_another_has_added_are_kept(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    ask(client.conversation(system="Be brief."), "first").save(file)
    one, two = client.conversation().load(file), client.conversation().load(file)
    ask(one, "one").save(file)
    ask(two, "two").save(file)
    ask(one, "one more").save(file)
    assert questions(client.conversation().load(file)) == ["first", "one", "two", "one more"]
    assert questions(one) == ["first", "one", "two", "one more"]
    assert one.system == "Be brief."


def test_a_turn_that_was_asked_again_is_replaced_in_the_file_too(client: Client, tmp_path: Path) -> None:
    talk = ask(client.conversation(), "first", "second")
    talk.save(tmp_path / "talk.json")
    assert talk.retry().text
    talk.save(tmp_path / "talk.json")
    assert questions(client.conversation().load(tmp_path / "talk.json")) == ["first", "second"]


def test_a_file_whose_turns_another_has_changed_is_not_overwritten(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    talk = ask(client.conversation(), "first")
    talk.save(file)
    ask(client.conversation(), "another").save(file)
    with pytest.raises(InvalidArgument, match=r"talk\.json was changed by another process .* save to another file"):
        ask(talk, "second").save(file)
    assert questions(client.conversation().load(file)) == ["another"]
    talk.save(tmp_path / "other.json")
    assert questions(client.conversation().load(tmp_path / "other.json")) == ["first", "second"]


def test_a_file_that_was_replaced_by_something_else_is_not_overwritten(client: Client, tmp_path: Path) -> None:
    talk = ask(client.conversation(), "first")
    talk.save(tmp_path / "talk.json")
    (tmp_path / "talk.json").write_text(json.dumps({**SAVED, "version": 2}))
    with pytest.raises(InvalidArgument, match="version 2"):
        talk.save(tmp_path / "talk.json")
    assert json.loads((tmp_path / "talk.json").read_text())["version"] == 2


def test_a_file_that_was_removed_is_written_again(client: Client, tmp_path: Path) -> None:
    talk = ask(client.conversation(), "first")
    talk.save(tmp_path / "talk.json")
    (tmp_path / "talk.json").unlink()
    ask(talk, "second").save(tmp_path / "talk.json")
    assert questions(client.conversation().load(tmp_path / "talk.json")) == ["first", "second"]


ADD_TURNS = """
import sys
from providers_sdk import Client
file, name, count = sys.argv[1:]
with Client("echo") as client:
    talk = client.conversation().load(file)
    for number in range(int(count)):
        assert talk.chat(f"{name}{number}").text
        talk.save(file)
"""


def test_two_processes_that_save_at_once_lose_no_turn(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    ask(client.conversation(), "first").save(file)
    running = [
        subprocess.Popen([sys.executable, "-c", ADD_TURNS, str(file), name, "20"], env={**os.environ}) for name in "ab"
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    found = questions(client.conversation().load(file))
    assert sorted(found[1:]) == sorted(f"{name}{number}" for name in "ab" for number in range(20))
    for name in "ab":
        assert [text for text in found if text.startswith(name)] == [f"{name}{number}" for number in range(20)]


SAVE_FOR_EVER = """
import sys
from providers_sdk import Client
with Client("echo") as client:
    talk = client.conversation().load(sys.argv[1])
    talk.chat("another").text
    print("ready", flush=True)
    while True:
        talk.save(sys.argv[1])
"""


def test_a_process_killed_while_it_saves_200_turns_leaves_a_whole_file(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    ask(client.conversation(), *(f"question {number} {'x' * 500}" for number in range(200))).save(file)
    chance = random.Random(20)
    for _ in range(20):
        with subprocess.Popen([sys.executable, "-c", SAVE_FOR_EVER, str(file)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.0, 0.05))
            process.send_signal(signal.SIGKILL)
        found = questions(client.conversation().load(file))
        assert len(found) >= 200
        assert [text.split()[1] for text in found[:200]] == [str(number) for number in range(200)]


# Parts and tool calls


def test_parts_and_tool_calls_survive(client: Client, tmp_path: Path) -> None:
    png = b"\x89PNG\r\n\x1a\n"
    call = ToolCall("call_1", "get_menu", {"day": "naïve"})
    history = [
        Message("user", ("What is this?", Image(png, detail="low"), Image("https://pizza.example/a.png"))),
        Message("assistant", "", (call,)),
        Message("tool", "Funghi", tool_call_id="call_1"),
        Message("assistant", "Funghi."),
        Message("user", (File(b"%PDF-1.7", name="menu.pdf"), File(id="file-1", name="a"), "And these?")),
        Message("assistant", "A menu."),
    ]
    talk = client.conversation(history=history)
    talk.save(tmp_path / "talk.json")
    loaded = client.conversation().load(tmp_path / "talk.json")
    assert loaded.history == tuple(history)
    assert [len(turn.messages) for turn in get_turns(loaded)] == [4, 2]
    talk.save(tmp_path / "talk.json")


def test_a_window_keeps_a_turn_with_its_tool_calls_whole() -> None:
    with OpenAISite() as site, Client("openai", settings={"openai": site.client_settings()}) as client:
        call = ToolCall("call_1", "get_menu", {})
        turn = [
            Message("user", "Menu?"),
            Message("assistant", "", (call,)),
            Message("tool", "Funghi", tool_call_id="call_1"),
            Message("assistant", "Funghi."),
        ]
        talk = client.conversation(history=turn * 2, max_messages=6)
        assert talk.chat(["And", " now?"]).text == site.text
        body = site.requests[0].json()
    assert isinstance(body, dict)
    assert [row["role"] for row in body["messages"]] == ["user", "assistant", "tool", "assistant", "user"]
    assert body["messages"][-1]["content"] == "And now?"


def test_the_tools_that_a_turn_asks_for_are_kept(tmp_path: Path) -> None:
    with OpenAISite("tools") as site, Client("openai", settings={"openai": site.client_settings()}) as client:
        talk = client.conversation()
        reply = talk.chat("Menu?", tools=[{"name": "get_menu"}])
        assert [call.name for call in reply.tool_calls] == [call.name for call in talk.history[-1].tool_calls] != []
        talk.save(tmp_path / "talk.json")
        assert client.conversation().load(tmp_path / "talk.json").history == talk.history
