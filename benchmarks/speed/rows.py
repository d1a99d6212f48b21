"""The rows of the table as data: what is measured, against what, and what it must and should be."""

from dataclasses import dataclass
from typing import Any

__all__ = ["ROWS", "SLOW", "Row"]

SLOW = ("openai", "httpx-sse", "litellm", "llm", "g4f")
"""Clients that are measured with a tenth of the repetitions: they need as long for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row.

    :param key: names it in the data and in ``--rows``.
    :param title: what is measured, with the unit.
    :param scale: by which seconds are multiplied for that unit.
    :param beside: what it is divided by: the name of a client, or of a command.
    :param must: the ratio that has to hold; ``aim`` is the one to reach.
    :param measure: the arguments of the worker's measurement; empty for one that starts a process.
    :param command: the arguments of the command ``providers``, or what another process row does.
    :param plugins: how many more plugins are installed.
    :param wall: whether the wall clock counts, instead of the processor's time.
    :param rate: whether the ratio is of rates, so that more is better.
    """

    key: str
    title: str
    scale: float
    beside: str = "requests"
    must: float | None = None
    aim: float | None = None
    measure: tuple[Any, ...] = ()
    command: tuple[str, ...] = ()
    plugins: int = 0
    wall: bool = False
    rate: bool = False


ROWS = (
    Row(key="import", title="import, ms", scale=1e3, must=0.12, aim=0.10, command=("import",)),
    Row(key="cold", title="cold process to the first delta, ms", scale=1e3, must=1.4, aim=1.2, command=("cold",)),
    Row(
        key="blocks",
        title="a delta, 16 kB HTTP chunks, µs",
        scale=1e6,
        must=1.45,
        aim=1.3,
        measure=("deltas", "blocks", 20_000),
    ),
    Row(
        key="events",
        title="a delta, one HTTP chunk an event, µs",
        scale=1e6,
        must=1.6,
        aim=1.4,
        measure=("deltas", "events", 20_000),
    ),
    Row(
        key="call",
        title="a call of 50 deltas, µs",
        scale=1e6,
        must=1.15,
        aim=0.95,
        measure=("calls", "events-50", 150),
    ),
    Row(key="first", title="first delta, warm, µs", scale=1e6, must=0.9, aim=0.75, measure=("first", "events-50", 150)),
    Row(
        key="whole",
        title="round trip, not streamed, µs",
        scale=1e6,
        must=1.0,
        aim=0.9,
        measure=("whole", "whole-50", 150),
    ),
    Row(
        key="threads",
        title="32 threads, a call of 50 deltas, µs",
        scale=1e6,
        must=0.8,
        aim=0.95,
        measure=("threads", "events-50", 32, 20),
        wall=True,
        rate=True,
    ),
    Row(
        key="memory",
        title="memory grown over 1 000 000 deltas of 8 characters, MB",
        scale=1e-6,
        beside="",
        must=16,
        aim=12,
        measure=("memory", "events-1000000", 0),
    ),
    Row(
        key="version",
        title="`providers --version`, ms",
        scale=1e3,
        beside="click",
        must=1.4,
        aim=1.15,
        command=("--version",),
    ),
    Row(key="help", title="`providers --help`, ms", scale=1e3, beside="click", must=1.7, aim=1.3, command=("--help",)),
    Row(
        key="echo",
        title="`providers chat -p echo hi`, ms",
        scale=1e3,
        beside="click",
        must=2.5,
        aim=2.1,
        command=("chat", "-p", "echo", "--no-stdin", "hi"),
    ),
    Row(
        key="echo300",
        title="the same with 300 more plugins, ms",
        scale=1e3,
        beside="echo",
        must=1.15,
        aim=1.05,
        command=("chat", "-p", "echo", "--no-stdin", "hi"),
        plugins=300,
    ),
    Row(key="list", title="`providers list`, ms", scale=1e3, beside="click", must=3.3, aim=2.8, command=("list",)),
    Row(
        key="list300",
        title="`providers list` with 300 more plugins, ms",
        scale=1e3,
        beside="click",
        must=9,
        aim=6,
        command=("list",),
        plugins=300,
    ),
)
