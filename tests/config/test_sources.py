"""Where a key is read from: what it gives, how each way fails, and that no message shows what it gave."""

import contextlib
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from providers_sdk._config.keys import KeySource
from providers_sdk.errors import KeyUnavailable

Program = Callable[[str, str], Path]
SECRET = "sk-1234-secret"
ENDLESS = f"sleep 1000 & echo $! > pid; printf {SECRET}; sleep 1000"


def refusal(source: KeySource, *, seconds: float | None = None) -> str:
    with pytest.raises(KeyUnavailable) as caught:
        source.read(seconds=seconds)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert SECRET not in shown
    assert caught.value.__context__ is None
    return str(caught.value)


def command(*words: object, folder: Path | None = None) -> KeySource:
    return KeySource("command", tuple(map(str, words)), "key", "config.toml, line 3", folder)


def test_each_kind_gives_its_line(home: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "key").write_text(f"{SECRET}\n")
    (home / "key").chmod(0o600)
    monkeypatch.setenv("WHERE_IT_IS", SECRET)

    assert KeySource("env", ("WHERE_IT_IS",)).read(seconds=None) == SECRET
    assert KeySource("file", (str(home / "key"),)).read(seconds=None) == SECRET
    assert KeySource("file", ("~/key",)).read(seconds=None) == SECRET
    assert KeySource("file", ("key",), folder=home).read(seconds=None) == SECRET
    assert command(program("give", f"echo {SECRET}")).read(seconds=5) == SECRET


def test_only_what_starts_a_process_is_slow() -> None:
    slow = {kind: KeySource(kind, ("a",)).is_slow for kind in ("env", "command", "file", "keyring")}
    assert slow == {"env": False, "command": True, "file": False, "keyring": True}


def test_a_source_shows_its_name_and_no_arguments_of_a_command() -> None:
    assert repr(command("pass", "show", SECRET)) == "<KeySource command 'pass'>"
    assert repr(KeySource("env", ("GROQ",))) == "<KeySource env 'GROQ'>"


def test_a_command_gets_its_arguments_without_a_shell(program: Program) -> None:
    assert command(program("give", 'echo "$#:$1:$2"'), "$HOME; ls", "*").read(seconds=5) == "2:$HOME; ls:*"


@pytest.mark.parametrize("value", [None, "", " \n"])
def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is not None:
        monkeypatch.setenv("NO_KEY", value)
    source = KeySource("env", ("NO_KEY",), "key", "config.toml, line 3")
    assert refusal(source) == (
        "'key' cannot be read from the variable 'NO_KEY' (config.toml, line 3): the variable is not set; set it, or "
        "give the key another way"
    )


FAILURES = {
    f"echo {SECRET}; echo {SECRET}": "it has several lines",
    f"printf '{SECRET}\\r{SECRET}'": "it has several lines",
    f"echo {SECRET} >&2; exit 3": "it ended with exit code 3; run it in a terminal to see why",
    f"echo {SECRET}; exit 1": "it ended with exit code 1",
    "kill -TERM $$": f"it ended with signal {signal.SIGTERM.value}",
    "exit 0": "it is empty",
    "echo; echo; echo": "it is empty",
    f"printf '{SECRET}\\033[31m'": "it holds a control character",
    f"printf '{SECRET}\\377'": "it holds a control character or is not UTF-8",
    f"printf '{SECRET}\\000'": "it holds a control character",
    f"yes {SECRET}": "it printed more than a key; run it in a terminal",
    "read answer && echo $answer": "it ended with exit code 1",
    "exec < /dev/tty": "it ended with exit code",
}


@pytest.mark.parametrize(("script", "words"), FAILURES.items(), ids=FAILURES)
def test_a_command_that_gives_no_key_is_an_error_that_shows_no_output(
    program: Program, script: str, words: str
) -> None:
    message = refusal(command(program("give", script)), seconds=30)
    assert words in message
    assert "/programs/give' (config.toml, line 3): " in message


