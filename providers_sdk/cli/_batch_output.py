"""The output of ``providers batch``: the rows of the input with what came of each, written at once at the end."""

import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from providers_sdk import Outcome
from providers_sdk.cli._batch_input import Row
from providers_sdk.errors import InvalidArgument

__all__ = ["check_output", "journal_path", "write_output"]

_ADDED = ("answer", "error", "finish_reason", "provider", "prompt_tokens", "completion_tokens", "seconds")
_JSON = (".jsonl", ".ndjson")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def journal_path(output: Path) -> Path:
    """Return where the journal lies: beside the output."""
    return output.with_name(f"{output.name}.journal.jsonl")


def check_output(output: Path) -> None:
    """Refuse an output that could not be written at the end.

    :raises InvalidArgument: its suffix is unknown, or its folder is not there.
    """
    if output.suffix.lower() not in (*_JSON, *_DELIMITERS):
        raise InvalidArgument(f"the output {output} must end with .jsonl, .csv or .tsv")
    if not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise InvalidArgument(f"the folder {output.parent} is not there or cannot be written to")


def write_output(
    output: Path, columns: Sequence[str], rows: Iterable[tuple[int, Row]], outcomes: Iterable[Outcome | None]
) -> None:
    """Write the rows, each with its outcome; the file is complete or as it was before.

    :param columns: those of the input.
    :param outcomes: one a row, in order; ``None`` where there is none.
    """
    part = output.with_name(f".{output.name}.{os.getpid()}-{os.urandom(6).hex()}.part")  # nobody can put a link there
    names = dict(zip(_ADDED, _choose_names(columns), strict=True))
    write = _write_json if output.suffix.lower() in _JSON else _write_table
    try:
        with part.open("x", encoding="utf-8", newline="", errors="backslashreplace") as file:
            write(file, output, columns, names, _join(rows, outcomes))
            file.flush()
            os.fsync(file.fileno())
        part.replace(output)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _join(rows: Iterable[tuple[int, Row]], outcomes: Iterable[Outcome | None]) -> Iterator[tuple[Row, Outcome | None]]:
    for outcome, (_, row) in zip(outcomes, rows, strict=False):
        yield row, outcome


def _choose_names(columns: Sequence[str]) -> list[str]:
    """Return the names of the added columns; one that the input has already gets a number."""
    return [next(name for name in _iter_names(wanted) if name not in columns) for wanted in _ADDED]


def _iter_names(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1


def _write_json(
    file: IO[str],
    output: Path,
    columns: Sequence[str],
    names: dict[str, str],
    rows: Iterator[tuple[Row, Outcome | None]],
) -> None:
    for row, outcome in rows:
        values = _describe(outcome)
        file.write(json.dumps({**row, **{names[name]: values[name] for name in _ADDED}}, ensure_ascii=False) + "\n")


def _write_table(
    file: IO[str],
    output: Path,
    columns: Sequence[str],
    names: dict[str, str],
    rows: Iterator[tuple[Row, Outcome | None]],
) -> None:
    writer = csv.writer(file, delimiter=_DELIMITERS[output.suffix.lower()])
    writer.writerow([*columns, *names.values()])
    for row, outcome in rows:
        values = _describe(outcome)
        cells = [*(row.get(column) for column in columns), *(values[name] for name in _ADDED)]
        writer.writerow([_format_cell(cell) for cell in cells])


def _format_cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, bool)) else value


def _describe(outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return dict.fromkeys(_ADDED)
    error, usage = outcome.error, outcome.usage
    return {
        "answer": outcome.text if error is None else None,
        "error": None if error is None else f"{type(error).__name__}: {error}",
        "finish_reason": outcome.finish_reason,
        "provider": outcome.provider,
        "prompt_tokens": usage.prompt_tokens if usage is not None else None,
        "completion_tokens": usage.completion_tokens if usage is not None else None,
        "seconds": round(outcome.seconds, 3),
    }
