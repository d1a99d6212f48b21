"""How the cost grows with what grows: deltas, threads, plugins, prompt, history, page."""

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.speed.processes import Place, Worker, run_server

__all__ = ["CURVES", "Curve", "collect_growth", "find_exponent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One curve.

    :param key: names it in the data.
    :param title: what is measured, with the unit.
    :param along: what grows.
    :param sizes: of what grows.
    :param scale: by which seconds are multiplied for the unit.
    :param measure: returns the seconds at one size.
    :param clients: who is measured.
    :param wall: whether the wall clock counts.
    """

    key: str
    title: str
    along: str
    sizes: Sequence[int]
    scale: float
    measure: "Callable[[_Bench, str, int], tuple[float, float]]"
    clients: Sequence[str] = ("providers-sdk", "requests")
    wall: bool = False


class _Bench:
    def __init__(self, place: Place, url: str) -> None:
        self.place = place
        self.workers = {client: Worker(place, client, url) for client in ("providers-sdk", "requests")}

    def ask(self, client: str, *arguments: object) -> tuple[float, float]:
        return self.workers[client].measure(*arguments)


def _repeats(size: int, most: int) -> int:
    return max(most // size, 1)


CURVES = (
    Curve(
        key="deltas",
        title="a delta, µs",
        along="deltas of a stream, one HTTP chunk an event",
        sizes=(100, 1_000, 10_000, 100_000, 1_000_000),
        scale=1e6,
        measure=lambda bench, client, size: bench.ask(client, "deltas", "events", size),
    ),
    Curve(
        key="threads",
        title="a call of 50 deltas, µs",
        along="threads",
        sizes=(1, 2, 4, 8, 16, 32, 64),
        scale=1e6,
        measure=lambda bench, client, size: bench.ask(client, "threads", "events-50", size, _repeats(size, 320)),
        wall=True,
    ),
    Curve(
        key="plugins",
        title="`providers chat -p echo hi`, ms",
        along="more plugins that are installed",
        sizes=(0, 10, 100, 300, 1_000),
        scale=1e3,
        measure=lambda bench, _, size: bench.place.measure_command(("chat", "-p", "echo", "--no-stdin", "hi"), size),
        clients=("providers-sdk",),
    ),
    Curve(
        key="prompt",
        title="a call of 50 deltas, ms",
        along="characters of the prompt",
        sizes=(1_000, 10_000, 100_000, 1_000_000, 8_000_000),  # no more may be sent
        scale=1e3,
        measure=lambda bench, client, size: bench.ask(client, "prompt", size, _repeats(size, 100_000)),
    ),
    Curve(
        key="history",
        title="a call of 50 deltas, ms",
        along="turns of the history",
        sizes=(10, 100, 1_000, 10_000, 100_000),
        scale=1e3,
        measure=lambda bench, client, size: bench.ask(client, "history", size, _repeats(size, 1_000)),
    ),
    Curve(
        key="page",
        title="a page fetched and parsed, ms",
        along="bytes of the page",
        sizes=(20_000, 60_000, 200_000, 600_000, 2_000_000),
        scale=1e3,
        measure=lambda bench, client, size: bench.ask(client, "page", size, _repeats(size, 200_000)),
        clients=("providers-sdk",),
    ),
)

Growth = dict[str, dict[str, list[tuple[int, float]]]]
"""Curve → client → size and the median at it, in the curve's unit."""


def collect_growth(rounds: int, peers: str | None = None) -> Growth:
    """Measure the curves, in interleaved rounds."""
    found: dict[tuple[str, str, int], list[float]] = {}
    with Place.make(peers) as place, run_server() as url:
        bench = _Bench(place, url)
        try:
            for _ in range(rounds):
                for curve, client, size in _list_points():
                    seconds = curve.measure(bench, client, size)[curve.wall]
                    found.setdefault((curve.key, client, size), []).append(seconds * curve.scale)
        finally:
            for worker in bench.workers.values():
                worker.close()
    growth: Growth = {}
    for (key, client, size), values in found.items():
        growth.setdefault(key, {}).setdefault(client, []).append((size, statistics.median(values)))
    return growth


def _list_points() -> Iterator[tuple[Curve, str, int]]:
    for curve in CURVES:
        for size in curve.sizes:
            for client in curve.clients:
                yield curve, client, size


def find_exponent(points: Sequence[tuple[int, float]]) -> float:
    """Return the exponent of growth over the larger half of the sizes: 0 is flat, 1 linear, 2 quadratic."""
    upper = [(math.log(size), math.log(value)) for size, value in points if size > 0][-3:]
    xs, ys = [x for x, _ in upper], [y for _, y in upper]
    return statistics.linear_regression(xs, ys).slope
