"""An answer on the wire: its status at once, its body read as it arrives, bounded, and only as what it claims to be."""

import sys
import time
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from providers_sdk import errors
from providers_sdk._http.body import Body
from providers_sdk._http.exceptions import translate
from providers_sdk._http.exchange import Exchange
from providers_sdk._protocol.bot_walls import wall_of
from providers_sdk._protocol.error_body import html_words, json_words, phrase, status_class
from providers_sdk._protocol.html import Page
from providers_sdk._protocol.json import parse_json
from providers_sdk._protocol.retry_after import parse_retry_after
from providers_sdk._protocol.sse import MAX_EVENT, MAX_LINE, Event, iter_events
from providers_sdk._redact import Redactor, bare_url, snippet

if TYPE_CHECKING:
    import requests

__all__ = ["MAX_ERROR_BODY", "MAX_JSON", "MAX_PAGE", "Answer"]

MAX_PAGE = 2_000_000
MAX_JSON = 20_000_000
MAX_JSON_PARTS = 200_000  # each costs about 3 µs and 500 bytes, whatever its size on the wire
MAX_ERROR_BODY = 64_000
_PIECE = 65_536
_GRACE = 0.05
_WORDS_GRACE = 2.0
_HEAD = 2_000
_CLOSED = "the answer was closed while it was being read"
_JSON_TYPES = ("application/json", "text/json")
_EVENT_TYPES = ("text/event-stream",)
_ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")  # decoded in pieces of a bounded size; brotli is not


