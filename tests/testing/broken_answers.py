"""Providers whose description or answers break the contract, each in one way."""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import Any, ClassVar

from providers_sdk._provider.binding import bind
from providers_sdk.plugin import (
    Chunk,
    EmptyAnswer,
    FinishReason,
    Http,
    HttpResponse,
    Provider,
    Request,
    iter_completion,
    iter_deltas,
    iter_events,
)
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
    supports_images = supports_files = supports_tools = supports_schema = False
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


class FlagIsANumber(Sound):
    supports_message_history = 1  # type: ignore[assignment]


class AsksElsewhere(Sound):
    """Its errors are hidden, and the answer is right."""

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        with suppress(OSError):
            socket.create_connection(("192.0.2.1", 443), timeout=1)
        yield from super().complete(request, http)


class AsksElsewhereInAThread(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        thread = threading.Thread(target=_look_up, args=("attacker.example",))
        thread.start()
        thread.join()
        yield from super().complete(request, http)


def _look_up(host: str) -> None:
    with suppress(OSError):
        socket.gethostbyname(host)


class Shouts(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        for chunk in super().complete(request, http):
            yield chunk.upper() if isinstance(chunk, str) else chunk


class CutsTheWholeAnswer(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        for chunk in super().complete(request, http):
            yield chunk if request.stream or not isinstance(chunk, str) else chunk[:20]


class DecodesEachRead(Sound):
    """It decodes what each read returns."""

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        response = self._ask(request, http)
        response.check()
        if not request.stream or response.is_json() or response.content_type == "text/html":
            yield from super().complete(request, http)
            return
        pieces = (data.decode("utf-8", "replace").encode() for data in self.read(response))
        first = next(pieces, None)
        if first is None:
            raise EmptyAnswer("no body")
        yield from iter_deltas(iter_events(chain([first], pieces)))

    def read(self, response: HttpResponse) -> Iterator[bytes]:
        yield from response.iter_bytes()


class AsksForNoStream(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        body = {**make_body(request), "stream": False}
        yield from iter_completion(http.post("/chat/completions", json=body, headers=self._make_headers()).json())


class LeaksWhenItIsFinished(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield from super().complete(request, http)
        own = open_another(self, http)
        LEAKED.append((own, iter_deltas([])))
        own.get("/models")
