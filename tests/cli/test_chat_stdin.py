"""``providers chat`` and standard input: sent behind the text, alone, or not at all; in bounded time and size."""

import io
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from providers_sdk.cli import _question, _stdin, _terminal

Cli = Callable[..., Any]
Launch = Callable[..., subprocess.Popen[bytes]]


# Sent behind the text


def test_text_and_standard_input_are_both_sent_the_text_first(cli: Cli) -> None:
    outcome = cli("chat", "-p", "echo", "Summarise this", stdin="one\ntwö\n".encode())

    assert (outcome.code, outcome.out) == (0, "Summarise this\n\none\ntwö\n")
    assert outcome.err == "8 characters of standard input are sent behind the text\n"


@pytest.mark.parametrize("stdin", [b"", b" \n\n"])
def test_blank_standard_input_is_left_out_without_a_word(cli: Cli, stdin: bytes) -> None:
    outcome = cli("chat", "-p", "echo", "hello", stdin=stdin)

    assert (outcome.out, outcome.err) == ("hello\n", "")


def test_a_dash_is_standard_input_alone(cli: Cli) -> None:
    outcome = cli("chat", "-p", "echo", "-", stdin=b"from the pipe")

    assert (outcome.code, outcome.out, outcome.err) == (0, "from the pipe\n", "")


def test_no_stdin_ignores_it(cli: Cli) -> None:
    outcome = cli("chat", "-p", "echo", "--no-stdin", "hello", stdin=b"\xff not read")

    assert (outcome.code, outcome.out, outcome.err) == (0, "hello\n", "")


def test_a_loop_over_lines_keeps_its_lines_with_no_stdin(environ: dict[str, str], tmp_path: Any) -> None:
    ask = f'"{sys.executable}" -m providers_sdk chat -p echo --no-stdin "$line"'
    loop = f"printf 'one\\ntwo\\nthree\\n' | while read -r line; do {ask}; done"

    done = subprocess.run(
        ["/bin/sh", "-c", loop], env=environ, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )

    assert (done.stdout, done.stderr) == ("one\ntwo\nthree\n", "")


def test_standard_input_that_cannot_be_read_is_told_and_the_text_is_asked(
    environ: dict[str, str], tmp_path: Path
) -> None:
    with (tmp_path / "file").open("wb") as for_writing:
        done = subprocess.run(
            [sys.executable, "-m", "providers_sdk", "chat", "-p", "echo", "hello"],
            stdin=for_writing,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )

    assert done.stdout == "hello\n"
    assert re.fullmatch(r"standard input is not sent: it cannot be read \(.*\)\n", done.stderr)


class _Stderr(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("no_color", "line"), [("", "\x1b[2m8 \\x1b[0m characters\x1b[0m\n"), ("1", "8 \\x1b[0m characters\n")]
)
def test_the_line_about_it_is_dim_on_a_terminal(no_color: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys, "stderr", stderr := _Stderr())
    _terminal.say_dim("8 \x1b[0m characters")
    assert stderr.getvalue() == line


# Bounded in time


@pytest.mark.parametrize("arguments", [["hello"], ["-"], []], ids=["text", "dash", "nothing"])
def test_input_that_never_ends_ends_at_the_deadline(launch: Launch, arguments: list[str]) -> None:
    process = launch("chat", "-p", "echo", "--deadline", "0.3", *arguments)  # its standard input stays open

    assert process.wait(30) == 1
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.read() == b""
    error = process.stderr.read()
    assert error.startswith(b"Error: standard input did not end within 0.3 s; ")
    assert (b"--no-stdin" in error) == (arguments == ["hello"])
    assert b"raise --deadline" in error


def test_input_that_is_never_read_to_its_end_is_not_waited_for_with_no_stdin(launch: Launch) -> None:
    process = launch("chat", "-p", "echo", "--no-stdin", "hello")

    assert process.wait(30) == 0


def test_whoever_waits_for_long_learns_about_no_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    said, notes = threading.Event(), list[str]()

    def note(words: str) -> None:
        notes.append(words)
        said.set()

    blocked = SimpleNamespace(buffer=SimpleNamespace(read=lambda _: said.wait(30) and b""), fileno=_no_descriptor)
    monkeypatch.setattr(sys, "stdin", blocked)
    monkeypatch.setattr(_stdin, "_PATIENCE", 0.01)
    monkeypatch.setattr(_stdin, "say", note)

    assert _stdin.read_standard_input(60, optional=True) == ""
    assert notes == ["Note: waiting for the end of standard input; --no-stdin ignores it"]


def _no_descriptor() -> int:
    raise io.UnsupportedOperation


def test_reading_counts_against_the_deadline(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    times = iter([100.0, 103.5])
    monkeypatch.setattr(_question, "monotonic", lambda: next(times))
    monkeypatch.setattr("providers_sdk.cli.chat.Client.chat", _noting(given))

    cli("chat", "-p", "echo", "--deadline", "5", "hello", stdin=b"piped")

    assert given == [1.5]


def _noting(given: list[float]) -> Callable[..., Any]:
    def noted(*_: Any, deadline: float, **__: Any) -> Iterator[str]:
        given.append(deadline)
        raise SystemExit(0)

    return noted


# Bounded in size


@pytest.mark.parametrize(
    ("stdin", "words"),
    [
        (b"", "the prompt is empty"),
        (b"caf\xe9", "standard input is not UTF-8: byte 0xe9 at position 3"),
        ("hello".encode("utf-16"), "standard input is not UTF-8: byte 0xff at position 0"),
        (b"a\0b", "NUL character at position 1"),
        (b"\xed\xa0\x80", "standard input is not UTF-8"),
        (b"x" * 10_000_000, "the prompt has 10000000 characters; at most "),
        (b"\xff" * 40_000_000, "standard input is too long; at most "),
    ],
    ids=["empty", "latin-1", "utf-16", "NUL", "a surrogate in UTF-8", "10 MB", "40 MB"],
)
def test_input_that_cannot_be_asked_is_one_line_and_exit_code_2(cli: Cli, stdin: bytes, words: str) -> None:
    outcome = cli("chat", "-p", "echo", stdin=stdin)

    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.error


def test_a_byte_order_mark_before_the_input_is_not_asked(cli: Cli) -> None:
    assert cli("chat", "-p", "echo", stdin=b"\xef\xbb\xbfhello").out == "hello\n"


@pytest.mark.parametrize("arguments", [["-p", "echo", "hello"], ["-p", "echo", "-"]], ids=["text", "dash"])
def test_too_much_input_is_refused_beside_a_text_too(cli: Cli, arguments: list[str]) -> None:
    outcome = cli("chat", *arguments, stdin=b"x" * 40_000_000)

    assert (outcome.code, outcome.out) == (2, "")
    assert "standard input is too long; at most " in outcome.error
