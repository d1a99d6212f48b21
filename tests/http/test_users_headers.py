"""The setting ``headers``: sent with every request to the provider's own host, and to no other."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from providers_sdk import Client, Registry
from providers_sdk.errors import AuthenticationFailed, InvalidArgument
from providers_sdk.plugin import Chunk, FinishReason, Http, Provider, Request
from providers_sdk.testing import FakeService, Received, Response, json_response
from providers_sdk_plugins.fakes.openai import OpenAISite

HEADERS = {"X-Team": "kitchen-secret-1", "Authorization": "Custom kitchen-secret-2"}


class Listing(FakeService):
    """Answers every request with its headers."""

    def respond(self, received: Received) -> Response:
        """Return the headers."""
        return json_response(dict(received.headers))


def test_they_are_sent_with_each_request_and_win_over_the_providers_own() -> None:
    with OpenAISite() as site:
        settings = {"openai": {"url": site.url, "key": "unused", "headers": HEADERS}}
        with Client("openai", settings=settings, retries=0) as client, pytest.raises(AuthenticationFailed) as raised:
            client.chat("Hi")
        assert site.requests[0].headers["x-team"] == "kitchen-secret-1"
        assert site.requests[0].headers["authorization"] == "Custom kitchen-secret-2"
        assert "kitchen-secret" not in str(raised.value)  # the fake sends back the header that it got
        assert "[hidden]" in str(raised.value)


def test_they_go_to_no_other_host() -> None:
    class Wandering(Provider):
        default_model = "m"

        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            for address in (self.url, other.url, other.url.replace("127.0.0.1", "localhost")):
                yield f"{'x-team' in http.get(f'{address}/').json()} "
            yield FinishReason(None)

    registry = Registry()
    registry.register("wandering", Wandering)
    with Listing() as own, Listing() as other:
        settings = {"wandering": {"url": own.url, "headers": HEADERS}}
        with Client("wandering", registry=registry, settings=settings) as client:
            assert client.chat("Hi").text == "True False False "


def test_the_environment_gives_them_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_OPENAI_HEADERS", json.dumps({"x-team": "kitchen"}))
    with OpenAISite() as site, Client("openai", settings={"openai": site.client_settings()}) as client:
        client.chat("Hi").close()
        assert site.requests[0].headers["x-team"] == "kitchen"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ("x-team: kitchen", "must be a mapping, in the environment a JSON object, such as"),
        (["x-team"], "must be a mapping, in the environment a JSON object, such as"),
        ({1: "kitchen"}, "must be a mapping, in the environment a JSON object, such as"),
        ({"x-team": 1}, "must map names to strings; the value of 'x-team' is none"),
        ({"x team": "kitchen"}, "the header name 'x team' cannot be sent"),
        ({"x-team": "kitchen\r\nx: y"}, "the value of header 'x-team' holds a line break"),
    ],
)
def test_what_can_be_no_headers_is_refused_before_anything_is_sent(headers: Any, reason: str) -> None:
    with OpenAISite() as site:
        settings = {"openai": {**site.client_settings(), "headers": headers}}
        with Client("openai", settings=settings) as client, pytest.raises(InvalidArgument) as raised:
            client.chat("Hi")
        assert reason in str(raised.value)
        assert site.requests == []
