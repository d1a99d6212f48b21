"""For every test: a clean environment, and no network but loopback; for some, a home or a keyring of their own."""

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# derandomized: a landing does not hang on luck; tests/fuzz_stream.py and HYPOTHESIS_PROFILE=searching look further
hypothesis.settings.register_profile("unhurried", deadline=None, derandomize=True)
hypothesis.settings.register_profile("searching", deadline=None, max_examples=5_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "unhurried"))

_getaddrinfo, _connect, _connect_ex = socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex


@pytest.fixture(autouse=True)
def _clean_environment() -> Iterator[None]:
    """No proxy, setting, certificate bundle, configuration file or stored key of the machine's reaches a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            lower = name.lower()
            if lower.endswith(("_proxy", "_ca_bundle")) or lower.startswith("providers_sdk_"):
                patch.delenv(name)
        patch.setenv("PROVIDERS_SDK_CONFIG", "")  # neither the user's file nor the user's keys
        yield


@pytest.fixture(autouse=True)
def _loopback_only() -> Iterator[None]:
    """Whatever would leave the machine fails the test; a name below ``.invalid`` does not exist (RFC 6761)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", _loopback_getaddrinfo)
        patch.setattr(socket.socket, "connect", _loopback_connect)
        patch.setattr(socket.socket, "connect_ex", _loopback_connect_ex)
        yield


def _loopback_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name and name.endswith(".invalid"):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    _check(name)
    return _getaddrinfo(host, *args, **kwargs)


def _loopback_connect(self: socket.socket, address: Any) -> None:
    _check_address(address)
    _connect(self, address)


def _loopback_connect_ex(self: socket.socket, address: Any) -> int:
    _check_address(address)
    return _connect_ex(self, address)


def _check_address(address: Any) -> None:
    if isinstance(address, tuple):  # a path is a Unix socket's
        _check(address[0])


def _check(host: str | None) -> None:
    if host and host != "localhost" and not _is_loopback(host):
        pytest.fail(f"a test wanted to reach {host!r}; only loopback is there")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


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
    with open(f"{folder}/command-line", "a") as file:
        file.write(" ".join(sys.orig_argv) + chr(10))

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
