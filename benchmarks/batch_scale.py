"""What a batch costs in memory and time beside the bare calls.

Run ``python benchmarks/batch_scale.py``. Peak memory at 1 000, 10 000 and 100 000 prompts, with and without a journal;
the overhead of a prompt at 1, 8 and 64 workers; ``ordered=True`` with a slow first prompt; resuming a million finished
ones. Everything is answered in this process, by ``echo``.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path

from providers_sdk import Client
from providers_sdk._engine.batch.journal import Journal
from providers_sdk._engine.batch.keys import Keys
from providers_sdk._engine.batch.outcome import Outcome


def peak() -> float:
    """Return this process's peak memory in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory(count: int, journal: str) -> None:
    """Run a batch and print its peak memory."""
    with Client("echo", config=None) as client:
        prompts = (f"prompt {index}: name three pizzas" for index in range(count))
        started = time.perf_counter()
        done = sum(1 for _ in client.map(prompts, workers=8, journal=journal or None))
    took = time.perf_counter() - started
    print(json.dumps({"prompts": count, "done": done, "peak_mb": round(peak(), 1), "us": round(took / count * 1e6)}))


def slow_first(count: int, seconds: float) -> None:
    """Run an ordered batch whose first prompt takes long."""
    from providers_sdk import FinishReason, Registry
    from providers_sdk.plugin import Provider

    class Slow(Provider):
        """Answers at once, but for the first prompt."""

        offline = True

        def complete(self, request, http):  # type: ignore[no-untyped-def]
            if request.prompt == "p0":
                time.sleep(seconds)
            yield "yes"
            yield FinishReason("stop")

    read = 0

    def prompts():  # type: ignore[no-untyped-def]
        nonlocal read
        for index in range(count):
            read += 1
            yield f"p{index}"

    registry = Registry()
    registry.register("slow", Slow)
    with Client("slow", registry=registry, config=None) as client:
        batch = client.map(prompts(), workers=8, ordered=True)
        started = time.monotonic()
        first = next(batch)
        waited, ahead = time.monotonic() - started, read
        rest = [outcome.index for outcome in batch]
    print(
        f"ordered, first prompt {seconds:g} s: first after {waited:.1f} s, read ahead {ahead}, then in order: "
        f"{[first.index, *rest] == list(range(count))}, peak {peak():.0f} MB"
    )


def overhead(count: int = 2000) -> None:
    """Print the overhead of a prompt beside the bare call, the best of three."""
    with Client("echo", config=None) as client, tempfile.TemporaryDirectory() as folder:

        def bare() -> None:
            for index in range(count):
                client.chat(f"prompt {index}").text  # noqa: B018

        def batch(workers: int, journal: Path | None) -> None:
            for _ in client.map(map("prompt {}".format, range(count)), workers=workers, journal=journal):
                pass

        def best(run, *arguments) -> float:  # type: ignore[no-untyped-def]
            times = []
            for number in range(3):
                started = time.perf_counter()
                run(*(one / str(number) if isinstance(one, Path) else one for one in arguments))
                times.append(time.perf_counter() - started)
            return min(times) / count

        alone = best(bare)
        for workers in (1, 8, 64):
            here = Path(folder) / str(workers)
            here.mkdir()
            plain, kept = best(batch, workers, None), best(batch, workers, here)
            print(
                f"{workers:>3} workers: bare call {alone * 1e6:.0f} us, batch +{(plain - alone) * 1e6:.0f} us, "
                f"with a journal +{(kept - alone) * 1e6:.0f} us"
            )


def write_million(path: Path, count: int) -> None:
    """Write a journal of finished outcomes."""
    question = {"provider": ["echo"], "model": None, "system": None, "options": {}}
    keys, journal = Keys(question), Journal(path, question)
    for index in range(count):
        prompt = f"prompt {index}"
        journal.append(keys.make(prompt, None), Outcome(index, None, prompt, "yes"))
    journal.close()


def resume(path: str, count: int) -> None:
    """Resume a journal in which all but the last prompt are finished."""
    prompts = chain(map("prompt {}".format, range(count)), [f"a new one at {time.time()}"])
    with Client("echo", config=None) as client:
        started, used = time.perf_counter(), time.process_time()
        found = [outcome.index for outcome in client.map(prompts, journal=path)]
        took, used = time.perf_counter() - started, time.process_time() - used
    assert found == [count], found
    print(f"resuming {count:,} finished ones: {took:.1f} s ({used:.1f} s of a processor), peak {peak():.0f} MB")


def run_child(*arguments: object) -> str:
    """Run a part in a process of its own, so that its peak is its own."""
    command = [sys.executable, __file__, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Run everything."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("", "journal"):
            for count in (1_000, 10_000, 100_000):
                print(kind or "no journal", run_child("memory", count, f"{folder}/{count}" if kind else ""))
        print(run_child("overhead"))
        print(run_child("slow", 2000, 60))
        million = Path(folder) / "million"
        write_million(million, 1_000_000)
        print(run_child("resume", million, 1_000_000), f"(journal of {million.stat().st_size / 1e6:.0f} MB)")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["memory", count, journal]:
            memory(int(count), journal)
        case ["overhead"]:
            overhead()
        case ["slow", count, seconds]:
            slow_first(int(count), float(seconds))
        case ["resume", path, count]:
            resume(path, int(count))
        case _:
            main()
