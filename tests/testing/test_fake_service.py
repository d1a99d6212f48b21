"""What a fake service reads of a request, and what its functions send."""

from collections.abc import Iterator

import pytest
import requests

from providers_sdk import Client, Registry, ToolCall, Usage
from providers_sdk.plugin import Chunk, FinishReason, Http, Provider, Request, as_object, iter_deltas
from providers_sdk.testing import FakeService, Part, Received, Response, deltas, json_response, ndjson, sse

PNG = b"\x89PNG\r\n--x\r\n\x00\xff\r\n"


class Site(FakeService):
    """Sends what a test gave it."""

    response = json_response({})

    def respond(self, received: Received) -> Response:
        return self.response


class Sends(Provider):
    """Sends a form, and yields the answer as its service sends it."""

    url = "https://sends.example"
    default_model = "m"
    supports_stream = True
    supports_tools = True

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        response = http.post(
            "/ask",
            params={"alt": "sse", "n": ""},
            files=[
                ("prompt", (None, "Grüße", "text/plain; charset=utf-8")),
                ("image", ("pizza é.png", PNG, "image/png")),
            ],
        )
        if response.content_type == "text/event-stream":
            yield from iter_deltas(response.events())
            return
        for line in map(as_object, response.ndjson()):
            yield from [line["text"]] if "text" in line else [FinishReason(None)]


def ask(site: Site) -> list[Chunk]:
    """Return the chunks of one answer."""
    registry = Registry()
    registry.register("sends", Sends)
    with Client("sends", settings={"sends": {"url": site.url}}, registry=registry) as client:
        return list(client.chat("hello").chunks())


def test_a_multipart_form_and_a_query_are_read_and_ndjson_is_sent() -> None:
    with Site() as site:
        site.response = ndjson(site.paced([b'{"text": "Soup"}\n', b'{"end": 1}\n']))
        assert ask(site) == ["Soup", FinishReason(None)]
    received = site.requests[0]
    assert received.query == {"alt": "sse", "n": ""}
    assert received.parts == (
        Part("prompt", None, "text/plain", "Grüße".encode()),
        Part("image", "pizza é.png", "image/png", PNG),
    )


def test_rows_are_sent_as_lines() -> None:
    body = ndjson([{"text": "é"}, 7]).body
    assert not isinstance(body, bytes)
    assert b"".join(body) == '{"text": "é"}\n7\n'.encode()


@pytest.mark.parametrize("kind", ["", "application/json", "multipart/form-data", "text/plain; boundary=a"])
def test_another_body_has_no_parts(kind: str) -> None:
    assert Received("POST", "/", {"content-type": kind}, b"--a\r\n\r\nb\r\n--a--\r\n").parts == ()


def test_tool_calls_and_counts_are_sent_as_services_do() -> None:
    calls = [ToolCall("a", "look", {"day": "friday"}), ToolCall("b", "book", {})]
    with Site() as site:
        site.response = sse(deltas(["So: "], finish="tool_calls", tool_calls=calls, usage=Usage(3, 5)))
        chunks = ask(site)
    assert [chunk for chunk in chunks if isinstance(chunk, ToolCall)] == calls
    assert [chunk for chunk in chunks if not isinstance(chunk, ToolCall) and chunk] == [
        "So: ",
        Usage(3, 5),
        FinishReason("tool_calls"),
    ]


def test_a_response_sets_several_cookies() -> None:
    with Site() as site, requests.Session() as session:
        site.response = json_response({}, headers={"Set-Cookie": ["a=1", "b=2"]})
        session.get(site.url, timeout=5)
        assert dict(session.cookies) == {"a": "1", "b": "2"}
