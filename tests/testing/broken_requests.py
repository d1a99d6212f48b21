"""Providers whose requests or side effects break the contract, each in one way."""

import itertools
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar, Self

from providers_sdk.plugin import Chunk, Http, Message, Option, Request, Setting, iter_deltas
from providers_sdk_plugins.fakes.openai import OpenAISite
from tests.testing.broken_answers import Sound, close, make_body, open_another


def find_lent_session(http: Http) -> Any:
    return http._pool.lent


class IgnoresTheProxy(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        direct = open_another(self, http, proxy="")
        try:
            yield from super().complete(request, direct)
        finally:
            close(direct)


class Prints(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        print("asking", request.model)
        yield from super().complete(request, http)


class WritesToTheSessionItWasLent(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        lent = find_lent_session(http)
        if lent is not None:
            lent.headers["x-was"] = "here"
        yield from super().complete(request, http)


class LogsTheKey(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        logging.getLogger("acme").debug("key is %s", self.settings["key"])
        yield from super().complete(request, http)


class KeepsState(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        self.calls = getattr(self, "calls", 0) + 1
        yield from super().complete(request, http)


class SwallowsAnOption(Sound):
    known_options = ("temperature", "tone")

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        sent = {name: value for name, value in request.options.items() if name != "tone"}
        yield from super().complete(Request(request.messages, request.model, request.stream, sent), http)


class DropsTheSystemMessage(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        kept = tuple(message for message in request.messages if message.role != "system")
        yield from super().complete(Request(kept, request.model, request.stream, request.options), http)


class PutsTheKeyIntoTheAddress(Sound):
    known_settings = {"key": Setting(secret=True, required=True)}

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        http.get("/models", params={"key": self.settings["key"]}).close()
        yield from super().complete(request, http)


class RunningSite(OpenAISite):
    """Knows which sites are running."""

    running: ClassVar[list[str]] = []

    def start(self) -> Self:
        super().start()
        self.running.append(self.url)
        return self

    def close(self) -> None:
        self.running.remove(self.url)
        super().close()


class AsksTheFirstSite(Sound):
    """It keeps the address of the site that was started first, as a cache without a key does."""

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        body = {**make_body(request), "stream": True}
        url = f"{RunningSite.running[0]}/chat/completions"
        yield from iter_deltas(http.post(url, json=body, headers=self._make_headers()).events())


class IgnoresASetting(Sound):
    known_settings = {"colour": Setting(help="of the answer")}


class KnowsEveryOption(Sound):
    known_options = ("temperature", "no_such_option")


class IgnoresAValue(Sound):
    known_options = {"temperature": Option(float, 0.2)}  # type: ignore[assignment]

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        sent = dict.fromkeys(request.options, 1.0)
        yield from super().complete(Request(request.messages, request.model, request.stream, sent), http)


class SwapsTurns(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        turns = (*request.messages[-2::-1], request.messages[-1])
        yield from super().complete(Request(turns, request.model, request.stream, request.options), http)


class DropsImages(Sound):
    supports_images = True

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        turns = tuple(Message(message.role, message.text) for message in request.messages)
        yield from super().complete(replace(request, messages=turns), http)


class DropsTools(Sound):
    supports_tools = True

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield from super().complete(replace(request, tools=()), http)


class PosesAsABrowser(Sound):
    def _make_headers(self) -> dict[str, str]:
        return {**super()._make_headers(), "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}


class SendsTheKeyInTheBody(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        sent = {**request.options, "user": self.settings["key"]}
        yield from super().complete(Request(request.messages, request.model, request.stream, sent), http)


class SendsTheKeyInAnotherHeader(Sound):
    """In a request after the one that carries the answer."""

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield from super().complete(request, http)
        http.get("/models", headers={"x-client": f"acme/1 {self.settings['key']}"}).close()


class CountsItsCalls(Sound):
    calls = itertools.count()

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        sent = {**request.options, "seed": next(self.calls)}
        yield from super().complete(Request(request.messages, request.model, request.stream, sent), http)


class MixesThreadsUp(Sound):
    """Where two threads ask at the same time, both get another's text."""

    both = threading.Barrier(2)

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        pooled = "Pool" in threading.current_thread().name
        if pooled:
            self.both.wait(5)
        for chunk in super().complete(request, http):
            yield "another's text" if pooled and isinstance(chunk, str) else chunk
