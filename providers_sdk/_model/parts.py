"""The parts of a message that are no text: images and files; and reading the shapes in which callers write parts."""

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from providers_sdk._redact import bare_url, snippet
from providers_sdk._value import Value
from providers_sdk.errors import InvalidMessages

__all__ = ["File", "Image", "Part", "parse_parts"]

_Source = bytes | os.PathLike[str] | str
_TYPES = "a string, Image, File, or a mapping of type 'text', 'image_url' or 'file'"


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class Image(Value):
    """An image in a message, read and checked at once.

    :param source: its bytes, its path as :class:`pathlib.Path`, or its address as text (``http:``, ``https:``, which
        the service fetches, or ``data:``). Text is never taken for a path.
    :param media_type: such as ``"image/png"``; read from the bytes where it is not given.
    :param detail: how closely the model should look, where the service has that: ``"low"``, ``"high"``, ``"auto"``.
    :raises InvalidMessages: it cannot be read, has more than 20 MB, or its bytes are no image or another than declared.
    """

    data: bytes
    url: str
    media_type: str
    detail: str

    def __init__(self, source: _Source, *, media_type: str = "", detail: str = "") -> None:
        from providers_sdk._model.media import check_image_type, load  # most messages are text

        loaded = load(source, "image", media_type)
        kind = check_image_type(loaded) if loaded.data else loaded.declared
        _set_fields(self, data=loaded.data, url=loaded.url, media_type=kind, detail=detail)

    @property
    def base64(self) -> str:
        """The bytes in base64; empty where there is only an address."""
        return base64.b64encode(self.data).decode("ascii")

    @property
    def address(self) -> str:
        """The address; a ``data:`` address with the bytes where there are bytes."""
        return self.url or f"data:{self.media_type};base64,{self.base64}"

    def __repr__(self) -> str:
        return f"<Image {bare_url(self.url) or f'{self.media_type}, {len(self.data)} bytes'}>"


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class File(Value):
    """A file in a message, such as a PDF, read and checked at once.

    :param source: as for :class:`Image`; ``None`` where ``id`` is given.
    :param name: its name; that of the path where it is not given.
    :param media_type: such as ``"application/pdf"``; found by name and bytes where it is not given.
    :param id: the service's own id of a file that was uploaded to it before.
    :raises InvalidMessages: it cannot be read, has more than 20 MB, or its bytes are not of the declared type.
    """

    data: bytes
    url: str
    media_type: str
    name: str
    id: str

    def __init__(self, source: _Source | None = None, *, name: str = "", media_type: str = "", id: str = "") -> None:  # noqa: A002
        if (source is None) != bool(id):
            raise InvalidMessages(
                "a file has either a source (bytes, a path, an address) or the id of an uploaded file"
            )
        if not isinstance(name, str) or not isinstance(id, str):
            raise InvalidMessages("the name and the id of a file are text")
        if source is None:
            _set_fields(self, data=b"", url="", media_type=media_type, name=name, id=id)
            return
        from providers_sdk._model.media import check_file_type, load

        loaded = load(source, "file", media_type)
        kind = check_file_type(loaded) if loaded.data else loaded.declared
        _set_fields(self, data=loaded.data, url=loaded.url, media_type=kind, name=name or loaded.name, id="")

    @property
    def base64(self) -> str:
        """The bytes in base64; empty where there are none."""
        return base64.b64encode(self.data).decode("ascii")

    @property
    def address(self) -> str:
        """The address; a ``data:`` address with the bytes where there are bytes."""
        return self.url or f"data:{self.media_type};base64,{self.base64}"

    def __repr__(self) -> str:
        what = self.id or bare_url(self.url) or f"{self.media_type}, {len(self.data)} bytes"
        return f"<File {f'{self.name!r} ' if self.name else ''}{what}>"


Part = str | Image | File
"""One part of a message's content; text is plain ``str``."""


def _set_fields(part: Image | File, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(part, name, value)


def parse_parts(content: Sequence[object], where: str) -> str | tuple[Part, ...]:
    """Return a list of parts in the one inner shape: text where all are text, else a tuple of :data:`Part`.

    :raises InvalidMessages: a part is none; the message names it.
    """
    parts = [_parse_part(part, f"{where}, part {index}") for index, part in enumerate(content)]
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if len(texts) == len(parts) else tuple(part for part in parts if part != "")


def _parse_part(part: object, where: str) -> Part:
    if isinstance(part, (str, Image, File)):
        return part
    if not isinstance(part, Mapping):
        raise InvalidMessages(f"{where} is {type(part).__name__}; a part is {_TYPES}")
    try:
        return _parse_mapping(part)
    except InvalidMessages as error:
        raise InvalidMessages(f"{where}: {error.message}") from error.__cause__


def _parse_mapping(part: Mapping[str, Any]) -> Part:
    """Return a part written as OpenAI's API has it."""
    kind = part.get("type", "text")
    if kind == "text":
        return _require_text(part, "text", "a text part")
    if kind == "image_url":
        image = part.get("image_url")
        image = {"url": image} if isinstance(image, str) else image
        if isinstance(image, Mapping):
            return Image(_require_text(image, "url", "an image_url part"), detail=str(image.get("detail") or ""))
        raise InvalidMessages("an image_url part needs 'image_url': {'url': ...}")
    if kind == "file":
        return _parse_file(part.get("file"))
    raise InvalidMessages(f"the type {snippet(repr(kind), 60)} is not known; a part is {_TYPES}")


def _parse_file(file: object) -> File:
    if not isinstance(file, Mapping):
        raise InvalidMessages("a file part needs 'file': {'file_data': ...} or {'file_id': ...}")
    name = file.get("filename") or ""
    if file.get("file_id"):
        return File(id=_require_text(file, "file_id", "a file part"), name=name)
    data = _require_text(file, "file_data", "a file part")
    is_address = data.partition(":")[0].lower() in ("data", "http", "https")
    return File(data if is_address else f"data:;base64,{data}", name=name)


def _require_text(mapping: Mapping[str, Any], key: str, noun: str) -> str:
    value = mapping.get(key)
    if not isinstance(value, str):
        raise InvalidMessages(f"{noun} needs text under {key!r}, not {type(value).__name__}")
    return value


for _public in (Image, File):
    _public.__module__ = "providers_sdk"