def test_a_key_is_one_line_with_white_space_around_it(program: Program) -> None:
    assert command(program("give", f"printf '\\n  {SECRET}\\t\\r\\n\\n'")).read(seconds=30) == SECRET


@pytest.mark.parametrize("output", ["", "exec >&-; "], ids=["open", "closed"])
def test_a_command_that_hangs_is_ended_with_its_children(home: Path, program: Program, output: str) -> None:
    source = command(program("give", output + ENDLESS), folder=home)
    started = time.monotonic()
    assert "it did not end within 1 s; run it in a terminal" in refusal(source, seconds=1.0)
    assert time.monotonic() - started < 30
    child = int((home / "pid").read_text())
    while is_alive(child):  # it is killed; its new parent may take a moment to notice
        assert time.monotonic() - started < 30
        time.sleep(0.01)


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except FileNotFoundError:
        return False


def test_nothing_is_left_of_the_deadline_for_a_command(program: Program) -> None:
    assert "it did not end within 0 s" in refusal(command(program("give", "sleep 1000")), seconds=0.0)


def test_a_command_is_bounded_where_no_limit_is_given(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers_sdk._config.sources.COMMAND_SECONDS", 0.5)
    assert "it did not end within 0.5 s" in refusal(command(program("give", "sleep 1000")))


def test_a_command_leaves_no_open_file_and_no_thread(program: Program) -> None:
    before = sorted(os.listdir("/proc/self/fd")), threading.active_count()
    for script in (f"echo {SECRET}", "sleep 1000", f"yes {SECRET}"):
        source = command(program("give", script))
        with contextlib.suppress(KeyUnavailable):
            source.read(seconds=0.5)
    assert (sorted(os.listdir("/proc/self/fd")), threading.active_count()) == before


def test_a_command_is_looked_for_in_path_and_never_in_the_current_folder(
    home: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = program("give", f"echo {SECRET}")
    monkeypatch.chdir(path.parent)

    for variable in ("/usr/bin:/bin", ".:/usr/bin:/bin", ":/bin"):
        monkeypatch.setenv("PATH", variable)
        assert "there is no such program in PATH" in refusal(command("give"))
    assert "it cannot be started (No such file or directory)" in refusal(command("./give", folder=home))
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    assert command("give").read(seconds=30) == SECRET
    assert command("programs/give", folder=home).read(seconds=30) == SECRET


def test_a_command_runs_in_the_folder_of_the_configuration(home: Path, program: Program) -> None:
    assert command(program("give", "pwd"), folder=home).read(seconds=30) == str(home)


def test_a_command_that_cannot_be_started_says_why(home: Path, program: Program) -> None:
    program("give", "echo").chmod(0o600)
    assert "it cannot be started (Permission denied)" in refusal(command(home / "programs" / "give"))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "it is empty"), (b"a\nb\n", "it has several lines"), (b"x" * 70_000, "it has more than 65,536 bytes")],
    ids=["empty", "two lines", "large"],
)
def test_a_file_that_holds_no_key_is_refused(home: Path, content: bytes, words: str) -> None:
    (home / "key").write_bytes(content)
    (home / "key").chmod(0o600)
    assert words in refusal(KeySource("file", ("~/key",)))


def test_a_file_that_is_missing_or_a_pipe_is_refused(home: Path) -> None:
    assert "No such file or directory; 'providers keys set' stores" in refusal(KeySource("file", ("~/key",)))
    os.mkfifo(home / "key")
    assert "it is no regular file" in refusal(KeySource("file", ("~/key",)))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_key_file_that_others_may_read_is_refused_with_the_command_that_corrects_it(home: Path, mode: int) -> None:
    path = home / "a key"
    path.write_text(SECRET)
    path.chmod(mode)
    message = refusal(KeySource("file", (str(path),)))
    assert message.endswith(f"other users of this machine may read it; run: chmod 600 '{path}'")
    os.system(message.rpartition("run: ")[2])
    assert KeySource("file", (str(path),)).read(seconds=None) == SECRET
