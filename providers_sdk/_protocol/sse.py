"""Decodes server-sent events: bytes in, events out.

After the WHATWG standard, "Parsing an event stream" and "Interpreting an event stream"
(https://html.spec.whatwg.org/multipage/server-sent-events.html), for a stream that is cut anywhere. Pure: no
client, no clock. One field more than the standard's is read: ``error``, in which older llama.cpp servers send an error
instead of an event (``error: {"code": 500, "message": ...}``); it becomes an event of that name.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from providers_sdk._protocol.json import parse_json
from providers_sdk._protocol.lines import BOM, MAX_LINE, iter_lines
from providers_sdk._redact import snippet
from providers_sdk.errors import InvalidAnswer, TooLarge

__all__ = ["MAX_EVENT", "Event", "iter_events", "sniff_body"]

MAX_EVENT = 4_000_000
_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b"error:", b":")
_MAX_SNIFFED = 1_000
_MAX_RETRY_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event.

    ``event`` is the name as sent, empty where none was sent (:attr:`type` gives the standard's default);
    ``id`` is the last one seen, ``retry`` the reconnection time in milliseconds if this event's lines gave one.
    """

    event: str = ""
    data: str = ""
    id: str = ""
    retry: int | None = None

    @property
    def type(self) -> str:
        """The event's type, ``"message"`` where the stream named none."""
        return self.event or "message"

    def json(self) -> Any:
        """Return the data as JSON.

        :raises InvalidAnswer: it is none; the message shows its beginning.
        """
        try:
            return parse_json(self.data)
        except ValueError:
            pass  # raised below, where it is no context: it holds the whole text
        raise InvalidAnswer(f"an event holds no JSON: {snippet(self.data)!r}")


def iter_events(chunks: Iterable[bytes], *, max_line: int = MAX_LINE, max_event: int = MAX_EVENT) -> Iterator[Event]:
    """Decode an event stream as it arrives; an event is yielded with the chunk that completes it.

    :param chunks: the body's bytes, cut anywhere.
    :param max_line: bytes that one line may have.
    :param max_event: bytes that the data of one event may have.
    :raises TooLarge: when a limit is passed.
    """
    building = _Building(max_event)
    first = True
    for line in iter_lines(chunks, max_line, what="event stream"):
        if first:
            line, first = line.removeprefix(BOM), False
        event = building.take(line)
        if event is not None:
            yield event


def sniff_body(head: bytes) -> str | None:
    """Return what a body that begins with ``head`` is: ``"events"``, ``"json"`` or, where it is neither, ``""``.

    ``None`` means that more bytes are needed to decide.
    """
    start = head.removeprefix(BOM).lstrip()
    if start.startswith(_FIELDS):
        return "events"
    if start.startswith((b"{", b"[")):
        return "json"
    may_become_one = any(text.startswith(start) for text in (*_FIELDS, BOM))
    return None if may_become_one and len(head) < _MAX_SNIFFED else ""


@dataclass(slots=True)
class _Building:
    """The event being built: the standard's three buffers and the last event ID."""

    max_event: int
    data: list[str] = field(default_factory=list)
    size: int = 0
    event: str = ""
    retry: int | None = None
    last_id: str = ""

    def take(self, line: bytes) -> Event | None:
        """Take one line without its end; return the event that an empty line dispatches."""
        if not line:
            return self._dispatch()
        name, _, value = line.decode("utf-8", "replace").partition(":")
        self._set_field(name, value.removeprefix(" "), len(line))
        return None

    def _set_field(self, name: str, value: str, size: int) -> None:
        if name == "data":
            self._add_data(value, size)
        elif name == "event":
            self.event = value
        elif name == "error":
            self.event = "error"
            self._add_data(value, size)
        elif name == "id" and "\0" not in value:
            self.last_id = value
        elif name == "retry" and value.isascii() and value.isdigit() and len(value) <= _MAX_RETRY_DIGITS:
            self.retry = int(value)

    def _add_data(self, value: str, size: int) -> None:
        self.size += size
        if self.size > self.max_event:
            raise TooLarge(f"one event of the stream is larger than {self.max_event} bytes")
        self.data.append(value)

    def _dispatch(self) -> Event | None:
        event = Event(self.event, "\n".join(self.data), self.last_id, self.retry) if self.data else None
        self.data, self.size, self.event, self.retry = [], 0, "", None
        return event


Event.__module__ = iter_events.__module__ = "providers_sdk.plugin"
