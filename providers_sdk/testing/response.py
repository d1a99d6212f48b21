"""The HTTP response of a fake service, and its bytes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

__all__ = ["Response"]


@dataclass(frozen=True, slots=True)
class Response:
    """The HTTP response of a fake service.

    :param headers: a value may be a list of values, each sent in a line of its own, as of two ``Set-Cookie``.
    :param framing: ``"chunked"`` (one chunk a piece), ``"length"`` or ``"close"`` (the connection's end is the body's).
    """

    status: int = 200
    headers: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    framing: str = "chunked"

    def encode(self) -> Iterable[bytes]:
        """Yield the bytes of the response, piece by piece."""
        pieces = [self.body] if isinstance(self.body, bytes) else self.body
        if self.framing == "length":
            pieces = [b"".join(pieces)]
            yield self.head({"Content-Length": str(len(pieces[0]))})
            yield from pieces
        elif self.framing == "close":
            yield self.head({"Connection": "close"})
            yield from pieces
        else:
            yield self.head({"Transfer-Encoding": "chunked"})
            yield from chunked(pieces)

    def head(self, framing: Mapping[str, str]) -> bytes:
        """Return the status line and the headers, those of the ``framing`` last."""
        phrase = HTTPStatus(self.status).phrase if self.status in HTTPStatus._value2member_map_ else "Unknown"
        given = [(name, [found] if isinstance(found, str) else found) for name, found in self.headers.items()]
        given += [(name, [value]) for name, value in framing.items()]
        lines = [f"{name}: {value}" for name, values in given for value in values]
        return "\r\n".join([f"HTTP/1.1 {self.status} {phrase}", *lines, "", ""]).encode("latin-1")


def chunked(pieces: Iterable[bytes]) -> Iterable[bytes]:
    """Yield ``pieces`` in HTTP's chunked framing, the last chunk included."""
    for piece in pieces:
        if piece:
            yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    yield b"0\r\n\r\n"
