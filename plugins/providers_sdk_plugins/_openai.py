"""The OpenAI protocol: ``POST /chat/completions``, streamed or whole; a service is a few lines of data."""

from collections.abc import Iterator
from typing import ClassVar

from providers_sdk.plugin import Chunk, Http, Provider, Request, iter_completion, iter_deltas

__all__ = ["OpenAICompatible"]


class OpenAICompatible(Provider):
    """The protocol; ``models`` is left empty, for the service knows its models better than a list here."""

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
    stand_in = "providers_sdk_plugins.fakes.openai:OpenAISite"

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Ask with the whole history; read events or JSON, whichever was asked for."""
        streaming = {"stream": True, "stream_options": {"include_usage": True}} if request.stream else {}
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        answer = http.post(
            self.api_endpoint,
            json={"model": request.model, "messages": messages, **request.options, **streaming},
            headers=self._headers(),
        )
        yield from iter_deltas(answer.events()) if request.stream else iter_completion(answer.json())

    def _headers(self) -> dict[str, str]:
        key = self.settings.get("key")
        return {"authorization": f"Bearer {key}"} if key else {}
