"""The clients that are compared, each as its own documentation shows it: one stream, one whole answer.

A client is imported by the process that measures it and by no other. ``stream(model)`` yields the text of the deltas,
``ask(model)`` returns a whole answer's.
"""

import importlib.util
import json
import socket
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from providers_sdk import Client

__all__ = ["CLIENTS", "PROMPT", "Asker", "make_client"]

PROMPT = "Name three pizzas"
Messages = list[dict[str, str]]
Prompt = str | Messages
"""A prompt, or a whole history."""


def _make_messages(prompt: Prompt) -> Messages:
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt


class Asker(Protocol):
    """A client of the server at one address."""

    def stream(self, model: str, prompt: Prompt = PROMPT) -> Iterator[str]:
        """Yield the text of each delta."""

    def ask(self, model: str) -> str:
        """Return a whole answer's text."""


def _body(model: str, prompt: Prompt, *, stream: bool) -> dict[str, Any]:
    return {"model": model, "messages": _make_messages(prompt), **({"stream": True} if stream else {})}


def _text_of(data: str | bytes) -> str:
    return str(json.loads(data)["choices"][0]["delta"].get("content") or "")


class ProvidersSDK:
    """This library."""

    def __init__(self, url: str, *, fast: bool = False) -> None:
        if not fast:
            sys.modules["orjson"] = None  # type: ignore[assignment]  # as if the extra ``fast`` were not installed
        from providers_sdk import Client

        self.url = url
        self.client = Client("openai", settings={"openai": {"url": url, "key": "sk-benchmark"}})

    def stream(self, model: str, prompt: Prompt = PROMPT) -> Iterator[str]:
        return iter(self.client.chat(prompt, model=model))

    def ask(self, model: str) -> str:
        return self.client.chat(PROMPT, model=model, stream=False).text

    def fetch_page(self, size: int) -> str:
        """Return the title of a page of ``size`` bytes, fetched and parsed by a provider."""
        return self._page_client.chat(PROMPT, model=str(size), provider="page").text

    @cached_property
    def _page_client(self) -> "Client":
        from providers_sdk import Client, Registry
        from providers_sdk.plugin import Chunk, FinishReason, Http, Provider, Request

        class Page(Provider):
            url = self.url

            def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
                yield http.page(f"/page/{request.model}").title
                yield FinishReason(None)

        registry = Registry()
        registry.register("page", Page)
        return Client("page", registry=registry)


class ProvidersSDKFast(ProvidersSDK):
    """This library with its extra ``fast``."""

    def __init__(self, url: str) -> None:
        super().__init__(url, fast=True)


class Requests:
    """A script on bare requests: no limits, no checks, no errors of the service."""

    def __init__(self, url: str) -> None:
        import requests

        self.session, self.url = requests.Session(), f"{url}/chat/completions"

    def stream(self, model: str, prompt: Prompt = PROMPT) -> Iterator[str]:
        with self.session.post(self.url, json=_body(model, prompt, stream=True), headers=_KEY, stream=True) as response:
            response.raise_for_status()
            for line in response.iter_lines(chunk_size=None):  # type: ignore[call-overload]
                if line.startswith(b"data: {"):
                    yield _text_of(line[6:])

    def ask(self, model: str) -> str:
        response = self.session.post(self.url, json=_body(model, PROMPT, stream=False), headers=_KEY)
        response.raise_for_status()
        return str(response.json()["choices"][0]["message"]["content"])


_KEY = {"Authorization": "Bearer sk-benchmark"}


