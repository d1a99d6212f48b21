"""Draws the pictures as SVG with matplotlib: a well-kept library draws scales, ticks and legends better than own code.

They hold text as text and no date, so that a picture changes only with its numbers.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.speed.collect import OURS, Results
from benchmarks.speed.growth import CURVES, Growth, find_exponent
from benchmarks.speed.report import compute_ratio
from benchmarks.speed.rows import ROWS

__all__ = ["draw_bars", "draw_growth"]

_SHOWN = ("import", "cold", "blocks", "events", "call", "first", "whole")
_COLOURS = {OURS: "#1b6ca8", "providers-sdk[fast]": "#6fb1e0", "requests": "#444444", "socket": "#aaaaaa"}
_OTHERS = ("#d1495b", "#edae49", "#66a182", "#8d6a9f", "#b08968")
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "benchmarks",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
}


def draw_bars(results: Results, path: Path) -> None:
    """Draw each client's ratio to bare requests, one panel a row, on a log scale."""
    import matplotlib.pyplot as plt

    rows = [row for row in ROWS if row.key in _SHOWN and row.key in results.seconds]
    with plt.rc_context(_STYLE):
        figure, axes = plt.subplots(len(rows), 1, figsize=(7.5, 1.75 * len(rows)), sharex=True, layout="constrained")
        for row, axis in zip(rows, axes, strict=True):
            ratios = {client: compute_ratio(row, results, client) for client in results.seconds[row.key]}
            found = {client: ratio for client, ratio in ratios.items() if ratio is not None}
            _draw_panel(axis, row.title.rpartition(",")[0], found)
        axes[-1].set_xlabel("times bare requests (log scale; less is better)")
        _save(figure, path)


def _draw_panel(axis: Any, title: str, ratios: Mapping[str, float]) -> None:
    clients = sorted(ratios, key=ratios.__getitem__, reverse=True)
    others = dict(zip(sorted(set(clients) - set(_COLOURS)), _OTHERS, strict=False))
    bars = axis.barh(clients, [ratios[client] for client in clients], height=0.7)
    for client, bar in zip(clients, bars, strict=True):
        bar.set_color(_COLOURS.get(client, others.get(client, "#999999")))
    axis.bar_label(bars, labels=[_write(ratios[client]) for client in clients], padding=3, fontsize=8)
    axis.set_xscale("log")
    axis.axvline(1, color="#444444", linewidth=0.8, linestyle=":")
    axis.set_title(title, loc="left", fontsize=9, fontweight="bold")
    axis.margins(x=0.12)


def _write(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}"


def draw_growth(growth: Growth, path: Path) -> None:
    """Draw each curve on two log scales, with the exponent of its growth."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    curves = [curve for curve in CURVES if curve.key in growth]
    with plt.rc_context(_STYLE):
        figure, axes = plt.subplots(len(curves) // 2, 2, figsize=(8.5, 2.7 * (len(curves) // 2)), layout="constrained")
        for curve, axis in zip(curves, axes.flat, strict=True):
            for client, points in growth[curve.key].items():
                shown = [(size or 1, value) for size, value in points]
                exponent = find_exponent(points)
                axis.plot(*zip(*shown, strict=True), marker="o", markersize=3, color=_COLOURS[client],
                          label=f"{client} (exponent {exponent:.2f})")  # fmt: skip
            axis.set(xscale="log", yscale="log", xlabel=curve.along, ylabel=curve.title.replace("`", ""))
            axis.yaxis.set_minor_formatter(NullFormatter())
            low, high = axis.get_ylim()
            axis.set_ylim(low / 2, high * 3)
            axis.legend(frameon=False, fontsize=7, loc="upper left")
        _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    text = path.read_text(encoding="utf-8")
    path.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", encoding="utf-8")
