"""What 15 services really answered, each read by its own row, on loopback in three framings, whole and byte by byte.

The recordings lie beside the repository and are read in place. Each has an independent reading of its body, ``expect``.
"""

import base64
import json
import socket
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from providers_sdk import Chunk, Client, FinishReason, ProviderError, Reasoning, Refused, ServedModel, ToolCall, Usage
from providers_sdk.errors import EmptyAnswer, HTTPStatusError, InvalidAnswer, PromptRejected
from providers_sdk.testing import Connection, RawServer, Response
from providers_sdk.testing.response import chunked
from providers_sdk_plugins.fakes.openai import SITES
from providers_sdk_plugins.services import ROWS as SERVICE_ROWS

FOLDER = Path(__file__).parents[3] / "shared" / "captures" / "vendors"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "index")
FRAMINGS: dict[str, Callable[[bytes], dict[str, str]]] = {
    "chunked": lambda _: {"Transfer-Encoding": "chunked"},
    "close": lambda _: {"Connection": "close"},
    "length": lambda body: {"Content-Length": str(len(body))},
}
THINKING_IN_PARTS = {  # characters: expect counts only thinking in a field of its own, not in parts of the content
    "mistral-j-200-164be8f52a": 121,
    "mistral-s-200-91b6bf6519": 174,
    "vercel-mistral-j-200-992a929bb1": 60,
    "vercel-mistral-s-200-b61b96ce2c": 60,
}
OF_ANOTHER_ROW = {  # vendor: the row that reads it; every other vendor has a row of its own
    "azure": ("azure-classic", 5),
    "azure-foundry": ("azure", 5),
    "host:demo-endpoints.pydantic.workers.dev": ("openai", 1),
    "ollama": ("ollama-cloud", 4),  # of OpenAI's dialect; the provider "ollama" speaks Ollama's own
    "snowflake": ("openai", 4),
    "vercel-mistral": ("openai", 2),
    "vercel-openai": ("openai", 1),
}
OF_THEIR_OWN = {  # vendor: how many recordings
    "deepseek": 9,
    "doubleword": 2,
    "groq": 8,
    "llamacpp": 8,
    "mistral": 9,
    "openai": 10,
    "openrouter": 10,
    "perplexity": 3,
}
NO_DIALECT = "host_demo-endpoints.pydantic.workers.dev-j-200-41605d8058"  # a debug server: text/plain, no JSON

pytestmark = pytest.mark.skipif(not NAMES, reason="the recordings of real services are not beside the repository")


