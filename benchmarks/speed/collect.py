"""Measures the rows in interleaved rounds, so that a slow moment of the machine hits everyone alike."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from benchmarks.speed.clients import CLIENTS
from benchmarks.speed.processes import Place, Worker, run_server
from benchmarks.speed.rows import ROWS, SLOW, Row

__all__ = ["OURS", "Results", "collect"]

OURS = "providers-sdk"
Seconds = tuple[float, float]
_FRESH = ("memory",)  # rows that need a process in which nothing has run yet
_LEFT_OUT = (("import", "providers-sdk[fast]"), ("threads", "socket"))  # it is the same; threads cannot share it


@dataclass
class Results:
    """What was measured.

    :param seconds: row → client → what each round measured: of the processor, and by the wall clock.
    :param missing: client → why it was left out.
    """

    seconds: dict[str, dict[str, list[Seconds]]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, row: str, client: str, seconds: Seconds) -> None:
        """Keep one measurement."""
        self.seconds.setdefault(row, {}).setdefault(client, []).append(seconds)


class _Bench:
    """The server and a worker for each client."""

    def __init__(self, place: Place, url: str, clients: Iterable[str], results: Results, stack: ExitStack) -> None:
        self.place, self.url, self.results = place, url, results
        self.workers: dict[str, Worker] = {}
        for client in clients:
            try:
                self.workers[client] = Worker(place, client, url)
                stack.callback(self.workers[client].close)
            except RuntimeError as error:
                results.missing[client] = str(error)

    def steps(self, row: Row, number: int) -> Iterator[tuple[str, Callable[[], Seconds]]]:
        """Yield who is measured for ``row`` in the round ``number``, and how."""
        for client in self.workers if row.measure or row.command in (("import",), ("cold",)) else ():
            slow = client in SLOW
            if slow and (number > 2 or row.key == "memory"):
                continue
            if (row.key, client) not in _LEFT_OUT:
                yield client, partial(self._measure, row, client)
        if row.command and row.command not in (("import",), ("cold",)):
            yield OURS, partial(self.place.measure_command, row.command, row.plugins)
            if row.beside == "click":
                yield "click", self.place.measure_click

    def _measure(self, row: Row, client: str) -> Seconds:
        if row.command == ("import",):
            return self.place.measure_import(client)
        if row.command == ("cold",):
            return self.place.measure_cold(client, self.url)
        *arguments, count = row.measure
        repeats = max(count // 10, 1) if client in SLOW else count
        if row.key not in _FRESH:
            return self.workers[client].measure(*arguments, repeats)
        worker = Worker(self.place, client, self.url)
        try:
            return worker.measure(*arguments, repeats)
        finally:
            worker.close()


def collect(rounds: int, *, rows: Iterable[str] = (), clients: Iterable[str] = (), peers: str | None = None) -> Results:
    """Measure, and return what was measured.

    :param rows: keys of the rows; all where none is given.
    :param clients: all where none is given.
    :param peers: the Python that has the other clients.
    """
    results, wanted = Results(), set(rows)
    chosen = [row for row in ROWS if not wanted or row.key in wanted]
    with ExitStack() as stack:
        place, url = stack.enter_context(Place.make(peers)), stack.enter_context(run_server())
        bench = _Bench(place, url, list(clients) or CLIENTS, results, stack)
        for number in range(rounds):
            for row in chosen:
                for client, measure in bench.steps(row, number):
                    _add(results, row, client, measure)
            print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return results


def _add(results: Results, row: Row, client: str, measure: Callable[[], Seconds]) -> None:
    try:
        results.add(row.key, client, measure())
    except RuntimeError as error:
        results.missing[f"{client}: {row.key}"] = str(error)