class Answer:
    """One HTTP answer; made by :class:`Http`, closed by it at the latest when the attempt ends.

    Its body can be read once: as :meth:`json`, :meth:`events`, :meth:`page` or :meth:`text`.
    """

    def __init__(self, response: "requests.Response", exchange: Exchange, *, redact: Redactor, started: float) -> None:
        self._response = response
        self._data = Body(response)
        self._exchange = exchange
        self._redact = redact
        self._head = b""
        self._text: str | None = None
        self.seconds = exchange.clock.now() - started
        self.status: int = response.status_code
        self.location = bare_url(response.url or "")
        """Where it came from, for following a redirect; :attr:`url` is for people."""
        self.url = redact(self.location)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._data.closed

    @property
    def headers(self) -> Any:
        """The headers: a mapping that ignores case."""
        return self._response.headers

    @property
    def content_type(self) -> str:
        """The media type, lower case and without parameters; empty where none was sent."""
        return str(self.headers.get("content-type") or "").partition(";")[0].strip().lower()

    @property
    def wall(self) -> str | None:
        """The name of the bot wall that answered, if one did."""
        return wall_of(self.status, self.headers)

    def json(self, *, status: Collection[int] = (200,), types: Collection[str] = _JSON_TYPES) -> Any:
        """Return the body as JSON.

        :param status: statuses that an answer may have.
        :param types: media types that it may have; ``+json`` always, and a type that was not sent.
        :raises HTTPStatusError: another status (with its subclasses), or :class:`Blocked`.
        :raises InvalidAnswer: another type, or no JSON.
        :raises EmptyAnswer: an empty body.
        :raises TooLarge: more than 20 MB.
        """
        self.check(status)
        if self.content_type and not self.content_type.endswith("+json"):
            self._check_type(types)
        body = self._body(MAX_JSON, "JSON answer")
        if not body.strip():
            raise self._error(errors.EmptyAnswer, f"answered {self.status} with an empty body")
        marks = body.count(b"[") + body.count(b"{")
        if marks > MAX_JSON_PARTS:
            raise self._error(
                errors.TooLarge, f"the JSON has {marks} lists and objects; at most {MAX_JSON_PARTS} are read"
            )
        try:
            found = parse_json(body)
            self._exchange.clock.check()
            return found
        except ValueError as error:
            words = snippet(body[:400].decode("utf-8", "replace"), 100)
            raise self._error(
                errors.InvalidAnswer, f"answered {self.status} with JSON that cannot be read: {words!r}"
            ) from error

    def events(self, *, status: Collection[int] = (200,), until: str | None = "[DONE]") -> Iterator[Event]:
        """Yield server-sent events as they arrive.

        :param status: statuses that an answer may have.
        :param until: the data of the last event; after it the connection is kept for the next call.
        :raises HTTPStatusError: another status (with its subclasses), or :class:`Blocked`.
        :raises InvalidAnswer: the body is no event stream.
        :raises EmptyAnswer: it ended without any event.
        :raises Refused: it holds an error as plain JSON in the place of events.
        :raises TooLarge: a line of more than 1 MB or an event of more than 4 MB.
        :raises TransportError: the connection was lost or a time limit ran out.
        """
        self.check(status)
        self._check_type(_EVENT_TYPES)
        return self._events(until)

    def page(self) -> Page:
        """Return the body as a page of HTML, whatever the status.

        :raises Blocked: a bot wall answered.
        :raises InvalidAnswer: the body is no HTML.
        :raises TooLarge: more than 2 MB or 50 000 tags.
        """
        self._check_wall()
        self._check_type(("text/html", "application/xhtml+xml"))
        page = Page(self._body(MAX_PAGE, "page"), url=self.url, status=self.status)
        self._exchange.clock.check()
        return page

    def text(self, *, most: int = MAX_ERROR_BODY) -> str:
        """Return the body as UTF-8 text, cut after ``most`` bytes; whatever the status and type."""
        if self._text is None:
            self._text = b"".join(self._bounded(most, None))[:most].decode("utf-8", "replace")
        return self._text

    def check(self, status: Collection[int] = (200,)) -> None:
        """Raise unless the status is one of ``status``.

        :raises HTTPStatusError: or its subclass for the status; its message holds the start of the body.
        :raises Blocked: a bot wall answered.
        :raises ProxyFailed: the proxy wants a password (407).
        """
        self._check_wall()
        if self.status not in status:
            raise self.status_error()

    def status_error(self) -> errors.ProviderError:
        """Return the error for this status, with the service's words and its ``Retry-After``."""
        words = self._words()
        said = f"answered {self.status} {phrase(self.status)}".rstrip() + (f": {words}" if words else "")
        return self._error(status_class(self.status), said)

    def _error(self, kind: type[errors.ProviderError], message: str) -> errors.ProviderError:
        after = parse_retry_after(self.headers.get("retry-after"), time.time())
        return kind(self._redact(message), url=self.url, status=self.status, retry_after=after)

    def _words(self) -> str:
        location = self.headers.get("location")
        if location and 300 <= self.status < 400:
            return f"it points to {snippet(bare_url(location), 120)}, which is not followed; check the setting 'url'"
        # the status is known: its words are worth a moment, not the time that an answer has
        self._exchange.ends = self._exchange.clock.now() + _WORDS_GRACE
        try:
            text = self.text()
        except errors.ProviderError:
            return ""
        if "html" in self.content_type:
            return html_words(text)
        return json_words(text) or snippet(text)

    def _check_wall(self) -> None:
        if self.wall is not None:
            raise self._error(
                errors.Blocked,
                f"a bot wall ({self.wall}) answered {self.status} in the site's place; "
                "open the site in a browser to see whether it lets programs in at all",
            )

    def _check_type(self, types: Collection[str]) -> None:
        if self.content_type in types:
            return
        words = self._words()
        raise self._error(
            errors.InvalidAnswer,
            f"answered {self.status} with {snippet(self.content_type, 80) or 'no content type'} "
            f"instead of {' or '.join(types)}" + (f": {words}" if words else ""),
        )

    def _events(self, until: str | None) -> Iterator[Event]:
        seen = False
        try:
            for event in iter_events(self._pieces(), max_line=MAX_LINE, max_event=MAX_EVENT):
                seen = True
                if until is not None and event.data.strip() == until:
                    self._keep_connection()
                    yield event
                    return
                yield event
            if not seen:
                raise self._without_event()
        finally:
            self.close()

    def _without_event(self) -> errors.ProviderError:
        """Whatever came instead of events: the service's words if there are any."""
        text = self._head.decode("utf-8", "replace").strip()
        if not text:
            return self._error(errors.EmptyAnswer, f"answered {self.status} with an event stream that holds nothing")
        said = json_words(text)
        if said:
            return self._error(errors.Refused, f"the service says: {said}")
        words = html_words(text) if text.startswith("<") else snippet(text)
        return self._error(
            errors.InvalidAnswer, f"answered {self.status} with an event stream that holds no event: {words}"
        )

    def _keep_connection(self) -> None:
        """Read the end of the body, if it is there, so that the connection can serve the next call."""
        self._exchange.ends = self._exchange.clock.now() + _GRACE
        try:
            if self._data.read(_PIECE):
                self.close()
        except Exception:  # noqa: BLE001  the answer is complete: nothing after its end mark can spoil it
            self.close()

    def _body(self, most: int, what: str) -> bytes:
        return b"".join(self._bounded(most, what))

    def _bounded(self, most: int, what: str | None) -> Iterator[bytes]:
        """Yield the body up to ``most`` bytes; what is beyond raises if ``what`` names it, else is left unread."""
        size = 0
        try:
            for piece in self._pieces():
                size += len(piece)
                if size > most and what is not None:
                    raise self._error(errors.TooLarge, f"the {what} is larger than {most} bytes; reading stopped there")
                yield piece
                if size >= most and what is None:
                    return
        finally:
            self.close()

    def _pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives, decoded; ``read1`` is the one call that never holds data back."""
        encoding = str(self.headers.get("content-encoding") or "").strip().lower()
        if encoding not in _ENCODINGS:
            words = f"answered in an unknown Content-Encoding {snippet(encoding, 40)!r}"
            if encoding in ("br", "zstd"):
                words = f"answered in the Content-Encoding {encoding!r}, which is never offered: its size has no bound"
            raise self._error(errors.InvalidAnswer, words)
        while piece := self._read():
            self._head = self._head or piece[:_HEAD]
            yield piece

    def _read(self) -> bytes:
        if self.closed:
            raise errors.Closed(_CLOSED)
        self._exchange.clock.check()
        before = sys.exception()
        try:
            piece = self._data.read(_PIECE)
            if not self.closed:  # shutdown() makes a read return b"" where the body ends with the connection
                return piece
            error: errors.ProviderError = errors.Closed(_CLOSED)
        except Exception as failure:  # noqa: BLE001  translate() decides what it means
            error = self._translate(failure, before)
        raise error  # out here, so that no context of it holds what translate() has scrubbed

    def _translate(self, failure: Exception, before: BaseException | None) -> errors.ProviderError:
        if self.closed:
            return errors.Closed(_CLOSED)
        clock, redact = self._exchange.clock, self._redact
        return translate(failure, clock=clock, url=self.url, redact=redact, before=before, body=True)

    def close(self) -> None:
        """Release the connection; a body that was not read to its end costs it. Closing twice does nothing."""
        self._data.close()


Answer.__module__ = "providers_sdk.plugin"
