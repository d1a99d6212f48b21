"""What interruptions cost a batch: kill -9, Ctrl-C, and a limit on the size of files, in the middle of 2 000 prompts.

Run ``python benchmarks/batch_interrupted.py [prompts]``. Each kind interrupts the batch ten times at random moments and
then runs it to its end. It prints how many prompts have exactly one finished outcome, how many were asked after their
record was in the journal (there must be none), and the last line that an interrupted run wrote to stderr.
"""

import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from batch_service import CountingService

from providers_sdk import Client, read_journal
from providers_sdk._engine.batch.outcome import is_final

TIMES = 10
KINDS = ("kill -9", "Ctrl-C", "file size")


def child(url: str, journal: str, count: int, most_bytes: int) -> None:
    """Run the batch, in a process that is interrupted."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if most_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))
    settings = {"openai": {"url": url, "key": "fake-key"}}
    with Client("openai", settings=settings, retries=0, proxy="", config=None) as client:
        for _ in client.map(map("prompt {}".format, range(count)), workers=8, journal=journal):
            pass


def start(site: CountingService, journal: Path, count: int, most_bytes: int = 0) -> subprocess.Popen[str]:
    """Start the batch."""
    arguments = [sys.executable, __file__, "child", site.url, str(journal), str(count), str(most_bytes)]
    return subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)


def size(journal: Path) -> int:
    """Return the size of the journal."""
    return journal.stat().st_size if journal.exists() else 0


def interrupt(kind: str, site: CountingService, journal: Path, count: int, share: int) -> str:
    """Run the batch until it is interrupted; return the last line that it wrote to stderr."""
    before = size(journal)
    process = start(site, journal, count, before + share + random.randrange(300) if kind == "file size" else 0)
    if kind != "file size":
        while size(journal) < before + share and process.poll() is None:
            time.sleep(0.002)
        time.sleep(random.random() * 0.02)
        process.send_signal(signal.SIGKILL if kind == "kill -9" else signal.SIGINT)
    error = process.communicate(timeout=300)[1]
    finished = {str(outcome.prompt) for outcome in read_journal(journal) if is_final(outcome.error)}
    site.forbidden = finished
    return error.strip().rpartition("\n")[2]


def run(kind: str, count: int) -> None:
    """Interrupt ten times, then finish; print what came of it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        CountingService(lambda: random.random() * 0.02, failures=0.02, refusals=0.01, retry_after="0.05") as site,
    ):
        journal = Path(folder) / "journal.jsonl"
        share = count * 300 // (TIMES + 2)  # bytes of the journal between two interruptions
        lasts = [interrupt(kind, site, journal, count, share) for _ in range(TIMES)]
        torn = sum(1 for line in journal.read_bytes().split(b"\n")[:-1] if not line.endswith(b"}"))
        runs = 0
        while len(site.forbidden) < count and runs < 20:
            process = start(site, journal, count)
            assert process.wait(600) == 0, process.communicate()
            site.forbidden = {str(outcome.prompt) for outcome in read_journal(journal) if is_final(outcome.error)}
            runs += 1
        final = [outcome for outcome in read_journal(journal) if is_final(outcome.error)]
        records = sum(1 for line in journal.read_bytes().split(b"\n") if b'"done":true' in line[:60])
    print(
        f"{kind:>9}: {len(final)} of {count} prompts finished, {records} finished records, after {TIMES} interruptions "
        f"and {runs} runs to the end; asked after its record: {len(site.violations)}; torn lines inside: {torn}; "
        f"requests: {sum(site.asked.values())}"
    )
    said = next(filter(None, lasts), "")
    print(
        f"           {sum(map(bool, lasts))} runs wrote a last line, such as {said.replace(str(journal), 'JOURNAL')!r}"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        os.environ.pop("PYTHONWARNINGS", None)
        for one in KINDS:
            run(one, int(sys.argv[1]) if sys.argv[1:] else 2000)
