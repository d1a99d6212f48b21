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

from providers_sdk import Client, Reply
from providers_sdk.errors import Closed
from providers_sdk_plugins.fakes.openai import OpenAISite

CALLERS = 4
CLOSERS = 4
LAST = "Diavola."
SPREAD = 0.0005


def read(reply: Reply, near_end: threading.Event) -> None:
    """Read a reply that another thread closes: its text or ``Closed``, nothing else."""
    try:
        for piece in reply:
            if piece.endswith(LAST):
                near_end.set()
    except Closed:
        return
    finally:
        near_end.set()


def close_others(client: Client, seed: int, stop: threading.Event, failures: Counter[str]) -> int:
    """Close replies around their last byte until ``stop``; return how many."""
    closed, choose = 0, random.Random(seed).random
    with ThreadPoolExecutor(1) as reader:
        while not stop.is_set():
            near_end = threading.Event()
            try:
                reply = client.chat("hi")
                reading = reader.submit(read, reply, near_end)
                near_end.wait()
                spin(choose() * SPREAD)
                reply.close()
                reading.result()
            except Exception as error:  # noqa: BLE001  whatever it is, it is the result
                failures[f"beside a close: {type(error).__name__}: {str(error)[-80:]}"] += 1
            closed += 1
    return closed


def spin(seconds: float) -> None:
    """Wait without sleeping: a sleep lasts too long to meet the last byte."""
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        pass


def ask(client: Client, calls: int, failures: Counter[str]) -> None:
    """Ask ``calls`` times; note what fails."""
    for _ in range(calls):
        try:
            text = client.chat("hi").text
            failures["another text"] += not text.endswith(LAST)
        except Exception as error:  # noqa: BLE001  whatever it is, it is the result
            failures[f"{type(error).__name__}: {str(error)[-80:]}"] += 1


def main(calls: int) -> int:
    """Print the figures; return 1 if a call failed."""
    sys.setswitchinterval(1e-5)  # threads take turns more often, and so at more places
    stop, failures, started = threading.Event(), Counter[str](), time.monotonic()
    with OpenAISite() as site, ThreadPoolExecutor(CALLERS + CLOSERS) as threads:
        settings = {"openai": site.client_settings()}
        with Client("openai", settings=settings, proxy="", retries=0) as client:
            closing = [threads.submit(close_others, client, seed, stop, failures) for seed in range(CLOSERS)]
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
