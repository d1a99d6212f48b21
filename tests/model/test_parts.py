"""Images and files: read from bytes, paths and addresses, judged by their bytes, bounded, and in one inner shape."""

import base64
import copy
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from providers_sdk import File, Image, Message
from providers_sdk._model.messages import MAX_TOTAL_BYTES, parse_messages
from providers_sdk.errors import InvalidMessages
from providers_sdk.plugin import format_prompt

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
JPEG = b"\xff\xd8\xff\xe0" + bytes(16)
PDF = b"%PDF-1.7\n"
IMAGES = {
    "image/png": PNG,
    "image/jpeg": JPEG,
    "image/gif": b"GIF89a" + bytes(4),
    "image/webp": b"RIFF\0\0\0\0WEBPVP8 ",
    "image/tiff": b"II*\0",
    "image/avif": b"\0\0\0\x1cftypavif",
    "image/heic": b"\0\0\0\x1cftypheic",
}


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def refusal(source: Any, kind: Any = Image, **arguments: Any) -> str:
    with pytest.raises(InvalidMessages) as caught:
        kind(source, **arguments)
    return caught.value.message


@pytest.mark.parametrize("kind", IMAGES)
def test_the_type_of_an_image_is_that_of_its_bytes(kind: str) -> None:
    image = Image(IMAGES[kind])
    assert (image.data, image.media_type, image.url) == (IMAGES[kind], kind, "")
    assert image.address == data_url(IMAGES[kind], kind)
    assert Image(image.address) == image == Image(bytearray(IMAGES[kind]), media_type=kind.upper())  # type: ignore[arg-type]


def test_an_image_is_read_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    assert Image(path) == Image(PNG)
    path.write_bytes(JPEG)
    assert Image(path).media_type == "image/jpeg"  # a wrong name fools nobody


def test_an_address_is_passed_on_and_text_is_never_taken_for_a_path(tmp_path: Path) -> None:
    image = Image("https://example.org/a.png?size=2", detail="low")
    assert (image.address, image.data, image.detail) == ("https://example.org/a.png?size=2", b"", "low")
    (tmp_path / "a.png").write_bytes(PNG)
    for text in (str(tmp_path / "a.png"), "a.png", "file:///etc/passwd", "https://", "ftp://a/b", "https://a/ b", ""):
        assert "is no address for the image" in refusal(text)
        assert "pathlib.Path" in refusal(text)


def test_a_text_file_that_calls_itself_png_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("Dear diary")
    assert refusal(path) == (
        "the image 'notes.png' calls itself image/png, but its bytes are plain text; "
        "give a PNG, JPEG, GIF, WebP, TIFF, HEIC or AVIF image"
    )
    assert "calls itself image/png, but its bytes are plain text" in refusal(data_url(b"Dear diary"))
    assert "calls itself image/png, but its bytes are image/jpeg" in refusal(JPEG, media_type="image/png")
    assert "is none: its bytes are application/pdf" in refusal(PDF)


def test_an_image_of_30_mb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.png"
    with path.open("wb") as file:
        file.write(PNG)
        file.truncate(30_000_000)
    expected = "has 30000000 bytes; at most 20000000 (20 MB) can be sent; make it smaller"
    assert refusal(path) == f"the image 'big.png' {expected}"
    assert refusal(PNG + bytes(30_000_000 - len(PNG))) == f"the image {expected}"
    assert "at most 20000000 (20 MB)" in refusal("data:image/png;base64," + "A" * 40_000_000)
    assert len(Image(PNG + bytes(20_000_000 - len(PNG))).data) == 20_000_000


