"""Decodes the body of a response as it arrives, and closes it at the end."""

from collections.abc import Callable, Iterator
from typing import Any

from providers_sdk._http.body_reader import BodyReader
from providers_sdk._protocol.error_body import explain_missing_events
from providers_sdk._protocol.lines import BOM, MAX_LINE, iter_lines
from providers_sdk._protocol.sse import MAX_EVENT, Event, iter_events
from providers_sdk._redact import snippet
from providers_sdk.errors import EmptyAnswer

__all__ = ["stream_bytes", "stream_events", "stream_lines", "stream_ndjson"]


def stream_events(body: BodyReader, until: str | None) -> Iterator[Event]:
    """Yield server-sent events; see :meth:`HttpResponse.events`."""
    seen = False
    try:
        for event in iter_events(body.iter_pieces(), max_line=MAX_LINE, max_event=MAX_EVENT):
            seen = True
            if until is not None and event.data.strip() == until:
                body.keep_connection()
                yield event
                return
            yield event
        if not seen:
            raise body.make_error(*explain_missing_events(body.status, body.head))
    finally:
        body.close()


def stream_lines(body: BodyReader) -> Iterator[str]:
    """Yield lines of text; see :meth:`HttpResponse.lines`."""
    try:
        for index, line in enumerate(iter_lines(body.iter_pieces(), what="response", rest=True)):
            yield (line if index else line.removeprefix(BOM)).decode("utf-8", "replace")
    finally:
        body.close()


def stream_ndjson(body: BodyReader, until: Callable[[Any], bool] | None) -> Iterator[Any]:
    """Yield the values of newline-delimited JSON; see :meth:`HttpResponse.ndjson`."""
    from providers_sdk._protocol.ndjson import iter_ndjson

    seen = False
    try:
        for value in iter_ndjson(body.iter_pieces(), show=lambda line: body.redact(snippet(line))):
            seen = True
            if until is not None and until(value):
                body.keep_connection()
                yield value
                return
            yield value
        if not seen:
            raise body.make_error(EmptyAnswer, f"answered {body.status} with a stream that holds no line")
    finally:
        body.close()


def stream_bytes(body: BodyReader) -> Iterator[bytes]:
    """Yield the bytes; see :meth:`HttpResponse.iter_bytes`."""
    try:
        yield from body.iter_pieces()
    finally:
        body.close()
