"""OpenAI and what speaks its protocol, as the description says."""

from collections.abc import Callable

import pytest

from providers_sdk import (
    Client,
    FinishReason,
    Limits,
    ProviderError,
    RateLimited,
    Reasoning,
    Refused,
    Reply,
    ServedModel,
    StreamTruncated,
    ToolCall,
    Usage,
)
from providers_sdk._http.client import Http, HttpSession
from providers_sdk._http.clock import Clock
from providers_sdk._model.messages import parse_messages
from providers_sdk.errors import (
    AuthenticationFailed,
    EmptyAnswer,
    HTTPStatusError,
    InvalidAnswer,
    MissingSetting,
    PromptRejected,
    UnsupportedOption,
)
from providers_sdk.plugin import Request
from providers_sdk_plugins._openai import OpenAICompatible
from providers_sdk_plugins.fakes.openai import OpenAISite
from providers_sdk_plugins.services import SERVICES

OpenAI = SERVICES["openai"]
SAYS = ("Margherita, ", "Funghi ", "and ", "Diavola.")
END = (Usage(21, 42), FinishReason("stop"))
MENU, PRICE = ToolCall("call_1", "get_menu", {"day": "friday"}), ToolCall("call_2", "get_price", {"pizza": "Funghi"})
FITS = '{"pizzas": ["Margherita", "Funghi", "Diavola"]}'
MISFITS = '{"pizzas": ["Margherita", 7]}'
CALLS = {
    "tools": (Usage(21, 42), ToolCall("call_1", "get_menu", {}), FinishReason("tool_calls")),
    "two_tools": (Usage(21, 42), MENU, PRICE, FinishReason("tool_calls")),
    "cut_tool": (Usage(21, 42), MENU, FinishReason("length")),
}
STREAMED = {
    "": (*SAYS, *END),
    "reasoning": (Reasoning("Pizza..."), *SAYS, *END),
    "length": (*SAYS, FinishReason("length")),
    "no_done": (*SAYS, FinishReason("stop")),
    "keep_alive": (*SAYS, *END),
    "whole": ("".join(SAYS), *END),
    "plain": (*SAYS, *END),
    "parts": (Reasoning("Pizza..."), "Margherita", *END),
    "served": (ServedModel("gpt-4o-mini-2024-07-18"), *SAYS, *END),
    "no_reason": (*SAYS, FinishReason(None)),
    "strict": (*SAYS, *END),
    **CALLS,
    "schema": (FITS[:9], FITS[9:], FinishReason("stop")),
    "misfit": (MISFITS[:9], MISFITS[9:], FinishReason("stop")),
}
WHOLE = {
    "": ("".join(SAYS), *END),
    "reasoning": (Reasoning("Pizza..."), "".join(SAYS), *END),
    "length": ("".join(SAYS), Usage(21, 42), FinishReason("length")),
    "no_done": ("".join(SAYS), *END),
    "keep_alive": ("".join(SAYS), *END),
    "whole": ("".join(SAYS), *END),
    "plain": ("".join(SAYS), *END),
    "parts": (Reasoning("Pizza..."), "Margherita", *END),
    "served": (ServedModel("gpt-4o-mini-2024-07-18"), "".join(SAYS), *END),
    "no_reason": ("".join(SAYS), Usage(21, 42), FinishReason(None)),
    "strict": ("".join(SAYS), *END),
    **CALLS,
    "schema": (FITS, *END),
    "misfit": (MISFITS, *END),
}
REFUSALS = {  # case: class, status, retry_after, words, text that had come
    "error_midway": (Refused, 200, None, "the model broke off", SAYS[0]),
    "cut": (StreamTruncated, 200, None, "cut off", "".join(SAYS)),
    "limit": (RateLimited, 429, 7.0, "Rate limit reached", ""),
    "refusal": (Refused, 200, None, "the model refuses: I can't help with pizza.", ""),
    "filtered": (Refused, 200, None, "a content filter", ""),
    "rejected": (PromptRejected, 400, None, "The prompt was filtered", ""),
    "cut_only_tool": (EmptyAnswer, 200, None, "its tool call (get_price) was complete, and holds no text; raise", ""),
    "broken_tool": (InvalidAnswer, 200, None, 'call \'get_price\' are no JSON object: {"pizza": "Fun', ""),
    "spent": (EmptyAnswer, 200, None, "raise max_tokens", ""),
    "unavailable": (HTTPStatusError, 503, None, "The engine is overloaded", ""),
}


