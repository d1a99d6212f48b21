"""Takes requests apart into named places, so that two of them can be compared place by place."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from email import message_from_bytes
from fnmatch import fnmatchcase
from urllib.parse import parse_qsl, urlsplit

from providers_sdk._protocol.json import parse_json
from providers_sdk.testing.server import Received

__all__ = ["describe_places", "find_differences", "list_fields"]

Field = tuple[str, str]
"""Where a value stands, such as ``"header x-key"`` or ``"body messages[0].role"``, and its text."""

_BOUNDARY = re.compile(r'boundary="?[^";]+"?', re.IGNORECASE)
_PATH = "the path"
_FRAMING = ("content-length",)


def find_differences(
    first: Sequence[Received], second: Sequence[Received], varying: Collection[str] = ()
) -> set[tuple[int, str]]:
    """Return the places where two lists of requests differ: number of the request, name of the place.

    :param varying: names of fields and headers whose values do not count, and paths with ``*``, such as ``"/jobs/*"``,
        all of which count as the same.
    """
    found = {(min(len(first), len(second)), "the number of requests")} if len(first) != len(second) else set()
    for number, (one, other) in enumerate(zip(first, second, strict=False)):
        fields = _collect(list_fields(one), varying), _collect(list_fields(other), varying)
        places = fields[0].keys() | fields[1].keys()
        found |= {(number, place) for place in places if fields[0].get(place) != fields[1].get(place)}
    return found


def describe_places(differences: Iterable[tuple[int, str]]) -> str:
    """Return differences as text."""
    return ", ".join(f"{place} (request {number + 1})" for number, place in sorted(differences))


def _collect(fields: Iterable[Field], varying: Collection[str]) -> dict[str, list[str]]:
    skipped = {name.casefold() for name in varying}
    found: dict[str, list[str]] = {}
    patterns = [name for name in varying if name.startswith("/")]
    for place, value in fields:
        if place == _PATH:
            value = next((pattern for pattern in patterns if fnmatchcase(value, pattern)), value)
        names = re.split(r"[ .]", re.sub(r"\[\d+\]", "", place.casefold()))
        found.setdefault(place, []).append("" if skipped.intersection(names[1:]) else value)
    return found


def list_fields(received: Received) -> Iterator[Field]:
    """Yield every value of a request with its place; the boundary of a multipart body is left out."""
    address = urlsplit(received.target)
    yield "the method", received.method
    yield _PATH, address.path
    for name, value in parse_qsl(address.query, keep_blank_values=True):
        yield f"query {name}", value
    for name, value in received.headers.items():
        if name not in _FRAMING:
            yield f"header {name}", _BOUNDARY.sub("boundary", value)
    yield from _list_body(received)


def _list_body(received: Received) -> Iterator[Field]:
    kind = received.headers.get("content-type", "").lower()
    if kind.startswith("multipart/"):
        yield from _list_parts(received)
    elif kind.startswith("application/x-www-form-urlencoded"):
        for name, value in parse_qsl(received.body.decode("utf-8", "replace"), keep_blank_values=True):
            yield f"form {name}", value
    elif received.body:
        yield from _list_json(received.body)


def _list_parts(received: Received) -> Iterator[Field]:
    head = f"Content-Type: {received.headers['content-type']}\r\n\r\n".encode("latin-1")
    for part in message_from_bytes(head + received.body).walk():
        name = part.get_param("name", header="content-disposition")
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            yield f"part {name} headers", repr([(key.lower(), value) for key, value in part.items()])
            yield f"part {name}", content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _list_json(body: bytes) -> Iterator[Field]:
    try:
        parsed = parse_json(body)
    except ValueError:
        yield "the body", body.decode("utf-8", "replace")
    else:
        yield from _walk(parsed, "")


def _walk(value: object, place: str) -> Iterator[Field]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _walk(inner, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _walk(inner, f"{place}[{index}]")
    else:
        yield f"body {place}".rstrip(), repr(value)
