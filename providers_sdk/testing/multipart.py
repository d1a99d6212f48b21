"""Reads the body of a multipart form (RFC 7578), as a fake service gets it."""

import re
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.policy import HTTP

__all__ = ["Part", "parse_multipart"]

_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^\s;]+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart form.

    :param name: the name of its field.
    :param filename: the name of the file; ``None`` for a part without one.
    :param content_type: its media type without parameters; ``"text/plain"`` where the part names none.
    :param content: its bytes.
    """

    name: str
    filename: str | None
    content_type: str
    content: bytes


def parse_multipart(content_type: str, body: bytes) -> tuple[Part, ...]:
    """Return the parts in their order; none where ``content_type`` is that of another body."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None or not content_type.lower().startswith("multipart/"):
        return ()
    delimiter = b"\r\n--" + (boundary[1] or boundary[2]).encode()
    return tuple(_parse_part(part) for part in (b"\r\n" + body).split(delimiter)[1:-1])


def _parse_part(part: bytes) -> Part:
    head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    headers = BytesHeaderParser(policy=HTTP).parsebytes(head + b"\r\n\r\n")
    name = headers.get_param("name", header="content-disposition")
    return Part(str(name or ""), headers.get_filename(), headers.get_content_type(), content)
