"""The output of ``providers demo``: each provider, its answer as it streams, and a summary."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from providers_sdk._redact import printable
from providers_sdk.cli._console import screen

__all__ = ["DemoResult", "DemoView"]

_INDENT = 10
_WELCOME = """\
Four providers are asked the same question. The plugins are the real ones, and so is the HTTP between. \
The services are not: fake services play them, small servers on this machine that send texts written beforehand. \
No network is needed, and nothing leaves this machine.

Question: """


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """The result of one provider.

    :param page: whether it fetched a page first.
    :param tokens: how many tokens it found there.
    :param pieces: how many pieces the answer had.
    :param first_token: seconds until the first of them.
    :param total: seconds in all.
    :param finish: why the answer ended, or the error's class.
    """

    name: str
    page: bool = False
    tokens: int = 0
    pieces: int = 0
    first_token: float | None = None
    total: float | None = None
    finish: str = ""
    answered: bool = False

    @property
    def times(self) -> str:
        """Pieces and seconds as text."""
        pieces = "1 piece" if self.pieces == 1 else f"{self.pieces} pieces"
        return f"{pieces}, the first after {_format_seconds(self.first_token)}, all after {_format_seconds(self.total)}"


class DemoView:
    """Draws on stdout.

    :param question: what all are asked.
    """

    def __init__(self, question: str) -> None:
        self._screen = screen()
        self._screen.print(Panel(Text(_WELCOME + question), title="providers demo", padding=(0, 1)))

    def heading(self, name: str) -> None:
        """Begin a provider's part."""
        self._screen.print()
        self._screen.rule(Text(name, "bold"), align="left")

    def fact(self, label: str, text: str) -> None:
        """Show one line about it."""
        self._write_wrapped(label, [text])

    def stream(self, label: str, pieces: Iterable[str]) -> int:
        """Show each piece as it arrives; return how many there were."""
        return self._write_wrapped(label, pieces)

    def summary(self, results: Sequence[DemoResult]) -> None:
        """Show all results."""
        table = Table("provider", "page", "tokens", "pieces", "first", "all", "finish", box=box.SIMPLE_HEAD)
        for result in results:
            cells = (
                result.name,
                "fetched" if result.page else "-",
                str(result.tokens or "-"),
                str(result.pieces or "-"),
                _format_seconds(result.first_token),
                _format_seconds(result.total),
                result.finish,
            )
            table.add_row(*cells, style=None if result.answered else "red")
        self._screen.print()
        self._screen.print(table)
        answered = sum(result.answered for result in results)
        self._screen.print(f"{answered} of {len(results)} answered. These were fake services, not the services.")
        self._screen.print("'providers list' shows which services are known to answer programs.")

    def _write_wrapped(self, label: str, pieces: Iterable[str]) -> int:
        """Write ``pieces`` behind ``label``, each at once, wrapped between words."""
        column, count = self._write(f"  {label:<{_INDENT - 2}}"), 0
        try:
            for count, piece in enumerate(pieces, 1):  # noqa: B007  the last one is the count
                for word in re.findall(r"\S+\s*|\s+", piece):
                    if column > _INDENT and column + len(word.rstrip()) > self._screen.width:
                        column = self._write("\n" + " " * _INDENT) - 1
                    column += self._write(word)
        finally:
            self._write("\n")
        return count

    def _write(self, text: str) -> int:
        self._screen.file.write(printable(text))
        self._screen.file.flush()
        return len(text)


def _format_seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"
