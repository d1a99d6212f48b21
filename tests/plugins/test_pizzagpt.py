"""Pizzagpt, as the description of its protocol says."""

from collections.abc import Callable

import pytest
from responses import RequestsMock
from responses.matchers import header_matcher, json_params_matcher

from providers_sdk import Client, FinishReason, ProviderError, Refused, Reply
from providers_sdk.errors import AuthenticationFailed, EmptyAnswer, InvalidAnswer, PromptRejected
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite
from providers_sdk_plugins.pizzagpt import Pizzagpt

Outcome = Callable[..., str | ProviderError]

ANSWERS = ("", "bare")
REFUSALS = {
    "misuse": (PromptRejected, "Misuse detected. Please get in touch with us."),
    "empty": (EmptyAnswer, "without any content"),
    "missing": (EmptyAnswer, "without any content"),
    "list": (InvalidAnswer, "list"),
    "html": (InvalidAnswer, "'Log in', which asks for a password"),
    "wrong_secret": (AuthenticationFailed, "Unauthorized"),
}
ADDRESS = "https://www.pizzagpt.it/api/chatx-completion"
HEADERS = {
    "accept": "application/json",
    "content-type": "application/json",
    "x-secret": "Marinara",
    "accept-encoding": "identity",
    "origin": "https://www.pizzagpt.it",
    "referer": "https://www.pizzagpt.it/en",
}
GOOD = {"answer": {"content": "Diavola."}}


def test_the_table_covers_every_case_of_the_fake() -> None:
    assert {*ANSWERS, *REFUSALS} == {"", *PizzagptSite.cases}


def test_the_request_is_the_protocols(mocked: RequestsMock) -> None:
    mocked.post(ADDRESS, json=GOOD, match=[json_params_matcher({"question": "Name three pizzas"})])
    with Client("pizzagpt", retries=0) as client:
        assert client.chat("Name three pizzas").text == "Diavola."
    sent = mocked.calls[0].request.headers
    assert {name: sent.get(name) for name in HEADERS} == HEADERS


def test_nothing_but_the_protocols_headers_is_sent(ask: Callable[..., Reply]) -> None:
    with PizzagptSite() as site:
        ask(site, "pizzagpt").close()
        [received] = site.requests
    of_http = {"host", "user-agent", "connection", "content-length"}
    assert set(received.headers) - of_http == set(HEADERS)


def test_several_messages_become_one_question(mocked: RequestsMock) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "Why?"},
    ]
    question = "System: Be brief.\nUser: Hi\nUser: Why?\nAssistant:"
    mocked.post(ADDRESS, json=GOOD, match=[json_params_matcher({"question": question})])
    with Client("pizzagpt", retries=0) as client:
        client.chat(messages).close()


@pytest.mark.parametrize("case", ANSWERS)
def test_the_answer_is_one_piece_of_text_and_then_stop(case: str, ask: Callable[..., Reply]) -> None:
    with PizzagptSite(case) as site:
        chunks = list(ask(site, "pizzagpt").chunks())
        assert chunks == [site.text, FinishReason("stop")]


@pytest.mark.parametrize(("case", "expected"), REFUSALS.items())
def test_what_is_no_answer_is_an_error(case: str, expected: tuple[type[ProviderError], str], outcome: Outcome) -> None:
    with PizzagptSite(case) as site:
        error = outcome(site, "pizzagpt")
    assert isinstance(error, ProviderError)
    assert type(error) is expected[0]
    assert expected[1] in error.message
    assert (error.provider, error.model) == ("pizzagpt", "gpt-4o-mini")
    assert len(site.requests) == 1


def test_a_rejected_prompt_is_also_a_value_error_and_a_refusal() -> None:
    assert issubclass(PromptRejected, ValueError)
    assert issubclass(PromptRejected, Refused)


def test_address_and_secret_come_from_the_environment(mocked: RequestsMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_PIZZAGPT_URL", "https://pizza.example")
    monkeypatch.setenv("PROVIDERS_SDK_PIZZAGPT_SECRET", "Quattro-Stagioni")
    secret = header_matcher({"x-secret": "Quattro-Stagioni", "origin": "https://pizza.example"})
    mocked.post("https://pizza.example/api/chatx-completion", json=GOOD, match=[secret])
    with Client("pizzagpt", retries=0) as client:
        assert client.chat("Hi").text == "Diavola."


def test_a_secret_of_the_users_is_hidden_when_the_service_repeats_it(mocked: RequestsMock) -> None:
    mocked.post(ADDRESS, json={"error": True, "message": "Quattro-Stagioni is no key"}, status=401)
    settings = {"pizzagpt": {"secret": "Quattro-Stagioni"}}
    with Client("pizzagpt", settings=settings, retries=0) as client, pytest.raises(AuthenticationFailed) as raised:
        client.chat("Hi")
    error = raised.value
    assert "[hidden] is no key" in str(error)
    assert "Quattro" not in f"{error} {error!r} {error.attempts}"


def test_it_says_what_it_is() -> None:
    assert Pizzagpt.url == "https://www.pizzagpt.it"
    assert Pizzagpt.models == ("gpt-4o-mini",)
    assert Pizzagpt.get_model() == "gpt-4o-mini"
    assert not Pizzagpt.working
    assert not Pizzagpt.supports_stream
