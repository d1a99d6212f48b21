"""Stored keys: who may read them, what a kill leaves, and that no name leads out of the folder."""

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from providers_sdk._config.keys import KeySource, find_stored_key, list_stored_keys, remove_key, store_key
from providers_sdk._config.private_files import write_private
from providers_sdk.errors import InvalidArgument, KeyUnavailable

OLD, NEW = "sk-old-" + "o" * 40, "sk-new-" + "n" * 40


def folder(home: Path) -> Path:
    return home / ".local" / "share" / "providers-sdk" / "keys"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_stored_key_is_found_and_read(home: Path) -> None:
    stored = store_key("groq", f" {OLD}\n")

    found = find_stored_key("groq")

    assert stored.path == folder(home) / "groq.key"
    assert found is not None
    assert found.source == "stored in ~/.local/share/providers-sdk/keys/groq.key"
    assert isinstance(found.value, KeySource)
    assert (found.value.read(seconds=None), found.value.is_slow) == (OLD, False)
    assert find_stored_key("groq", "secret") is find_stored_key("gro") is None


def test_a_new_key_replaces_the_old_one_and_settings_are_apart(home: Path) -> None:
    store_key("groq", OLD)
    store_key("groq", NEW)
    store_key("a.b-c_d", OLD, setting="secret")

    assert [(one.name, one.setting) for one in list_stored_keys()] == [("a.b-c_d", "secret"), ("groq", "key")]
    assert (folder(home) / "groq.key").read_text() == f"{NEW}\n"
    [removed] = remove_key("groq")
    assert (removed.name, remove_key("groq")) == ("groq", [])
    assert [one.name for one in list_stored_keys()] == ["a.b-c_d"]


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077, 0o277, 0o377, 0o777], ids=oct)
def test_a_stored_key_has_mode_0600_under_any_umask_and_its_folders_0700(home: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        path = store_key("groq", OLD).path
        store_key("groq", NEW)
    finally:
        os.umask(before)
    assert mode(path) == 0o600
    assert [mode(parent) for parent in (path.parent, path.parents[1], path.parents[2])] == [0o700] * 3


def test_a_folder_that_others_may_enter_is_corrected(home: Path) -> None:
    folder(home).mkdir(parents=True, mode=0o755)
    folder(home).chmod(0o755)
    store_key("groq", OLD)
    assert mode(folder(home)) == 0o700


def test_nobody_could_read_the_new_key_before_it_had_its_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int]] = []

    def replace(new: Path, path: Path) -> None:
        seen.append((Path(new).parent.name, mode(Path(new))))
        os.rename(new, path)

    monkeypatch.setattr("providers_sdk._config.private_files.os.replace", replace)
    store_key("groq", OLD)
    assert seen == [("keys", 0o600)]


WRITER = """
import sys
from providers_sdk._config.keys import store_key
print("ready", flush=True)
while True:
    for secret in sys.argv[1:]:
        store_key("groq", secret)
"""


def test_a_writer_killed_at_random_moments_leaves_the_old_file_or_the_new_one(home: Path) -> None:
    path = store_key("groq", OLD).path
    found = set()
    for number in range(25):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, OLD, NEW], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        with writer, writer.stdout:
            writer.stdout.readline()
            threading.Event().wait(0.0007 * number)  # at another moment each time; any moment must do
            writer.send_signal(signal.SIGKILL)
        found.add(path.read_text())
        others = [one for one in folder(home).iterdir() if one != path]
        assert {mode(one) for one in others} <= {0o600, 0o000}
        assert [one.name for one in list_stored_keys()] == ["groq"]
    assert found <= {f"{OLD}\n", f"{NEW}\n"}
    store_key("groq", NEW)
    remove_key("groq")
    assert list(folder(home).iterdir()) == []


@pytest.mark.parametrize("step", ["open", "os.open", "os.fsync", "os.chmod", "os.replace"])
def test_a_write_that_fails_at_any_step_leaves_the_old_file_and_nothing_else(
    home: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = store_key("groq", OLD).path

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"providers_sdk._config.private_files.{step}", fail, raising=False)
    with pytest.raises(OSError, match="No space"):
        write_private(path, NEW.encode())
    monkeypatch.undo()
    assert path.read_text() == f"{OLD}\n"
    assert list(path.parent.iterdir()) == [path]


def test_what_an_interrupted_write_left_is_removed_once_it_is_old(home: Path) -> None:
    path = store_key("groq", OLD).path
    old, young = path.with_name(".groq.key.1-a.new"), path.with_name(".groq.key.2-b.new")
    other = path.with_name(".groq.key2.3-c.new")
    for one in (old, young, other):
        one.touch()
        os.utime(one, (1_000_000, 1_000_000))
    os.utime(young)

    store_key("groq", NEW)
    assert [old.exists(), young.exists(), other.exists()] == [False, True, True]
    remove_key("groq")
    assert [young.exists(), other.exists()] == [False, True]


def test_two_writers_at_once_do_not_disturb_each_other(home: Path) -> None:
    errors: list[BaseException] = []

    def write(secret: str) -> None:
        try:
            for _ in range(20):
                store_key("groq", secret)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(secret,)) for secret in (OLD, NEW)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [path.name for path in folder(home).iterdir()] == ["groq.key"]


@pytest.mark.parametrize(
    "name", ["", "..", "../groq", "a/b", "/etc/passwd", ".groq", "a\\b", "a:b", "a\0", "x" * 65, "a\n"]
)
def test_a_name_that_could_be_a_path_is_refused(home: Path, name: str) -> None:
    for call in (lambda: store_key(name, OLD), lambda: remove_key(name)):
        with pytest.raises(InvalidArgument, match="is no name of a service"):
            call()
    with pytest.raises(InvalidArgument, match="is no name of a setting"):
        store_key("groq", OLD, setting=name)
    assert find_stored_key(name) is find_stored_key("groq", name) is None
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("secret", ["", " \n", f"{OLD}\n{NEW}", f"{OLD}\x1b", f"{OLD}\udcff"])
def test_what_is_no_key_is_not_stored(home: Path, secret: str) -> None:
    with pytest.raises(InvalidArgument, match="the key for 'groq' cannot be stored: it ") as caught:
        store_key("groq", secret)
    assert OLD not in str(caught.value)
    assert list_stored_keys() == []


def test_an_empty_variable_means_no_stored_keys(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_key("groq", OLD)
    monkeypatch.setenv("PROVIDERS_SDK_CONFIG", "")
    assert (find_stored_key("groq"), list_stored_keys()) == (None, [])
    with pytest.raises(InvalidArgument, match="PROVIDERS_SDK_CONFIG is set and empty"):
        store_key("groq", NEW)


def test_a_stored_key_that_others_may_read_is_refused(home: Path) -> None:
    store_key("groq", OLD).path.chmod(0o644)
    found = find_stored_key("groq")
    assert found is not None
    assert isinstance(found.value, KeySource)
    with pytest.raises(KeyUnavailable, match=r"\(of 'providers keys set groq'\): other users .*; run: chmod 600 /"):
        found.value.read(seconds=None)


def test_foreign_files_in_the_folder_are_no_keys(home: Path) -> None:
    store_key("groq", OLD)
    for name in ("README", ".hidden.key", "groq.key~", "groq.key@elsewhere"):
        (folder(home) / name).touch()
    assert [one.name for one in list_stored_keys()] == ["groq"]
