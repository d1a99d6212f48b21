"""The OpenAI protocol: ``POST /chat/completions``, streamed or whole; a service is a few lines of data."""

from collections.abc import Iterator
from typing import Any, ClassVar

from providers_sdk.plugin import Chunk, Http, HttpResponse, Provider, Request, iter_completion, iter_deltas

__all__ = ["OpenAICompatible"]

_REFUSED = "refuses stream_options"


class OpenAICompatible(Provider):
    """A provider for an OpenAI-compatible service; ``models`` is empty, because a list here would be out of date."""

    api_endpoint = "/chat/completions"
    needs_auth = True
    supports_stream = True
    known_options: ClassVar[tuple[str, ...]] = (
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "reasoning_effort",
        "response_format",
        "user",
    )
    requires_contract = ">=1,<2"
    fake_service = "providers_sdk_plugins.fakes.openai:OpenAISite"

    accepts_stream_options: ClassVar[bool] = True
    """Whether the service takes ``stream_options``, with which a stream is asked to report its usage.

    Some services refuse fields that they do not know. One that turns out to refuse this one is asked once more
    without it, and from then on never again with it, as long as the client lives.
    """

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Ask with the whole history; read the response, events or JSON."""
        response = self._ask(request, http)
        if request.stream and not response.is_json():
            yield from iter_deltas(response.events())
        else:
            yield from iter_completion(response.json())

    def _ask(self, request: Request, http: Http) -> HttpResponse:
        wanted = request.stream and self.accepts_stream_options
        if not wanted or _REFUSED in http.site_state:
            return self._post(request, http)
        response = self._post(request, http, stream_options={"include_usage": True})
        if response.status not in (400, 422) or response.bot_wall is not None:
            return response
        error = response.status_error()
        if "stream_options" not in error.message:
            raise error
        http.note_refused_attempt(error)
        response = self._post(request, http)
        if response.status == 200:
            http.site_state[_REFUSED] = True
        return response

    def _post(self, request: Request, http: Http, **extra: Any) -> HttpResponse:
        body = {
            "model": request.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            **request.options,
            **({"stream": True} if request.stream else {}),
            **extra,
        }
        return http.post(self.api_endpoint, json=body, headers=self._make_headers())

    def _make_headers(self) -> dict[str, str]:
        key = self.settings.get("key")
        return {"authorization": f"Bearer {key}"} if key else {}
