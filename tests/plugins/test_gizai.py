"""GizAI, as the description of its protocol says."""

from collections.abc import Callable

import pytest

from providers_sdk import Client, FinishReason, ProviderError, Reply
from providers_sdk.errors import EmptyAnswer, HTTPStatusError, InvalidAnswer
from providers_sdk_plugins.fakes.gizai import GizAISite
from providers_sdk_plugins.gizai import GizAI

ANSWERS = ("",)
REFUSALS = {
    "status_200": (HTTPStatusError, 200, "Margherita, Funghi"),
    "failed": (HTTPStatusError, 500, "the inference failed"),
    "empty": (EmptyAnswer, 201, "holds no text"),
    "missing": (EmptyAnswer, 201, "without an output"),
    "list": (InvalidAnswer, 201, "list"),
    "html": (InvalidAnswer, 201, "Giz AI"),
}


def test_the_table_covers_every_case_of_the_fake() -> None:
    assert {*ANSWERS, *REFUSALS} == {"", *GizAISite.cases}


def test_the_request_is_the_protocols(ask: Callable[..., Reply]) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "Why?"},
    ]
    with GizAISite() as site:
        ask(site, "gizai", messages).close()
        [received] = site.requests

    assert (received.method, received.target) == ("POST", "/api/data/users/inferenceServer.infer")
    assert received.headers["accept"] == "application/json, text/plain, */*"
    assert received.headers["origin"] == f"http://{received.headers['host']}"
    assert received.headers["content-type"] == "application/json"
    assert received.json() == {
        "model": "chat-gemini-flash",
        "input": {
            "messages": [
                {"content": "Be brief."},
                {"type": "human", "content": "Hi"},
                {"type": "ai", "content": "Hello!"},
                {"type": "human", "content": "Why?"},
            ],
            "mode": "plan",
        },
        "noStream": True,
    }


def test_nothing_but_the_protocols_headers_is_sent(ask: Callable[..., Reply]) -> None:
    with GizAISite() as site:
        ask(site, "gizai").close()
        [received] = site.requests
    of_http = {"host", "user-agent", "connection", "content-length", "accept-encoding"}
    assert set(received.headers) - of_http == {"accept", "content-type", "origin"}


def test_the_output_of_a_201_is_the_answer_without_outer_white_space(ask: Callable[..., Reply]) -> None:
    with GizAISite() as site:
        assert list(ask(site, "gizai").chunks()) == [site.text, FinishReason(None)]


@pytest.mark.parametrize(("case", "expected"), REFUSALS.items())
def test_what_is_no_answer_is_an_error(
    case: str, expected: tuple[type[ProviderError], int | None, str], outcome: Callable[..., str | ProviderError]
) -> None:
    kind, status, words = expected
    with GizAISite(case) as site:
        error = outcome(site, "gizai")
    assert isinstance(error, ProviderError)
    assert type(error) is kind
    assert error.status == status
    assert words in error.message
    assert len(site.requests) == 1


def test_the_alias_means_the_services_own_name(ask: Callable[..., Reply]) -> None:
    with GizAISite() as site:
        assert ask(site, "gizai", model="gemini-1.5-flash").model == "chat-gemini-flash"
        assert b'"chat-gemini-flash"' in site.requests[0].body


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with GizAISite() as site, Client("gizai") as client:
        monkeypatch.setenv("PROVIDERS_SDK_GIZAI_URL", site.url)
        assert client.chat("Hi").text == site.text


def test_it_says_what_it_is() -> None:
    assert GizAI.url + GizAI.api_endpoint == "https://app.giz.ai/api/data/users/inferenceServer.infer"
    assert GizAI.get_model() == "chat-gemini-flash"
    assert not GizAI.working
    assert not GizAI.supports_stream
    assert GizAI.supports_system_message
    assert GizAI.supports_message_history
