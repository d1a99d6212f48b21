"""Measure the speed of this library beside bare requests, a raw socket and every other client that is installed.

Run ``python -m benchmarks`` in the project's folder. It prints a table; ``--write`` puts it and the pictures into
``docs/benchmarks.md``. Everything is sent to loopback, to a server in another process.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.speed.collect import Results, collect
from benchmarks.speed.growth import Growth, collect_growth
from benchmarks.speed.processes import ROOT
from benchmarks.speed.report import make_growth_table, make_table, write_document
from benchmarks.speed.rows import ROWS


def parse_arguments() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds of the table (9)")
    parser.add_argument("--growth", type=int, default=3, help="rounds of the growth curves (3); 0 leaves them out")
    parser.add_argument("--rows", nargs="*", default=(), choices=[row.key for row in ROWS], metavar="ROW")
    parser.add_argument("--clients", nargs="*", default=(), metavar="CLIENT")
    parser.add_argument("--peers-python", metavar="PYTHON", help="the Python that has the other clients")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep what was measured")
    parser.add_argument("--load", type=Path, metavar="FILE", help="measure nothing; take what was kept")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md and its pictures")
    return parser.parse_args()


def measure(asked: argparse.Namespace) -> tuple[Results, Growth]:
    """Return what was measured, now or before."""
    if asked.load:
        kept: dict[str, Any] = json.loads(asked.load.read_text(encoding="utf-8"))
        return Results(**kept["results"]), kept["growth"]
    results = collect(asked.rounds, rows=asked.rows, clients=asked.clients, peers=asked.peers_python)
    return results, collect_growth(asked.growth, asked.peers_python) if asked.growth else {}


def main() -> None:
    """Measure and print."""
    asked = parse_arguments()
    results, growth = measure(asked)
    if asked.save:
        asked.save.write_text(json.dumps({"results": asdict(results), "growth": growth}), encoding="utf-8")
    print("\n".join([*make_table(results), "", *make_growth_table(growth)]))
    for name, reason in results.missing.items():
        print(f"left out: {name}: {reason}")
    if asked.write:
        from benchmarks.speed.pictures import draw_bars, draw_growth

        write_document(results, growth, ROOT / "docs" / "benchmarks.md")
        draw_bars(results, ROOT / "docs" / "benchmarks-bars.svg")
        draw_growth(growth, ROOT / "docs" / "benchmarks-growth.svg")


if __name__ == "__main__":
    main()
