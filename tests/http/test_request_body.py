"""Requests with any method and body: what is sent, what is refused before anything is sent, and in what time."""

import io
import threading
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from providers_sdk._http.client import Http, HttpSession
from providers_sdk.errors import DeadlineExceeded, InvalidArgument
from providers_sdk.testing import Connection, RawServer, Received, TLSServer
from tests.http.steps import OK, PATIENCE, SLACK, OpenHttp, Serve, assert_within, run_steps, send

LIMIT = 0.3
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture
def site(serve: Serve) -> RawServer:
    return serve(run_steps(send(OK)))


def parts(received: Received) -> list[tuple[str, str | None, str | None, bytes]]:
    """Return the parts of a multipart body: name, file name, media type, content."""
    head = f"content-type: {received.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + received.body)
    assert message.get_content_type() == "multipart/form-data"
    found = []
    for part in message.get_payload():
        assert not isinstance(part, str)
        name = str(part.get_param("name", header="content-disposition"))
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        found.append((name, part.get_filename(), part["content-type"], content))
    return found


# --- methods ---


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "put", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_any_method_can_be_sent(method: str, serve: Serve, open_http: OpenHttp) -> None:
    head = OK if method != "HEAD" else OK.removesuffix(b"{}")
    site = serve(run_steps(send(head)))
    response = open_http(site.url).request(method, "/x", params={"q": "1"}, headers={"X-Mine": "yes"})
    assert (response.status, response.text()) == (200, "" if method == "HEAD" else "{}")
    received = site.requests[0]
    assert (received.method, received.target, received.headers["x-mine"]) == (method.upper(), "/x?q=1", "yes")


@pytest.mark.parametrize("method", ["", "G ET", "GET\r\nx", "CONNECT", "TRACE", "GÉT", 7], ids=repr)
def test_a_method_that_cannot_be_sent_is_refused(method: Any, site: RawServer, open_http: OpenHttp) -> None:
    with pytest.raises(InvalidArgument, match=r"the method .* cannot be sent"):
        open_http(site.url).request(method)
    assert site.connections == 0