@lru_cache
def recording(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def vendor_of(name: str) -> str:
    vendor: str = recording(name)["vendor"]
    return vendor


def row_of(name: str) -> str:
    return OF_ANOTHER_ROW.get(vendor_of(name), (vendor_of(name), 0))[0]


class Replay(RawServer):
    """Answers every request with one recording, in one framing, ``write_size`` bytes of the body at a time."""

    def __init__(self, name: str, framing: str, write_size: int) -> None:
        super().__init__()
        recorded = recording(name)
        body = base64.b64decode(recorded["body"])
        self._pieces = [body[start : start + write_size] for start in range(0, len(body), write_size)]
        self._head = Response(recorded["status"], dict(recorded["headers"])).head(FRAMINGS[framing](body))
        self._framing = framing

    def serve(self, connection: Connection) -> None:
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while connection.receive() is not None:
            connection.send(self._head)
            for piece in chunked(self._pieces) if self._framing == "chunked" else self._pieces:
                connection.send(piece)
            if self._framing == "close":
                return


class Outcome:
    """What came of one question: the chunks by their kind, and the error, if one ended them."""

    def __init__(self, name: str, framing: str, write_size: int) -> None:
        self.error: ProviderError | None = None
        chunks: list[Chunk] = []
        row = row_of(name)
        with Replay(name, framing, write_size) as server:
            settings = {row: {"key": "none", "model": "recorded", **SITES[row].settings, "url": server.url}}
            with Client(row, retries=0, settings=settings) as client:
                try:
                    for chunk in client.chat("Hi", stream=recording(name)["stream"]).chunks():
                        chunks.append(chunk)
                except ProviderError as error:
                    self.error = error
        self.text = "".join(chunk for chunk in chunks if isinstance(chunk, str))
        self.thinking = sum(len(chunk.text) for chunk in chunks if isinstance(chunk, Reasoning))
        self.models = [chunk.name for chunk in chunks if isinstance(chunk, ServedModel)]
        self.calls = [chunk for chunk in chunks if isinstance(chunk, ToolCall)]
        self.usages = [chunk for chunk in chunks if isinstance(chunk, Usage)]
        self.finishes = [chunk for chunk in chunks if isinstance(chunk, FinishReason)]


def expected_error(name: str) -> tuple[type[ProviderError], str] | None:
    """Return the class of the error in the place of an answer and a piece of its message; ``None`` for an answer."""
    recorded, expect = recording(name), recording(name)["expect"]
    if name == NO_DIALECT:
        return InvalidAnswer, "text/plain"
    if recorded["status"] != 200:
        return HTTPStatusError, said(expect["error"]["message"]) if expect["error"] else "Logprobs are not enabled"
    if expect["error"]:
        kind = PromptRejected if expect["error"]["code"] == "content_filter" else Refused
        return kind, said(expect["error"]["message"])
    broken = next((call for call in expect["tool_calls"] if parsed(call) is None), None)
    if broken and expect["finish"] != "length":
        return InvalidAnswer, broken["arguments"]
    return None if expect["text"] or expected_calls(name) else expected_error_without_text(expect)


def parsed(call: dict[str, Any]) -> ToolCall | None:
    """Return a recorded call, ``None`` where its arguments are cut JSON."""
    try:
        return ToolCall(call["id"], call["name"], json.loads(call["arguments"]))
    except ValueError:
        return None


def expected_calls(name: str) -> list[ToolCall]:
    return [call for call in map(parsed, recording(name)["expect"]["tool_calls"]) if call is not None]


def expected_error_without_text(expect: dict[str, Any]) -> tuple[type[ProviderError], str]:
    if expect["refusal"]:
        return Refused, expect["refusal"]
    if expect["finish"] == "content_filter":
        return Refused, "content filter"
    if expect["tool_calls"]:
        return EmptyAnswer, f"tool call ({', '.join(call['name'] for call in expect['tool_calls'])})"
    return EmptyAnswer, "raise max_tokens" if expect["finish"] == "length" else "holds no text"


def said(message: str) -> str:
    return " ".join(message.split())[:100]


def usage_of(name: str) -> Usage | None:
    usage = recording(name)["expect"]["usage"]
    return Usage(*usage) if usage else None


def check_answer(name: str, found: Outcome) -> None:
    expect = recording(name)["expect"]
    assert found.error is None
    assert found.text == expect["text"]
    assert found.calls == expected_calls(name)
    assert found.finishes == [FinishReason(expect["finish"])]
    assert (found.usages[-1] if found.usages else None) == usage_of(name)
    assert (found.models[-1] if found.models else None) == expect["model"]


def check_error(name: str, found: Outcome, kind: type[ProviderError], message: str) -> None:
    recorded, error = recording(name), found.error
    assert isinstance(error, kind)
    assert message in error.message
    assert (found.finishes, found.calls) == ([], [])
    assert error.partial == found.text == recorded["expect"]["text"]
    assert (error.finish_reason, error.usage) == (recorded["expect"]["finish"], usage_of(name))


def check(name: str, found: Outcome) -> None:
    error = expected_error(name)
    if error is None:
        check_answer(name, found)
    else:
        check_error(name, found, *error)
    assert found.thinking == THINKING_IN_PARTS.get(name, recording(name)["expect"]["reasoning_chars"])


def test_there_are_81_recordings_and_each_vendors_are_read_by_a_row() -> None:
    assert len(NAMES) == 81
    rows = {vendor: row for vendor, (row, _) in OF_ANOTHER_ROW.items()} | {vendor: vendor for vendor in OF_THEIR_OWN}
    assert set(rows.values()) <= set(SERVICE_ROWS)
    assert Counter(map(vendor_of, NAMES)) == OF_THEIR_OWN | {name: count for name, (_, count) in OF_ANOTHER_ROW.items()}


def test_17_of_them_are_tool_calls_three_of_which_are_cut() -> None:
    with_calls = {name: recording(name)["expect"] for name in NAMES if recording(name)["expect"]["tool_calls"]}
    assert len(with_calls) == 17
    cut = {name for name, expect in with_calls.items() if None in map(parsed, expect["tool_calls"])}
    assert {(recording(name)["expect"]["finish"], len(expected_calls(name))) for name in cut} == {
        ("length", 1),  # the complete one of two is delivered
        ("length", 0),  # none is complete: EmptyAnswer
        ("tool_calls", 0),  # openrouter-j-200-04ab6f3b12: InvalidAnswer with the text
    }


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_answer_is_read_as_it_was_meant(name: str, framing: str) -> None:
    check(name, Outcome(name, framing, 1 << 20))


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_answer_is_the_same_byte_by_byte(name: str, framing: str) -> None:
    check(name, Outcome(name, framing, 1))
