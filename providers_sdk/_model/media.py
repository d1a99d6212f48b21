"""Reads images and files for messages: from a path, bytes or an address; checks their type and size.

The type of an image, a PDF and a few others is read from their first bytes ("magic numbers": PNG, RFC 2083 §12.11; JPEG
SOI, ITU T.81; GIF89a; WebP container, RIFF; TIFF 6.0; ISO base media ``ftyp``; PDF, ISO 32000), never believed from a
name. Addresses are passed on and not fetched; ``data:`` addresses (RFC 2397) are decoded.
"""

import base64
import binascii
import os
import stat
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from providers_sdk._redact import snippet
from providers_sdk.errors import InvalidMessages

__all__ = ["MAX_BYTES", "Loaded", "check_file_type", "check_image_type", "guess_type", "load"]

MAX_BYTES = 20_000_000
"""Bytes that one image or file may have: 20 MB; services take between 5 and 50."""
_MAX_ADDRESS = 8_000
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
)
_BRANDS = {b"avif": "image/avif", b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heic"}
_ALIASES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/heif": "image/heic"}
_EXACT = frozenset(kind for _, kind in _MAGIC) - {"application/zip"}  # documents of many types are ZIP files


class Loaded(NamedTuple):
    """What a part was made from: bytes, or an address.

    :param called: what it is, for messages.
    :param declared: the media type that the caller or a ``data:`` address gave; empty for none.
    :param name: the file's name; empty where there is none.
    """

    data: bytes
    url: str
    called: str
    declared: str = ""
    name: str = ""


def load(source: object, noun: str, declared: str) -> Loaded:
    """Return the content of ``source``: bytes, a path (``os.PathLike``), or an address as ``str``.

    :param noun: ``image`` or ``file``.
    :raises InvalidMessages: it cannot be read, is empty, or has more than 20 MB.
    """
    if not isinstance(declared, str):
        raise InvalidMessages(f"the media type of the {noun} is {type(declared).__name__}; it is text like 'image/png'")
    kind = _ALIASES.get(declared.strip().lower(), declared.strip().lower())
    if isinstance(source, (bytes, bytearray, memoryview)):
        return Loaded(_check_size(bytes(source), f"the {noun}"), "", f"the {noun}", kind)
    if isinstance(source, os.PathLike):
        path = os.fsdecode(os.fspath(source))
        called = f"the {noun} {snippet(os.path.basename(path) or path, 80)!r}"
        return Loaded(_read_path(path, called), "", called, kind, os.path.basename(path))
    if not isinstance(source, str):
        raise InvalidMessages(f"the {noun} is {type(source).__name__}; give bytes, a pathlib.Path or an address")
    if source[:5].lower() == "data:":
        data, found = _read_data_url(source, f"the {noun}")
        return Loaded(data, "", f"the {noun}", kind or found)
    return Loaded(b"", _check_address(source, noun), f"the {noun}", kind)


def _read_path(path: str, called: str) -> bytes:
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise InvalidMessages(f"{called} is no regular file; give the path of one")
            _check_length(state.st_size, called)
            return _check_size(file.read(MAX_BYTES + 1), called)
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidMessages):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidMessages(f"{called} cannot be read: {reason}") from error


def _check_size(data: bytes, called: str) -> bytes:
    if not data:
        raise InvalidMessages(f"{called} is empty; there is nothing to send")
    _check_length(len(data), called)
    return data


def _check_length(length: int, called: str) -> None:
    if length > MAX_BYTES:
        raise InvalidMessages(
            f"{called} has {length} bytes; at most {MAX_BYTES} ({MAX_BYTES // 1_000_000} MB) can be sent; "
            "make it smaller"
        )


def _read_data_url(url: str, called: str) -> tuple[bytes, str]:
    head, comma, body = url[5:].partition(",")
    kind, *parameters = head.lower().split(";")
    if not comma:
        raise InvalidMessages(f"{called} has a data: address without a comma; write data:<media type>;base64,<data>")
    if "base64" not in parameters:
        return _check_size(unquote_to_bytes(body), called), _ALIASES.get(kind, kind)
    _check_length(len(body) * 3 // 4 - 2, called)
    try:
        data = base64.b64decode(unquote_to_bytes(body) if "%" in body else body, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidMessages(f"{called} has a data: address whose data are no base64; encode the bytes anew") from None
    return _check_size(data, called), _ALIASES.get(kind, kind)


def _check_address(url: str, noun: str) -> str:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        sound = False
    if sound and len(url) <= _MAX_ADDRESS and url.isprintable() and " " not in url:
        return url
    raise InvalidMessages(
        f"{snippet(url, 60)!r} is no address for the {noun} (http:, https: or data:, at most {_MAX_ADDRESS} "
        "characters); give a file of this machine as pathlib.Path(...)"
    )


def detect_type(data: bytes) -> str:
    """Return the media type that the first bytes show; empty where they show none of those known here."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "")
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), "")


def is_text(data: bytes) -> bool:
    """Whether ``data`` are UTF-8 text."""
    try:
        return "\0" not in data.decode()
    except UnicodeDecodeError:
        return False


def guess_type(name: str) -> str:
    """Return the media type that belongs to a file's name; empty where none does."""
    import mimetypes

    return mimetypes.guess_type(name)[0] or ""


def check_image_type(loaded: Loaded) -> str:
    """Return the media type of an image, by its bytes.

    :raises InvalidMessages: the bytes are no image, or another one than declared.
    """
    found, claimed = detect_type(loaded.data), loaded.declared or guess_type(loaded.name)
    if not found.startswith("image/"):
        calls = f"calls itself {snippet(claimed, 40)}, but its" if claimed else "is none: its"
        raise InvalidMessages(
            f"{loaded.called} {calls} bytes are {_describe(loaded.data, found)}; "
            "give a PNG, JPEG, GIF, WebP, TIFF, HEIC or AVIF image"
        )
    if loaded.declared not in ("", found):
        raise InvalidMessages(
            f"{loaded.called} calls itself {snippet(loaded.declared, 40)}, but its bytes are {found}; "
            "correct the media type, or leave it out"
        )
    return found


def check_file_type(loaded: Loaded) -> str:
    """Return the media type of a file: the declared one or that of its name, if the bytes are not against it.

    :raises InvalidMessages: the bytes are of another type than declared.
    """
    found, claimed = detect_type(loaded.data), loaded.declared or guess_type(loaded.name)
    if not claimed:
        return found or ("text/plain" if is_text(loaded.data) else "application/octet-stream")
    contradicts = found != claimed if claimed in _EXACT or claimed.startswith("image/") else found in _EXACT
    if contradicts or (claimed.startswith("text/") and not is_text(loaded.data)):
        raise InvalidMessages(
            f"{loaded.called} calls itself {snippet(claimed, 40)}, but its bytes are "
            f"{_describe(loaded.data, found)}; correct the media type or the name"
        )
    return claimed


def _describe(data: bytes, found: str) -> str:
    return found or ("plain text" if is_text(data) else "of no type that is known here")
