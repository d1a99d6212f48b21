"""A fake service for batches: it answers ``yes: <prompt>``, and counts."""

import resource
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from providers_sdk import Client
from providers_sdk.testing import Connection, FakeService, Received, Response, json_response

Behaviour = Callable[[str, int], Response | None]
"""Returns the response to a prompt that is asked for the nth time, from 1; ``None`` for the usual answer."""


def refuse(status: int, **headers: str) -> Response:
    """Return an error response."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return json_response({"error": {"message": "not now"}}, status=status, headers=named)


def accept(text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer as OpenAI's dialect has it."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return json_response({"choices": [choice], "usage": usage}, headers=headers)


class BatchService(FakeService):
    """Answers at ``/chat/completions``; ``behave`` may decide otherwise.

    :param wait: is called with the prompt before each response.
    """

    def __init__(self, behave: Behaviour | None = None, *, wait: Callable[[str], object] | None = None) -> None:
        super().__init__()
        self._behave, self._wait = behave, wait
        self._counting = threading.Lock()
        self.asked: Counter[str] = Counter()
        """How often each prompt was asked."""
        self.under_way = self.most_under_way = 0

    def respond(self, received: Received) -> Response:
        """Return the response."""
        body = received.json()
        assert isinstance(body, dict)
        content = body["messages"][-1]["content"]
        prompt = content if isinstance(content, str) else str(content)
        with self._counting:
            self.asked[prompt] += 1
            count = self.asked[prompt]
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if self._wait is not None:
                self._wait(prompt)
            found = self._behave(prompt, count) if self._behave is not None else None
            return found or accept(f"yes: {prompt}")
        finally:
            with self._counting:
                self.under_way -= 1

    def client(self, **arguments: object) -> Client:
        """Return a client that asks this service."""
        settings = {"openai": {"url": self.url, "key": "fake-key"}}
        return Client("openai", settings=settings, retries=0, **arguments)  # type: ignore[arg-type]


def hang(connection: Connection, _: Received) -> None:
    """Respond never."""
    connection.wait_closed()


@contextmanager
def limit_files_to(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
