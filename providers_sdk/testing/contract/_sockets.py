"""Keeps the sockets of a provider under test at its fake service, and remembers what wanted to go elsewhere.

How it works. While a claim is checked, the functions of Python's ``socket`` that reach a peer or resolve a name are
replaced, and so is ``Thread.start``: a thread is watched if it checks a claim, or if a watched thread started it. A
watched thread reaches the addresses that :meth:`SocketGuard.allow` has named; anything else raises
:class:`SocketRefused` and is remembered with the line of the author's code that was running, or that started the
thread. Threads that are not watched, such as those of the caller's program, notice nothing. When the last claim ends,
everything is put back as it was found.

Code that is no Python (a C library with sockets of its own, a child process) is not seen.
"""

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

from providers_sdk.testing.contract._crash import describe_place, list_packages
from providers_sdk.testing.contract._patches import Patches

__all__ = ["SocketGuard", "SocketRefused", "find_guard"]

_OWN = "providers_sdk.testing.contract"
_LOOPBACK = ("127.0.0.1", "localhost")


class SocketRefused(socket.gaierror):
    """A provider under test wanted to reach something else than its fake service."""


@dataclass(frozen=True, slots=True)
class _Watch:
    """Why a thread is watched.

    :param place: the author's line that started the thread.
    """

    guard: "SocketGuard"
    place: str = ""


_watched: "WeakKeyDictionary[threading.Thread, _Watch]" = WeakKeyDictionary()


@dataclass(eq=False, slots=True)
class SocketGuard:
    """Guards the sockets of one provider.

    :param provider: its class, by which the author's lines are known.
    """

    provider: type
    _allowed: list[tuple[str, int]] = field(default_factory=list)
    _attempts: list[str] = field(default_factory=list)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Watch the current thread, and those that it starts."""
        thread = threading.current_thread()
        before = _watched.get(thread)
        _watched[thread] = _Watch(self)
        try:
            with _PATCHES.apply():
                yield
        finally:
            _watched.pop(thread, None)
            if before is not None:
                _watched[thread] = before

    @contextmanager
    def allow(self, address: tuple[str, int]) -> Iterator[None]:
        """Let sockets reach ``address``."""
        self._allowed.append(address)
        try:
            yield
        finally:
            self._allowed.remove(address)

    def take_attempts(self) -> list[str]:
        """Return what was refused since the last time, such as ``"it looked up example.org (acme.py:12, in sign)"``."""
        found = list(dict.fromkeys(self._attempts))
        self._attempts.clear()
        return found

    def check_address(self, address: object, done: str, watch: _Watch) -> None:
        """Refuse every address that is not allowed.

        :raises SocketRefused: it is not.
        """
        known = isinstance(address, tuple) and len(address) >= 2 and self._is_allowed(*address[:2])
        if not known:
            self._refuse(f"{done} {_format_address(address)}", watch)

    def check_name(self, host: object, port: object, watch: _Watch) -> None:
        """Refuse to resolve the name or address of a foreign host.

        :raises SocketRefused: it is one.
        """
        name = host.decode("latin-1") if isinstance(host, bytes) else host
        if isinstance(name, str) and name not in ("", "::1", *_LOOPBACK):
            self._refuse(f"looked up {_format_address((name, port)) if port else name}", watch)

    def _is_allowed(self, host: object, port: object) -> bool:
        return any(port == known and (host == name or host in _LOOPBACK) for name, known in self._allowed)

    def _refuse(self, attempt: str, watch: _Watch) -> None:
        place = _find_place(sys._getframe(), self.provider) or watch.place
        self._attempts.append(f"it {attempt}{place}")
        raise SocketRefused(f"the contract tests let a provider reach its fake service only; it {attempt}")


def find_guard() -> SocketGuard | None:
    """Return the guard of the current thread; ``None`` outside of a claim."""
    watch = _watched.get(threading.current_thread())
    return watch.guard if watch is not None else None


def _find_place(frame: FrameType | None, provider: type) -> str:
    """Return the innermost line of the author's that is running, as failures write it; ``""`` for none."""
    frames: list[FrameType] = []
    while frame is not None and not (frames and _is_own(frame)):  # up to the claim, behind which the caller's code is
        frames += [] if _is_own(frame) else [frame]
        frame = frame.f_back
    for package in list_packages(provider):
        for one in frames:
            if str(one.f_globals.get("__name__", "")).partition(".")[0] == package:
                return describe_place(one.f_code.co_filename, one.f_lineno, one.f_code.co_name)
    return ""


def _is_own(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith(_OWN)


def _format_address(address: object) -> str:
    if isinstance(address, tuple) and len(address) >= 2:
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    return repr(address)


def _check_first(check: Callable[[_Watch, tuple[Any, ...]], None]) -> Callable[[Any], Any]:
    """Return a replacement for a function, which calls ``check`` first if the thread is watched."""

    def replace(original: Any) -> Any:
        def checked(*args: Any, **kwargs: Any) -> Any:
            watch = _watched.get(threading.current_thread())
            if watch is not None:
                check(watch, args or tuple(kwargs.values()))
            return original(*args, **kwargs)

        return checked

    return replace


def _check_connect(watch: _Watch, args: tuple[Any, ...]) -> None:
    watch.guard.check_address(args[1], "connected to", watch)


def _check_send(watch: _Watch, args: tuple[Any, ...]) -> None:
    watch.guard.check_address(args[-1], "sent to", watch)


def _check_sendmsg(watch: _Watch, args: tuple[Any, ...]) -> None:
    if len(args) > 4 and args[4] is not None:
        watch.guard.check_address(args[4], "sent to", watch)


def _check_name(watch: _Watch, args: tuple[Any, ...]) -> None:
    watch.guard.check_name(args[0], args[1] if len(args) > 1 else None, watch)


def _watch_started(watch: _Watch, args: tuple[Any, ...]) -> None:
    thread = args[0]
    _watched[thread] = _Watch(watch.guard, _find_place(sys._getframe(), watch.guard.provider) or watch.place)


_PATCHES = Patches(
    [
        (socket.socket, "connect", _check_first(_check_connect)),
        (socket.socket, "connect_ex", _check_first(_check_connect)),
        (socket.socket, "sendto", _check_first(_check_send)),
        (socket.socket, "sendmsg", _check_first(_check_sendmsg)),
        (socket, "getaddrinfo", _check_first(_check_name)),
        (socket, "gethostbyname", _check_first(_check_name)),
        (socket, "gethostbyname_ex", _check_first(_check_name)),
        (threading.Thread, "start", _check_first(_watch_started)),
    ]
)
