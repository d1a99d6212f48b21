"""The cases of the fake OpenAI service that are about tools and the form of the answer."""

import json
from typing import Any

from providers_sdk.testing import FakeService, Response, deltas, event, json_response, sse

__all__ = ["CASES", "respond"]

CASES = {
    "two_tools": "two tool calls at once, in pieces; text once their results are there",
    "cut_tool": "the answer ends for its length, within its second tool call",
    "cut_only_tool": "the answer ends for its length, within its only tool call",
    "broken_tool": "the arguments of a tool call are no JSON, though the answer did not end for its length",
    "schema": "JSON",
    "misfit": "JSON that does not fit a schema, until the service is told so",
}
_MENU = ("call_1", "get_menu", '{"day": "friday"}')
_PRICE = ("call_2", "get_price", '{"pizza": "Funghi"}')
_CUT = ("call_2", "get_price", '{"pizza": "Fun')
_CALLS = {
    "two_tools": ((_MENU, _PRICE), "tool_calls"),
    "cut_tool": ((_MENU, _CUT), "length"),
    "cut_only_tool": ((_CUT,), "length"),
    "broken_tool": ((_CUT,), "tool_calls"),
}
_FITS = json.dumps({"pizzas": ["Margherita", "Funghi", "Diavola"]})
_MISFITS = json.dumps({"pizzas": ["Margherita", 7]})
_USAGE = {"prompt_tokens": 21, "completion_tokens": 42, "total_tokens": 63}


def respond(site: FakeService, asked: dict[str, Any]) -> Response | None:
    """Return the response to a request in these cases, ``None`` where it is that of a healthy service."""
    messages = asked.get("messages") or [{}]
    if site.case in ("schema", "misfit"):
        told = site.case == "schema" or len(messages) > 1
        return _respond_text(site, _FITS if told else _MISFITS, asked)
    if messages[-1].get("role") == "tool" or site.case not in _CALLS:
        return None
    calls, finish = _CALLS[site.case]
    return _stream_calls(site, calls, finish) if asked.get("stream") else _respond_calls(calls, finish)


def _respond_text(site: FakeService, text: str, asked: dict[str, Any]) -> Response:
    if asked.get("stream"):
        return sse(site.paced(deltas([text[:9], text[9:]])))
    return _respond_whole({"content": text}, "stop")


def _respond_calls(calls: tuple[tuple[str, str, str], ...], finish: str) -> Response:
    written = [{"id": id_, "type": "function", "function": {"name": name, "arguments": a}} for id_, name, a in calls]
    return _respond_whole({"content": None, "tool_calls": written}, finish)


def _respond_whole(message: dict[str, Any], finish: str) -> Response:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return json_response({"object": "chat.completion", "choices": [choice], "usage": _USAGE})


def _stream_calls(site: FakeService, calls: tuple[tuple[str, str, str], ...], finish: str) -> Response:
    """Stream the calls as OpenAI does: id and name first, then the arguments in pieces of five characters."""
    pieces: list[dict[str, Any]] = []
    for index, (id_, name, arguments) in enumerate(calls):
        pieces.append({"index": index, "id": id_, "type": "function", "function": {"name": name, "arguments": ""}})
        parts = (arguments[start : start + 5] for start in range(0, len(arguments), 5))
        pieces += ({"index": index, "function": {"arguments": part}} for part in parts)
    choices: list[dict[str, Any]] = [{"index": 0, "delta": {"tool_calls": [piece]}} for piece in pieces]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    usage = event({"choices": [], "usage": _USAGE})
    return sse(site.paced([*(event({"choices": [choice]}) for choice in choices), usage, event("[DONE]")]))
