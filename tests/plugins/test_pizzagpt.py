"""Pizzagpt, as the description of its protocol says."""

from collections.abc import Callable

import pytest

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
HEADERS = {
    "accept": "application/json",
    "content-type": "application/json",
    "x-secret": "Marinara",
    "accept-encoding": "identity",
}
LINE = ("POST", "/api/chatx-completion")


def test_the_table_covers_every_case_of_the_fake() -> None:
    assert {*ANSWERS, *REFUSALS} == {"", *PizzagptSite.cases}


def test_the_request_is_the_protocols(ask: Callable[..., Reply]) -> None:
    with PizzagptSite() as site:
        assert ask(site, "pizzagpt", "Name three pizzas").text == site.text
        [received] = site.requests
        expected = {**HEADERS, "origin": site.url, "referer": f"{site.url}/en"}

    assert (received.method, received.target) == LINE
    assert {name: received.headers.get(name) for name in expected} == expected
    assert received.json() == {"question": "Name three pizzas"}


def test_nothing_but_the_protocols_headers_is_sent(ask: Callable[..., Reply]) -> None:
    with PizzagptSite() as site:
        ask(site, "pizzagpt").close()
        [received] = site.requests
    of_http = {"host", "user-agent", "connection", "content-length"}
    assert set(received.headers) - of_http == {*HEADERS, "origin", "referer"}


def test_several_messages_become_one_question(ask: Callable[..., Reply]) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "Why?"},
    ]
    with PizzagptSite() as site:
        ask(site, "pizzagpt", messages).close()
        assert site.requests[0].json() == {"question": "System: Be brief.\nUser: Hi\nUser: Why?\nAssistant:"}


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


def test_address_and_secret_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with PizzagptSite() as site, Client("pizzagpt") as client:
        monkeypatch.setenv("PROVIDERS_SDK_PIZZAGPT_URL", site.url)
        monkeypatch.setenv("PROVIDERS_SDK_PIZZAGPT_SECRET", "Quattro-Stagioni")
        assert client.chat("Hi").text == site.text
        assert site.requests[0].headers["x-secret"] == "Quattro-Stagioni"


def test_a_secret_of_the_users_is_hidden_when_the_service_repeats_it() -> None:
    with PizzagptSite("wrong_secret") as site:
        settings = {"pizzagpt": {"url": site.url, "secret": "Unauthorized"}}
        with Client("pizzagpt", settings=settings) as client, pytest.raises(AuthenticationFailed) as raised:
            client.chat("Hi")
    error = raised.value
    assert "[hidden]" in str(error)
    assert "Unauthorized" not in f"{error} {error!r} {error.attempts}"


def test_it_says_what_it_is() -> None:
    assert Pizzagpt.url == "https://www.pizzagpt.it"
    assert Pizzagpt.models == ("gpt-4o-mini",)
    assert Pizzagpt.get_model() == "gpt-4o-mini"
    assert not Pizzagpt.working
    assert not Pizzagpt.supports_stream
