"""``providers demo``: four providers answer, and the output says which services are fakes."""

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from providers_sdk.cli import _demo_view as _stage
from providers_sdk.cli import demo

Cli = Callable[..., Any]


def test_four_providers_answer_in_80_columns_without_control_codes(run: Cli) -> None:
    outcome = run("demo", env={"HTTP_PROXY": "http://127.0.0.1:9", "PROVIDERS_SDK_GIZAI_URL": "http://127.0.0.1:9"})

    assert (outcome.code, outcome.err) == (0, "")
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", outcome.out) == []
    folded = " ".join(outcome.out.replace("│", " ").split())
    assert "fake services play them, small servers on this machine" in folded
    assert "4 of 4 answered. These were fake services, not the services." in folded
    for name, answer in demo.ANSWERS.items():
        assert re.search(rf"^{name} ─", outcome.out, re.MULTILINE)
        assert answer in folded
        assert re.search(rf"^  {name} .* (?:stop|no reason)\s*$", outcome.out, re.MULTILINE)


def test_pages_tokens_finish_and_times_are_shown(cli: Cli) -> None:
    outcome = cli("demo")

    assert outcome.out.count("  page    GET / -> status 200, ") == 2
    assert outcome.out.count("  page    none needed") == 2
    assert outcome.out.count("  tokens  _wpnonce = 77f045b300, post_id = 4") == 2
    assert outcome.out.count("  asked   POST /wp-admin/admin-ajax.php") == 2
    finish = r"  finish  (?:stop|no reason); (?:1 piece|2\d pieces), the first after \d+ ms, all after [\d.]+ m?s"
    assert len(re.findall(finish, outcome.out)) == 4


def test_one_that_fails_is_told_and_the_exit_code_is_1(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_DISABLE", "chatgptt,chatgptfree")

    outcome = cli("demo")

    assert outcome.code == 1
    assert "  failed  chatgptt: is switched off by PROVIDERS_SDK_DISABLE" in outcome.out
    assert "2 of 4 answered." in outcome.out
    assert "Traceback" not in outcome.out + outcome.err


class Screen(io.StringIO):
    """A screen that shows what was flushed."""

    shown = ""

    def flush(self) -> None:
        self.shown = self.getvalue()


def test_the_text_is_shown_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stdout", screen)
    stage = _stage.DemoView("?")
    seen: list[str] = []

    def pieces() -> Iterator[str]:
        for piece in ("one ", "two ", "three"):
            yield piece
            seen.append(screen.shown.splitlines()[-1])

    assert stage.stream("answer", pieces()) == 3
    assert seen == ["  answer  one ", "  answer  one two ", "  answer  one two three"]


def test_a_reader_who_leaves_ends_it_quietly(launch: Callable[..., Any]) -> None:
    process = launch("demo")
    process.stdout.close()

    assert process.stderr.read() == b""
    assert process.wait(30) == 141


def test_ctrl_c_ends_it_quietly(terminal: Callable[..., Any]) -> None:
    screen = terminal("demo")
    screen.wait_for("Three things: ")
    screen.type("\x03")

    assert screen.end() == 130
    assert "Traceback" not in screen.screen
