"""Providers that break the contract when their service fails, each in one way."""

from collections.abc import Iterator

from providers_sdk.plugin import Chunk, FinishReason, Http, ProviderError, Request, iter_deltas
from tests.testing.broken_answers import Sound, make_body


class SwallowsErrors(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        try:
            yield from super().complete(request, http)
        except ProviderError:
            yield "Sorry, something went wrong."
            yield FinishReason("stop")


class InventsAFinish(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        finished = False
        answer = http.post(
            "/chat/completions",
            json={**make_body(request), "stream": True},
            headers=self._make_headers(),
        )
        for chunk in iter_deltas(answer.events()):
            finished = finished or isinstance(chunk, FinishReason)
            yield chunk
        if not finished:
            yield FinishReason("stop")
