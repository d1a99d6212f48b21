"""Measures one client in a process of its own: ``python -m benchmarks.speed.worker CLIENT URL``.

It reads one measurement a line, ``["calls", "events-50", 20]``, and prints its seconds: of the processor, and by the
wall clock. The processor's do not grow with what else the machine does, so ratios are taken of them.
"""

import gc
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.speed.clients import Asker, make_client

Seconds = tuple[float, float]
"""Of the processor, and by the wall clock."""


def _now() -> Seconds:
    return time.process_time(), time.perf_counter()


def _since(start: Seconds, count: int = 1) -> Seconds:
    cpu, wall = _now()
    return (cpu - start[0]) / count, (wall - start[1]) / count


def _drain(stream: Iterator[str]) -> int:
    return sum(1 for text in stream if text)


def measure_deltas(client: Asker, shape: str, count: int) -> Seconds:
    """Return the seconds of one delta in a stream of ``count``."""
    start = _now()
    read = _drain(client.stream(f"{shape}-{count}"))
    seconds = _since(start, count)
    if read != count:
        raise ValueError(f"{read} of {count} deltas arrived")
    return seconds


def measure_calls(client: Asker, model: str, count: int) -> Seconds:
    """Return the seconds of one streamed call, read to its end."""
    start = _now()
    for _ in range(count):
        _drain(client.stream(model))
    return _since(start, count)


def measure_first(client: Asker, model: str, count: int) -> Seconds:
    """Return the seconds until a call's first delta, on a connection that is there."""
    cpu = wall = 0.0
    for _ in range(count):
        start = _now()
        stream = client.stream(model)
        next(text for text in stream if text)
        seconds = _since(start)
        cpu, wall = cpu + seconds[0], wall + seconds[1]
        _drain(stream)
    return cpu / count, wall / count


def measure_whole(client: Asker, model: str, count: int) -> Seconds:
    """Return the seconds of one whole answer."""
    start = _now()
    for _ in range(count):
        client.ask(model)
    return _since(start, count)


def measure_threads(client: Asker, model: str, threads: int, count: int) -> Seconds:
    """Return the seconds of one streamed call where ``threads`` threads make ``count`` calls each at the same time."""

    def work() -> None:
        for _ in range(count):
            _drain(client.stream(model))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    start = _now()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return _since(start, threads * count)


def measure_memory(client: Asker, model: str, _: int) -> Seconds:
    """Return by how many bytes the process has grown when a long stream has been read, twice."""
    _drain(client.stream("events-50"))
    gc.collect()
    before, most = _resident(), 0
    for index, _text in enumerate(client.stream(model)):
        if index % 20_000 == 0:
            most = max(most, _resident())
    grown = float(max(most, _resident()) - before)
    return grown, grown


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure_prompt(client: Asker, size: int, count: int) -> Seconds:
    """Return the seconds of a call with a prompt of ``size`` characters."""
    prompt = "word " * (size // 5)
    start = _now()
    for _ in range(count):
        _drain(client.stream("events-50", prompt))
    return _since(start, count)


def measure_history(client: Asker, turns: int, count: int) -> Seconds:
    """Return the seconds of a call with a history of ``turns`` messages."""
    messages = [{"role": "assistant" if turn % 2 else "user", "content": f"turn {turn}"} for turn in range(turns - 1)]
    messages.append({"role": "user", "content": "the last one"})
    start = _now()
    for _ in range(count):
        _drain(client.stream("events-50", messages))
    return _since(start, count)


def measure_page(client: Asker, size: int, count: int) -> Seconds:
    """Return the seconds of fetching and parsing a page of ``size`` bytes; only this library has pages."""
    client.fetch_page(1_000)  # type: ignore[attr-defined]  # the parser is loaded once
    start = _now()
    for _ in range(count):
        client.fetch_page(size)  # type: ignore[attr-defined]
    return _since(start, count)


MEASURES: dict[str, Callable[..., Seconds]] = {
    name.removeprefix("measure_"): value for name, value in list(globals().items()) if name.startswith("measure_")
}


def main(name: str, url: str) -> int:
    """Answer one measurement a line until standard input ends."""
    try:
        client = make_client(name, url)
        _drain(client.stream("events-50"))
        client.ask("whole-50")
    except Exception as error:  # noqa: BLE001  a client that cannot be measured is left out, with the reason
        print(json.dumps({"error": f"{type(error).__name__}: {str(error)[:200]}"}), flush=True)
        return 1
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(_answer(client, json.loads(line))), flush=True)
    return 0


def _answer(client: Asker, request: list[Any]) -> Any:
    gc.collect()
    try:
        return MEASURES[request[0]](client, *request[1:])
    except Exception as error:  # noqa: BLE001  one row fails, the others go on
        return {"error": f"{type(error).__name__}: {str(error)[:200]}"}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
