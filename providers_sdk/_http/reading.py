"""http.client's response, with every read bounded by the clock, and interim responses (1xx) skipped.

Services send each event in an HTTP chunk of its own, and many chunks arrive with one ``recv``. http.client returns one
of them at a time, and what lies above it costs more for each than the chunk itself. So :meth:`DeadlineResponse.read1`
returns all that are there: after http.client has read one to its end, it takes those that lie complete in the buffer,
in the form that everybody sends (RFC 9112 §7.1, without extensions). It never waits: whatever is incomplete, has
another form or is the last chunk is left to http.client and the next read. The first chunk comes alone: the first word
does not wait until what arrived behind it is decoded.
"""

import io
import re
import socket
from http.client import HTTPException, HTTPResponse
from typing import Any

from providers_sdk._http.exchange import Exchange, current_exchange

__all__ = ["DeadlineResponse"]

_SWITCHING_PROTOCOLS = 101
_MAX_INTERIM = 1_000
_MAX_INTERIM_HEADERS = 65_536
_BUFFER = 65_536
_NEXT_CHUNK = re.compile(rb"\r\n([0-9A-Fa-f]{1,8})\r\n")  # the end of the chunk before it, and its size


class BrokenBody(HTTPException):
    """The body breaks off, or is no chunked body."""


class DeadlineFile(io.RawIOBase):
    """The response's raw file: each read first applies the time that is left, then counts what arrived."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, exchange: Exchange | None) -> None:
        self._raw, self._sock, self._exchange = raw, sock, exchange
        self.sealed = False
        """Whether the response is over: from then on a read returns nothing."""
        self.at_end = False
        """Whether the peer has closed the connection."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.sealed:
            return 0
        if self._exchange is not None:
            self._exchange.apply_timeout(self._sock)
        count = self._raw.readinto(buffer)
        self.at_end = count == 0
        if self._exchange is not None:
            self._exchange.received += count or 0
        return count

    def close(self) -> None:
        try:
            self._raw.close()
        finally:
            super().close()


class DeadlineResponse(HTTPResponse):
    """http.client's response, reading through :class:`DeadlineFile`."""

    has_surplus = False
    """Whether more bytes were read than belong to the response; known once it is closed."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._file = DeadlineFile(self.fp.detach(), sock, current_exchange.get())
        self.fp = io.BufferedReader(self._file, _BUFFER)
        self._has_begun = False

    def begin(self) -> None:
        """Read the head, and drop what is no header: urllib3 would print it, whatever it holds."""
        super().begin()
        self.msg.defects.clear()
        self.msg.set_payload("")
        self.will_close = self.will_close or self.status == _SWITCHING_PROTOCOLS

    def _read_status(self) -> tuple[str, int, str]:
        """Read the first status line that is not an interim response's (RFC 9110 section 15.2).

        http.client skips 100 only. 102 and 103 would pass for the response, and the response for that of the next
        request.
        """
        allowed = _MAX_INTERIM_HEADERS
        for _ in range(_MAX_INTERIM):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status == _SWITCHING_PROTOCOLS or not 100 <= status < 200:
                return version, status, reason
            allowed = self._skip_headers(allowed)
        raise HTTPException(f"more than {_MAX_INTERIM} interim responses (1xx)")

    def _skip_headers(self, allowed: int) -> int:
        """Skip an interim response's headers; return how many bytes the following ones may have."""
        while (line := self.fp.readline(allowed + 1)) not in (b"\r\n", b"\n", b""):
            allowed -= len(line)
            if allowed < 0:
                raise HTTPException(f"interim responses (1xx) with more than {_MAX_INTERIM_HEADERS} bytes of headers")
        return allowed

    def read1(self, n: int = -1) -> bytes:
        """Return what is there, at most ``n`` bytes: after the first chunk all that lie complete in the buffer."""
        data = super().read1(n)
        if data and self._has_begun and self.chunked and self.chunk_left == 0:
            data += self._take_buffered_chunks(n - len(data))
        self._has_begun = True
        return data

    def _take_buffered_chunks(self, room: int) -> bytes:
        buffered, parts, position = self._peek_buffered(), [], 0
        while found := _NEXT_CHUNK.match(buffered, position):
            start, size = found.end(), int(found[1], 16)
            if not 0 < size <= room or start + size > len(buffered):
                break
            parts.append(buffered[start : start + size])
            position, room = start + size, room - size
        self.fp.read(position)
        return b"".join(parts)

    def _peek_buffered(self) -> bytes:
        """Return what was received and is not read yet; a sealed file gives no more."""
        self._file.sealed = True
        try:
            return self.fp.peek()
        finally:
            self._file.sealed = False

    def _read_next_chunk_size(self) -> int:
        try:
            size = int(super()._read_next_chunk_size())  # type: ignore[misc]
        except ValueError:
            size = -1  # raised again below, without int()'s own text
        if size >= 0:
            return size  # of a negative one, all the rest would be read as the chunk
        raise BrokenBody("it was closed before the last chunk" if self._file.at_end else "a chunk has no valid size")

    def _close_conn(self) -> None:
        self._file.sealed = True
        self.has_surplus = bool(self.fp.peek(1))
        super()._close_conn()  # type: ignore[misc]
