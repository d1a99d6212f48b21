"""A fake service of an OpenAI-compatible service."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from providers_sdk.testing import FakeService, Received, Response, deltas, event, json_response, sse

_KEY = "fake-key"
_MODEL = "gpt-4o-mini-2024-07-18"
_FAULT = {"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}
_TOOL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_menu", "arguments": "{}"}}
_PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "Pizza..."}]},
    {"type": "text", "text": "Margherita"},
]
_USAGE = {"prompt_tokens": 21, "completion_tokens": 42, "total_tokens": 63}


class OpenAISite(FakeService):
    """Answers ``POST /chat/completions`` for the key ``fake-key``."""

    cases = {
        "reasoning": "thinking text before the answer",
        "error_midway": "an error object in mid-stream",
        "length": "the answer ends for its length",
        "no_done": "the stream ends after its finish reason, without [DONE]",
        "cut": "the stream ends without a finish reason",
        "keep_alive": "comments between the events",
        "whole": "one JSON answer, whether a stream was asked for or not",
        "plain": "a stream that is labelled text/plain",
        "parts": "the content is a list of parts, thinking among them",
        "served": "the service names the model that it used",
        "no_reason": "the answer ends properly and names no finish reason",
        "refusal": "the model refuses, in a field of its own",
        "filtered": "a content filter holds all text back",
        "rejected": "the question is rejected for its content",
        "tools": "tool calls and no text",
        "spent": "thinking used the tokens up: no text",
        "strict": "a field that it does not know is an error: stream_options",
        "limit": "429 with Retry-After",
        "unavailable": "503 with a message",
    }
    settings = {"key": _KEY}

    def respond(self, received: Received) -> Response:
        """Return the service's response in this case."""
        if (received.method, received.path) != ("POST", "/chat/completions"):
            return _make_error(404, "no such page", "not_found")
        if received.headers.get("authorization") != f"Bearer {_KEY}":
            return _make_error(
                401, f"Incorrect API key provided: {received.headers.get('authorization')}", "invalid_api_key"
            )
        if self.case in _REFUSALS:
            return _REFUSALS[self.case]()
        body = received.json()
        asked = body if isinstance(body, dict) else {}
        if self.case == "strict" and "stream_options" in asked:
            return json_response({"object": "error", "message": {"detail": [_FAULT]}}, status=422)
        return self._stream_reply() if asked.get("stream") and self.case != "whole" else self._respond_whole()

    def _stream_reply(self) -> Response:
        response = sse(self.paced(_STREAMS.get(self.case, _make_usual_stream)(self)))
        return replace(response, headers={"Content-Type": "text/plain"}) if self.case == "plain" else response

    def _respond_whole(self) -> Response:
        if self.case in ("error_midway", "cut"):
            return _make_error(500, "the model broke off", "server_error")
        message = {"role": "assistant", "content": self.text, **_MESSAGES.get(self.case, {})}
        choice = {"index": 0, "message": message, "finish_reason": _FINISHES.get(self.case, "stop")}
        model = {"model": _MODEL} if self.case == "served" else {}
        return json_response({"object": "chat.completion", **model, "choices": [choice], "usage": _USAGE})


def _make_error(status: int, message: str, code: str, headers: dict[str, str] | None = None) -> Response:
    return json_response({"error": {"message": message, "type": "error", "code": code}}, status=status, headers=headers)


def _make_usual_stream(site: OpenAISite) -> list[bytes]:
    *events, done = deltas(site.reply_pieces)
    return [*events, event({"choices": [], "usage": _USAGE}), done]


def _make_reasoning_stream(site: OpenAISite) -> list[bytes]:
    return [event({"choices": [{"index": 0, "delta": {"reasoning_content": "Pizza..."}}]}), *_make_usual_stream(site)]


def _make_error_midway(site: OpenAISite) -> list[bytes]:
    broken = event({"error": {"message": "the model broke off", "type": "server_error", "code": None}})
    return [*deltas(site.reply_pieces[:1], finish=None, done=False), broken]


def _make_ended_stream(site: OpenAISite) -> list[bytes]:
    """The message of the case in one delta, its finish reason, its usage."""
    message: dict[str, Any] = {"role": "assistant", **_MESSAGES.get(site.case, {})}
    choices = (
        [{"index": 0, "delta": message}],
        [{"index": 0, "delta": {}, "finish_reason": _FINISHES.get(site.case, "stop")}],
    )
    return [
        *(event({"choices": choice}) for choice in choices),
        event({"choices": [], "usage": _USAGE}),
        event("[DONE]"),
    ]


def _make_served_stream(site: OpenAISite) -> list[bytes]:
    first, *rest = _make_usual_stream(site)
    return [event({"choices": [], "model": _MODEL}), first, *rest]


_MESSAGES: dict[str, dict[str, Any]] = {
    "reasoning": {"reasoning_content": "Pizza..."},
    "parts": {"content": _PARTS},
    "refusal": {"content": None, "refusal": "I can't help with pizza."},
    "filtered": {"content": None},
    "tools": {"content": None, "tool_calls": [_TOOL]},
    "spent": {"content": "", "reasoning_content": "Pizza..."},
}
_FINISHES = {
    "length": "length",
    "no_reason": None,
    "filtered": "content_filter",
    "tools": "tool_calls",
    "spent": "length",
}
_REFUSALS: dict[str, Callable[[], Response]] = {
    "limit": lambda: _make_error(429, "Rate limit reached", "rate_limit_exceeded", {"Retry-After": "7"}),
    "rejected": lambda: _make_error(400, "The prompt was filtered", "content_filter"),
    "unavailable": lambda: _make_error(503, "The engine is overloaded", "overloaded"),
}
_STREAMS: dict[str, Callable[[OpenAISite], list[bytes]]] = {
    "reasoning": _make_reasoning_stream,
    "error_midway": _make_error_midway,
    "served": _make_served_stream,
    "no_reason": lambda site: deltas(site.reply_pieces, finish=None),
    **dict.fromkeys(("parts", "refusal", "filtered", "tools", "spent"), _make_ended_stream),
    "length": lambda site: deltas(site.reply_pieces, finish="length"),
    "no_done": lambda site: deltas(site.reply_pieces, done=False),
    "cut": lambda site: deltas(site.reply_pieces, finish=None, done=False),
    "keep_alive": lambda site: [b": keep-alive\n\n" + piece for piece in _make_usual_stream(site)],
}
