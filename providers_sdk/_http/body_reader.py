"""Reads the decoded body of one response as it arrives, within the limits; failures are this library's errors."""

import sys
import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from providers_sdk import errors
from providers_sdk._http.body import Body
from providers_sdk._http.exceptions import translate
from providers_sdk._http.exchange import Exchange
from providers_sdk._protocol.retry_after import find_retry_after
from providers_sdk._protocol.sse import sniff_body
from providers_sdk._redact import Redactor, snippet

if TYPE_CHECKING:
    import requests

__all__ = ["BodyReader"]

_PIECE = 65_536
_GRACE = 0.05
_HEAD = 2_000
_CLOSED = "the response was closed while it was being read"
_ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")  # decoded in pieces of a bounded size; brotli is not


class BodyReader:
    """The decoded body of ``response``, read once.

    :param url: the address, for errors.
    :param redact: returns what hides secrets in them.
    """

    def __init__(
        self,
        response: "requests.Response",
        exchange: Exchange,
        *,
        url: str,
        redact: Callable[[], Redactor],
    ) -> None:
        self._response, self._exchange = response, exchange
        self._url, self._redact = url, redact
        self._body = Body(response)
        self._sniffed: list[bytes] = []
        self.head = b""
        """The first bytes that were read."""

    @property
    def status(self) -> int:
        """The response's status."""
        return self._response.status_code

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._body.closed

    def redact(self, text: str) -> str:
        """Return ``text`` without secrets."""
        return self._redact()(text)

    def make_error(self, kind: type[errors.ProviderError], message: str) -> errors.ProviderError:
        """Return an error about the response."""
        after = find_retry_after(self._response.headers, time.time())
        return kind(self.redact(message), url=self.redact(self._url), status=self.status, retry_after=after)

    def close(self) -> None:
        """Release the connection; a body that was not read to its end costs it. Closing twice does nothing."""
        self._body.close()

    def sniff(self) -> str:
        """Return what the body's first bytes are, as :func:`sniff_body` does; they stay to be read."""
        while (kind := sniff_body(b"".join(self._sniffed))) is None:
            piece = next(self._iter_network_pieces(), b"")
            if not piece:
                return ""
            self._sniffed.append(piece)
        return kind

    def keep_connection(self) -> None:
        """Read the end of the body, if it is there, so that the connection can serve the next call."""
        self._exchange.ends = self._exchange.clock.now() + _GRACE
        try:
            if self._body.read(_PIECE):
                self.close()
        except Exception:  # noqa: BLE001  the answer is complete: what follows its end mark does not matter
            self.close()

    def read_bounded(self, most: int, what: str | None) -> Iterator[bytes]:
        """Yield the body up to ``most`` bytes; what is beyond raises if ``what`` names it, else is left unread."""
        size = 0
        try:
            for piece in self.iter_pieces():
                size += len(piece)
                if size > most and what is not None:
                    raise self.make_error(
                        errors.TooLarge, f"the {what} is larger than {most} bytes; reading stopped there"
                    )
                yield piece
                if size >= most and what is None:
                    return
        finally:
            self.close()

    def iter_pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives, decoded, from its start."""
        sniffed, self._sniffed = self._sniffed, []
        for piece in chain(sniffed, self._iter_network_pieces()):
            self.head += piece[: _HEAD - len(self.head)]
            yield piece

    def _iter_network_pieces(self) -> Iterator[bytes]:
        """Yield what is still to arrive; ``read1`` is the one call that never holds data back."""
        encoding = str(self._response.headers.get("content-encoding") or "").strip().lower()
        if encoding not in _ENCODINGS:
            message = f"answered in an unknown Content-Encoding {snippet(encoding, 40)!r}"
            if encoding in ("br", "zstd"):
                message = (
                    f"answered in the Content-Encoding {encoding!r}, which is never offered: its size has no bound"
                )
            raise self.make_error(errors.InvalidAnswer, message)
        while piece := self._read():
            yield piece

    def _read(self) -> bytes:
        data = self._body
        if data.closed:
            raise errors.Closed(_CLOSED)
        self._exchange.clock.check()
        before = sys.exception()
        try:
            piece = data.read(_PIECE)
            if not data.closed:  # shutdown() makes a read return b"" where the body ends with the connection
                return piece
            error: errors.ProviderError = errors.Closed(_CLOSED)
        except Exception as failure:  # noqa: BLE001  translate() decides what it means
            error = self._translate(failure, before)
        raise error  # out here, so that no context of it holds what translate() has redacted

    def _translate(self, failure: Exception, before: BaseException | None) -> errors.ProviderError:
        if self.closed:
            return errors.Closed(_CLOSED)
        clock, redact = self._exchange.clock, self._redact()
        return translate(failure, clock=clock, url=self._url, redact=redact, before=before, body=True)
