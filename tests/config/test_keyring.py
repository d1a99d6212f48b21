"""The keyring: asked in a child process, which is ended when the keyring hangs."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from providers_sdk._config.keys import KeySource, find_stored_key, list_stored_keys, remove_key, store_key
from providers_sdk.errors import KeyUnavailable

Keyring = Callable[[str], Path]
SECRET = "sk-1234-secret"
GROQ = KeySource("keyring", ("groq",), "key", "config.toml, line 3")


def refusal(seconds: float | None = None) -> str:
    with pytest.raises(KeyUnavailable) as caught:
        GROQ.read(seconds=seconds)
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None
    return str(caught.value)


def test_an_entry_is_read_whatever_the_keyring_prints(keyring: Keyring) -> None:
    (keyring("InAFile") / "providers-sdk-groq").write_text(SECRET)
    assert GROQ.read(seconds=None) == SECRET


def test_a_missing_entry_says_how_to_store_it(keyring: Keyring) -> None:
    keyring("InAFile")
    assert refusal() == (
        "'key' cannot be read from the keyring entry 'groq' (config.toml, line 3): it has no entry 'groq' of "
        "'providers-sdk'; run 'providers keys set groq --keyring'"
    )


def test_a_keyring_that_fails_is_named_by_its_error_and_not_by_its_message(keyring: Keyring) -> None:
    keyring("Fails")
    assert "it failed with 'PasswordSetError'; 'keyring diagnose' shows" in refusal()


def test_a_keyring_that_hangs_is_ended_after_three_seconds(keyring: Keyring) -> None:
    folder = keyring("Hangs")
    started = time.monotonic()
    assert "it did not end within 3 s; it may wait for a desktop that is not there" in refusal()
    assert 3.0 <= time.monotonic() - started < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), 0)


def test_the_deadline_ends_it_earlier(keyring: Keyring) -> None:
    keyring("Hangs")
    assert "it did not end within 0.2 s" in refusal(seconds=0.2)


def test_without_the_package_the_extra_is_named(keyring: Keyring) -> None:
    folder = keyring("InAFile")
    (folder / "keyring.py").write_text("raise ImportError")
    assert "run \"pip install 'providers-sdk[keyring]'\"" in refusal()


def test_no_module_of_the_current_folder_is_imported(
    keyring: Keyring, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (keyring("InAFile") / "providers-sdk-groq").write_text(SECRET)
    for name in ("keyring", "sitecustomize", "os"):
        (home / f"{name}.py").write_text("open('imported', 'w')")
    monkeypatch.chdir(home)
    assert GROQ.read(seconds=None) == SECRET
    assert not (home / "imported").exists()


def test_a_key_is_stored_in_the_keyring_found_and_removed(keyring: Keyring) -> None:
    folder = keyring("InAFile")

    stored = store_key("groq", SECRET, in_keyring=True)

    assert (folder / "providers-sdk-groq").read_text() == SECRET
    assert stored.path.read_bytes() == b""
    assert list_stored_keys() == [stored]
    found = find_stored_key("groq")
    assert found is not None
    assert isinstance(found.value, KeySource)
    assert (found.source, found.value.is_slow) == ("stored in the keyring", True)
    assert found.value.read(seconds=None) == SECRET
    assert remove_key("groq") == [stored]
    assert not (folder / "providers-sdk-groq").exists()
    assert (find_stored_key("groq"), list_stored_keys()) == (None, [])


def test_another_setting_has_an_entry_of_its_own(keyring: Keyring) -> None:
    folder = keyring("InAFile")
    store_key("acme", SECRET, setting="secret", in_keyring=True)
    assert (folder / "providers-sdk-acme.secret").read_text() == SECRET


def test_a_key_moves_from_file_to_keyring_and_back(keyring: Keyring) -> None:
    keyring("InAFile")
    for in_keyring in (False, True, False):
        stored = store_key("groq", SECRET, in_keyring=in_keyring)
        assert list_stored_keys() == [stored]
        assert stored.in_keyring is in_keyring


@pytest.mark.parametrize("name", ["Fails", "Hangs"])
def test_a_keyring_that_takes_no_key_leaves_the_old_one(
    keyring: Keyring, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("providers_sdk._config.keys._PATIENCE", 1.0)
    old = store_key("groq", "sk-old")
    keyring(name)

    with pytest.raises(KeyUnavailable, match="the keyring entry 'groq' cannot be changed: it ") as caught:
        store_key("groq", SECRET, in_keyring=True)

    assert SECRET not in str(caught.value)
    assert list_stored_keys() == [old]
    assert old.path.read_text() == "sk-old\n"


def test_a_name_with_a_dot_shares_no_entry_with_a_setting(keyring: Keyring) -> None:
    keyring("InAFile")
    store_key("acme.secret", "sk-of-the-name", in_keyring=True)
    store_key("acme", "sk-of-the-setting", setting="secret", in_keyring=True)
    found = [find_stored_key("acme.secret"), find_stored_key("acme", "secret")]
    values = [row.value.read(seconds=10) for row in found if row and isinstance(row.value, KeySource)]
    assert values == ["sk-of-the-name", "sk-of-the-setting"]
