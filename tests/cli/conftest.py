"""For the command line's tests: it is run in this process, as a real one, or on a terminal of its own."""

import importlib
import io
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from providers_sdk.cli import main

_PATIENCE = 30.0
_LAUNCH = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)  # a test run in the background hands down a deaf ear
if os.isatty(0):
    import fcntl, termios
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "providers_sdk", *sys.argv[1:]])
"""


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line on stderr."""
        assert re.fullmatch(r"Error: [^\n]+\n", self.err), self.err
        return self.err.rstrip("\n")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """``cli("list", "--json", stdin=b"")`` runs the command line in this process."""

    def run(*arguments: str, stdin: bytes = b"") -> Outcome:
        monkeypatch.delenv("COLUMNS", raising=False)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(arguments)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of a process: little, and nothing of the machine's proxies and settings."""
    names = ("PATH", "SYSTEMROOT", "LANG", "COVERAGE_PROCESS_CONFIG")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {**kept, "HOME": str(tmp_path), "COLUMNS": "80", "PROVIDERS_SDK_CONFIG": ""}


@pytest.fixture
def launch(environ: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """``launch("chat", "-p", "echo", env={...})`` starts a real process with pipes for all its streams."""
    with ExitStack() as running:

        def start(
            *arguments: str | bytes, env: dict[str, str] | None = None, stdout: Any = subprocess.PIPE
        ) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                [sys.executable, "-c", _LAUNCH, *arguments],
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=subprocess.PIPE,
                env={**environ, **(env or {})},
                cwd=tmp_path,
            )
            running.enter_context(process)
            running.callback(process.kill)
            return process

        yield start


@pytest.fixture
def run(launch: Callable[..., subprocess.Popen[bytes]]) -> Callable[..., Outcome]:
    """``run("chat", stdin=b"hello")`` runs a real process to its end."""

    def run_to_end(*arguments: str | bytes, stdin: bytes = b"", env: dict[str, str] | None = None) -> Outcome:
        process = launch(*arguments, env=env)
        out, err = process.communicate(stdin, timeout=_PATIENCE)
        return Outcome(process.returncode, out.decode(), err.decode())

    return run_to_end


class Terminal:
    """A terminal with ``providers`` on it."""

    def __init__(
        self, arguments: tuple[str, ...], environ: dict[str, str], folder: Path, *, stderr_apart: bool = False
    ) -> None:
        self._ours, theirs = pty.openpty()
        self._apart = (folder / "stderr").open("w+b") if stderr_apart else None
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=self._apart or theirs,
            env={"TERM": "dumb", **environ},
            cwd=folder,
            start_new_session=True,
        )
        os.close(theirs)
        self._seen = b""
        self._read = 0

    @property
    def screen(self) -> str:
        """All that was written so far."""
        return self._seen.decode("utf-8", "replace").replace("\r\n", "\n")

    def wait_for(self, words: str) -> None:
        """Read until ``words`` stand behind what was waited for before."""
        wanted, until = words.encode(), time.monotonic() + _PATIENCE
        while wanted not in self._seen[self._read :]:
            more = self._more(until)
            assert more, f"{words!r} never came; this did: {self.screen!r}"
            self._seen += more
        self._read = self._seen.index(wanted, self._read) + len(wanted)

    @property
    def stderr(self) -> str:
        """What went to stderr, where that is not the terminal."""
        assert self._apart is not None
        self._apart.seek(0)
        return self._apart.read().decode()

    def type(self, keys: str | bytes) -> None:
        """Type ``keys``."""
        os.write(self._ours, keys if isinstance(keys, bytes) else keys.encode())

    def end(self) -> int:
        """Read to the end and return the exit code."""
        while more := self._more(time.monotonic() + _PATIENCE):
            self._seen += more
        return self._process.wait(_PATIENCE)

    def close(self) -> None:
        """Take the terminal away."""
        self._process.kill()
        self._process.wait()
        os.close(self._ours)
        if self._apart is not None:
            self._apart.close()

    def _more(self, until: float) -> bytes:
        ready, _, _ = select.select([self._ours], [], [], max(0.0, until - time.monotonic()))
        with suppress(OSError):  # EIO is how Linux says that nobody has the other end open
            return os.read(self._ours, 65_536) if ready else b""
        return b""


@pytest.fixture
def terminal(environ: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """``terminal("chat", "-p", "echo", env={...})`` is a terminal of 80 columns with ``providers`` on it."""
    with ExitStack() as open_ones:

        def start(*arguments: str, env: dict[str, str] | None = None, stderr_apart: bool = False) -> Terminal:
            started = Terminal(arguments, {**environ, **(env or {})}, tmp_path, stderr_apart=stderr_apart)
            open_ones.callback(started.close)
            return started

        yield start


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """``plugin("acme", source)`` installs a distribution ``dist-acme`` with one plugin; returns its folder."""
    monkeypatch.syspath_prepend(tmp_path)
    modules: list[str] = []

    def install(name: str, source: str, *, group: str = "providers_sdk", distribution: str = "") -> Path:
        distribution = distribution or f"dist-{name}"
        module = "plug_" + distribution.replace("-", "_")
        modules.append(module)
        (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
        info = tmp_path / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {module}\n")
        importlib.invalidate_caches()
        return tmp_path

    yield install
    for module in modules:
        sys.modules.pop(module, None)
    importlib.invalidate_caches()
