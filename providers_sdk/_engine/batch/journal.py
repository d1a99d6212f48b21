"""The journal of a batch: what was asked, and one record an outcome.

The first line, the header, holds the question. Each further line holds the outcome of one prompt, or another header
where a later run asks another question. A record begins with its key and with ``done``, which says that the prompt
needs no further asking, at fixed positions: reading a million records parses no JSON.
"""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from providers_sdk._engine.batch.journal_file import (
    HEADER_START,
    JournalFile,
    estimate_lines,
    is_whole,
    iter_lines,
    parse_line,
)
from providers_sdk._engine.batch.keys import KEY_SIZE, KeyTable, number_key
from providers_sdk._engine.batch.outcome import Outcome, dump_outcome, is_final, load_outcome
from providers_sdk.errors import JournalError

__all__ = ["Journal", "MetKeys", "read_journal"]

_VERSION = 1
_KEY = b'{"key":"'
_DONE = b'","done":'
_HEX = slice(len(_KEY), len(_KEY) + 32)
_AFTER_KEY = slice(_HEX.stop, _HEX.stop + len(_DONE))
_FLAG = slice(_AFTER_KEY.stop, _AFTER_KEY.stop + 1)
_MET, _IS_DONE, _POSITION = 1, 2, 2  # two flags, and by how many bits the record's position lies above them
_FLAGS, _ALL = _MET | _IS_DONE, -1


class MetKeys:
    """Tells apart the occurrences of equal prompts, and those that are finished.

    A key's number holds whether this run has met it, whether it is finished, and where its last record lies.
    """

    def __init__(self, expected: int = 0) -> None:
        self._table = KeyTable(expected)
        self._repeats: dict[bytes, int] = {}

    def add_record(self, key: bytes, position: int, *, done: bool) -> None:
        """Note a record of ``key``."""
        self._table.merge(key, _FLAGS, (position + 1) << _POSITION | (_IS_DONE if done else 0))

    def meet(self, first: bytes) -> tuple[bytes, bool]:
        """Return the key of this occurrence of ``first``, and whether it is finished."""
        key, number = first, self._table.merge(first, _ALL, _MET)
        if number & _MET:
            self._repeats[first] = occurrence = self._repeats.get(first, 1) + 1
            key = number_key(first, occurrence)
            number = self._table.merge(key, _ALL, _MET)
        return key, bool(number & _IS_DONE)

    def find_position(self, key: bytes) -> int | None:
        """Return where the last record of ``key`` lies."""
        position = self._table.get(key) >> _POSITION
        return position - 1 if position else None


