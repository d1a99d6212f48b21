"""Which errors that a plugin raises inside a response with the status 200 are retried."""

from collections.abc import Iterator

import pytest

from providers_sdk import Client, ProviderError, Registry
from providers_sdk.plugin import (
    Chunk,
    FinishReason,
    Http,
    HTTPStatusError,
    InvalidAnswer,
    Provider,
    RateLimited,
    Refused,
    Request,
)
from providers_sdk.testing import FakeService, Received, Response, json_response


class BusyOnce(FakeService):
    """Is busy at the first question."""

    def respond(self, received: Received) -> Response:
        return json_response({"busy": len(self.requests) == 1, "text": self.text})


def ask(failure: ProviderError, **arguments: object) -> list[tuple[str, int | None]]:
    """Return the attempts at a provider that raises ``failure`` where the service says that it is busy."""

    class Acme(Provider):
        url = "https://acme.example"
        default_model = "m"

        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            body = http.post("/ask", json={}).object()
            if body["busy"]:
                raise failure
            yield body["text"]
            yield FinishReason(None)

    registry = Registry()
    registry.register("acme", Acme)
    with BusyOnce() as site, Client("acme", settings={"acme": {"url": site.url}}, registry=registry) as client:
        reply = client.chat("hello")
        assert reply.text == site.text
        return [(attempt.outcome, attempt.status) for attempt in reply.attempts]


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (RateLimited("busy", retry_after=0.0), 429),
        (RateLimited("busy", status=503, retry_after=0.0), 503),
        (HTTPStatusError("busy", status=503, retry_after=0.0), 503),
        (Refused("busy", status=503, retry_after=0.0), 503),
    ],
    ids=lambda value: repr(value),
)
def test_a_limit_and_a_status_that_may_pass_are_retried(failure: ProviderError, status: int) -> None:
    assert ask(failure) == [(type(failure).__name__, status), ("answered", 200)]


@pytest.mark.parametrize("failure", [Refused("busy"), InvalidAnswer("busy"), HTTPStatusError("busy")])
def test_other_errors_keep_the_responses_status_and_are_not_retried(failure: ProviderError) -> None:
    with pytest.raises(ProviderError) as caught:
        ask(failure)
    assert [(attempt.outcome, attempt.status) for attempt in caught.value.attempts] == [(type(failure).__name__, 200)]
