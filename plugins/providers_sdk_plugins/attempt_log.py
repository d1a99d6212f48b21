"""Attempt log: appends every attempt to a file, one line of JSON each. The example of an extension to copy.

Only the variable ``PROVIDERS_SDK_ATTEMPT_LOG``, which holds the file's path, switches it on.
"""

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from providers_sdk.plugin import Attempt, Request, hookimpl

requires_contract = ">=1,<2"


@hookimpl
def attempt_finished(attempt: Attempt, request: Request | None, text: str) -> None:
    """Append the attempt to the file, if there is one."""
    path = os.environ.get("PROVIDERS_SDK_ATTEMPT_LOG")
    if path:
        _append_line(path, _describe(attempt, request, text))


def _describe(attempt: Attempt, request: Request | None, text: str) -> dict[str, Any]:
    """Return the fields of a line: when the attempt ended, its record, what was asked, what was answered."""
    turns = () if request is None else request.messages
    return {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        **asdict(attempt),
        "messages": [{"role": turn.role, "content": _write_content(turn.content)} for turn in turns],
        "text": text,
    }


def _write_content(content: object) -> str:
    """Return the text of a turn; an image or a file in it is only named."""
    parts = [content] if isinstance(content, str) else list(content)  # type: ignore[call-overload]
    return "".join(part if isinstance(part, str) else f"[{type(part).__name__}]" for part in parts)


def _append_line(path: str, fields: dict[str, Any]) -> None:
    """Append one line by one write, so that lines of several threads and processes do not mix.

    :raises OSError: the file cannot be written.
    """
    line = f"{json.dumps(fields, ensure_ascii=False)}\n".encode("utf-8", "backslashreplace")
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.write(file, line) < len(line):
            raise OSError(f"only a part of a line could be written to {path}")
    finally:
        os.close(file)