class RawSocket:
    """A socket, and as little Python as can read the answer: the floor."""

    def __init__(self, url: str) -> None:
        self.address = urlsplit(url).netloc
        host, _, port = self.address.partition(":")
        self.socket = socket.create_connection((host, int(port)))
        self.file = self.socket.makefile("rb", 65_536)

    def _send(self, body: dict[str, Any]) -> int:
        """Send a request and read the head; return the body's length, 0 where it is chunked."""
        data = json.dumps(body).encode()
        head = (
            f"POST /chat/completions HTTP/1.1\r\nHost: {self.address}\r\nAuthorization: Bearer sk-benchmark\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        self.socket.sendall(head.encode() + data)
        length = 0
        while (line := self.file.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line[15:])
        return length

    def stream(self, model: str, prompt: Prompt = PROMPT) -> Iterator[str]:
        self._send(_body(model, prompt, stream=True))
        pending = b""
        while size := int(self.file.readline(), 16):
            *events, pending = (pending + self.file.read(size + 2)[:-2]).split(b"\n\n")
            for event in events:
                if event != b"data: [DONE]":
                    yield _text_of(event[6:])
        self.file.readline()

    def ask(self, model: str) -> str:
        body = self.file.read(self._send(_body(model, PROMPT, stream=False)))
        return str(json.loads(body)["choices"][0]["message"]["content"])


class OpenAI:
    """The official client."""

    def __init__(self, url: str) -> None:
        import openai

        self.client = openai.OpenAI(base_url=url, api_key="sk-benchmark")

    def stream(self, model: str, prompt: Prompt = PROMPT) -> Iterator[str]:
        messages = _make_messages(prompt)
        for chunk in self.client.chat.completions.create(model=model, messages=messages, stream=True):
            yield chunk.choices[0].delta.content or ""

    def ask(self, model: str) -> str:
        messages = _make_messages(PROMPT)
        return str(self.client.chat.completions.create(model=model, messages=messages).choices[0].message.content)


class HttpxSSE:
    """httpx with httpx-sse."""

    def __init__(self, url: str) -> None:
        import httpx

        self.client, self.url = httpx.Client(), f"{url}/chat/completions"

    def stream(self, model: str, prompt: Prompt = PROMPT) -> Iterator[str]:
        from httpx_sse import connect_sse

        with connect_sse(self.client, "POST", self.url, json=_body(model, prompt, stream=True), headers=_KEY) as source:
            for event in source.iter_sse():
                if event.data != "[DONE]":
                    yield _text_of(event.data)

    def ask(self, model: str) -> str:
        response = self.client.post(self.url, json=_body(model, PROMPT, stream=False), headers=_KEY)
        return str(response.json()["choices"][0]["message"]["content"])


class LiteLLM:
    """litellm, to an OpenAI-compatible address."""

    def __init__(self, url: str) -> None:
        import litellm

        self.complete, self.url = litellm.completion, url

    def _create(self, model: str, prompt: Prompt, *, stream: bool) -> Any:
        messages = _make_messages(prompt)
        name = f"openai/{model}"
        return self.complete(model=name, messages=messages, stream=stream, base_url=self.url, api_key="sk-benchmark")

    def stream(self, model: str, prompt: Prompt = PROMPT) -> Iterator[str]:
        for chunk in self._create(model, prompt, stream=True):
            yield chunk.choices[0].delta.content or ""

    def ask(self, model: str) -> str:
        return str(self._create(model, PROMPT, stream=False).choices[0].message.content)


class LLM:
    """llm's Python interface, with its OpenAI plugin and another address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.models: dict[str, Any] = {}

    def _find(self, model: str) -> Any:
        from llm.default_plugins.openai_models import Chat

        if model not in self.models:
            self.models[model] = Chat(model, model_name=model, api_base=self.url, key="sk-benchmark")
        return self.models[model]

    def stream(self, model: str, prompt: Prompt = PROMPT) -> Iterator[str]:
        yield from self._find(model).prompt(str(prompt), stream=True)

    def ask(self, model: str) -> str:
        return str(self._find(model).prompt(PROMPT, stream=False).text())


class G4F:
    """g4f's client, with its provider for OpenAI-compatible addresses."""

    def __init__(self, url: str) -> None:
        from g4f.client import Client
        from g4f.Provider.template import OpenaiTemplate

        class Local(OpenaiTemplate):  # type: ignore[misc]
            base_url = url
            working = True
            needs_auth = False

        self.client = Client(provider=Local, api_key="sk-benchmark")

    def stream(self, model: str, prompt: Prompt = PROMPT) -> Iterator[str]:
        messages = _make_messages(prompt)
        for chunk in self.client.chat.completions.create(model=model, messages=messages, stream=True):
            yield chunk.choices[0].delta.content or "" if chunk.choices else ""

    def ask(self, model: str) -> str:
        messages = _make_messages(PROMPT)
        return str(self.client.chat.completions.create(model=model, messages=messages).choices[0].message.content)


CLIENTS: dict[str, Callable[[str], Asker]] = {
    "providers-sdk": ProvidersSDK,
    "providers-sdk[fast]": ProvidersSDKFast,
    "requests": Requests,
    "socket": RawSocket,
    "openai": OpenAI,
    "httpx-sse": HttpxSSE,
    "litellm": LiteLLM,
    "llm": LLM,
    "g4f": G4F,
}
"""Name → client."""
_MODULES = {"providers-sdk": "providers_sdk", "providers-sdk[fast]": "orjson", "httpx-sse": "httpx_sse"}


def make_client(name: str, url: str) -> Asker:
    """Return the client ``name`` of the server at ``url``.

    :raises ImportError: it is not installed.
    """
    if importlib.util.find_spec(_MODULES.get(name, name)) is None:
        raise ImportError(f"{name} is not installed")
    return CLIENTS[name](url)
