"""Providers whose requests or side effects break the contract, each in one way."""

import logging
from collections.abc import Iterator
from typing import Any

from providers_sdk.plugin import Chunk, Http, Request, Setting
from tests.testing.broken_answers import Sound, close, open_another


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
