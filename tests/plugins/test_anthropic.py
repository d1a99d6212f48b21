"""Anthropic's Messages API, as the vendor's package of today has it."""

from collections.abc import Callable
from typing import Any

import pytest

from providers_sdk import (
    Client,
    FinishReason,
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
from providers_sdk.errors import (
    AllProvidersFailed,
    AuthenticationFailed,
    EmptyAnswer,
    HTTPStatusError,
    InvalidAnswer,
    InvalidArgument,
    MissingSetting,
    UnsupportedOption,
)
from providers_sdk.plugin import Event, iter_events
from providers_sdk.testing import Received
from providers_sdk_plugins._anthropic_answer import iter_message, iter_stream
from providers_sdk_plugins.anthropic import Anthropic
from providers_sdk_plugins.fakes.anthropic import AnthropicSite

SAYS = ("Margherita, ", "Funghi ", "and ", "Diavola.")
SERVED = ServedModel("claude-haiku-5-5-20261001")
BEGIN, USED = (SERVED, Usage(21, 1)), Usage(21, 42)
END = (USED, FinishReason("end_turn"))
MENU, PRICE = ToolCall("toolu_1", "get_menu", {"day": "friday"}), ToolCall("toolu_2", "get_price", {"pizza": "Funghi"})
FITS, MISFITS = '{"pizzas": ["Margherita", "Funghi", "Diavola"]}', '{"pizzas": ["Margherita", 7]}'
WITHOUT_TEXT: dict[str, tuple[Any, ...]] = {
    "tools": (USED, ToolCall("toolu_1", "get_menu", {}), FinishReason("tool_use")),
    "two_tools": (USED, MENU, PRICE, FinishReason("tool_use")),
    "cut_tool": (USED, MENU, FinishReason("max_tokens")),
}
STREAMED: dict[str, tuple[Any, ...]] = {
    "": (*SAYS, *END),
    "thinking": (Reasoning("Pizza..."), *SAYS, *END),
    "length": (*SAYS, USED, FinishReason("max_tokens")),
    "no_stop": (*SAYS, *END),
    "after_stop": (*SAYS, *END),
    "pings": (*SAYS, *END),
    "unknown": (*SAYS, *END),
    "no_reason": (*SAYS, USED, FinishReason(None)),
    "schema": (FITS, *END),
    "misfit": (MISFITS, *END),
    **WITHOUT_TEXT,
}
REFUSALS: dict[str, tuple[type[ProviderError], int | None, float | None, str, str]] = {
    # case: class, status, retry_after, words, text that had come
    "error_midway": (HTTPStatusError, 500, None, "the service says: the model broke off (api_error)", SAYS[0]),
    "overloaded": (HTTPStatusError, 529, None, "the service says: Overloaded (overloaded_error)", ""),
    "overloaded_once": (HTTPStatusError, 529, None, "Overloaded", ""),
    "busy": (HTTPStatusError, 529, None, "Overloaded", ""),
    "cut": (StreamTruncated, 200, None, "cut off", "".join(SAYS)),
    "late_text": (InvalidAnswer, 200, None, "went on after its stop reason", "".join(SAYS)),
    "refusal": (Refused, 200, None, "the model refuses: Pizza is declined. (general_harms)", SAYS[0]),
    "cut_only_tool": (EmptyAnswer, 200, None, "its tool call (get_price) was complete, and holds no text; raise", ""),
    "broken_tool": (InvalidAnswer, 200, None, 'call \'get_price\' are no JSON object: {"pizza": "Fun', ""),
    "spent": (EmptyAnswer, 200, None, "raise max_tokens", ""),
    "limit": (RateLimited, 429, 7.0, "exceed your rate limit", ""),
}


def test_the_tables_cover_every_case_of_the_fake() -> None:
    assert {*STREAMED, *REFUSALS, "whole"} == {"", *AnthropicSite.cases}


@pytest.mark.parametrize("case", STREAMED)
def test_a_stream_comes_as_its_chunks(case: str, ask: Callable[..., Reply]) -> None:
    with AnthropicSite(case) as site:
        assert tuple(ask(site, "anthropic").chunks()) == (*BEGIN[:1], *_usages(case), *STREAMED[case])


def _usages(case: str) -> tuple[Usage, ...]:
    """Of two counts before the first piece only the last one is delivered."""
    return () if case in WITHOUT_TEXT else BEGIN[1:]


@pytest.mark.parametrize("case", [case for case in STREAMED if case not in ("no_stop", "after_stop", "pings")])
def test_a_whole_answer_comes_as_its_chunks(case: str, ask: Callable[..., Reply]) -> None:
    with AnthropicSite(case) as site:
        chunks = list(ask(site, "anthropic", stream=False).chunks())
    thinking, rest = [c for c in STREAMED[case] if isinstance(c, Reasoning)], STREAMED[case]
    text = "".join(chunk for chunk in rest if isinstance(chunk, str))
    others = [chunk for chunk in rest if not isinstance(chunk, (str, Reasoning))]
    assert chunks == [SERVED, *thinking, *([text] if text else []), *others]


def test_one_json_message_is_read_though_a_stream_was_asked_for(ask: Callable[..., Reply]) -> None:
    with AnthropicSite("whole") as site:
        assert list(ask(site, "anthropic").chunks()) == [SERVED, site.text, *END]


@pytest.mark.parametrize(("case", "expected"), REFUSALS.items())
def test_what_is_no_answer_is_an_error(
    case: str,
    expected: tuple[type[ProviderError], int | None, float | None, str, str],
    outcome: Callable[..., str | ProviderError],
) -> None:
    kind, status, retry_after, words, partial = expected
    with AnthropicSite(case) as site:
        error = outcome(site, "anthropic")
    assert isinstance(error, ProviderError)
    assert type(error) is kind
    assert words in error.message
    assert (error.status, error.retry_after, error.partial) == (status, retry_after, partial)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize(
    ("case", "finish"), [("refusal", "refusal"), ("cut_only_tool", "max_tokens"), ("spent", "max_tokens")]
)
def test_an_error_in_the_place_of_text_keeps_stop_reason_and_usage(
    case: str, finish: str, stream: bool, ask: Callable[..., Reply]
) -> None:
    with AnthropicSite(case) as site, pytest.raises(REFUSALS[case][0]) as raised:
        list(ask(site, "anthropic", stream=stream).chunks())
    assert (raised.value.finish_reason, raised.value.usage) == (finish, USED)


def test_an_overloaded_service_is_asked_again_while_nothing_was_delivered() -> None:
    with AnthropicSite("overloaded_once") as site:
        with Client("anthropic", retries=1, settings={"anthropic": site.client_settings()}) as client:
            reply = client.chat("Hi")
            assert reply.text == site.text
    assert [(attempt.outcome, attempt.status) for attempt in reply.attempts] == [
        ("HTTPStatusError", 529),
        ("answered", 200),
    ]


def test_an_error_after_the_first_piece_is_not_repeated() -> None:
    with AnthropicSite("error_midway") as site:
        with Client("anthropic", retries=2, settings={"anthropic": site.client_settings()}) as client:
            reply = client.chat("Hi")
            with pytest.raises(HTTPStatusError):
                print(reply.text)
        assert len(site.requests) == 1


def test_an_overloaded_service_is_left_for_the_next_provider() -> None:
    with AnthropicSite("overloaded") as site:
        settings = {"anthropic": site.client_settings()}
        with Client(["anthropic", "echo"], retries=0, settings=settings) as client:
            assert client.chat("Hi").provider == "echo"
        with Client(["anthropic", "anthropic"], retries=0, settings=settings) as client:
            with pytest.raises(AllProvidersFailed, match="Overloaded"):
                client.chat("Hi")


# what is read, without a server


def events(*bodies: str) -> list[Event]:
    return [Event(data=body) for body in bodies]


@pytest.mark.parametrize("case", ["", "thinking", "two_tools", "unknown"])
def test_a_stream_may_be_cut_anywhere(case: str) -> None:
    with AnthropicSite(case) as site:
        received = Received("POST", "/v1/messages", {"anthropic-version": "2026-10-21", "x-api-key": "fake-key"}, BODY)
        pieces = site.respond(received).body
        data = pieces if isinstance(pieces, bytes) else b"".join(pieces)
    whole = list(iter_stream(iter_events([data])))
    for at in range(len(data)):
        assert list(iter_stream(iter_events([data[:at], data[at:]]))) == whole
    assert list(iter_stream(iter_events([data[at : at + 1] for at in range(len(data))]))) == whole


BODY = b'{"model": "m", "max_tokens": 9, "stream": true, "messages": [{"role": "user", "content": "Hi"}]}'


def test_a_stream_that_ends_before_its_stop_reason_has_no_finish() -> None:
    with AnthropicSite() as site:
        received = Received("POST", "/v1/messages", {"anthropic-version": "2026-10-21", "x-api-key": "fake-key"}, BODY)
        data = b"".join(site.respond(received).body)  # type: ignore[arg-type]
    end = data.index(b"event: message_delta")
    for at in range(0, end, 7):
        chunks = list(iter_stream(iter_events([data[:at]])))
        assert not any(isinstance(chunk, FinishReason) for chunk in chunks)


@pytest.mark.parametrize(
    "body",
    [
        "[1]",
        '"text"',
        "{",
        '{"type": "message_start", "message": []}',
        '{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 7}}',
        '{"type": "content_block_delta", "index": 0, "delta": "text"}',
        '{"type": "message_delta", "delta": {"stop_reason": 7}}',
    ],
)
def test_an_event_of_another_form_is_an_invalid_answer(body: str) -> None:
    with pytest.raises(InvalidAnswer):
        list(iter_stream(events(body)))


@pytest.mark.parametrize("body", [{}, [], "text", {"type": "message", "content": "text"}, {"content": ["text"]}])
def test_a_body_of_another_form_is_an_invalid_answer(body: object) -> None:
    with pytest.raises(InvalidAnswer):
        list(iter_message(body))


@pytest.mark.parametrize(
    ("kind", "expected", "status"),
    [
        ("overloaded_error", HTTPStatusError, 529),
        ("rate_limit_error", RateLimited, 429),
        ("authentication_error", AuthenticationFailed, 401),
        ("novel_error", Refused, None),
        (7, Refused, None),
    ],
)
def test_an_error_has_the_class_and_status_of_its_type(
    kind: object, expected: type[ProviderError], status: int | None
) -> None:
    body = {"type": "error", "error": {"type": kind, "message": "No."}}
    with pytest.raises(expected) as raised:
        list(iter_message(body))
    assert (type(raised.value), raised.value.status) == (expected, status)
    assert raised.value.message == f"the service says: No. ({kind})"


@pytest.mark.parametrize("data", ["broken", '"broken"', '{"error": "broken"}'])
def test_an_error_event_of_another_form_is_told_too(data: str) -> None:
    with pytest.raises((Refused, InvalidAnswer), match="broken"):
        list(iter_stream([Event("error", data)]))


def test_deltas_of_tools_that_the_service_runs_itself_are_passed_over() -> None:
    opened = '{"type": "content_block_start", "index": 0, "content_block": {"type": "server_tool_use", "input": {}}}'
    delta = '{"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{"}}'
    stop = '{"type": "message_delta", "delta": {"stop_reason": "pause_turn"}}'
    assert list(iter_stream(events(opened, delta, stop))) == [FinishReason("pause_turn")]


# settings and models


def test_the_request_is_the_protocols(ask: Callable[..., Reply]) -> None:
    with AnthropicSite() as site:
        ask(site, "anthropic").close()
        [received] = site.requests
    assert (received.method, received.target) == ("POST", "/v1/messages")
    sent = {name: received.headers.get(name) for name in ("x-api-key", "anthropic-version", "authorization")}
    assert sent == {"x-api-key": "fake-key", "anthropic-version": "2026-10-21", "authorization": None}


def chat(site: AnthropicSite, settings: dict[str, str], **arguments: Any) -> str:
    with Client("anthropic", settings={"anthropic": {"url": site.url, **settings}}, retries=0) as client:
        return client.chat("Hi", **arguments).text


def test_a_token_is_sent_as_a_bearer_alone_or_beside_the_key() -> None:
    with AnthropicSite() as site:
        for settings in ({"token": "fake-token"}, {"token": "fake-token", "key": "fake-key"}):
            assert chat(site, settings) == site.text
        headers = [received.headers for received in site.requests]
    assert [one["authorization"] for one in headers] == ["Bearer fake-token"] * 2
    assert [one.get("x-api-key") for one in headers] == [None, "fake-key"]


def test_without_key_and_token_nothing_is_sent() -> None:
    with AnthropicSite() as site, pytest.raises(MissingSetting, match=r"'key' or 'token'.*ANTHROPIC_API_KEY"):
        chat(site, {})
    assert site.connections == 0


VARIABLES = [("ANTHROPIC_API_KEY", "key"), ("ANTHROPIC_AUTH_TOKEN", "token")]


@pytest.mark.parametrize(("variable", "setting"), VARIABLES)
def test_the_vendors_variables_are_used_at_the_vendors_addresses(
    variable: str, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "of-the-vendor")
    assert Anthropic(name="anthropic").settings[setting] == "of-the-vendor"
    with pytest.raises(MissingSetting):
        Anthropic({"url": "https://gateway.example"}, name="anthropic")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://gateway.example")
    found = Anthropic(name="anthropic")
    assert (found.url, found.settings[setting]) == ("https://gateway.example", "of-the-vendor")


@pytest.mark.parametrize("path", ["/v1", "/v1/messages"])
def test_an_address_with_the_path_of_questions_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgument, match=f"ends with {path}, which the provider adds itself"):
        Anthropic({"url": f"https://gateway.example{path}", "key": "k"}, name="anthropic")


