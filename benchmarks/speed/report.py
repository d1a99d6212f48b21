"""Writes the table: medians with their spread, ratios, what must hold and what is aimed at."""

import os
import platform
import statistics
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.speed.collect import OURS, Results, Seconds
from benchmarks.speed.growth import CURVES, Growth, find_exponent
from benchmarks.speed.rows import ROWS, Row

__all__ = ["compute_ratio", "make_growth_table", "make_table", "median", "write_document"]

_BEGIN, _END = "<!-- begin {} -->", "<!-- end {} -->"


def _pick(row: Row, seconds: Sequence[Seconds], *, wall: bool | None = None) -> list[float]:
    use_wall = row.wall if wall is None else wall
    return [one[use_wall] for one in seconds]


def median(row: Row, results: Results, client: str) -> float | None:
    """Return the median in the row's unit; ``None`` where it was not measured."""
    seconds = results.seconds.get(row.key, {}).get(client)
    return statistics.median(_pick(row, seconds)) * row.scale if seconds else None


def compute_ratio(row: Row, results: Results, client: str = OURS, *, wall: bool | None = None) -> float | None:
    """Return the median over the rounds of a client's ratio to what the row stands beside."""
    if not row.beside:
        return median(row, results, client)
    ours = results.seconds.get(row.key, {}).get(client)
    theirs = _find_beside(row, results)
    if not ours or not theirs:
        return None
    pairs = zip(_pick(row, ours, wall=wall), _pick(row, theirs, wall=wall), strict=False)
    return statistics.median(their / own if row.rate else own / their for own, their in pairs)


def _find_beside(row: Row, results: Results) -> list[Seconds] | None:
    if row.beside in results.seconds:  # another row, of this library
        return results.seconds[row.beside].get(OURS)
    return results.seconds.get(row.key, {}).get(row.beside)


def _spread(row: Row, results: Results, client: str) -> str:
    seconds = results.seconds.get(row.key, {}).get(client)
    if not seconds:
        return ""
    values = sorted(value * row.scale for value in _pick(row, seconds))
    quartiles = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
    return f"{_write(quartiles[1])} ({_write(quartiles[0])}–{_write(quartiles[2])})"


def _write(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _verdict(row: Row, ratio: float | None) -> str:
    if ratio is None or row.must is None or row.aim is None:
        return ""
    rank = [row.aim, row.must]
    holds = [ratio >= limit if row.rate else ratio <= limit for limit in rank]
    return "aim" if holds[0] else "must" if holds[1] else "**misses**"


def make_table(results: Results) -> Iterator[str]:
    """Yield the lines of two Markdown tables: this library beside its measure, and every client."""
    yield "| | median (quartiles) | beside | ratio | by the wall clock | must | aim | holds |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in ROWS:
        if row.key in results.seconds:
            yield _make_row(row, results)
    yield ""
    clients = [name for name in _list_clients(results) if name not in ("click",)]
    rows = [row for row in ROWS if len(results.seconds.get(row.key, {})) > 2]
    yield "| ratio to bare requests | " + " | ".join(clients) + " |"
    yield "|---" * (len(clients) + 1) + "|"
    for row in rows:
        ratios = (compute_ratio(row, results, client) for client in clients)
        yield f"| {row.title.rpartition(',')[0]} | " + " | ".join(map(_write, ratios)) + " |"


def _make_row(row: Row, results: Results) -> str:
    ratio = compute_ratio(row, results)
    beside = _find_beside(row, results)
    their = _write(statistics.median(_pick(row, beside)) * row.scale) if beside else ""
    wall = "" if not row.beside else _write(compute_ratio(row, results, wall=True))
    sign = "≥" if row.rate else "≤"
    cells = [
        row.title,
        _spread(row, results, OURS),
        f"{row.beside} {their}".strip(),
        _write(ratio),
        wall,
        f"{sign} {row.must}",
        f"{sign} {row.aim}",
        _verdict(row, ratio),
    ]
    return "| " + " | ".join(cells) + " |"


def _list_clients(results: Results) -> list[str]:
    return list(dict.fromkeys(client for row in results.seconds.values() for client in row))


def make_growth_table(growth: Growth) -> Iterator[str]:
    """Yield the lines of a Markdown table: each curve at its ends, and the exponent of its growth."""
    if not growth:
        return
    yield "| | along | from | to | exponent | exponent of bare requests |"
    yield "|---|---|---|---|---|---|"
    for curve in CURVES:
        points, theirs = growth[curve.key][OURS], growth[curve.key].get("requests")
        ends = [f"{_write(value)} at {size:,}".replace(",", " ") for size, value in (points[0], points[-1])]
        exponents = [f"{find_exponent(one):.2f}" if one else "" for one in (points, theirs)]
        yield f"| {curve.title} | {curve.along} | " + " | ".join([*ends, *exponents]) + " |"


def write_document(results: Results, growth: Growth, path: Path) -> None:
    """Replace the tables in the document; what stands around them is written by hand."""
    text = path.read_text(encoding="utf-8")
    text = _replace(text, "table", make_table(results))
    text = _replace(text, "growth", make_growth_table(growth))
    path.write_text(_replace(text, "machine", _describe_machine()), encoding="utf-8")


def _replace(text: str, name: str, lines: Iterable[str]) -> str:
    begin, end = _BEGIN.format(name), _END.format(name)
    before, _, rest = text.partition(begin)
    return "\n".join([before + begin, "", *lines, "", end + rest.partition(end)[2]])


def _describe_machine() -> Iterator[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in ("requests", "urllib3", "pluggy", "click"))
    yield f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} processors; {packages}."