@pytest.mark.parametrize(
    ("method", "body", "followed"),
    [("GET", {}, True), ("HEAD", {}, True), ("GET", {"json": {}}, False), ("PUT", {}, False), ("DELETE", {}, False)],
)
def test_only_what_asks_without_a_body_is_redirected(
    method: str, body: dict[str, Any], followed: bool, serve: Serve, open_http: OpenHttp
) -> None:
    def script(connection: Connection, received: Received) -> None:
        moved = b"HTTP/1.1 302 Found\r\nlocation: /there\r\ncontent-length: 0\r\n\r\n"
        connection.send(moved if received.path == "/" else b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    site = serve(script)
    assert open_http(site.url).request(method, **body).status == (200 if followed else 302)
    assert [it.path for it in site.requests] == (["/", "/there"] if followed else ["/"])


# --- bodies ---


def test_bytes_are_sent_as_they_are(site: RawServer, open_http: OpenHttp) -> None:
    http = open_http(site.url)
    given: list[Any] = [PNG, bytearray(PNG), memoryview(PNG)]
    for data in given:
        http.request("PUT", "/", data=data, headers={"content-type": "image/png"}).json()
    assert [it.body for it in site.requests] == [PNG] * 3
    assert [it.headers["content-type"] for it in site.requests] == ["image/png"] * 3


@pytest.mark.parametrize(
    "form",
    [
        {"a": "1", "b": ["x", "y"], "c": 2.5, "d": None, "e": b"z"},
        [("a", "1"), ("b", "x"), ("b", "y"), ("c", 2.5), ("d", None), ("e", b"z")],
        iter([("a", 1), ("b", ("x", "y", None)), ("c", "2.5"), ("e", "z")]),
    ],
    ids=["mapping", "pairs", "iterator"],
)
def test_a_form_is_sent_urlencoded(form: Any, site: RawServer, open_http: OpenHttp) -> None:
    open_http(site.url).post("/", data=form).json()
    assert site.requests[0].body == b"a=1&b=x&b=y&c=2.5&e=z"
    assert site.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"


def test_files_and_a_form_are_sent_as_one_multipart_body(site: RawServer, open_http: OpenHttp, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(PNG)
    files: dict[str, Any] = {
        "image": ("pizza.png", PNG, "image/png"),
        "note": "plain tëxt",
        "meta": (None, '{"a": 1}', "application/json", {"X-Part": "1"}),
    }
    with path.open("rb") as opened:
        open_http(site.url).post("/", data=[("question", "what?"), ("n", 1)], files={**files, "photo": opened}).json()
    assert parts(site.requests[0]) == [
        ("question", None, None, b"what?"),
        ("n", None, None, b"1"),
        ("image", "pizza.png", "image/png", PNG),
        ("note", "note", None, "plain tëxt".encode()),
        ("meta", None, "application/json", b'{"a": 1}'),
        ("photo", "photo.png", None, PNG),
    ]
    assert b"X-Part: 1" in site.requests[0].body


def test_several_files_may_have_one_name(site: RawServer, open_http: OpenHttp) -> None:
    open_http(site.url).post("/", files=[("image", ("1.png", b"1")), ("image", ("2.png", b"2"))]).json()
    assert [(name, filename) for name, filename, _, _ in parts(site.requests[0])] == [
        ("image", "1.png"),
        ("image", "2.png"),
    ]


def test_a_file_can_be_sent_again_from_where_it_was(site: RawServer, open_http: OpenHttp) -> None:
    file = io.BytesIO(b"--head--" + PNG)
    file.seek(8)
    for _ in range(2):
        open_http(site.url).post("/", files={"image": file}).json()
    assert [parts(it)[0][3] for it in site.requests] == [PNG, PNG]


def test_a_file_is_sent_whole_where_a_kept_connection_was_lost(open_http: OpenHttp) -> None:
    class Closes(RawServer):
        def serve(self, connection: Connection) -> None:
            received = connection.receive()
            assert received is not None
            self.requests.append(received)
            connection.send(OK)
            if len(self.requests) == 1:
                connection.reset()

    pool, file = HttpSession(proxy=""), io.BytesIO(PNG)
    with Closes() as site:
        assert open_http(site.url, pool=pool).post("/", files={"image": file}).json() == {}
        site.wait_idle(PATIENCE)
        assert open_http(site.url, pool=pool).post("/", files={"image": file}).json() == {}
    pool.close()
    assert [parts(it)[0][3] for it in site.requests] == [PNG, PNG]


def test_no_name_of_a_file_or_field_adds_a_header(site: RawServer, open_http: OpenHttp) -> None:
    open_http(site.url).post("/", files={'a"\r\nx-evil: 1': ('b"\r\nx-evil: 1', b"")}).json()
    assert b"\r\nx-evil" not in site.requests[0].body


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "json and a form": ({"json": {}, "data": {"a": "1"}}, "give json= or data=, not both"),
    "json and files": ({"json": {}, "files": {"a": b""}}, "JSON is a part of its own, files="),
    "bytes and files": ({"data": b"x", "files": {"a": b""}}, "as data={...}, not bytes"),
    "text": ({"data": "x=1"}, "data=text.encode()"),
    "an open file": ({"data": io.BytesIO(b"x")}, "data=file.read()"),
    "a number": ({"data": 7}, "data= takes a mapping of names to values, or pairs of them, not int"),
    "names without values": ({"data": ["a", "b"]}, "data= takes a mapping"),
    "a nested value": ({"data": {"a": {"b": 1}}}, "the form field 'a' holds a value of type dict; .*json="),
    "a set": ({"data": {"a": {1}}}, "a value of type set"),
    "a path": ({"files": {"image": Path("x.png")}}, "the file 'image' is of type PosixPath; .*open"),
    "a file without content": ({"files": {"image": ("x.png",)}}, "the file 'image' is of type tuple"),
    "no file": ({"files": {"image": None}}, "the file 'image' is of type NoneType"),
    "a list of files": ({"files": [b"x"]}, "files= takes a mapping"),
    "a broken media type": ({"files": {"image": ("x", b"", "a/b\r\nx: y")}}, "the media type of the file 'image'"),
    "a media type that is none": ({"files": {"image": ("x", b"", 7)}}, "the media type of the file 'image'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_refused_with_the_right_way_before_anything_is_sent(
    name: str, site: RawServer, open_http: OpenHttp
) -> None:
    given, words = WRONG[name]
    with pytest.raises(InvalidArgument, match=words.replace("(", r"\(").replace(")", r"\)").replace("{...}", ".*")):
        open_http(site.url).post("/", **given)
    assert site.connections == 0


# --- in time ---


class Sips(RawServer):
    """Reads a little of the request now and then, and never all of it."""

    def serve(self, connection: Connection) -> None:
        while connection.sock.recv(20_000):
            threading.Event().wait(0.02)


class SipsOverTLS(TLSServer, Sips):
    """The same in TLS."""


UPLOADS: dict[str, Callable[[Http], object]] = {
    "bytes": lambda http: http.post("/", data=bytes(30_000_000)),
    "a file": lambda http: http.post("/", files={"image": io.BytesIO(bytes(30_000_000))}),
}


@pytest.mark.parametrize("server", [Sips, SipsOverTLS])
@pytest.mark.parametrize("upload", UPLOADS)
def test_an_upload_that_is_taken_slowly_ends_at_the_deadline(
    upload: str, server: type[RawServer], open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server() as site:
        if isinstance(site, TLSServer):
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
        http = open_http(site.url, deadline=LIMIT)
        with assert_within(LIMIT + SLACK), pytest.raises(DeadlineExceeded):
            UPLOADS[upload](http)
        http.close()
