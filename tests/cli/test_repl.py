"""``providers chat`` as a conversation, on a terminal."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from providers_sdk_plugins.fakes.aipower import AIPowerSite

Terminal = Callable[..., Any]
LOCAL = ("LLAMACPP", "LMSTUDIO", "OLLAMA", "VLLM")
ELSEWHERE = {f"PROVIDERS_SDK_{name}_URL": "http://127.0.0.1:9" for name in LOCAL}
"""No server that happens to run on this machine is found at its usual address."""


@pytest.fixture
def site() -> Iterator[AIPowerSite]:
    with AIPowerSite(reply_pieces=("Yes, ", "indeed.")) as running:
        yield running


def talk_to(terminal: Terminal, site: AIPowerSite, *arguments: str) -> Any:
    env = {"PROVIDERS_SDK_CHATGPTFREE_URL": site.url}
    return terminal("chat", "-p", "chatgptfree", *arguments, env=env)


def asked(site: AIPowerSite) -> list[str]:
    """The prompts that the site has got, with line breaks in the place of what is sent for them."""
    sent = [received.form["message"] for received in site.requests if received.method == "POST"]
    return [message.replace("\u2028", "\n") for message in sent]


def test_it_keeps_the_history(terminal: Terminal, site: AIPowerSite) -> None:
    screen = talk_to(terminal, site, "--system", "Be brief.")
    screen.wait_for("You talk to chatgptfree. Ctrl-C ends an answer, Ctrl-D the conversation.")
    for line in ("Is it?", "Sure?"):
        screen.wait_for("> ")
        screen.type(f"{line}\n")
        screen.wait_for("Yes, indeed.")
    screen.wait_for("> ")
    screen.type("\x04")

    assert screen.end() == 0
    assert asked(site) == [
        "System: Be brief.\nUser: Is it?\nAssistant:",
        "System: Be brief.\nUser: Is it?\nAssistant: Yes, indeed.\nUser: Sure?\nAssistant:",
    ]


def test_an_empty_line_asks_nothing(terminal: Terminal) -> None:
    screen = terminal("chat", "-p", "echo")
    for line in ("", "   ", "hello"):
        screen.wait_for("> ")
        screen.type(f"{line}\n")
    screen.wait_for("hello\r\nhello")
    screen.wait_for("> ")
    screen.type("\x04")

    assert screen.end() == 0
    assert "Error" not in screen.screen


def test_a_turn_that_fails_is_one_line_and_the_conversation_goes_on_without_it(
    terminal: Terminal, site: AIPowerSite
) -> None:
    site.case = "cut"
    screen = talk_to(terminal, site)
    screen.wait_for("> ")
    screen.type("First\n")
    screen.wait_for("Error: chatgptfree: the answer ended without its finish reason")
    screen.wait_for("> ")
    site.case = ""
    screen.type("Second\n")
    screen.wait_for("Yes, indeed.")
    screen.wait_for("> ")
    screen.type("\x04")

    assert screen.end() == 0
    assert "Traceback" not in screen.screen
    assert asked(site) == ["First", "Second"]


def test_ctrl_c_ends_the_answer_which_is_kept_and_a_second_one_the_program(
    terminal: Terminal, site: AIPowerSite
) -> None:
    gate = threading.Semaphore(1)  # the role goes by itself; this lets one piece of text out
    site.before_next_piece = lambda: gate.acquire(timeout=30)
    screen = talk_to(terminal, site)
    screen.wait_for("> ")
    screen.type("First\n")
    screen.wait_for("Yes, ")
    screen.type("\x03")
    screen.wait_for("ended by Ctrl-C; what came is kept")
    screen.wait_for("> ")
    gate.release(100)
    screen.type("Second\n")
    screen.wait_for("Yes, indeed.")
    screen.wait_for("> ")
    screen.type("\x03\n")  # a signal just before readline begins to wait is noticed with the next key

    assert screen.end() == 130
    assert "Traceback" not in screen.screen
    assert asked(site) == ["First", "User: First\nAssistant: Yes, \nUser: Second\nAssistant:"]


def test_what_the_model_says_cannot_move_the_cursor(terminal: Terminal) -> None:
    with AIPowerSite(reply_pieces=("\x1b[2J", "\x1b]0;owned\x07", "fine")) as site:
        screen = talk_to(terminal, site)
        screen.wait_for("> ")
        screen.type("hello\n")
        screen.wait_for(r"\x1b[2J\x1b]0;owned\x07fine")
        screen.wait_for("> ")
        screen.type("\x04")

        assert screen.end() == 0
    assert "\x1b[2J" not in screen.screen
    assert "\x07" not in screen.screen


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((), "no provider was chosen"), (("-p", "ekho"), "there is no provider 'ekho'; did you mean 'echo'?")],
    ids=["none named", "an unknown one named"],
)
def test_it_does_not_begin_with_a_provider_that_cannot_be_asked(
    terminal: Terminal, arguments: tuple[str, ...], words: str
) -> None:
    screen = terminal("chat", *arguments, env=ELSEWHERE)

    assert screen.end() == 2
    assert screen.screen.startswith(f"Error: {words}")
    assert "> " not in screen.screen


def test_lines_can_be_edited_and_hold_any_letters(terminal: Terminal) -> None:
    screen = terminal("chat", "-p", "echo")
    screen.wait_for("> ")
    screen.type("pizza 🍕 e\x7fé\x01a \n")  # backspace; to the line's beginning
    screen.wait_for("\r\na pizza 🍕 é\r\n")
    screen.wait_for("> ")
    screen.type("\x04")

    assert screen.end() == 0


def test_prompt_and_notes_go_to_stderr_where_that_is_no_terminal(terminal: Terminal) -> None:
    screen = terminal("chat", "-p", "echo", stderr_apart=True)
    screen.type("hello\n")
    screen.wait_for("hello\r\nhello")
    screen.type("\x04")

    assert screen.end() == 0
    assert screen.screen == "hello\nhello\n"
    assert screen.stderr.startswith("You talk to echo.")
    assert "> " in screen.stderr


def test_bytes_that_are_no_utf8_fail_their_turn_only(terminal: Terminal) -> None:
    screen = terminal("chat", "-p", "echo", stderr_apart=True)
    screen.type(b"caf\xe9\n\nfine\n")
    screen.wait_for("fine\r\nfine")
    screen.type("\x04")

    assert screen.end() == 0
    assert "lone surrogate" in screen.stderr
    assert "Traceback" not in screen.stderr
