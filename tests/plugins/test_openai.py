"""OpenAI and what speaks its protocol, as the description says."""

from collections.abc import Callable

import pytest

from providers_sdk import (
    AuthenticationFailed,
    Client,
    FinishReason,
    HTTPStatusError,
    MissingSetting,
    ProviderError,
    RateLimited,
    Reasoning,
    Refused,
    Reply,
    StreamTruncated,
    UnsupportedOption,
    Usage,
)
from providers_sdk_plugins.fakes.openai import OpenAISite
from providers_sdk_plugins.openai import OpenAI

SAYS = ("Margherita, ", "Funghi ", "and ", "Diavola.")
END = (Usage(21, 42), FinishReason("stop"))
STREAMED = {
    "": (*SAYS, *END),
    "reasoning": (Reasoning("Pizza..."), *SAYS, *END),
    "length": (*SAYS, FinishReason("length")),
    "no_done": (*SAYS, FinishReason("stop")),
    "keep_alive": (*SAYS, *END),
}
WHOLE = {
    "": ("".join(SAYS), *END),
    "reasoning": (Reasoning("Pizza..."), "".join(SAYS), *END),
    "length": ("".join(SAYS), Usage(21, 42), FinishReason("length")),
    "no_done": ("".join(SAYS), *END),
    "keep_alive": ("".join(SAYS), *END),
}
REFUSALS = {  # case: class, status, retry_after, words, text that had come
    "error_midway": (Refused, 200, None, "the model broke off", SAYS[0]),
    "cut": (StreamTruncated, 200, None, "cut off", "".join(SAYS)),
    "limit": (RateLimited, 429, 7.0, "Rate limit reached", ""),
    "unavailable": (HTTPStatusError, 503, None, "The engine is overloaded", ""),
}


def test_the_tables_cover_every_case_of_the_stand_in() -> None:
    assert {*STREAMED, *REFUSALS} == {"", *OpenAISite.cases}
    assert set(STREAMED) == set(WHOLE)


@pytest.mark.parametrize("case", STREAMED)
def test_a_stream_comes_as_its_chunks(case: str, ask: Callable[..., Reply]) -> None:
    with OpenAISite(case) as site:
        assert tuple(ask(site, "openai").chunks()) == STREAMED[case]


@pytest.mark.parametrize("case", WHOLE)
def test_a_whole_answer_comes_as_its_chunks(case: str, ask: Callable[..., Reply]) -> None:
    with OpenAISite(case) as site:
        assert tuple(ask(site, "openai", stream=False).chunks()) == WHOLE[case]


@pytest.mark.parametrize(("case", "expected"), REFUSALS.items())
def test_what_is_no_answer_is_an_error(
    case: str,
    expected: tuple[type[ProviderError], int | None, float | None, str, str],
    outcome: Callable[..., str | ProviderError],
) -> None:
    kind, status, retry_after, words, partial = expected
    with OpenAISite(case) as site:
        error = outcome(site, "openai")
    assert isinstance(error, ProviderError)
    assert type(error) is kind
    assert words in error.message
    assert (error.status, error.retry_after, error.partial) == (status, retry_after, partial)


def test_the_request_is_the_protocols(ask: Callable[..., Reply]) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    with OpenAISite() as site:
        ask(site, "openai", messages, temperature=0.2).close()
        [received] = site.requests
    assert (received.method, received.target) == ("POST", "/chat/completions")
    assert received.headers["authorization"] == "Bearer stand-in-key"
    assert received.json() == {
        "model": "gpt-4o-mini",
        "messages": messages,
        "temperature": 0.2,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_whole_answer_is_asked_for_without_a_word_of_streaming(ask: Callable[..., Reply]) -> None:
    with OpenAISite() as site:
        ask(site, "openai", "Hi", stream=False, model="any-model-at-all").close()
        [received] = site.requests
    assert received.json() == {"model": "any-model-at-all", "messages": [{"role": "user", "content": "Hi"}]}


def test_an_option_that_the_protocol_lacks_is_refused_with_those_it_has(ask: Callable[..., Reply]) -> None:
    with OpenAISite() as site, pytest.raises(UnsupportedOption, match=r"temprature.*known: temperature, top_p"):
        ask(site, "openai", "Hi", temprature=0.2)
    assert site.requests == []


def test_a_wrong_key_is_hidden_in_the_services_own_words() -> None:
    with OpenAISite() as site:
        settings = {"openai": {"url": site.url, "key": "sk-of-somebody"}}
        with Client("openai", settings=settings) as client, pytest.raises(AuthenticationFailed) as raised:
            client.chat("Hi")
    assert "[hidden]" in str(raised.value)
    assert "sk-of-somebody" not in f"{raised.value} {raised.value!r} {raised.value.attempts}"


def test_key_and_address_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAISite() as site, Client("openai") as client:
        monkeypatch.setenv("PROVIDERS_SDK_OPENAI_URL", site.url)
        with pytest.raises(MissingSetting, match="PROVIDERS_SDK_OPENAI_KEY"):
            client.chat("Hi")
        monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "stand-in-key")
        assert client.chat("Hi").text == site.text


def test_it_says_what_it_is() -> None:
    assert OpenAI.url + OpenAI.api_endpoint == "https://api.openai.com/v1/chat/completions"
    assert OpenAI.needs_auth
    assert OpenAI.supports_stream
    assert OpenAI.get_model("any-model-at-all") == "any-model-at-all"
