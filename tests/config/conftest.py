"""For the configuration's tests: a home of their own."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, in which the platform's places are looked for."""
    for name in ("PROVIDERS_SDK_CONFIG", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def write(home: Path) -> Callable[..., Path]:
    """``write("provider = 'echo'", mode=0o600)`` writes the configuration file in the platform's place."""

    def write_file(text: str, *, mode: int = 0o600, name: str = "") -> Path:
        path = home / name if name else home / ".config" / "providers-sdk" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    return write_file


@pytest.fixture
def program(home: Path) -> Callable[[str, str], Path]:
    """``program("name", "echo hello")`` writes a shell script outside PATH and returns its path."""

    def write_program(name: str, script: str) -> Path:
        path = home / "programs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o700)
        return path

    return write_program


BACKENDS = """
import os, sys, time
from keyring.backend import KeyringBackend
from keyring.errors import PasswordSetError

class InAFile(KeyringBackend):
    priority = 1
    folder = os.environ["KEYRING_FOLDER"]

    def get_password(self, service, username):
        print("a keyring that talks on standard output")
        try:
            with open(f"{self.folder}/{service}-{username}") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def set_password(self, service, username, password):
        with open(f"{self.folder}/{service}-{username}", "w") as file:
            file.write(password)

    def delete_password(self, service, username):
        os.remove(f"{self.folder}/{service}-{username}")

class Hangs(InAFile):
    def get_password(self, service, username):
        with open(f"{self.folder}/pid", "w") as file:
            file.write(str(os.getpid()))
        time.sleep(1000)

    set_password = delete_password = get_password

class Fails(InAFile):
    def get_password(self, service, username):
        raise PasswordSetError("sk-1234-secret")

    def set_password(self, service, username, password):
        raise PasswordSetError(password)
"""


@pytest.fixture
def keyring(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """``keyring("InAFile")`` makes that class the keyring of child processes; returns the folder of its entries."""

    def choose(name: str) -> Path:
        folder = home / "keyring"
        folder.mkdir(exist_ok=True)
        (folder / "backends_for_tests.py").write_text(BACKENDS)
        monkeypatch.setenv("PYTHONPATH", str(folder))
        monkeypatch.setenv("KEYRING_FOLDER", str(folder))
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"backends_for_tests.{name}")
        return folder

    return choose
