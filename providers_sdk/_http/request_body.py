"""Checks the body of a request, and reads its files, before anything is sent.

Files are read into memory here and not by requests: a request may be sent twice (RFC 9110 section 9.2.2, an expired
token), and a file that was read once would be sent empty.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from providers_sdk._http.header_values import TOKEN
from providers_sdk.errors import InvalidArgument

__all__ = ["File", "Files", "Form", "FormValue", "check_method", "make_body"]

FormValue = str | bytes | int | float | None | Sequence[str | bytes | int | float]
"""The value of a form field, or several; a field with ``None`` is left out."""
Form = Mapping[str, FormValue] | Iterable[tuple[str, FormValue]]
FileContent = bytes | str | BinaryIO
File = (
    FileContent
    | tuple[str | None, FileContent]
    | tuple[str | None, FileContent, str | None]
    | tuple[str | None, FileContent, str | None, Mapping[str, str]]
)
"""The content of a file, or file name and content, with the media type and further headers where they are given."""
Files = Mapping[str, File] | Iterable[tuple[str, File]]

_MEDIA_TYPE = r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?"
_SCALARS = (str, bytes, int, float, type(None))


def check_method(method: str) -> str:
    """Return ``method`` in capitals.

    :raises InvalidArgument: it is no method that can be sent.
    """
    if not isinstance(method, str) or not TOKEN.fullmatch(method) or method.upper() in ("CONNECT", "TRACE"):
        raise InvalidArgument(f"the method {method!r:.40} cannot be sent; use one such as 'GET', 'POST' or 'DELETE'")
    return method.upper()


def make_body(json: Any, data: Form | bytes | None, files: Files | None) -> dict[str, Any]:
    """Return the arguments of ``requests.Request`` for a body; empty where there is none.

    :raises InvalidArgument: several bodies are given, or one that cannot be sent.
    """
    if json is not None and (data is not None or files is not None):
        other = "data=" if data is not None else "files="
        raise InvalidArgument(
            f"a request has one body: give json= or {other}, not both; in a multipart body JSON is a part of its own, "
            "files={'name': (None, text, 'application/json')}"
        )
    if json is not None:
        return {"json": json}
    form = None if data is None else _check_data(data)
    if isinstance(form, bytes) and files is not None:
        raise InvalidArgument("a request has one body: beside files= give the form's fields as data={...}, not bytes")
    parts = None if files is None else [(name, _read_part(name, file)) for name, file in _iter_pairs(files, "files=")]
    return {name: value for name, value in (("data", form), ("files", parts)) if value is not None}


def _check_data(data: object) -> bytes | list[tuple[str, FormValue]]:
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    if isinstance(data, str):
        raise InvalidArgument("data= takes bytes or a form, not text; encode it: data=text.encode(), or use json=")
    if hasattr(data, "read"):
        raise InvalidArgument("data= takes bytes, not a file; use data=file.read(), or files={'name': file} for a form")
    return [(name, _check_field(name, value)) for name, value in _iter_pairs(data, "data=")]


def _check_field(name: str, value: Any) -> FormValue:
    values = value if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(item, _SCALARS) for item in values):
        kind = next(type(item).__name__ for item in values if not isinstance(item, _SCALARS))
        raise InvalidArgument(
            f"the form field {name!r:.40} holds a value of type {kind}; a form takes text, bytes, numbers and lists of "
            "them; nested values go with json="
        )
    return [item for item in values if item is not None] if values is value else value


def _iter_pairs(given: Any, what: str) -> Iterator[tuple[str, Any]]:
    pairs = given.items() if isinstance(given, Mapping) else given
    try:
        found = [(name, value) for name, value in pairs]
    except (TypeError, ValueError):
        found = [(given, None)]
    if not all(isinstance(name, str) for name, _ in found):
        raise InvalidArgument(
            f"{what} takes a mapping of names to values, or pairs of them, not {type(given).__name__}"
        )
    yield from found


def _read_part(name: str, file: Any) -> tuple[Any, ...]:
    """Return a part as requests takes it, with its content as bytes."""
    named = isinstance(file, tuple) and 2 <= len(file) <= 4
    filename, content, *rest = file if named else (_guess_filename(file) or name, file)
    if rest and rest[0] is not None and not (isinstance(rest[0], str) and re.fullmatch(_MEDIA_TYPE, rest[0])):
        raise InvalidArgument(f"the media type of the file {name!r:.40} cannot be sent; use one such as 'image/png'")
    return (filename, _read_content(name, content), *rest)


def _guess_filename(file: Any) -> str:
    name = getattr(file, "name", "")
    return re.split(r"[/\\]", name)[-1] if isinstance(name, str) and not name.startswith("<") else ""


def _read_content(name: str, content: Any) -> bytes:
    if hasattr(content, "read"):
        content = _read_file(content)
    if isinstance(content, str):
        content = content.encode()
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise InvalidArgument(
            f"the file {name!r:.40} is of type {type(content).__name__}; give its bytes or an open file: "
            f"files={{'name': open(path, 'rb')}}, or (file name, content, media type)"
        )
    return bytes(content)


def _read_file(file: Any) -> Any:
    """Return what is left of an open file, and leave its position as it was where that is possible."""
    seekable = hasattr(file, "seekable") and file.seekable()
    start = file.tell() if seekable else 0
    content = file.read()
    if seekable:
        file.seek(start)
    return content
