"""GizAI, as the description of its protocol says."""

from collections.abc import Callable

import pytest
from responses import RequestsMock
from responses.matchers import header_matcher, json_params_matcher

from providers_sdk import Client, FinishReason, ProviderError, Reply
from providers_sdk.errors import EmptyAnswer, HTTPStatusError, InvalidAnswer
from providers_sdk_plugins.fakes.gizai import GizAISite
from providers_sdk_plugins.gizai import GizAI

ADDRESS = "https://app.giz.ai/api/data/users/inferenceServer.infer"
HEADERS = {
    "accept": "application/json, text/plain, */*",
    "origin": "https://app.giz.ai",
    "content-type": "application/json",
}
GOOD = {"status": "completed", "output": "Diavola."}
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


def test_the_request_is_the_protocols(mocked: RequestsMock) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "Why?"},
    ]
    body = {
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
    mocked.post(ADDRESS, json=GOOD, status=201, match=[json_params_matcher(body)])
    with Client("gizai", retries=0) as client:
        assert client.chat(messages).text == "Diavola."
    sent = mocked.calls[0].request.headers
    assert {name: sent.get(name) for name in HEADERS} == HEADERS


def test_nothing_but_the_protocols_headers_is_sent(ask: Callable[..., Reply]) -> None:
    with GizAISite() as site:
        ask(site, "gizai").close()
        [received] = site.requests
    of_http = {"host", "user-agent", "connection", "content-length", "accept-encoding"}
    assert set(received.headers) - of_http == set(HEADERS)


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


def test_the_alias_means_the_services_own_name(mocked: RequestsMock) -> None:
    asks_for_it = json_params_matcher({"model": "chat-gemini-flash"}, strict_match=False)
    mocked.post(ADDRESS, json=GOOD, status=201, match=[asks_for_it])
    with Client("gizai", retries=0) as client:
        assert client.chat("Hi", model="gemini-1.5-flash").model == "chat-gemini-flash"


def test_the_address_comes_from_the_environment(mocked: RequestsMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_GIZAI_URL", "https://giz.example")
    origin = header_matcher({"origin": "https://giz.example"})
    mocked.post("https://giz.example/api/data/users/inferenceServer.infer", json=GOOD, status=201, match=[origin])
    with Client("gizai", retries=0) as client:
        assert client.chat("Hi").text == "Diavola."


def test_it_says_what_it_is() -> None:
    assert GizAI.url + GizAI.api_endpoint == "https://app.giz.ai/api/data/users/inferenceServer.infer"
    assert GizAI.get_model() == "chat-gemini-flash"
    assert not GizAI.working
    assert not GizAI.supports_stream
    assert GizAI.supports_system_message
    assert GizAI.supports_message_history