class Journal:
    """A journal that this process writes. Threads may share it.

    :param path: the file.
    :param question: what is asked of every prompt.
    :param durable: whether each record is on the disk before its outcome is handed out.
    :param retry_failed: whether what failed in an earlier run is asked again.
    :raises JournalError: the file cannot be used.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        question: Mapping[str, Any],
        *,
        durable: bool = False,
        retry_failed: bool = True,
    ) -> None:
        self._file = JournalFile(path, durable=durable)
        self._lock = threading.Lock()
        self.path, self._keys = self._file.path, MetKeys(estimate_lines(self._file.path))
        try:
            if not self._load(question, retry_failed):
                self._file.append(_make_header(question))
        except BaseException:
            self._file.close()
            raise

    def meet(self, key: bytes) -> tuple[bytes, bool]:
        """Return the key of this occurrence of a prompt, and whether it is finished."""
        with self._lock:
            return self._keys.meet(key)

    def append(self, key: bytes, outcome: Outcome) -> None:
        """Write the record of an outcome.

        :raises JournalError: it could not be written.
        """
        done = is_final(outcome.error)
        line = _make_record(key, outcome, done=done)
        with self._lock:
            self._keys.add_record(key, self._file.append(line), done=done)

    def read(self, key: bytes) -> Outcome | None:
        """Return the last outcome of ``key``, where there is one."""
        position = self._keys.find_position(key)
        return None if position is None else _load(self._file.read(position), self.path)

    def close(self) -> None:
        """Close the file; closing twice is a no-op."""
        self._file.close()

    def _load(self, question: Mapping[str, Any], retry_failed: bool) -> bool:
        """Note what the file holds; return whether one of its headers has this question."""
        asked, wanted = False, _dump(dict(question))
        for position, line in self._file.load():
            record = _read_key(line) or _parse_key(line, self.path)
            if record is not None:
                self._keys.add_record(record[0], position, done=record[1] or not retry_failed)
                continue
            asked = asked or _dump(parse_line(line, self.path).get("question")) == wanted
        return asked


def read_journal(path: str | os.PathLike[str]) -> Iterator[Outcome]:
    """Yield the last outcome of each prompt in a journal, in the order of writing.

    A run may be writing to it meanwhile: half a record at its end is left out.

    :param path: the file.
    :raises JournalError: it cannot be read, or is no journal.
    """
    return _read_outcomes(Path(path))


def _read_outcomes(path: Path) -> Iterator[Outcome]:
    keys = MetKeys(estimate_lines(path))
    for position, key, _ in _iter_records(path):
        keys.add_record(key, position, done=False)
    for position, key, line in _iter_records(path):
        if keys.find_position(key) == position:
            yield _load(line, path)


def _iter_records(path: Path) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield position, key and line of each record."""
    for position, line in iter_lines(path):
        if position == 0 and not line.startswith(HEADER_START):
            raise JournalError(f"{path} is no journal of this library")
        if not line.endswith(b"\n") and not is_whole(line):
            return
        record = _read_key(line.removesuffix(b"\n")) or _parse_key(line, path)
        if record is not None:
            yield position, record[0], line


def _read_key(line: bytes) -> tuple[bytes, bool] | None:
    """Return key and ``done`` of a record as this module writes it; ``None`` for any other line."""
    if line[_AFTER_KEY] != _DONE or not line.endswith(b"}") or not line.startswith(_KEY):
        return None
    try:
        return bytes.fromhex(line[_HEX].decode()), line[_FLAG] == b"t"
    except ValueError:
        return None


def _parse_key(line: bytes, path: Path) -> tuple[bytes, bool] | None:
    """Return key and ``done`` of a record that another program has formatted; ``None`` for a header."""
    row = parse_line(line, path)
    if "journal" in row:
        if row.get("version") != _VERSION:
            raise JournalError(f"the journal {path} is of version {row.get('version')}; this library reads {_VERSION}")
        return None
    try:
        key, done = bytes.fromhex(row["key"]), bool(row["done"])
    except (KeyError, TypeError, ValueError):
        key, done = b"", False
    if len(key) != KEY_SIZE:
        raise JournalError(f"the journal {path} is damaged: a line has no key")
    return key, done


def _load(line: bytes, path: Path) -> Outcome:
    try:
        return load_outcome(parse_line(line, path))
    except KeyError as error:
        raise JournalError(f"the journal {path} is damaged: a record lacks the field {error}") from error
    except (TypeError, ValueError) as error:
        raise JournalError(f"the journal {path} is damaged: a record is of another form: {error}") from error


def _make_record(key: bytes, outcome: Outcome, *, done: bool) -> bytes:
    rest = _dump(dump_outcome(outcome))
    return b"%s%s%s%s,%s" % (_KEY, key.hex().encode(), _DONE, b"true" if done else b"false", rest[1:])


def _make_header(question: Mapping[str, Any]) -> bytes:
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return _dump({"journal": "providers-sdk", "version": _VERSION, "created": created, "question": dict(question)})


def _dump(value: Any) -> bytes:
    """Return ``value`` as JSON on one line; a lone surrogate, which has no UTF-8, is escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=repr)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), default=repr).encode()


read_journal.__module__ = "providers_sdk"
