"""The input of ``providers batch``: rows of JSON Lines, CSV, TSV, or plain lines.

Lines end with ``\\n`` alone; other characters that Python takes for line ends are text. A file is read three times: to
check it before anything is asked, to ask, and to write the output beside it. What cannot be read twice, such as
standard input, is read once, and kept in a temporary file for the output.
"""

import csv
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

from providers_sdk._redact import snippet
from providers_sdk.errors import InvalidArgument

__all__ = ["FORMATS", "PROMPT", "Row", "RowSource"]

Row = dict[str, Any]
PROMPT = "prompt"
FORMATS = ("jsonl", "csv", "tsv", "lines")
_LONGEST_CELL = 2**31 - 1
_SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv"}
_Lines = Iterator[tuple[int, str]]
_Parsed = Iterator[tuple[int, Row]]


class RowSource:
    """Rows of a file or of standard input.

    :param path: its path, ``-`` for standard input.
    :param kind: one of :data:`FORMATS`; where it is not given the suffix tells it, and where that tells nothing,
        whether the first line is a JSON object.
    :raises InvalidArgument: it cannot be read.
    """

    def __init__(self, path: str, kind: str | None = None) -> None:
        self.name = "standard input" if path == "-" else path
        self._path = None if path == "-" else Path(path)
        self.is_file = self._path is not None and self._path.is_file()
        self._opened: list[IO[bytes]] = []
        self._kept: IO[bytes] | None = None if self.is_file else self._track(tempfile.TemporaryFile())  # noqa: SIM115
        try:
            self._rows: _Parsed | None = self._begin(kind)
            self.columns: list[str] = list(next(self._rows)[1])
            """The columns of a table; of other input those of its first row."""
        except BaseException:
            self.close()
            raise

    def _begin(self, kind: str | None) -> _Parsed:
        stream = self._open()
        head = stream.readline()
        self._kind = kind or _SUFFIXES.get(self._path.suffix.lower() if self._path else "") or _guess(head)
        lines = chain([head] if head else [], stream)
        return self._parse(lines if self._kept is None else _copy(lines, self._kept))

    def _track(self, stream: IO[bytes]) -> IO[bytes]:
        self._opened.append(stream)
        return stream

    def rows(self) -> _Parsed:
        """Yield line number and values of each row.

        :raises InvalidArgument: a line cannot be read; the message names it.
        """
        rows, self._rows = self._rows, None
        if rows is None:
            if self._kept is not None:
                self._kept.seek(0)
            rows = self._parse(self._open() if self._kept is None else self._kept)
            next(rows)
        return rows

    def close(self) -> None:
        """Close what it opened."""
        for stream in self._opened:
            stream.close()

    def _open(self) -> IO[bytes]:
        if self._path is None:
            return sys.stdin.buffer
        try:
            return self._track(self._path.open("rb"))
        except OSError as error:
            raise InvalidArgument(f"{self.name} cannot be read: {error.strerror}") from error

    def _parse(self, lines: Iterable[bytes]) -> _Parsed:
        """Return the rows, after a first one whose keys are the columns."""
        return _PARSERS[self._kind](self._read(lines), self.name)

    def _read(self, lines: Iterable[bytes]) -> _Lines:
        try:
            for number, line in enumerate(lines, 1):
                yield number, self._decode(number, line)
        except OSError as error:
            raise InvalidArgument(f"{self.name} cannot be read: {error.strerror}") from error

    def _decode(self, number: int, line: bytes) -> str:
        try:
            return line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            shown = f"byte 0x{line[error.start]:02x}"
            raise InvalidArgument(f"line {number} of {self.name} is not UTF-8: {shown}; convert it first") from None


def _copy(lines: Iterable[bytes], kept: IO[bytes]) -> Iterator[bytes]:
    for line in lines:
        kept.write(line)
        yield line


def _guess(head: bytes) -> str:
    try:
        return "jsonl" if isinstance(json.loads(head), dict) else "lines"
    except (ValueError, RecursionError):
        return "lines"


def _parse_plain(lines: _Lines, name: str) -> _Parsed:
    yield 0, {PROMPT: None}
    for number, line in lines:
        text = line.removesuffix("\n").removesuffix("\r")
        if text.strip():
            yield number, {PROMPT: text}


def _parse_json(lines: _Lines, name: str) -> _Parsed:
    rows = _iter_objects(lines, name)
    first = next(rows, None)
    yield 0, {PROMPT: None} if first is None else first[1]
    yield from chain([] if first is None else [first], rows)


def _iter_objects(lines: _Lines, name: str) -> _Parsed:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, str):
            row = {PROMPT: row}
        if not isinstance(row, dict):
            raise InvalidArgument(f"line {number} of {name} is no JSON object: {snippet(line, 60)}")
        yield number, row


def _parse_csv(lines: _Lines, name: str) -> _Parsed:
    return _parse_table(lines, name, ",")


def _parse_tsv(lines: _Lines, name: str) -> _Parsed:
    return _parse_table(lines, name, "\t")


def _parse_table(lines: _Lines, name: str, delimiter: str) -> _Parsed:
    """Yield the rows of CSV or TSV (RFC 4180), whose first line names the columns."""
    rows = _iter_cells(lines, name, delimiter)
    columns = next(rows, (1, [PROMPT]))[1]
    double = next((one for one in columns if columns.count(one) > 1), None)
    if double is not None:
        raise InvalidArgument(f"{name} has two columns {double!r}; rename one")
    yield 0, dict.fromkeys(columns)
    for number, cells in rows:
        if len(cells) > len(columns):
            raise InvalidArgument(
                f"line {number} of {name} has {len(cells)} cells, its first line {len(columns)}; "
                "put a cell that holds the separator in quotes"
            )
        if cells:
            missing = [""] * (len(columns) - len(cells))
            yield number, dict(zip(columns, [*cells, *missing], strict=True))


def _iter_cells(lines: _Lines, name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the line that a row ends on, and its cells."""
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader((text for _, text in lines), delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise InvalidArgument(f"line {reader.line_num} of {name} cannot be read: {error}") from None
        if cells is None:
            return
        yield reader.line_num, cells


_PARSERS: dict[str, Callable[[_Lines, str], _Parsed]] = {
    "lines": _parse_plain,
    "jsonl": _parse_json,
    "csv": _parse_csv,
    "tsv": _parse_tsv,
}
