"""A fake service for the benchmarks of batches: delays, failures, a token bucket; it counts what it is asked."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable

from providers_sdk import Client
from providers_sdk.testing import FakeService, Received, Response, json_response


class Bucket:
    """``rate`` calls a second, at most ``burst`` at once; 0 for no limit."""

    def __init__(self, rate: float = 0.0, burst: float = 10.0) -> None:
        self._rate, self._burst, self._tokens = rate, burst, burst
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def accepts(self) -> bool:
        """Take a token; return whether there was one."""
        if not self._rate:
            return True
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._last) * self._rate)
            self._last = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


class CountingService(FakeService):
    """Answers ``yes: <prompt>``.

    :param delay: returns the seconds that an answer takes.
    :param failures: the share of requests that fail with 500.
    :param refusals: the share that is refused with 429 at random.
    """

    def __init__(
        self,
        delay: Callable[[], float] = lambda: 0.0,
        *,
        bucket: Bucket | None = None,
        failures: float = 0.0,
        refusals: float = 0.0,
        retry_after: str = "1",
    ) -> None:
        super().__init__()
        self._delay, self._bucket = delay, bucket or Bucket()
        self._failures, self._refusals, self._retry_after = failures, refusals, retry_after
        self._counting = threading.Lock()
        self.asked: Counter[str] = Counter()
        self.events: list[tuple[float, bool]] = []
        """When each request came, and whether it was accepted."""
        self.forbidden: set[str] = set()
        """Prompts that must not be asked any more."""
        self.violations: list[str] = []

    def respond(self, received: Received) -> Response:
        """Return the response."""
        body = received.json()
        assert isinstance(body, dict)
        prompt = body["messages"][-1]["content"]
        accepted = self._bucket.accepts() and random.random() >= self._refusals
        with self._counting:
            self.requests.clear()
            self.asked[prompt] += 1
            self.events.append((time.monotonic(), accepted))
            if prompt in self.forbidden:
                self.violations.append(prompt)
        if not accepted:
            return json_response({"error": "too many"}, status=429, headers={"Retry-After": self._retry_after})
        time.sleep(self._delay())
        if random.random() < self._failures:
            return json_response({"error": "broken"}, status=500)
        choice = {"index": 0, "message": {"role": "assistant", "content": f"yes: {prompt}"}, "finish_reason": "stop"}
        return json_response({"choices": [choice]})

    def settings(self) -> dict[str, dict[str, str]]:  # type: ignore[override]
        """Return the settings of a client that asks this service."""
        return {"openai": {"url": self.url, "key": "fake-key"}}

    def client(self) -> Client:
        """Return a client that asks this service."""
        return Client("openai", settings=self.settings(), retries=0, proxy="", config=None)
