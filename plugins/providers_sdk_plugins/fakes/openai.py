"""A stand-in of an OpenAI-compatible service."""

from collections.abc import Callable

from providers_sdk.testing import Received, Response, StandIn, deltas, event, json_response, sse

_KEY = "stand-in-key"
_USAGE = {"prompt_tokens": 21, "completion_tokens": 42, "total_tokens": 63}


class OpenAISite(StandIn):
    """Answers ``POST /chat/completions`` to whoever has the key ``stand-in-key``."""

    cases = {
        "reasoning": "thinking text before the answer",
        "error_midway": "an error object in mid-stream",
        "length": "the answer ends for its length",
        "no_done": "the stream ends after its finish reason, without [DONE]",
        "cut": "the stream ends without a finish reason",
        "keep_alive": "comments between the events",
        "limit": "429 with Retry-After",
        "unavailable": "503 with a message",
    }
    settings = {"key": _KEY}

    def answer(self, received: Received) -> Response:
        """Return what the service does in this case."""
        if (received.method, received.path) != ("POST", "/chat/completions"):
            return _error(404, "no such page", "not_found")
        if received.headers.get("authorization") != f"Bearer {_KEY}":
            return _error(
                401, f"Incorrect API key provided: {received.headers.get('authorization')}", "invalid_api_key"
            )
        if self.case in _REFUSALS:
            return _REFUSALS[self.case]()
        body = received.json()
        return self._stream() if isinstance(body, dict) and body.get("stream") else self._whole()

    def _stream(self) -> Response:
        return sse(self.paced(_STREAMS.get(self.case, _usual)(self)))

    def _whole(self) -> Response:
        if self.case in ("error_midway", "cut"):
            return _error(500, "the model broke off", "server_error")
        message = {"role": "assistant", "content": self.text, **self._thought()}
        finish = "length" if self.case == "length" else "stop"
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return json_response({"object": "chat.completion", "choices": [choice], "usage": _USAGE})

    def _thought(self) -> dict[str, str]:
        return {"reasoning_content": "Pizza..."} if self.case == "reasoning" else {}


def _error(status: int, message: str, code: str, headers: dict[str, str] | None = None) -> Response:
    return json_response({"error": {"message": message, "type": "error", "code": code}}, status=status, headers=headers)


def _usual(site: OpenAISite) -> list[bytes]:
    *events, done = deltas(site.says)
    return [*events, event({"choices": [], "usage": _USAGE}), done]


def _reasoning(site: OpenAISite) -> list[bytes]:
    return [event({"choices": [{"index": 0, "delta": {"reasoning_content": "Pizza..."}}]}), *_usual(site)]


def _error_midway(site: OpenAISite) -> list[bytes]:
    broken = event({"error": {"message": "the model broke off", "type": "server_error", "code": None}})
    return [*deltas(site.says[:1], finish=None, done=False), broken]


_REFUSALS: dict[str, Callable[[], Response]] = {
    "limit": lambda: _error(429, "Rate limit reached", "rate_limit_exceeded", {"Retry-After": "7"}),
    "unavailable": lambda: _error(503, "The engine is overloaded", "overloaded"),
}
_STREAMS: dict[str, Callable[[OpenAISite], list[bytes]]] = {
    "reasoning": _reasoning,
    "error_midway": _error_midway,
    "length": lambda site: deltas(site.says, finish="length"),
    "no_done": lambda site: deltas(site.says, done=False),
    "cut": lambda site: deltas(site.says, finish=None, done=False),
    "keep_alive": lambda site: [b": keep-alive\n\n" + piece for piece in _usual(site)],
}
