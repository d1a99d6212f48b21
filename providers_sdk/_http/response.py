"""The HTTP response that a provider reads.

Status and headers are there at once. The body is read as it arrives, up to a size limit, and only as the media type
that the response names.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from providers_sdk import errors
from providers_sdk._http.body_reader import BodyReader
from providers_sdk._http.exchange import Exchange
from providers_sdk._http.media_types import EVENT_TYPES, HTML_TYPES, JSON_TYPES, NDJSON_TYPES, VAGUE_TYPES, is_one_of
from providers_sdk._http.sizes import ERROR_BODY_GRACE, MAX_BYTES, MAX_ERROR_BODY, MAX_JSON, MAX_PAGE
from providers_sdk._http.streams import stream_bytes, stream_events, stream_lines, stream_ndjson
from providers_sdk._protocol import error_body
from providers_sdk._protocol.bot_walls import detect_bot_wall
from providers_sdk._protocol.objects import as_object
from providers_sdk._protocol.retry_after import find_retry_after
from providers_sdk._protocol.sse import Event
from providers_sdk._redact import Redactor, bare_url, snippet

if TYPE_CHECKING:
    import requests

    from providers_sdk._protocol.html import Page

__all__ = ["HttpResponse"]


class HttpResponse:
    """One HTTP response; made by :class:`Http`, closed by it at the latest when the attempt ends.

    Its body can be read once: as :meth:`json`, :meth:`events`, :meth:`ndjson`, :meth:`lines`, :meth:`page`,
    :meth:`text`, :meth:`bytes` or :meth:`iter_bytes`.
    """

    def __init__(
        self,
        response: "requests.Response",
        exchange: Exchange,
        *,
        redact: Callable[[], Redactor],
        started: float,
        cookies: Mapping[str, str],
    ) -> None:
        self._response, self._redact, self._exchange = response, redact, exchange
        self._text: str | None = None
        self.seconds = exchange.clock.now() - started
        self.status: int = response.status_code
        self.location = bare_url(response.url or "")
        """The exact address, for following a redirect; :attr:`url` is the one for messages."""
        self._cookies = cookies
        self._body = BodyReader(response, exchange, url=self.location, redact=redact)

    @property
    def url(self) -> str:
        """The address, without user info and query, fit for messages."""
        return self._redact()(self.location)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._body.closed

    @property
    def headers(self) -> Any:
        """The headers: a mapping that ignores case."""
        return self._response.headers

    @cached_property
    def content_type(self) -> str:
        """The media type, lower case and without parameters; empty where none was sent."""
        return str(self.headers.get("content-type") or "").partition(";")[0].strip().lower()

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies that this response sets, name → value; those of redirects before it are not among them."""
        return self._cookies

    @property
    def retry_after(self) -> float | None:
        """The seconds that the service asks to wait before the next request (``Retry-After``), if it asks for any."""
        return find_retry_after(self.headers, time.time())

    @cached_property
    def bot_wall(self) -> str | None:
        """The name of the bot wall that responded, if one did."""
        return detect_bot_wall(self.status, self.headers)

    def json(self, *, status: Collection[int] = (200,), types: Collection[str] = JSON_TYPES) -> Any:
        """Return the body as JSON.

        :param status: the expected statuses.
        :param types: the expected media types; JSON types, and all that :meth:`is_json` accepts, are always expected.
        :raises HTTPStatusError: another status (with its subclasses), or :class:`Blocked`.
        :raises InvalidAnswer: another type, or no JSON.
        :raises EmptyAnswer: an empty body.
        :raises TooLarge: more than 20 MB.
        """
        self.check(status)
        if self.content_type and self.content_type not in types and not self.is_json():
            raise self._make_type_error(types)
        body = b"".join(self._body.read_bounded(MAX_JSON, "JSON response"))
        try:
            found = error_body.read_json(body)
        except errors.ResponseError as error:
            failure = error
        else:
            self._exchange.clock.check()
            return found
        # out here, so that its context does not hold the text that is not redacted yet
        raise self._body.make_error(
            type(failure), f"answered {self.status} with {failure.message}"
        ) from failure.__cause__

    def object(self, *, status: Collection[int] = (200,), types: Collection[str] = JSON_TYPES) -> dict[str, Any]:
        """Return the body as a ``dict``, as :meth:`json` does; other JSON and a missing name are ``InvalidAnswer``."""
        return as_object(self.json(status=status, types=types), "the JSON of the response")

    def is_json(self) -> bool:
        """Return whether the body is JSON.

        Its type decides. Where that is absent, ``text/plain``, ``application/octet-stream`` or ``text/event-stream``
        and the status is a success, the body's first bytes do, and this waits for them.

        :raises TransportError: the connection was lost or a time limit ran out.
        """
        kind = self.content_type
        if kind in JSON_TYPES or kind.endswith("+json"):
            return True
        vague = kind in (*VAGUE_TYPES, *EVENT_TYPES) and 200 <= self.status < 300
        return vague and self._body.sniff() == "json"

    def events(self, *, status: Collection[int] = (200,), until: str | None = "[DONE]") -> Iterator[Event]:
        """Yield server-sent events as they arrive.

        A body without a type, or with ``text/plain`` or ``application/octet-stream``, is read if it begins as an event
        stream does.

        :param status: the expected statuses.
        :param until: the data of the last event; after it the connection is kept for the next call.
        :raises HTTPStatusError: another status (with its subclasses), or :class:`Blocked`.
        :raises InvalidAnswer: the body is no event stream.
        :raises EmptyAnswer: it ended without any event.
        :raises Refused: it holds an error as plain JSON instead of events.
        :raises TooLarge: a line of more than 1 MB or an event of more than 4 MB.
        :raises TransportError: the connection was lost or a time limit ran out.
        """
        self.check(status)
        kind = self.content_type
        if kind not in EVENT_TYPES and not (kind in VAGUE_TYPES and self._body.sniff() == "events"):
            raise self._make_type_error(EVENT_TYPES)
        return stream_events(self._body, until)

    def lines(self, *, status: Collection[int] = (200,), types: Collection[str] = ()) -> Iterator[str]:
        """Yield lines of text as they arrive, without their ends (LF, CR or CRLF); what follows the last end, too.

        The text is read as UTF-8; what is none becomes U+FFFD.

        :param status: the expected statuses.
        :param types: the expected media types, such as ``"text/plain"`` or ``"text/*"``; any but HTML where none is
            given.
        :raises HTTPStatusError: another status (with its subclasses), or :class:`Blocked`.
        :raises InvalidAnswer: another type.
        :raises TooLarge: a line of more than 1 MB.
        :raises TransportError: the connection was lost or a time limit ran out.
        """
        self._check_kind(status, types, "lines of text")
        return stream_lines(self._body)

    def ndjson(
        self,
        *,
        status: Collection[int] = (200,),
        types: Collection[str] = (),
        until: Callable[[Any], bool] | None = None,
    ) -> Iterator[Any]:
        """Yield the values of newline-delimited JSON as they arrive; empty lines are skipped.

        A body without a type, or with ``text/plain``, ``application/octet-stream`` or ``text/event-stream``, is read if
        it begins as JSON does. That the stream is whole, only the protocol can tell: this raises where it breaks off
        within a line.

        :param status: the expected statuses.
        :param types: further expected media types; those of NDJSON, JSON Lines and JSON are always expected.
        :param until: returns whether a value is the last one; after it the connection is kept for the next call.
        :raises HTTPStatusError: another status (with its subclasses), or :class:`Blocked`.
        :raises InvalidAnswer: another type, or a line that is no JSON.
        :raises EmptyAnswer: it holds no line.
        :raises StreamTruncated: the last line breaks off.
        :raises TooLarge: a line of more than 1 MB.
        :raises TransportError: the connection was lost or a time limit ran out.
        """
        self.check(status)
        if not is_one_of(self.content_type, (*NDJSON_TYPES, *types)) and not self.is_json():
            raise self._make_type_error(NDJSON_TYPES[:1])
        return stream_ndjson(self._body, until)

    def iter_bytes(self, *, status: Collection[int] = (200,), types: Collection[str] = ()) -> Iterator["bytes"]:
        """Yield the body as it arrives, in pieces of at most 64 kB; its size has no bound.

        :param status: the expected statuses.
        :param types: the expected media types, such as ``"audio/*"``; any but HTML where none is given.
        :raises HTTPStatusError: another status (with its subclasses), or :class:`Blocked`.
        :raises InvalidAnswer: another type.
        :raises TransportError: the connection was lost or a time limit ran out.
        """
        self._check_kind(status, types, "a file")
        return stream_bytes(self._body)

    def bytes(self, *, status: Collection[int] = (200,), types: Collection[str] = (), most: int = MAX_BYTES) -> "bytes":
        """Return the whole body.

        :param status: the expected statuses.
        :param types: the expected media types, such as ``"image/*"``; any but HTML where none is given.
        :param most: bytes that it may have.
        :raises HTTPStatusError: another status (with its subclasses), or :class:`Blocked`.
        :raises InvalidAnswer: another type.
        :raises TooLarge: it has more than ``most`` bytes.
        :raises TransportError: the connection was lost or a time limit ran out.
        """
        self._check_kind(status, types, "a file")
        return b"".join(self._body.read_bounded(most, "response"))

    def page(self) -> "Page":
        """Return the body as a page of HTML, whatever the status.

        :raises Blocked: a bot wall responded.
        :raises InvalidAnswer: the body is no HTML.
        :raises TooLarge: more than 2 MB or 50 000 tags.
        """
        self._check_wall()
        if self.content_type not in HTML_TYPES:
            raise self._make_type_error(HTML_TYPES)
        html = b"".join(self._body.read_bounded(MAX_PAGE, "page"))
        from providers_sdk._protocol.html import Page

        page = Page(html, url=self.url, status=self.status, cookies=self.cookies)
        self._exchange.clock.check()
        return page

    def text(self, *, most: int = MAX_ERROR_BODY) -> str:
        """Return the body as UTF-8 text, cut after ``most`` bytes; whatever the status and type."""
        if self._text is None:
            self._text = b"".join(self._body.read_bounded(most, None))[:most].decode("utf-8", "replace")
        return self._text

    def check(self, status: Collection[int] = (200,)) -> None:
        """Raise unless the status is one of ``status``.

        :raises HTTPStatusError: or its subclass for the status; its message holds the start of the body.
        :raises Blocked: a bot wall responded.
        :raises ProxyFailed: the proxy wants a password (407).
        """
        self._check_wall()
        if self.status not in status:
            raise self.status_error()

    def status_error(self) -> errors.ProviderError:
        """Return the error for this status, with the service's own text and its ``Retry-After``."""
        description = self._describe_body()
        return self._body.make_error(*error_body.explain_status(self.status, description, self._text or ""))

    def _describe_body(self) -> str:
        """Return the text of an error body on one line; it is read for at most 2 s."""
        location = self.headers.get("location")
        if location and 300 <= self.status < 400:
            return f"it points to {snippet(bare_url(location), 120)}, which is not followed; check the setting 'url'"
        self._exchange.ends = self._exchange.clock.now() + ERROR_BODY_GRACE
        try:
            text = self.text()
        except errors.ProviderError:
            return ""
        return error_body.describe_body(text, self.content_type)

    def _check_wall(self) -> None:
        if self.bot_wall is not None:
            raise self._body.make_error(*error_body.explain_wall(self.status, self.bot_wall))

    def _make_type_error(self, types: Collection[str]) -> errors.ProviderError:
        """Return the error for a body that has none of ``types``."""
        description = self._describe_body()
        return self._body.make_error(*error_body.explain_type(self.status, self.content_type, types, description))

    def _check_kind(self, status: Collection[int], types: Collection[str], what: str) -> None:
        """Raise unless status and media type are as expected: a page of HTML, such as a login, is not what it calls."""
        self.check(status)
        kind = self.content_type
        if not is_one_of(kind, types) if types else kind in HTML_TYPES:
            raise self._make_type_error(types or (what,))

    def close(self) -> None:
        """Release the connection; a body that was not read to its end costs it. Closing twice does nothing."""
        self._body.close()


HttpResponse.__module__ = "providers_sdk.plugin"
