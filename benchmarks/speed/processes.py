"""Runs what is measured in processes of their own: the server, the workers, and commands from start to end."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.many_plugins import fill

__all__ = ["ROOT", "Place", "Worker", "run_server"]

ROOT = Path(__file__).parents[2]
_VARIABLES = 35  # as many as a desktop or a container has; clients read the environment for each call
_KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR")
_IMPORT = """
import time
start = time.process_time(), time.perf_counter()
import {module}
print(time.process_time() - start[0], time.perf_counter() - start[1])
"""
_COLD = """
import time
start = time.process_time(), time.perf_counter()
from benchmarks.speed.clients import make_client
next(text for text in make_client({name!r}, {url!r}).stream("events-50") if text)
print(time.process_time() - start[0], time.perf_counter() - start[1])
"""
_MODULES = {"providers-sdk": "providers_sdk", "httpx-sse": "httpx_sse", "socket": "socket, json"}


@contextmanager
def run_server() -> Iterator[str]:
    """Run the server; yield its address."""
    command = [sys.executable, "-m", "benchmarks.speed.server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        server.terminate()


class Place:
    """Where processes run: an empty home, a plain environment, and folders with more plugins.

    :param peers: the Python that has the other clients; this one where it is not given.
    """

    def __init__(self, folder: Path, peers: str | None) -> None:
        self.folder, self._peers = folder, peers or sys.executable
        (folder / "home").mkdir()
        self._code = folder / "code"  # the project's folder on the path would offer each provider a second time
        self._code.mkdir()
        (self._code / "benchmarks").symlink_to(ROOT / "benchmarks")

    @classmethod
    @contextmanager
    def make(cls, peers: str | None = None) -> "Iterator[Place]":
        """Yield a place in a temporary folder."""
        with tempfile.TemporaryDirectory() as folder:
            yield cls(Path(folder), peers)

    def environment(self, *folders: Path) -> dict[str, str]:
        """Return the environment, with ``folders`` on Python's path besides the benchmarks."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        kept |= {f"SOME_VARIABLE_{number}": f"/some/value/{number}" for number in range(_VARIABLES)}
        path = os.pathsep.join(map(str, [self._code, *folders]))
        return {**kept, "HOME": str(self.folder / "home"), "PYTHONPATH": path}

    def python(self, client: str) -> str:
        """Return the Python that has ``client``."""
        return sys.executable if client.startswith("providers-sdk") else self._peers

    def plugins(self, count: int) -> list[Path]:
        """Return the folders that hold ``count`` more plugins."""
        folder = self.folder / f"plugins{count}"
        if count and not folder.exists():
            fill(folder, count, 0)
        return [folder] if count else []

    def run(self, python: str, arguments: Sequence[str], folders: Sequence[Path] = ()) -> tuple[float, float, str]:
        """Run a process; return its seconds of processor time, its wall-clock seconds and its output."""
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [python, *arguments],
            cwd=self.folder,
            env=self.environment(*folders),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise RuntimeError(lines[-1][:300])
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return cpu, ended - started, done.stdout

    def measure_import(self, client: str) -> tuple[float, float]:
        """Return the seconds of importing ``client``."""
        code = _IMPORT.format(module=_MODULES.get(client, client))
        return _read_seconds(self.run(self.python(client), ["-c", code])[2])

    def measure_cold(self, client: str, url: str) -> tuple[float, float]:
        """Return the seconds from a script's first line to its first delta."""
        return _read_seconds(self.run(self.python(client), ["-c", _COLD.format(name=client, url=url)])[2])

    def measure_command(self, words: Sequence[str], plugins: int = 0) -> tuple[float, float]:
        """Return the seconds of the command ``providers`` from start to end."""
        script = Path(sys.executable).with_name("providers")
        return self.run(sys.executable, [str(script), *words], self.plugins(plugins))[:2]

    def measure_click(self) -> tuple[float, float]:
        """Return the seconds of a process that imports click."""
        return self.run(sys.executable, ["-c", "import click"])[:2]


def _read_seconds(text: str) -> tuple[float, float]:
    cpu, wall = map(float, text.split()[-2:])
    return cpu, wall


class Worker:
    """A process that measures one client.

    :raises RuntimeError: the client is not installed, or cannot be asked.
    """

    def __init__(self, place: Place, client: str, url: str) -> None:
        command = [place.python(client), "-m", "benchmarks.speed.worker", client, url]
        self._process = subprocess.Popen(
            command,
            cwd=place.folder,
            env=place.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._receive()

    def measure(self, *arguments: Any) -> tuple[float, float]:
        """Return the seconds of the processor and by the wall clock."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        cpu, wall = self._receive()
        return cpu, wall

    def _receive(self) -> Any:
        assert self._process.stdout is not None
        answer = None
        while answer is None:
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError("its process ended")
            answer = json.loads(line) if line.startswith(("{", "[")) else None
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.communicate()
