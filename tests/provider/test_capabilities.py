"""What a provider does not declare that it takes is refused before anything is sent, and its authors need not ask."""

from collections.abc import Iterator
from typing import Any

import pytest

from providers_sdk import Client, File, FinishReason, Image, Message, Registry, ToolCall
from providers_sdk.errors import UnsupportedOption
from providers_sdk.plugin import Chunk, Http, Provider, Request

PNG = Image(b"\x89PNG\r\n\x1a\n")
CALL = ToolCall("c", "ping", {})
TURNS = [Message("user", "Hi"), Message("assistant", "", (CALL,)), Message("tool", "pong", tool_call_id="c")]
ROWS: dict[str, tuple[str, Any, dict[str, Any], str]] = {
    "images": ("supports_images", [Message("user", ("What is it?", PNG))], {}, "takes no images"),
    "files": ("supports_files", [Message("user", (File(b"a"),))], {}, "takes no files"),
    "tools": ("supports_tools", "Hi", {"tools": [{"name": "ping"}]}, "takes no tools"),
    "results": ("supports_tools", TURNS, {}, "takes no tool calls and no messages of the role 'tool'"),
    "schema": ("supports_schema", "Hi", {"schema": {"type": "object"}}, "takes no schema"),
}


class Taking(Provider):
    """Keeps what it is asked."""

    offline = True
    models = (default_model,) = ("m",)
    requests: list[Request]

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        self.requests.append(request)
        yield "ok"
        yield FinishReason(None)


def make(**declared: bool) -> tuple[type[Taking], Registry]:
    kind = type("Mine", (Taking,), {"requests": [], **declared})
    registry = Registry()
    registry.register("taking", kind)
    return kind, registry


@pytest.mark.parametrize("row", ROWS)
def test_what_a_provider_does_not_declare_is_refused_unsent_and_a_fallback_takes_it(row: str) -> None:
    attribute, messages, arguments, words = ROWS[row]
    kind, registry = make()
    able, _ = make(**{attribute: True})
    registry.register("able", able)
    with Client("taking", registry=registry) as client:
        with pytest.raises(UnsupportedOption, match=f"^taking: {words}.* or ask another provider$"):
            client.chat(messages, **arguments)
        reply = client.chat(messages, provider=["taking", "able"], **arguments)
        assert [attempt.outcome for attempt in reply.attempts] == ["skipped", "streaming"]
        assert reply.text == "ok"
    assert (len(kind.requests), len(able.requests)) == (0, 1)
    with pytest.raises(UnsupportedOption, match=words):
        kind(environ={}).create_completion(None, messages, **arguments)
    assert list(able(environ={}).create_completion(None, messages, **arguments)) == ["ok", FinishReason(None)]


def test_a_provider_gets_tools_and_schema_as_plain_values() -> None:
    kind, registry = make(supports_tools=True, supports_schema=True)
    tool = {"name": "ping", "description": "Ping.", "parameters": {"type": "object", "properties": {}}}
    with Client("taking", registry=registry) as client:
        assert client.chat("Hi", tools=[{"type": "function", "function": tool}], schema={"type": "object"}).text == "ok"
    [request] = kind.requests
    assert (request.tools, request.schema, request.options) == ((tool,), {"type": "object"}, {})


def test_a_provider_written_for_text_gets_text() -> None:
    kind, registry = make()
    with Client("taking", registry=registry) as client:
        client.chat([{"role": "user", "content": [{"type": "text", "text": "Hi"}, "!"]}]).close()
    [request] = kind.requests
    assert (request.messages[0].content, request.prompt, request.tools, request.schema) == ("Hi!", "Hi!", (), None)
