"""Streams that are left in the middle: open sockets, threads and memory at the start, on the way and at the end.

Run ``python benchmarks/aborted_streams.py [count]``; everything is sent to loopback. The site runs in the same process
with one thread a connection, so its sockets and threads are counted, too.
"""

import gc
import os
import sys
import threading
import time
from collections.abc import Callable

from providers_sdk import Client, Reply
from providers_sdk.testing.faults import FAULTS
from providers_sdk_plugins.fakes.aipower import AIPowerSite

MARKS = 5
WARM_UP = 200


class _Impatient(Exception):
    """The consumer's own."""


def by_break(reply: Reply) -> None:
    """Leave the loop."""
    for _ in reply:
        break


def by_close(reply: Reply) -> None:
    """Close it."""
    next(reply)
    reply.close()


def by_with(reply: Reply) -> None:
    """Raise in the middle of a ``with`` block."""
    try:
        with reply:
            next(reply)
            raise _Impatient
    except _Impatient:
        return


def by_forgetting(reply: Reply) -> None:
    """Drop it without having read any of it."""


def by_chunks(reply: Reply) -> None:
    """Leave the loop over its chunks after the second."""
    for index, _ in enumerate(reply.chunks()):
        if index:
            break


WAYS: tuple[Callable[[Reply], None], ...] = (by_break, by_close, by_with, by_forgetting, by_chunks)
STATES = ("stall_midway", "comments_midway", "endless_deltas")


def abort(client: Client, site: AIPowerSite, index: int) -> None:
    """Ask, and leave the answer in one of the ways while the site is in one of the states."""
    site.requests.clear()  # its notes would be taken for the client's leak
    site.sent_at.clear()
    site.fault = FAULTS[STATES[index % len(STATES)]]
    WAYS[index % len(WAYS)](client.chat("hi"))


def settle(site: AIPowerSite) -> None:
    """Wait until the site has noticed that its clients are gone."""
    ends = time.monotonic() + 10
    while site.open_connections and time.monotonic() < ends:
        time.sleep(0.01)


def resident() -> float:
    """Return the megabytes of memory in use; -1 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return -1.0


def report(done: int, site: AIPowerSite, started: float) -> tuple[int, int, int]:
    """Print one line; return the counts."""
    settle(site)
    gc.collect()
    counts = site.open_connections, len(os.listdir("/dev/fd")), threading.active_count()
    seconds = time.monotonic() - started
    print(("{:>10}" * 6).format(done, *counts, f"{resident():.1f}", f"{seconds:.1f}"), flush=True)
    return counts


def main(count: int) -> int:
    """Print the figures; return 1 if anything has grown but memory."""
    print(("{:>10}" * 6).format("aborted", "sockets", "files", "threads", "MB", "seconds"))
    site = AIPowerSite()
    with site, Client("chatgptfree", settings={"chatgptfree": site.client_settings()}, proxy="") as client:
        for index in range(min(WARM_UP, count)):
            abort(client, site, index)
        started = time.monotonic()
        before = report(0, site, started)
        for index in range(count):
            abort(client, site, index)
            if (index + 1) % max(count // (MARKS - 1), 1) == 0:
                after = report(index + 1, site, started)
    return int(any(late > early for early, late in zip(before, after, strict=True)))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
