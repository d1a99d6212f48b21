"""A conversation as a file: a JSON object with a version, written atomically with mode 0600.

Version 1 is ``{"format": "providers-sdk conversation", "version": 1, "messages": [...]}``. A message has the shape in
which ``chat`` takes it; the last one of a turn may also hold ``provider``, ``model`` and ``"partial": true``. A reader
ignores other fields, so that a field may be added without a new version.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from providers_sdk._config.places import shorten
from providers_sdk._config.private_files import read_file, write_private
from providers_sdk._engine.turns import Record, Turn
from providers_sdk._model.chunks import ToolCall
from providers_sdk._model.messages import Message, parse_history
from providers_sdk._model.parts import Image, Part
from providers_sdk.errors import InvalidArgument, InvalidMessages

__all__ = ["VERSION", "read_record", "write_record"]

FORMAT = "providers-sdk conversation"
VERSION = 1
_MOST_BYTES = 256_000_000


def write_record(path: Path, record: Record) -> None:
    """Write ``record``.

    :raises OSError: the file cannot be written; what it held is untouched.
    """
    rows = [*map(_write_message, record.head), *(row for turn in record.turns for row in _write_turn(turn))]
    content = {"format": FORMAT, "version": VERSION, "messages": rows}
    write_private(path, json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n", own_folder=False)


def read_record(path: Path) -> Record:
    """Return what the file holds.

    :raises OSError: it cannot be read.
    :raises InvalidArgument: it holds no conversation, or one of a version that is not known here.
    """
    content, _ = read_file(path, most=_MOST_BYTES)
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InvalidArgument(f"{shorten(path)} holds no conversation of providers-sdk; name another file")
    if found.get("version") != VERSION:
        raise InvalidArgument(
            f"{shorten(path)} holds a conversation of version {found.get('version')!r:.40}, and this version of "
            f"providers-sdk reads version {VERSION}; upgrade providers-sdk, or name another file"
        )
    return _parse_messages(path, found.get("messages"))


def _parse_messages(path: Path, rows: object) -> Record:
    try:
        if not isinstance(rows, list):
            raise InvalidMessages("there is no list of messages")
        record = Record.of(parse_history(rows))
    except InvalidMessages as error:
        raise InvalidArgument(f"{shorten(path)} holds a conversation that cannot be read: {error.message}") from None
    return Record(record.head, tuple(_add_facts(record, rows)))


def _add_facts(record: Record, rows: list[Any]) -> Iterator[Turn]:
    """Yield the turns with what their last rows say about them."""
    at = len(record.head)
    for turn in record.turns:
        at += len(turn.messages)
        last: Mapping[str, Any] = rows[at - 1]
        provider, model = last.get("provider"), last.get("model")
        yield turn._replace(
            partial=last.get("partial") is True,
            provider=provider if isinstance(provider, str) else "",
            model=model if isinstance(model, str) else None,
        )


def _write_turn(turn: Turn) -> list[dict[str, Any]]:
    rows = list(map(_write_message, turn.messages))
    facts = {"provider": turn.provider, "model": turn.model, "partial": turn.partial}
    rows[-1].update({name: value for name, value in facts.items() if value})
    return rows


def _write_message(message: Message) -> dict[str, Any]:
    """Return the message as OpenAI's API has it, which is one of the shapes that ``chat`` takes."""
    content = message.content if isinstance(message.content, str) else list(map(_write_part, message.content))
    calls = {"tool_calls": list(map(_write_call, message.tool_calls))} if message.tool_calls else {}
    answered = {"tool_call_id": message.tool_call_id} if message.tool_call_id is not None else {}
    return {"role": message.role, "content": content, **calls, **answered}


def _write_call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments_json}}


def _write_part(part: Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if isinstance(part, Image):
        return {"type": "image_url", "image_url": {"url": part.address, "detail": part.detail}}
    source = {"file_id": part.id} if part.id else {"file_data": part.address}
    return {"type": "file", "file": {"filename": part.name, **source}}
