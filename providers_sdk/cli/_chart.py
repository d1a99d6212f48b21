"""Lays out the chart of a report: two columns, time going down, each point with its label beside it.

Points that are close in time would have their labels on top of one another: a label is moved down until it is clear of
the one above, and a line leads from it to its point.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from providers_sdk.cli._timeline import Timeline

__all__ = ["Chart", "Point", "draw_chart"]

_TOP = 40.0
_ROW = 20.0
_SECOND = 340.0
"""Height of a second; a longer answer is drawn to a smaller scale."""
_MOST = 900.0


@dataclass(frozen=True, slots=True)
class Point:
    """A piece that was sent, or a chunk that arrived.

    :param at: seconds since the question was asked.
    :param y: where the point is; ``label_y`` is the middle of its label.
    """

    at: float
    label: str
    y: float
    label_y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The points of both columns, and the height that they take."""

    sent: tuple[Point, ...]
    arrived: tuple[Point, ...]
    height: float


def draw_chart(timeline: Timeline) -> Chart:
    """Return the layout of ``timeline``."""
    scale = min(_SECOND, _MOST / (timeline.seconds or 1))
    sent = tuple(_place(timeline.sent, timeline.sent_labels, scale))
    arrived = tuple(_place(timeline.arrived, timeline.arrived_labels, scale))
    lowest = max((point.label_y for point in (*sent, *arrived)), default=_TOP)
    return Chart(sent, arrived, lowest + _ROW)


def _place(times: Sequence[float], labels: Sequence[str], scale: float) -> Iterator[Point]:
    above = 0.0
    for at, label in zip(times, labels, strict=True):
        y = _TOP + at * scale
        above = max(y, above + _ROW)
        yield Point(at, label, y, above)
