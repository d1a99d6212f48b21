"""Calls beside threads that close other replies near their end: none of the calls may fail.

Run ``python benchmarks/closing_replies.py [calls]``; everything is sent to loopback. A closing thread has a reply read
by another thread and closes it around its last byte, which is when its connection goes back to the pool.
"""

import random
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from providers_sdk import Client, Closed, ProviderError, Reply
from providers_sdk_plugins.fakes.openai import OpenAISite

CALLERS = 4
CLOSERS = 4


def read(reply: Reply) -> None:
    """Read a reply that another thread closes: its text or ``Closed``, nothing else."""
    try:
        assert reply.text
    except Closed:
        return


def close_others(client: Client, stop: threading.Event, failures: Counter[str]) -> int:
    """Close replies around their last byte until ``stop``; return how many."""
    closed, spread, choose = 0, 0.001, random.Random(closed_seed()).random
    with ThreadPoolExecutor(1) as reader:
        while not stop.is_set():
            try:
                reply = client.chat("hi")
                reading = reader.submit(read, reply)
                time.sleep(choose() * spread)
                reply.close()
                reading.result()
            except ProviderError as error:
                failures[f"closing thread: {type(error).__name__}: {error.message[-80:]}"] += 1
            closed += 1
    return closed


_seeds = iter(range(1_000))


def closed_seed() -> int:
    """Return a number of the thread's own."""
    return next(_seeds)


def ask(client: Client, calls: int, failures: Counter[str]) -> None:
    """Ask ``calls`` times; note what fails."""
    for _ in range(calls):
        try:
            text = client.chat("hi").text
            failures["another text"] += text != "Margherita, Funghi and Diavola."
        except Exception as error:  # noqa: BLE001  whatever it is, it is the result
            failures[f"{type(error).__name__}: {str(error)[-80:]}"] += 1


def main(calls: int) -> int:
    """Print the figures; return 1 if a call failed."""
    stop, failures, started = threading.Event(), Counter[str](), time.monotonic()
    with OpenAISite() as site, ThreadPoolExecutor(CALLERS + CLOSERS) as threads:
        settings = {"openai": site.client_settings()}
        with Client("openai", settings=settings, proxy="", retries=0) as client:
            closing = [threads.submit(close_others, client, stop, failures) for _ in range(CLOSERS)]
            asking = [threads.submit(ask, client, calls // CALLERS, failures) for _ in range(CALLERS)]
            for each in asking:
                each.result()
            stop.set()
            closed = sum(each.result() for each in closing)
        connections = site.connections
    failed = +failures
    print(f"{calls} calls, {closed} replies closed, {connections} connections, {time.monotonic() - started:.1f} s")
    print(f"failed: {sum(failed.values())}", *(f"{count:>6}  {what}" for what, count in failed.most_common()), sep="\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 25_000))