def test_the_tables_cover_every_case_of_the_fake() -> None:
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


ENDS = {
    "refusal": "stop",
    "filtered": "content_filter",
    "cut_only_tool": "length",
    "broken_tool": "tool_calls",
    "spent": "length",
}


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("case", ENDS)
def test_an_error_in_the_place_of_text_keeps_finish_reason_and_usage(
    case: str, stream: bool, ask: Callable[..., Reply]
) -> None:
    with OpenAISite(case) as site, pytest.raises(REFUSALS[case][0]) as raised:
        list(ask(site, "openai", stream=stream).chunks())
    assert REFUSALS[case][3] in raised.value.message
    assert (raised.value.finish_reason, raised.value.usage) == (ENDS[case], Usage(21, 42))


def asked_with_stream_options(site: OpenAISite) -> list[bool]:
    return [b"stream_options" in received.body for received in site.requests]


def test_a_service_that_refuses_stream_options_is_asked_once_more_without_and_that_is_remembered() -> None:
    with (
        OpenAISite("strict") as site,
        Client("openai", retries=0, settings={"openai": site.client_settings()}) as client,
    ):
        for _ in range(3):
            assert client.chat("Hi").text == site.text
    assert asked_with_stream_options(site) == [True, False, False, False]


def test_the_refused_request_is_noted_for_the_list_of_attempts() -> None:
    with OpenAISite("strict") as site:
        provider = OpenAI(site.client_settings())
        pool = HttpSession()
        http = Http(pool, Clock(Limits()), site.url)
        chunks = list(provider.complete(Request(parse_messages("Hi"), "m"), http))
        http.close()
        pool.close()
    assert chunks == [*SAYS, *END]
    [(error, _)] = http.refused_attempts
    assert (type(error), error.status) == (HTTPStatusError, 422)
    assert "body.stream_options: Extra inputs are not permitted" in error.message


def test_another_refusal_is_not_asked_again(ask: Callable[..., Reply]) -> None:
    with OpenAISite("rejected") as site, pytest.raises(PromptRejected):
        ask(site, "openai")
    assert asked_with_stream_options(site) == [True]


def test_a_service_that_is_known_to_refuse_stream_options_is_never_sent_them() -> None:
    class Strict(OpenAICompatible):
        default_model = "strict-1"
        accepts_stream_options = False

    with OpenAISite("strict") as site:
        chunks = list(Strict(site.client_settings()).create_completion(None, "Hi"))
    assert "".join(chunk for chunk in chunks if isinstance(chunk, str)) == site.text
    assert asked_with_stream_options(site) == [False]


def test_the_request_is_the_protocols(ask: Callable[..., Reply]) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    with OpenAISite() as site:
        ask(site, "openai", messages, temperature=0.2).close()
        [received] = site.requests
    assert (received.method, received.target) == ("POST", "/chat/completions")
    assert received.headers["authorization"] == "Bearer fake-key"
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
        monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "fake-key")
        assert client.chat("Hi").text == site.text


def test_it_says_what_it_is() -> None:
    assert OpenAI.url + OpenAI.api_endpoint == "https://api.openai.com/v1/chat/completions"
    assert OpenAI.needs_auth
    assert OpenAI.supports_stream
    assert OpenAI.get_model("any-model-at-all") == "any-model-at-all"
