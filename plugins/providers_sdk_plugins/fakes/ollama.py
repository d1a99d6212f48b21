"""A fake of an Ollama server's own API."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from providers_sdk.testing import FakeService, Received, Response, json_response

__all__ = ["OllamaSite"]

_MODEL = "qwen3"
_MENU = {"function": {"name": "get_menu", "arguments": {"day": "friday"}}}
_PRICE = {"function": {"name": "get_price", "arguments": {"pizza": "Funghi"}}}
_COUNTS = {"prompt_eval_count": 21, "eval_count": 42, "eval_duration": 1_000_000}
_FITS = json.dumps({"pizzas": ["Margherita", "Funghi", "Diavola"]})
_MISFITS = json.dumps({"pizzas": ["Margherita", 7]})


class OllamaSite(FakeService):
    """Has two models, and answers whichever of them is asked, without a key."""

    cases = {
        "thinking": "thinking text before the answer",
        "error_midway": "a line with an error in mid-stream",
        "error_first": "a line with an error and its status, before any text, though the response's status is 200",
        "length": "the answer ends for its length",
        "cut": "the stream ends without a line that is done",
        "torn": "the stream breaks off within a line",
        "after_done": "further lines after the one that is done",
        "unknown": "lines with fields of unknown names, and others without a message",
        "no_reason": "the last line names no reason",
        "cached": "the prompt was in the cache, so its count is left out",
        "plain": "the lines are labelled text/plain",
        "key": "a proxy before the server wants a key",
        "tools": "a tool call without arguments, and no text",
        "two_tools": "two tool calls at once, without ids; text once their results are there",
        "named_tools": "the same, with ids",
        "spent": "thinking used the tokens up: no text",
        "schema": "JSON",
        "misfit": "JSON that does not fit a schema, until the service is told so",
        "load": "the model was only loaded: no text",
        "limit": "429 with Retry-After",
        "crashed": "500: the model's process has ended",
    }
    settings = {"model": _MODEL}
    models = ("qwen3:latest", "gemma3:4b")

    def turns(self, received: Received) -> list[tuple[str, str]] | None:
        """Return the messages of a question."""
        messages = _read_body(received).get("messages")
        return None if messages is None else [(turn["role"], turn["content"]) for turn in messages]

    def respond(self, received: Received) -> Response:
        """Return the server's response in this case."""
        if self.case == "key" and received.headers.get("authorization") != "Bearer fake-key":
            return json_response({"error": "unauthorized"}, status=401)
        if (received.method, received.path) == ("GET", "/api/tags"):
            return json_response({"models": [{"name": name, "model": name, "size": 1} for name in self.models]})
        if (received.method, received.path) != ("POST", "/api/chat"):
            return Response(404, {"Content-Type": "text/plain"}, b"404 page not found", "length")
        asked = _read_body(received)
        if not self._has_model(str(asked.get("model"))):
            return json_response({"error": f"model '{asked.get('model')}' not found"}, status=404)
        if self.case in _REFUSALS:
            status, message = _REFUSALS[self.case]
            headers = {"Retry-After": "7"} if status == 429 else {}
            return json_response({"error": message}, status=status, headers=headers)
        messages, reason = self._make_answer(asked)
        if asked.get("stream", True):
            return self._stream(messages, reason)
        return self._respond_whole(messages, reason)

    def _has_model(self, name: str) -> bool:
        return bool({name, f"{name}:latest"} & set(self.models)) or name.endswith("-model")

    def _make_answer(self, asked: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
        """Return the messages of the lines, and the reason."""
        turns = asked["messages"]
        if self.case in ("schema", "misfit"):
            text = _FITS if self.case == "schema" or len(turns) > 1 else _MISFITS
            return [{"content": text[:9]}, {"content": text[9:]}], "stop"
        if self.case in _ANSWERS and turns[-1]["role"] != "tool":
            return _ANSWERS[self.case]
        thinking = [{"content": "", "thinking": "Pizza..."}] if self.case == "thinking" else []
        return [*thinking, *({"content": piece} for piece in self.reply_pieces)], _FINISHES.get(self.case, "stop")

    def _stream(self, messages: list[dict[str, Any]], reason: str | None) -> Response:
        lines = [_line(message) for message in messages]
        usual = [*lines, _line({"content": ""}, **self._make_end(reason))]
        kind = "text/plain" if self.case == "plain" else "application/x-ndjson"
        pieces = _STREAMS.get(self.case, list)(usual)
        return Response(200, {"Content-Type": kind}, self.paced(pieces), "chunked")

    def _respond_whole(self, messages: list[dict[str, Any]], reason: str | None) -> Response:
        if self.case in ("error_midway", "error_first", "cut", "torn"):
            return json_response({"error": "the model broke off"}, status=500)
        whole: dict[str, Any] = {"role": "assistant", "content": ""}
        for message in messages:
            for name, value in message.items():
                whole[name] = whole[name] + value if name in whole else value
        return json_response({"model": _MODEL, "message": whole, **self._make_end(reason)})

    def _make_end(self, reason: str | None) -> dict[str, Any]:
        counts = {
            name: count for name, count in _COUNTS.items() if self.case != "cached" or name != "prompt_eval_count"
        }
        return {"done": True, **({"done_reason": reason} if reason else {}), **counts}


def _read_body(received: Received) -> dict[str, Any]:
    body = received.json() if received.body else {}
    return body if isinstance(body, dict) else {}


def _line(message: Mapping[str, Any], **fields: Any) -> bytes:
    body = {"model": _MODEL, "created_at": "2026-11-21T12:00:00Z", "message": {"role": "assistant", **message}}
    return json.dumps({**body, "done": False, **fields}, ensure_ascii=False).encode() + b"\n"


def _with_id(call: Mapping[str, Any], id_: str) -> dict[str, Any]:
    return {"id": id_, **call}


_REFUSALS: Mapping[str, tuple[int, str]] = {
    "limit": (429, "too many requests"),
    "crashed": (500, "model runner has unexpectedly stopped"),
}
_FINISHES: Mapping[str, str | None] = {"length": "length", "no_reason": None}
_TWO = {"content": "", "tool_calls": [_MENU, _PRICE]}
_NAMED = {"content": "", "tool_calls": [_with_id(_MENU, "call_1"), _with_id(_PRICE, "call_2")]}
_ANSWERS: Mapping[str, tuple[list[dict[str, Any]], str]] = {
    "tools": ([{"content": "", "tool_calls": [{"function": {"name": "get_menu", "arguments": {}}}]}], "stop"),
    "two_tools": ([_TWO], "stop"),
    "named_tools": ([_NAMED], "stop"),
    "spent": ([{"content": "", "thinking": "Pizza..."}], "length"),
    "load": ([], "load"),
}
_ERROR, _LATE = b'{"error":"the model broke off"}\n', _line({"content": "and more"})
_FIRST = b'{"error":"the server is busy","status":503}\n'
_NOVEL = b'{"novelty":{"content":"and more"}}\n{"model":"qwen3","message":{"novelty":1},"done":false}\n\n'
_STREAMS: Mapping[str, Callable[[list[bytes]], list[bytes]]] = {
    "error_midway": lambda usual: [*usual[:1], _ERROR],
    "error_first": lambda _: [_FIRST],
    "cut": lambda usual: usual[:-1],
    "torn": lambda usual: [*usual[:-1], usual[-1][:30]],
    "after_done": lambda usual: [*usual, _LATE],
    "unknown": lambda usual: [piece for part in usual for piece in (_NOVEL, part)],
}
