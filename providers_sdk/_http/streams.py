"""Decodes the body of a response as it arrives, and closes it at the end."""

from collections.abc import Iterator

from providers_sdk._http.body_reader import BodyReader
from providers_sdk._protocol.error_body import explain_missing_events
from providers_sdk._protocol.lines import MAX_LINE
from providers_sdk._protocol.sse import MAX_EVENT, Event, iter_events

__all__ = ["stream_events"]


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
