"""Runs a command that prints a secret: without a shell, in a time limit, its output kept small and never shown.

The command gets a session of its own, so it has no terminal to wait for, and its children can be ended with it. On
POSIX its output is read without a thread, because a call of this library starts none.
"""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

__all__ = ["Ended", "run_command"]

_MOST_BYTES = 65_536
_LAST_WAIT = 1.0


class Ended(Exception):
    """The command was ended: it ran too long, or printed too much."""


def run_command(
    command: Sequence[str], *, seconds: float, folder: Path | None = None, send: bytes = b""
) -> tuple[int, bytes]:
    """Return the exit code of a command and what it printed, at most 64 KiB; stderr is dropped.

    :param seconds: after which it is ended, with its children.
    :param folder: where it runs.
    :param send: its standard input, smaller than a pipe; empty for a closed one.
    :raises Ended: it had to be ended.
    :raises OSError: it could not be started.
    """
    until = time.monotonic() + seconds
    process = subprocess.Popen(  # noqa: S603  the user's own command, and no shell
        command,
        stdin=subprocess.PIPE if send else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        start_new_session=True,
    )
    try:
        output = _communicate(process, send, until)
        return process.wait(max(0.0, until - time.monotonic())), output
    except subprocess.TimeoutExpired:
        raise Ended(f"it did not end within {seconds:.3g} s") from None
    finally:
        _end(process)


def _communicate(process: "subprocess.Popen[bytes]", send: bytes, until: float) -> bytes:
    if os.name != "posix":  # selectors know only sockets there
        return process.communicate(send or None, max(0.0, until - time.monotonic()))[0]
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(send)
    assert process.stdout is not None  # noqa: S101  for the type checker
    with process.stdout:
        return _read(process.stdout, process, until)


def _read(stream: IO[bytes], process: "subprocess.Popen[bytes]", until: float) -> bytes:
    output = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while len(output) <= _MOST_BYTES:
            left = until - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired(process.args, left)
            if selector.select(left):
                piece = os.read(stream.fileno(), _MOST_BYTES)
                if not piece:
                    return output
                output += piece
    raise Ended("it printed more than a key")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the command and its children, unless it has ended by itself."""
    if process.returncode is not None:
        return
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    with suppress(subprocess.TimeoutExpired):  # one that runs as another user cannot be ended, and is left alone
        process.wait(_LAST_WAIT)
