"""For every test: a clean environment, and no network but loopback."""

import ipaddress
import os
import socket
from collections.abc import Iterator
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