@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
def test_sampling_is_refused_by_todays_version_and_sent_to_an_older_one(name: str) -> None:
    option: dict[str, Any] = {name: 1}
    with AnthropicSite() as site:
        with pytest.raises(UnsupportedOption, match=f"takes no {name} since the version 2026-10-21"):
            chat(site, {"key": "fake-key"}, **option)
        assert site.requests == []
        assert chat(site, {"key": "fake-key", "api_version": "2023-06-01"}, **option) == site.text
        [received] = site.requests
    body = received.json()
    assert isinstance(body, dict)
    assert (body[name], received.headers["anthropic-version"]) == (1, "2023-06-01")


def test_the_models_are_all_pages_of_the_list() -> None:
    with AnthropicSite() as site, Client("anthropic", settings={"anthropic": site.client_settings()}) as client:
        assert tuple(client.list_models("anthropic")) == AnthropicSite.models
        assert [received.target for received in site.requests] == [
            "/v1/models?limit=1000",
            "/v1/models?limit=1000&after_id=claude-sonnet-5-5",
        ]


def test_a_wrong_key_is_hidden_in_the_services_own_words() -> None:
    with AnthropicSite() as site, pytest.raises(AuthenticationFailed, match=r"invalid key: \[hidden\]") as raised:
        chat(site, {"key": "sk-of-somebody"})
    assert "sk-of-somebody" not in f"{raised.value!r} {raised.value.attempts}"


def test_the_connection_serves_the_next_question() -> None:
    with AnthropicSite() as site, Client("anthropic", settings={"anthropic": site.client_settings()}) as client:
        for _ in range(3):
            assert client.chat("Hi").text == site.text
        assert site.connections == 1
