"""Every fault, every bundled provider, every way of asking: how each ended, how late, and what was left open.

Run ``python benchmarks/fault_matrix.py [rounds]``; everything is sent to loopback. The sites run in the same process,
so the peak of memory is theirs and the client's together.
"""

import importlib
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from providers_sdk import Client, Registry
from providers_sdk.testing import FakeService
from providers_sdk.testing.faults import FAULTS, FaultResult, Kind, NamedFault, run_fault

SLACK = 0.5
SIDE_BY_SIDE = 12
registry = Registry()


@dataclass(frozen=True, slots=True)
class Row:
    """One provider, asked in one way, and all that came of it."""

    provider: str
    mode: str
    trials: list[FaultResult]
    files: int
    threads: int
    seconds: float

    def cells(self) -> list[object]:
        """Return the row of the table."""
        late = [trial for trial in self.trials if trial.overrun > SLACK]
        return [
            self.provider,
            self.mode,
            len(self.trials),
            sum(trial.fits for trial in self.trials),
            len(late),
            f"{max(trial.overrun for trial in self.trials):.3f}",
            sum(trial.sockets_left for trial in self.trials),
            self.files,
            self.threads,
            f"{self.seconds:.1f}",
        ]


def site_of(provider: str, mode: str) -> FakeService:
    """Return a fake service that answers in the way that is asked for."""
    module, _, name = registry.get(provider).fake_service.partition(":")
    kind: type[FakeService] = getattr(importlib.import_module(module), name)
    return kind("json" if mode == "json" and "json" in kind.cases else "")


def fetches_a_page(provider: str) -> bool:
    """Return whether the provider asks for a page before it asks its question."""
    with site_of(provider, "stream") as site:
        with Client(provider, settings={provider: site.client_settings()}, registry=registry, proxy="") as client:
            _ = client.chat("hi").text
        return site.requests[0].method == "GET"


def ways() -> Iterator[tuple[str, str]]:
    """Yield each provider with each way of striking at it."""
    for name in registry.names():
        if registry.get(name).fake_service and registry.get(name).__module__.startswith("providers_sdk_plugins."):
            yield from ((name, "stream"), (name, "json"))
            if fetches_a_page(name):
                yield name, "page"


def attempt(provider: str, mode: str, fault: NamedFault) -> FaultResult:
    """Ask once with the fault in the way."""
    streams = registry.get(provider).supports_stream
    kind: Kind = "page" if mode == "page" else "stream" if mode == "stream" and streams else "json"
    site = site_of(provider, mode)
    trial = run_fault(fault, provider, site, kind=kind, stream=mode != "json", registry=registry)
    return replace(trial, error=None)  # whose traceback holds all that was read


def run(provider: str, mode: str) -> Row:
    """Try every fault: those that only wait side by side, those that flood one after the other."""
    floods = [fault for fault in FAULTS.values() if fault.name.startswith(("endless_", "gzip_bomb"))]
    quiet = [fault for fault in FAULTS.values() if fault not in floods]
    files, threads, started = open_files(), threading.active_count(), time.monotonic()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        trials = list(pool.map(lambda fault: attempt(provider, mode, fault), quiet))
    trials += [attempt(provider, mode, fault) for fault in floods]
    left = open_files() - files, threading.active_count() - threads
    return Row(provider, mode, trials, *left, time.monotonic() - started)


def open_files() -> int:
    """Return how many files and sockets this process has open."""
    return len(os.listdir("/dev/fd"))


def peak() -> float:
    """Return the process's peak of memory in megabytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main(rounds: int) -> int:
    """Print the table; return 1 if anything did not end as it should."""
    heads = ["provider", "asked", "tried", "documented", "overran", "worst s", "sockets", "files", "threads", "took s"]
    print(f"{len(FAULTS)} faults; peak memory at the start {peak():.0f} MB")
    print(("{:12}" * len(heads)).format(*heads))
    rows = []
    for provider, mode in list(ways()) * rounds:
        rows.append(run(provider, mode))
        print(("{!s:12}" * len(heads)).format(*rows[-1].cells()), flush=True)
        for trial in rows[-1].trials:
            if not trial.fits or trial.overrun > SLACK or trial.sockets_left:
                print(f"  {trial.fault}: documented {trial.documented}, ended {trial.ended}, {trial.overrun:+.2f} s")
    trials = [trial for row in rows for trial in row.trials]
    late, fits = sum(trial.overrun > SLACK for trial in trials), sum(trial.fits for trial in trials)
    left = sum(trial.sockets_left for trial in trials), sum(row.files for row in rows), sum(row.threads for row in rows)
    print(f"tried {len(trials)}, ended as documented {fits}, overran by more than {SLACK} s {late}")
    print("sockets left {}, files left {}, threads left {}".format(*left))
    print(f"latest end {max(trial.overrun for trial in trials):.3f} s past its limit; peak memory {peak():.0f} MB")
    return int(fits < len(trials) or late > 0 or any(count > 0 for count in left))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
