"""Decodes server-sent events: bytes in, events out.

After the WHATWG standard, "Parsing an event stream" and "Interpreting an event stream"
(https://html.spec.whatwg.org/multipage/server-sent-events.html), for a stream that is cut anywhere. Pure: no
client, no clock. One field more than the standard's is read: ``error``, in which older llama.cpp servers send an error
instead of an event (``error: {"code": 500, "message": ...}``); it becomes an event of that name.

:func:`iter_events_by_line` is the definition: it takes one line at a time. :func:`iter_events` gives the same events
with the same bytes, but cuts all complete events of a chunk at once, which costs a third. It does that as long as
nothing can pass a limit and every CR belongs to a CRLF; where that ends, the definition takes over for the rest of the
stream. A test holds the two together.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from providers_sdk._protocol.json import parse_json
from providers_sdk._protocol.lines import BOM, MAX_LINE, iter_lines
from providers_sdk._protocol.objects import as_object
from providers_sdk._redact import snippet
from providers_sdk.errors import InvalidAnswer, TooLarge

__all__ = ["MAX_EVENT", "Event", "iter_events", "iter_events_by_line", "sniff_body"]

MAX_EVENT = 4_000_000
_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b"error:", b":")
_MAX_SNIFFED = 1_000
_MAX_RETRY_DIGITS = 18


class Event(NamedTuple):
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

    def object(self) -> dict[str, Any]:
        """Return the data as a JSON object: a ``dict`` whose missing names raise :class:`InvalidAnswer`, too.

        :raises InvalidAnswer: it is none; the message shows its beginning.
        """
        return as_object(self.json(), "the JSON of an event")


def iter_events(chunks: Iterable[bytes], *, max_line: int = MAX_LINE, max_event: int = MAX_EVENT) -> Iterator[Event]:
    """Decode an event stream as it arrives; an event is yielded with the chunk that completes it.

    :param chunks: the body's bytes, cut anywhere.
    :param max_line: bytes that one line may have.
    :param max_event: bytes that the data of one event may have.
    :raises TooLarge: when a limit is passed.
    """
    building, pending, at_start = _Building(max_event), bytearray(), True
    most, blocks = min(max_line, max_event), iter(chunks)
    for block in blocks:
        if len(pending) + len(block) > most or (b"\r" in block and block.count(b"\r") != block.count(b"\r\n")):
            yield from _iter_events_by_line(chain((bytes(pending), block), blocks), building, max_line, at_start)
            return
        text = _take_complete(pending, block.replace(b"\r\n", b"\n") if b"\r" in block else block)
        if text is not None:
            yield from building.take_block(text.removeprefix("\ufeff") if at_start else text)
            at_start = False


def _take_complete(pending: bytearray, block: bytes) -> str | None:
    """Return the lines up to the last empty one, without that; keep in ``pending`` what follows it."""
    if not pending and block.endswith(b"\n\n"):
        return block[:-2].decode("utf-8", "replace")
    known = len(pending)
    pending += block
    end = pending.rfind(b"\n\n", max(known - 1, 0))
    if end < 0:
        return None
    text = pending[:end].decode("utf-8", "replace")
    del pending[: end + 2]
    return text


def iter_events_by_line(
    chunks: Iterable[bytes], *, max_line: int = MAX_LINE, max_event: int = MAX_EVENT
) -> Iterator[Event]:
    """Decode an event stream line by line, as the standard defines it; the same as :func:`iter_events`."""
    return _iter_events_by_line(chunks, _Building(max_event), max_line, True)


def _iter_events_by_line(
    chunks: Iterable[bytes], building: "_Building", max_line: int, at_start: bool
) -> Iterator[Event]:
    for line in iter_lines(chunks, max_line, what="event stream"):
        if at_start:
            line, at_start = line.removeprefix(BOM), False
        event = building.take(line.decode("utf-8", "replace"), len(line))
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


class _Building:
    """The event being built: the standard's three buffers and the last event ID."""

    def __init__(self, max_event: int) -> None:
        self.max_event = max_event
        self.data: list[str] = []
        self.size, self.event, self.last_id = 0, "", ""
        self.retry: int | None = None

    def take_block(self, text: str) -> list[Event]:
        """Take lines that an empty line ends; return their events. They are within the limits."""
        events = []
        for part in text.split("\n\n"):
            if part.startswith("data: ") and "\n" not in part:  # what nearly all events are
                events.append(Event("", part[6:], self.last_id))
            else:
                events += filter(None, [self.take(line, len(line)) for line in (*part.split("\n"), "")])
        return events

    def take(self, line: str, size: int) -> Event | None:
        """Take one line without its end; return the event that an empty line dispatches.

        :param size: the line's bytes.
        """
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        self._set_field(name, value.removeprefix(" "), size)
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
