"""Providers whose description or answers break the contract, each in one way."""

import sys
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

from providers_sdk._provider.binding import bind
from providers_sdk.plugin import Chunk, FinishReason, Http, Provider, Request
from providers_sdk_plugins._openai import OpenAICompatible

FOR_EVER = threading.Event()
LEAKED: list[tuple[Http, Iterator[Chunk]]] = []


def open_another(provider: Provider, http: Http, *, proxy: str | None = None) -> Http:
    """Open connections of one's own, which nobody else closes; through the caller's proxy if no other is given."""
    bound = bind(provider, proxy=http._pool.proxy if proxy is None else proxy)
    return Http(bound.session, http.clock, provider.url)


def close(http: Http) -> None:
    http.close()
    http._pool.close()


def make_body(request: Request) -> dict[str, Any]:
    messages = [{"role": turn.role, "content": turn.content} for turn in request.messages]
    return {"model": request.model, "messages": messages, **request.options}


class Sound(OpenAICompatible):
    """Nothing is wrong with it."""

    url = "https://api.sound.example/v1"
    default_model = "sound"
    known_options: ClassVar[tuple[str, ...]] = ("temperature",)


class YieldsBytes(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Any]:
        for chunk in super().complete(request, http):
            yield chunk.encode() if isinstance(chunk, str) else chunk


class YieldsAfterTheFinish(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield from super().complete(request, http)
        yield "PS: buy our pizza"


class FinishesTwice(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield from super().complete(request, http)
        yield FinishReason("stop")


class NeverFinishes(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        for chunk in super().complete(request, http):
            if not isinstance(chunk, FinishReason):
                yield chunk


class BuffersTheStream(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield from list(super().complete(request, http))


class LeaksTheResponse(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        own = open_another(self, http)
        answer = super().complete(request, own)
        LEAKED.append((own, answer))
        for chunk in answer:  # noqa: UP028  'yield from' would close it
            yield chunk


class EndsTheProgram(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield from super().complete(request, http)
        sys.exit(0)


class RaisesStopIteration(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield next(iter(()))


class ReturnsAList(Sound):
    def complete(self, request: Request, http: Http) -> Any:
        return ["Margherita", FinishReason("stop")]


class ReturnsNone(Sound):
    def complete(self, request: Request, http: Http) -> Any:
        return None


class BlocksForEver(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        FOR_EVER.wait()
        yield from super().complete(request, http)


class HasNoSuchModel(Sound):
    models = ("big",)
    default_model = "small"