def test_images_together_are_bounded() -> None:
    image = Image(PNG + bytes(MAX_TOTAL_BYTES // 3))
    messages = [Message("user", (image,)), Message("user", (image, "What are these?"))]
    assert parse_messages(messages)
    with pytest.raises(InvalidMessages, match=r"at most 50000000 \(50 MB\) can be sent, 20 MB each"):
        parse_messages([*messages, *messages])


def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.png") == "the image 'none.png' cannot be read: No such file or directory"
    assert "cannot be read: Is a directory" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "is no regular file" in refusal(tmp_path / "pipe")
    assert "is empty" in refusal(b"")
    assert "is int; give bytes, a pathlib.Path or an address" in refusal(7)
    assert "no base64" in refusal("data:image/png;base64,!!")
    assert "without a comma" in refusal("data:image/png;base64")
    assert "the media type of the image is int" in refusal(PNG, media_type=7)


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.pdf", PDF, "application/pdf"),
        ("a", PDF, "application/pdf"),
        ("a.csv", b"a,b", "text/csv"),
        ("a", "é".encode(), "text/plain"),
        ("a", b"\xff\xfe\0", "application/octet-stream"),
        ("a.docx", b"PK\x03\x04", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)
def test_a_file_has_the_type_of_its_name_if_its_bytes_are_not_against_it(
    name: str, data: bytes, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert (File(path).name, File(path).media_type) == (name, kind)
    assert File(data, media_type=kind).media_type == kind


def test_a_file_is_read_from_a_path_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "menu.pdf"
    path.write_bytes(PDF)
    assert (File(path).name, File(path).media_type, File(path).data) == ("menu.pdf", "application/pdf", PDF)
    path.write_bytes(b"Soup")
    assert "'menu.pdf' calls itself application/pdf, but its bytes are plain text" in refusal(path, File)
    assert "calls itself text/plain, but its bytes are application/pdf" in refusal(PDF, File, media_type="text/plain")
    assert "calls itself image/png, but" in refusal(PDF, File, media_type="image/png")
    assert (File(id="file-1").id, File(id="file-1").data) == ("file-1", b"")
    for arguments in ({}, {"source": PDF, "id": "file-1"}):
        with pytest.raises(InvalidMessages, match="either a source"):
            File(**arguments)  # type: ignore[arg-type]


def test_openais_shapes_become_the_same_parts_as_the_classes() -> None:
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": data_url(PNG), "detail": "high"}},
        {"type": "image_url", "image_url": "https://example.org/a.png"},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": data_url(PDF, "application/pdf")}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": base64.b64encode(PDF).decode()}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]
    classes = (
        "What is it?",
        Image(PNG, detail="high"),
        Image("https://example.org/a.png"),
        File(PDF, name="a.pdf", media_type="application/pdf"),
        File(PDF, name="a.pdf"),
        File(id="file-1"),
    )
    [parsed] = parse_messages([{"role": "user", "content": parts}])
    assert parsed == Message("user", classes) == parse_messages([Message("user", classes)])[0]
    assert parsed.parts == parsed.content
    assert (parsed.text, format_prompt([parsed])) == ("What is it?", "What is it?")


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"type": "image_url"}, "an image_url part needs 'image_url': {'url': ...}"),
        ({"type": "image_url", "image_url": {}}, "an image_url part needs text under 'url'"),
        ({"type": "image_url", "image_url": {"url": "/etc/passwd"}}, "'/etc/passwd' is no address for the image"),
        ({"type": "file"}, "a file part needs"),
        ({"type": "file", "file": {}}, "a file part needs text under 'file_data'"),
        ({"type": "file", "file": {"file_data": "/etc/passwd"}}, "no base64"),
        ({"type": "x" * 1000}, "is not known"),
    ],
)
def test_a_part_that_is_none_is_named(part: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidMessages) as caught:
        parse_messages([{"role": "user", "content": ["Hi", part]}])
    assert caught.value.message.startswith("message 0, part 1: ")
    assert words in caught.value.message
    assert len(caught.value.message) < 300


def test_text_alone_stays_text() -> None:
    [parsed] = parse_messages([{"role": "user", "content": ["a", {"type": "text", "text": "b"}]}])
    assert (parsed.content, parsed.text, parsed.parts) == ("ab", "ab", ("ab",))
    assert Message("user", "").parts == ()


def test_an_image_alone_asks_something() -> None:
    assert parse_messages([Message("user", (Image(PNG),))])


def test_a_message_with_parts_is_a_value() -> None:
    parts: Any = ["What is it?", Image(PNG), File(PDF)]
    message = Message("user", parts)
    for same in (pickle.loads(pickle.dumps(message)), copy.deepcopy(message)):
        assert (same, hash(same)) == (message, hash(message))
    with pytest.raises(AttributeError):
        message.content[1].data = b""  # type: ignore[misc, union-attr]


def test_a_repr_shows_no_bytes_and_no_query() -> None:
    assert repr(Image(PNG)) == "<Image image/png, 24 bytes>"
    assert repr(Image("https://user:secret@example.org/a.png?key=secret")) == "<Image https://example.org/a.png>"
    assert repr(File(PDF, name="a.pdf")) == "<File 'a.pdf' application/pdf, 9 bytes>"
