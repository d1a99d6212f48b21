"""Shows how far a batch is: a bar on a terminal, one plain line every ten seconds otherwise. Both go to stderr."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from providers_sdk._engine.batch.schedule import Progress
from providers_sdk.cli._terminal import say

__all__ = ["Tracker", "format_seconds", "show_progress"]

_NARROWEST, _WIDEST = 4, 30
_EVERY = 10.0


@dataclass(frozen=True, slots=True)
class Tracker:
    """Puts a batch's progress into words.

    :param describe: returns how far it is.
    :param total: how many prompts there are, ``None`` where that is unknown.
    :param started: when it began, by the monotonic clock.
    """

    describe: Callable[[], Progress]
    total: int | None
    started: float

    def make_parts(self, now: float) -> list[str]:
        """Return what the bar's line says."""
        progress = self.describe()
        done = progress.answered + progress.failed
        total = f"/{self.total:,}" if self.total is not None else ""
        parts = [f"{progress.skipped + done:,}{total} done", f"{progress.failed:,} failed"]
        parts.append(f"{progress.in_flight} in flight")
        per_second = done / (now - self.started) if now > self.started else 0.0
        parts.append(f"{60 * per_second:,.0f}/min")
        if self.total is not None and per_second:
            parts.append(f"{format_seconds((self.total - progress.skipped - done) / per_second)} left")
        return parts

    def make_pauses(self) -> list[str]:
        """Return one sentence for each service that is paused."""
        return [f"{name} pauses for {format_seconds(pause)}" for name, pause in self.describe().pauses.items()]

    def render(self, width: int) -> RenderableType:
        """Return the bar, with its line and the pauses, in ``width`` columns."""
        progress = self.describe()
        done = progress.skipped + progress.answered + progress.failed
        text = "  ".join(self.make_parts(time.monotonic()))
        left = max(_NARROWEST, min(_WIDEST, width - len(text) - 2))
        line = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=self.total, completed=done, width=left, pulse=self.total is None)
        line.add_row(bar, Text(text, no_wrap=True, overflow="ellipsis"))
        pauses = [Text(pause, style="yellow", no_wrap=True, overflow="ellipsis") for pause in self.make_pauses()]
        return Group(line, *pauses)

    def print_line(self) -> None:
        """Write one plain line to stderr."""
        say(", ".join([*self.make_parts(time.monotonic()), *self.make_pauses()]))


@contextmanager
def show_progress(tracker: Tracker) -> Iterator[None]:
    """Show the progress while the block runs."""
    if sys.stderr.isatty():
        console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        with Live(
            get_renderable=lambda: tracker.render(console.width), console=console, refresh_per_second=4, transient=True
        ):
            yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_print_lines, args=(tracker, ended), name="providers-sdk-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _print_lines(tracker: Tracker, ended: threading.Event) -> None:
    while not ended.wait(_EVERY):
        tracker.print_line()


def format_seconds(seconds: float) -> str:
    """Return a duration for readers: ``4 s``, ``2 min 5 s``, ``3 h 12 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
