"""The commands of a conversation on a terminal; what begins with a slash is never sent."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from providers_sdk import Client, Registry
from providers_sdk._model.names import parse_names
from providers_sdk.cli._slash import SLASH_COMMANDS, Action, find_action
from providers_sdk.cli._talk import Talk
from providers_sdk.errors import InvalidArgument, InvalidCall, UnknownModel, UnknownProvider
from providers_sdk.plugin import Chunk, FinishReason, Http, Provider, Request

Capture = pytest.CaptureFixture[str]


class Asked(Provider):
    """Answers with the model and all that it was asked; fails at "fail"."""

    default_model = "small"
    models = ("small", "large")

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        if request.messages[-1].content == "fail":
            raise ValueError
        yield f"{request.model}: {' '.join(str(message.content) for message in request.messages)}"
        yield FinishReason("stop")


@pytest.fixture
def talk() -> Iterator[Talk]:
    registry = Registry()
    registry.register("asked", Asked)
    with Client(registry=registry, retries=0) as client:
        yield Talk(client, client.conversation(), parse_names("asked"))


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PROVIDERS_SDK_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("line", "text"), [("Hi", "Hi"), ("//etc is a folder", "/etc is a folder"), ("///", "//"), (" /help", " /help")]
)
def test_a_line_without_a_slash_or_with_two_is_a_question(talk: Talk, line: str, text: str) -> None:
    assert find_action(talk, line) == Action(text)


@pytest.mark.parametrize("line", ["/", "/modle x", "/etc/passwd is a file", "/exit", "/HELP", "/x\n/quit"])
def test_a_command_that_does_not_exist_is_refused_and_not_sent(talk: Talk, line: str) -> None:
    with pytest.raises(InvalidArgument, match=r"nothing was sent: there is no command .*'//' at the beginning"):
        find_action(talk, line)


def test_a_near_command_is_suggested(talk: Talk) -> None:
    with pytest.raises(InvalidArgument, match="did you mean '/model'"):
        find_action(talk, "/modle large")


def test_help_names_every_command_in_80_columns(talk: Talk, capsys: Capture) -> None:
    assert find_action(talk, "/help") == Action()
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines[: len(SLASH_COMMANDS)]] == list(SLASH_COMMANDS)
    assert max(map(len, lines)) <= 80


def test_model_shows_and_changes_the_model_and_an_unknown_one_changes_nothing(talk: Talk, capsys: Capture) -> None:
    find_action(talk, "/model")
    assert capsys.readouterr().err == "The model is asked/small. Known: small, large\n"
    find_action(talk, "/model large")
    assert capsys.readouterr().err == "The next question is for asked/large\n"
    assert talk.ask("Hi").text == "large: Hi"
    with pytest.raises(UnknownModel, match="the model 'huge' is not known"):
        find_action(talk, "/model huge")
    assert talk.describe() == "asked/large"


def test_provider_shows_and_changes_the_provider_and_forgets_the_model(talk: Talk, capsys: Capture) -> None:
    talk.model = "large"
    find_action(talk, "/provider echo, asked/small")
    assert talk.names == parse_names(["echo", "asked/small"])
    assert talk.describe() == "echo/echo"
    find_action(talk, "/provider")
    assert "for echo, or else asked/small; the history goes with it" in capsys.readouterr().err
    with pytest.raises(UnknownProvider):
        find_action(talk, "/provider ekho")
    assert talk.names == parse_names(["echo", "asked/small"])


def test_system_shows_replaces_and_removes_the_system_message(talk: Talk, capsys: Capture) -> None:
    find_action(talk, "/system")
    find_action(talk, "/system Be brief.\nAnd kind.")
    assert capsys.readouterr().err == "There is no system message\nThe system message is: Be brief.\nAnd kind.\n"
    assert talk.ask("Hi").text == "small: Be brief.\nAnd kind. Hi"
    find_action(talk, "/system -")
    assert talk.conversation.system is None


def test_retry_asks_the_last_question_again_whether_it_was_answered_or_not(talk: Talk) -> None:
    with pytest.raises(InvalidArgument, match="there is no question to ask again"):
        find_action(talk, "/retry")
    assert talk.ask("Hi").text == "small: Hi"
    find_action(talk, "/model large")
    assert find_action(talk, "/retry") == Action(retry=True)
    assert talk.retry().text == "large: Hi"
    with pytest.raises(Exception, match="ValueError"):
        talk.ask("fail")
    with pytest.raises(Exception, match="ValueError"):
        talk.retry()
    assert len(talk.conversation.history) == 2


def test_save_keeps_the_conversation_under_a_name_or_in_a_file(
    talk: Talk, home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidArgument, match="there is nothing to save yet"):
        find_action(talk, "/save pizza")
    assert talk.ask("Hi").text
    with pytest.raises(InvalidArgument, match="this conversation has no file"):
        find_action(talk, "/save")
    find_action(talk, "/save pizza")
    assert "go on with it: providers chat --conversation pizza\n" in capsys.readouterr().err
    assert talk.file == home / "providers-sdk" / "conversations" / "pizza.json"
    find_action(talk, "/save")
    monkeypatch.chdir(home)
    find_action(talk, "/save talk.json")
    assert len(talk.client.conversation().load("talk.json").history) == 2


def test_save_replaces_no_other_file(talk: Talk, home: Path) -> None:
    assert talk.ask("Hi").text
    (home / "talk.json").write_text("mine")
    with pytest.raises(InvalidArgument, match=r"talk\.json is there already"):
        find_action(talk, f"/save {home / 'talk.json'}")
    with pytest.raises(OSError, match="none"):
        find_action(talk, f"/save {home / 'none' / 'talk.json'}")
    with pytest.raises(InvalidCall, match="is no name of a conversation"):
        find_action(talk, "/save a b")


def test_quit_leaves(talk: Talk) -> None:
    assert find_action(talk, "/quit") == Action(leave=True)


# On a terminal


def test_commands_are_run_and_nothing_of_them_is_sent(terminal: Callable[..., Any]) -> None:
    screen = terminal("chat", "-p", "echo")
    for line, words in [
        ("/help", "/retry"),
        ("/exit", "Error: nothing was sent: there is no command '/exit'"),
        ("//help", "\r\n/help\r\necho, 0."),
        ("/retry", "\r\n/help\r\necho, 0."),
        ("/save pizza", "Error: no conversations are kept"),
    ]:
        screen.wait_for("> ")
        screen.type(f"{line}\n")
        screen.wait_for(words)
    screen.wait_for("> ")
    screen.type("/quit\n")
    assert screen.end() == 0
