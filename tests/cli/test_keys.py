"""``providers keys``: a key comes in by keyboard or pipe, goes to its file or the keyring, and is never shown."""

import json
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
Keyring = Callable[[str], Path]
SECRET, OTHER = "sk-1234-secret", "sk-5678-other"


def key_file(home: Path, name: str = "groq.key") -> Path:
    return home / ".local" / "share" / "providers-sdk" / "keys" / name


def test_a_key_of_standard_input_is_stored_listed_and_removed(cli: Cli, home: Path) -> None:
    done = cli("keys", "set", "openai", stdin=f"{SECRET}\n".encode())
    assert (done.code, done.out) == (0, "")
    assert done.err == "the key of openai is stored in ~/.local/share/providers-sdk/keys/openai.key\n"
    assert cli("keys", "set", "pizzagpt", "--setting", "secret", stdin=OTHER.encode()).code == 0

    path = key_file(home, "openai.key")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (f"{SECRET}\n", 0o600)
    listed = cli("keys", "list")
    assert [line.split() for line in listed.out.splitlines()] == [
        ["openai", "key", str(path)],
        ["pizzagpt", "secret", str(key_file(home, "pizzagpt.secret"))],
    ]
    rows = json.loads(cli("keys", "list", "--json").out)
    assert rows[0] == {"name": "openai", "setting": "key", "where": "file", "path": str(path)}
    removed = cli("keys", "remove", "openai")
    assert (removed.code, removed.err) == (
        0,
        "the key of openai is no longer stored in ~/.local/share/providers-sdk/keys/openai.key\n",
    )
    assert not path.exists()
    assert SECRET not in listed.out + done.err + removed.err


def test_no_keys_are_an_empty_list(cli: Cli, home: Path) -> None:
    outcome = cli("keys", "list")
    assert (outcome.code, outcome.out) == (0, "")
    assert "no key is stored" in outcome.err
    assert json.loads(cli("keys", "list", "--json").out) == []


def test_a_key_is_typed_without_being_shown(terminal: Cli, home: Path) -> None:
    started = terminal("keys", "set", "openai", env={"PROVIDERS_SDK_CONFIG": str(home / "none.toml")})
    started.wait_for("key of openai (not shown): ")
    started.type(f"{SECRET}\n")
    assert started.end() == 0
    assert SECRET not in started.screen
    assert key_file(home, "openai.key").read_text() == f"{SECRET}\n"


def test_ctrl_c_at_the_prompt_stores_nothing(terminal: Cli, home: Path) -> None:
    started = terminal("keys", "set", "openai", env={"PROVIDERS_SDK_CONFIG": str(home / "none.toml")})
    started.wait_for("(not shown): ")
    started.type("\x03")
    assert started.end() == 130
    assert not key_file(home, "openai.key").exists()


def test_a_key_as_an_argument_is_refused_and_not_repeated(cli: Cli, home: Path) -> None:
    outcome = cli("keys", "set", "openai", SECRET)
    assert outcome.code == 2
    assert "type it when asked, or give it on standard input" in outcome.error
    assert SECRET not in outcome.err
    assert not key_file(home, "openai.key").exists()


@pytest.mark.parametrize("name", ["../openai", "/etc/passwd", "a/b", "a:b", "..", ""])
@pytest.mark.parametrize("command", ["set", "remove"])
def test_a_bad_name_is_a_usage_error(cli: Cli, home: Path, command: str, name: str) -> None:
    outcome = cli("keys", command, name, stdin=SECRET.encode())
    assert outcome.code == 2
    assert f"{name!r} is no name of a service" in outcome.error
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("typed", [b"", b"\n", b"a\nb\n", b"\xff\xfe", b"a\x1bb"])
def test_what_is_no_key_is_a_usage_error(cli: Cli, home: Path, typed: bytes) -> None:
    outcome = cli("keys", "set", "openai", stdin=typed)
    assert outcome.code == 2
    assert not key_file(home, "openai.key").exists()


def test_a_key_for_a_name_that_nobody_has_is_stored_with_a_warning(cli: Cli, write: Cli) -> None:
    write("[services.work]\nprovider = 'openai'")
    assert "Warning" not in cli("keys", "set", "work", stdin=SECRET.encode()).err
    outcome = cli("keys", "set", "opneai", stdin=SECRET.encode())
    assert outcome.code == 0
    assert "Warning: there is no provider or instance 'opneai' yet; did you mean 'openai'?\n" in outcome.err


def test_removing_what_is_not_stored_is_a_usage_error_with_the_nearest(cli: Cli, home: Path) -> None:
    cli("keys", "set", "openai", stdin=SECRET.encode())
    assert "no key is stored for 'opnai'; did you mean 'openai'?" in cli("keys", "remove", "opnai").error


def test_the_keyring_keeps_a_key_on_request(cli: Cli, keyring: Keyring) -> None:
    folder = keyring("InAFile")
    done = cli("keys", "set", "openai", "--keyring", stdin=SECRET.encode())
    assert (done.code, done.err) == (0, "the key of openai is stored in the keyring\n")
    assert (folder / "providers-sdk-openai").read_text() == SECRET
    assert cli("keys", "list").out.split() == ["openai", "key", "keyring"]
    assert cli("keys", "remove", "openai").code == 0
    assert not (folder / "providers-sdk-openai").exists()


def test_a_keyring_that_fails_is_one_line_without_the_key(cli: Cli, keyring: Keyring) -> None:
    keyring("Fails")
    outcome = cli("keys", "set", "openai", "--keyring", stdin=SECRET.encode())
    assert outcome.code == 2
    assert "it failed with 'PasswordSetError'" in outcome.error
    assert SECRET not in outcome.err


@pytest.mark.parametrize("umask", ["000", "022", "777"])
def test_the_file_has_mode_0600_under_any_umask(environ: dict[str, str], home: Path, umask: str) -> None:
    script = f'umask {umask}; exec "$0" -m providers_sdk keys set openai'
    subprocess.run(
        ["/bin/sh", "-c", script, sys.executable],
        input=SECRET.encode(),
        env={**environ, "PROVIDERS_SDK_CONFIG": str(home / "none.toml"), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        timeout=60,
    )
    path = key_file(home, "openai.key")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (f"{SECRET}\n", 0o600)


def test_set_killed_at_a_random_moment_leaves_the_old_file_or_the_new_one(
    cli: Cli, launch: Callable[..., subprocess.Popen[bytes]], home: Path
) -> None:
    cli("keys", "set", "openai", stdin=SECRET.encode())
    path = key_file(home, "openai.key")
    for number in range(8):
        process = launch("keys", "set", "openai", env={"PROVIDERS_SDK_CONFIG": str(home / "none.toml")})
        assert process.stdin is not None
        process.stdin.write(OTHER.encode())
        process.stdin.close()
        threading.Event().wait(0.08 * number)  # at another moment each time; any moment must do
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert path.read_text() in (f"{SECRET}\n", f"{OTHER}\n")
        assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}
