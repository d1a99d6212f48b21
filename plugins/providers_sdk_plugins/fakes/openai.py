"""A fake of every OpenAI-compatible service: it behaves as the service's row says."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

from providers_sdk.testing import FakeService, Received, Response, deltas, event, json_response, sse
from providers_sdk_plugins._openai import OPTIONS
from providers_sdk_plugins._rows import Row
from providers_sdk_plugins.fakes import _openai_tools
from providers_sdk_plugins.services import ROWS

__all__ = ["SITES", "OpenAISite"]

_KEY = "fake-key"
_MODEL = "gpt-4o-mini-2024-07-18"
_FAKE_MODEL = "fake-model"
_FIELDS = ("model", "messages", "stream", "stream_options", "tools", "tool_choice")
_TOOL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_menu", "arguments": "{}"}}
_PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "Pizza..."}]},
    {"type": "text", "text": "Margherita"},
]
_USAGE = {"prompt_tokens": 21, "completion_tokens": 42, "total_tokens": 63}


class OpenAISite(FakeService):
    """Answers questions for the key ``fake-key`` and lists two models, as the service of :attr:`row` does."""

    row: ClassVar[Row] = ROWS["openai"]

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
        **_openai_tools.CASES,
    }
    settings = {"key": _KEY}

    @property
    def models(self) -> list[str]:
        """The names of its models."""
        return [self.row.default_model or _FAKE_MODEL, "another-model"]

    def turns(self, received: Received) -> list[tuple[str, str]] | None:
        """Return the messages of a question."""
        messages = self._read_body(received).get("messages")
        return None if messages is None else [(turn["role"], _join(turn["content"])) for turn in messages]

    def respond(self, received: Received) -> Response:
        """Return the service's response in this case."""
        asked = self._read_body(received)
        route = self._find_route(received, asked)
        if route is None:
            return self._make_error(404, "no such page", "not_found")
        if not self._is_authenticated(received):
            shown = received.headers.get(self.row.key_header)
            return self._make_error(401, f"Incorrect API key provided: {shown}", "invalid_api_key")
        if route == "models":
            return self._list_models()
        if self.case in _REFUSALS:
            return self._make_error(*_REFUSALS[self.case])
        refused = self._find_refused_field(asked)
        if refused:
            return self._refuse_field(refused)
        with_tools = _openai_tools.respond(self, asked)
        if with_tools is not None:
            return with_tools
        return self._stream_reply() if asked.get("stream") and self.case != "whole" else self._respond_whole()

    def _read_body(self, received: Received) -> dict[str, Any]:
        body = received.json() if received.body else {}
        return body if isinstance(body, dict) else {}

    def _find_route(self, received: Received, asked: Mapping[str, Any]) -> str | None:
        """Return ``"answer"`` or ``"models"``; ``None`` for any other address."""
        row, sent = self.row, (received.method, received.path)
        needed = {setting.query: setting.sample for setting in row.settings.values() if setting.query}
        if not needed.items() <= dict(parse_qsl(urlsplit(received.target).query)).items():
            return None
        if sent == (
            "POST",
            row.version_path + row.endpoint.replace("{model}", quote(str(asked.get("model")), safe="")),
        ):
            return "answer"
        listed = urljoin(f"{row.version_path}/", row.models_endpoint)
        return "models" if row.models_endpoint and sent == ("GET", listed) else None

    def _is_authenticated(self, received: Received) -> bool:
        expected = {name.lower(): value for name, value in self.row.headers.items()}
        if not self.row.local:
            expected[self.row.key_header] = self.row.key_prefix + _KEY
        return expected.items() <= received.headers.items()

    def _list_models(self) -> Response:
        rows = [{"id": self.row.models_prefix + name, "object": "model"} for name in self.models]
        return json_response(rows if self.row.models_list == "bare" else {"object": "list", "data": rows})

    def _find_refused_field(self, asked: Mapping[str, Any]) -> str | None:
        """Return a field that is an error here."""
        if "stream_options" in asked and (self.case == "strict" or not self.row.stream_options):
            return "stream_options"
        options = [name for name in OPTIONS if name not in self.row.missing_options]
        known = {*_FIELDS, *(self.row.renamed_options.get(name, name) for name in options)}
        return next((name for name in asked if name not in known), None) if self.row.refuses_unknown_fields else None

    def _refuse_field(self, name: str) -> Response:
        if self.row.lists_errors:
            return self._make_error(400, f'Unknown name "{name}": Cannot find field.', "INVALID_ARGUMENT")
        fault = {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}
        return json_response({"object": "error", "message": {"detail": [fault]}}, status=422)

    def _make_error(self, status: int, message: str, code: str, headers: dict[str, str] | None = None) -> Response:
        body = {"error": {"message": message, "type": "error", "code": code}}
        return json_response([body] if self.row.lists_errors else body, status=status, headers=headers)

    def _stream_reply(self) -> Response:
        response = sse(self.paced(_STREAMS.get(self.case, _make_usual_stream)(self)))
        return replace(response, headers={"Content-Type": "text/plain"}) if self.case == "plain" else response

    def _respond_whole(self) -> Response:
        if self.case in ("error_midway", "cut"):
            return self._make_error(500, "the model broke off", "server_error")
        message = {"role": "assistant", "content": self.text, **_MESSAGES.get(self.case, {})}
        choice = {"index": 0, "message": message, "finish_reason": _FINISHES.get(self.case, "stop")}
        model = {"model": _MODEL} if self.case == "served" else {}
        return json_response({"object": "chat.completion", **model, "choices": [choice], "usage": _USAGE})


def _join(content: object) -> str:
    """Return the text of a message, whose content may be a list of parts."""
    parts = content if isinstance(content, list) else [{"text": content or ""}]
    return "".join(str(part.get("text", "")) for part in parts)


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
_REFUSALS: dict[str, tuple[Any, ...]] = {
    "limit": (429, "Rate limit reached", "rate_limit_exceeded", {"Retry-After": "7"}),
    "rejected": (400, "The prompt was filtered", "content_filter"),
    "unavailable": (503, "The engine is overloaded", "overloaded"),
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


def _make_site(name: str, row: Row) -> type[OpenAISite]:
    """Return the fake of the service of a row."""
    key = {} if row.local else {"key": _KEY}
    model = {} if row.default_model else {"model": _FAKE_MODEL}
    needed = {setting: extra.sample for setting, extra in row.settings.items() if extra.required}
    return type(f"{name}Site", (OpenAISite,), {"row": row, "settings": {**key, **model, **needed}})


SITES: Mapping[str, type[OpenAISite]] = {name: _make_site(name, row) for name, row in ROWS.items()}
"""The fake of each service, by its provider's name."""


def __getattr__(name: str) -> type[OpenAISite]:
    """Return a fake by its provider's name: ``providers_sdk_plugins.fakes.openai:groq``."""
    if name not in SITES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return SITES[name]
