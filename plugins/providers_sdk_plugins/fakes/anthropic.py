"""A fake of Anthropic's Messages API, as its version 2026-10-21 behaves."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from providers_sdk.testing import FakeService, Received, Response, event, json_response, sse

__all__ = ["AnthropicSite"]

_KEY, _TOKEN = "fake-key", "fake-token"
_MODEL = "claude-haiku-5-5-20261001"
_END = '{"type":"message_stop"}'
_OPENING = 3
"""Events before the first one with text, which the service sends at once."""
_SAMPLING = ("temperature", "top_p", "top_k")
_FIELDS = (
    *("model", "max_tokens", "messages", "system", "stream", "stop_sequences", "metadata", "thinking", "tools"),
    *("tool_choice", "output_config", "service_tier"),
)
_CALLS = (("toolu_1", "get_menu", '{"day": "friday"}'), ("toolu_2", "get_price", '{"pizza": "Funghi"}'))
_CUT = ("toolu_2", "get_price", '{"pizza": "Fun')
_USED_BEFORE = {"input_tokens": 11, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 10, "output_tokens": 1}
_USED = {"output_tokens": 42}
_FITS = json.dumps({"pizzas": ["Margherita", "Funghi", "Diavola"]})
_MISFITS = json.dumps({"pizzas": ["Margherita", 7]})


class AnthropicSite(FakeService):
    """Answers questions for the key ``fake-key`` or the bearer token ``fake-token``, and lists three models."""

    cases = {
        "thinking": "thinking text before the answer, and a block of it that is encrypted",
        "error_midway": "an error in mid-stream",
        "overloaded": "an overloaded_error in a stream with status 200, before any text",
        "overloaded_once": "the same, but only the first time",
        "busy": "status 529",
        "length": "the answer ends for its length",
        "cut": "the stream ends without a stop reason",
        "no_stop": "the stream ends after its stop reason, without message_stop",
        "late_text": "text after the stop reason",
        "after_stop": "further events after message_stop",
        "pings": "pings between the events",
        "unknown": "events and blocks of unknown types",
        "whole": "one JSON message, whether a stream was asked for or not",
        "no_reason": "the answer ends properly and names no stop reason",
        "refusal": "the model refuses",
        "tools": "a tool call and no text",
        "two_tools": "two tool calls at once, in pieces; text once their results are there",
        "cut_tool": "the answer ends for its length, within its second tool call",
        "cut_only_tool": "the answer ends for its length, within its only tool call",
        "broken_tool": "the arguments of a tool call are no JSON, though the answer did not end for its length",
        "spent": "thinking used the tokens up: no text",
        "schema": "JSON",
        "misfit": "JSON that does not fit a schema, until the service is told so",
        "limit": "429 with Retry-After",
    }
    settings = {"key": _KEY}
    models = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5")

    def turns(self, received: Received) -> list[tuple[str, str]] | None:
        """Return the turns of a question, what stands in ``system`` first."""
        asked = _read_body(received)
        if "messages" not in asked:
            return None
        system = [("system", _join(asked["system"]))] if "system" in asked else []
        return [*system, *((turn["role"], _join(turn["content"])) for turn in asked["messages"])]

    def respond(self, received: Received) -> Response:
        """Return the service's response in this case."""
        if not received.headers.get("anthropic-version"):
            return _make_error("invalid_request_error", "anthropic-version: header is required", 400)
        if not _is_authenticated(received):
            return _make_error("authentication_error", f"invalid key: {received.headers.get('x-api-key')}", 401)
        if (received.method, received.path) == ("GET", "/v1/models"):
            return self._list_models(received)
        if (received.method, received.path) != ("POST", "/v1/messages"):
            return _make_error("not_found_error", "no such page", 404)
        asked = _read_body(received)
        refused = _find_fault(asked, received.headers["anthropic-version"])
        if refused:
            return _make_error("invalid_request_error", refused, 400)
        if self.case in _REFUSALS:
            return _make_error(*_REFUSALS[self.case])
        return self._stream(asked) if asked.get("stream") and self.case != "whole" else self._respond_whole(asked)

    def _list_models(self, received: Received) -> Response:
        """Return a page of two models, after the one that the query names."""
        after = parse_qs(urlsplit(received.target).query).get("after_id", [""])[0]
        start = self.models.index(after) + 1 if after in self.models else 0
        page = self.models[start : start + 2]
        rows = [{"type": "model", "id": name} for name in page]
        return json_response({"data": rows, "has_more": start + 2 < len(self.models), "last_id": page[-1]})

    def _make_answer(self, asked: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
        """Return the blocks of the answer and its stop reason."""
        messages = asked["messages"]
        if self.case in ("schema", "misfit"):
            return [_text(_FITS if self.case == "schema" or len(messages) > 1 else _MISFITS)], "end_turn"
        if self.case in _ANSWERS and not _holds_results(messages[-1]):
            return _ANSWERS[self.case]
        if self.case == "refusal":
            return [_text(self.reply_pieces[0])], "refusal"
        return [*_BEFORE.get(self.case, []), _text(self.text)], _FINISHES.get(self.case, "end_turn")

    def _respond_whole(self, asked: Mapping[str, Any]) -> Response:
        if self.case in ("error_midway", "cut", "overloaded") or self._is_first_of_overloaded():
            return _make_error("overloaded_error", "Overloaded", 529)
        blocks, reason = self._make_answer(asked)
        written = [
            {**block, "input": _load(block["input"])} if block["type"] == "tool_use" else block for block in blocks
        ]
        message = _make_message(content=written, stop_reason=reason, usage=_USED_BEFORE | _USED)
        return json_response(message | self._make_details())

    def _stream(self, asked: Mapping[str, Any]) -> Response:
        start = _named({"type": "message_start", "message": _make_message(usage=_USED_BEFORE)})
        if self.case == "overloaded" or self._is_first_of_overloaded():
            return sse(
                [start, _named({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})]
            )
        blocks, reason = self._make_answer(asked)
        parts = [piece for index, block in enumerate(blocks) for piece in self._stream_block(index, block)]
        delta = {"stop_reason": reason, "stop_sequence": None, **self._make_details()}
        finish = _named({"type": "message_delta", "delta": delta, "usage": _USED})
        usual = [start, _named({"type": "ping"}), *parts, finish, event(_END, "message_stop")]
        events = _STREAMS.get(self.case, list)(usual)
        return sse(self.paced([b"".join(events[:_OPENING]), *events[_OPENING:]]))

    def _stream_block(self, index: int, block: Mapping[str, Any]) -> Iterable[bytes]:
        """Yield a block as the service does: opened without its content, which comes in deltas."""
        field, kind, empty = _DELTAS.get(block["type"], ("", "", ""))
        opened = {**block, field: empty} if field else block
        yield _named({"type": "content_block_start", "index": index, "content_block": opened})
        for piece in self._cut(block, field) if field else ():
            name = "partial_json" if kind == "input_json_delta" else field
            yield _named({"type": "content_block_delta", "index": index, "delta": {"type": kind, name: piece}})
        if block["type"] == "thinking":
            delta = {"type": "signature_delta", "signature": "c2lnbmVk"}
            yield _named({"type": "content_block_delta", "index": index, "delta": delta})
        yield _named({"type": "content_block_stop", "index": index})

    def _cut(self, block: Mapping[str, Any], field: str) -> Iterable[str]:
        text: str = block[field]
        if text == self.text:
            return self.reply_pieces
        return [text] if field != "input" else ["", *(text[at : at + 5] for at in range(0, len(text), 5))]

    def _make_details(self) -> dict[str, Any]:
        details = {"type": "refusal", "category": "general_harms", "explanation": "Pizza is declined."}
        return {"stop_details": details} if self.case == "refusal" else {}

    def _is_first_of_overloaded(self) -> bool:
        return self.case == "overloaded_once" and len(self.requests) == 1


def _read_body(received: Received) -> dict[str, Any]:
    body = received.json() if received.body else {}
    return body if isinstance(body, dict) else {}


def _join(content: object) -> str:
    """Return the text of a turn, whose content may be a list of blocks."""
    blocks = content if isinstance(content, list) else [{"text": content or ""}]
    return "".join(str(block.get("text", "")) for block in blocks)


def _is_authenticated(received: Received) -> bool:
    key, token = received.headers.get("x-api-key"), received.headers.get("authorization")
    return key == _KEY if key is not None else token in (f"Bearer {_TOKEN}", f"Bearer {_KEY}")


def _find_fault(asked: Mapping[str, Any], version: str) -> str:
    """Return what is wrong with a question."""
    if type(asked.get("max_tokens")) is not int or not asked.get("messages"):
        return "max_tokens and messages: Field required"
    known = (*_FIELDS, *_SAMPLING) if version < "2026-10-21" else _FIELDS
    unknown = next((name for name in asked if name not in known), "")
    return f"{unknown}: Extra inputs are not permitted" if unknown else ""


def _holds_results(message: Mapping[str, Any]) -> bool:
    content = message["content"]
    return isinstance(content, list) and content[0]["type"] == "tool_result"


def _make_error(kind: str, message: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return json_response(body, status=status, headers=headers)


def _make_message(**fields: Any) -> dict[str, Any]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": _MODEL, "content": []}
    return {**message, "stop_reason": None, "stop_sequence": None, **fields}


def _named(body: Mapping[str, Any]) -> bytes:
    return event(body, body["type"])


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _call(id_: str, name: str, arguments: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": name, "input": arguments}


def _load(arguments: str) -> Any:
    """Return arguments as a whole message has them; what is cut stays text."""
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


_DELTAS: Mapping[str, tuple[str, str, Any]] = {
    "text": ("text", "text_delta", ""),
    "thinking": ("thinking", "thinking_delta", ""),
    "tool_use": ("input", "input_json_delta", {}),
}
"""Type of a block → its field that comes in deltas, their type, and the field's value as the block opens."""
_THINKING = {"type": "thinking", "thinking": "Pizza...", "signature": ""}
_SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "pizza"}}
_BEFORE: Mapping[str, list[dict[str, Any]]] = {
    "thinking": [_THINKING, {"type": "redacted_thinking", "data": "c2VjcmV0"}],
    "unknown": [_SEARCH, {"type": "novelty", "text": "not for the caller"}],
}
_ANSWERS: Mapping[str, tuple[list[dict[str, Any]], str]] = {
    "tools": ([_call("toolu_1", "get_menu", "")], "tool_use"),
    "two_tools": ([_call(*call) for call in _CALLS], "tool_use"),
    "cut_tool": ([_call(*_CALLS[0]), _call(*_CUT)], "max_tokens"),
    "cut_only_tool": ([_call(*_CUT)], "max_tokens"),
    "broken_tool": ([_call(*_CUT)], "tool_use"),
    "spent": ([_THINKING], "max_tokens"),
}
_FINISHES: Mapping[str, str | None] = {"length": "max_tokens", "no_reason": None}
_REFUSALS: Mapping[str, tuple[Any, ...]] = {
    "limit": ("rate_limit_error", "This request would exceed your rate limit", 429, {"Retry-After": "7"}),
    "busy": ("overloaded_error", "Overloaded", 529),
}
_BROKEN = {"type": "error", "error": {"type": "api_error", "message": "the model broke off"}}
_LATE = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "and more"}}
_NOVEL = {"type": "novel_event", "index": 0, "delta": {"type": "text_delta", "text": "and more"}}
_STREAMS: Mapping[str, Callable[[list[bytes]], list[bytes]]] = {
    "error_midway": lambda usual: [*usual[:4], _named(_BROKEN)],
    "cut": lambda usual: usual[:-2],
    "no_stop": lambda usual: usual[:-1],
    "late_text": lambda usual: [*usual[:-1], _named(_LATE), usual[-1]],
    "after_stop": lambda usual: [*usual, _named(_LATE)],
    "pings": lambda usual: [piece for part in usual for piece in (part, _named({"type": "ping"}))],
    "unknown": lambda usual: [piece for part in usual for piece in (_named(_NOVEL), part)],
}
