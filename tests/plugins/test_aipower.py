"""AI Power on WordPress, as the description of its protocol says: what ``chatgptt`` and ``chatgptfree`` share, too."""

import re
from collections.abc import Callable

import pytest

from providers_sdk import Client, FinishReason, ProviderError, Refused, Reply, StreamTruncated, Usage
from providers_sdk.errors import (
    AuthenticationFailed,
    Blocked,
    EmptyAnswer,
    HTTPStatusError,
    InvalidAnswer,
    MissingSetting,
    PromptRejected,
    TokenPageFailed,
    TokensNotFound,
)
from providers_sdk.testing import Connection, Received
from providers_sdk_plugins.aipower import AnyAIPower
from providers_sdk_plugins.fakes.aipower import AIPowerSite

Outcome = Callable[..., str | ProviderError]

PROVIDERS = ("aipower", "chatgptt", "chatgptfree")
ANSWERS = ("", "minified", "two_chats", "fallback", "no_post_id", "other_page", "folder", "custom_bot", "cached",
           "guest_limit", "json", "close", "usage")  # fmt: skip
KEY = "Incorrect API key provided: bad. You can find your API key at https://platform.openai.com/account/api-keys."
REFUSALS = {  # case: class, status, words of the site's, text that had come
    "no_tokens": (TokensNotFound, 200, "holds no nonce (looked for", ""),
    "no_chat": (Refused, 200, "shows no chat, though AI Power runs on this site", ""),
    "password": (Refused, 200, "asks for a password", ""),
    "cached_for_good": (AuthenticationFailed, 403, "it is probably a cached copy", ""),
    "login": (TokensNotFound, 200, "it asks for a password", ""),
    "not_found": (TokenPageFailed, 404, "Page not found - Fake service", ""),
    "maintenance": (TokenPageFailed, 503, "Maintenance", ""),
    "always_expired": (AuthenticationFailed, 403, "The link you followed has expired.", ""),
    "plugin_off": (HTTPStatusError, 400, "0", ""),
    "cut": (StreamTruncated, 200, "cut off", "Margherita, Funghi and Diavola."),
    "empty_stream": (EmptyAnswer, 200, "holds nothing", ""),
    "empty_json": (EmptyAnswer, 200, "without any text", ""),
    "null_json": (InvalidAnswer, 200, "dict", ""),
    "list_json": (InvalidAnswer, 200, "list", ""),
    "error_json": (Refused, 200, "the 'quota' is <exceeded>", ""),
    "no_key": (Refused, 200, "Unable to initialize the AI instance.", ""),
    "upstream_error": (Refused, 200, KEY, ""),
    "raw_error": (Refused, 200, "Rate limit reached", ""),
    "limit": (Refused, 200, "You have reached your token limit.", ""),
    "limit_json": (Refused, 200, "You have reached your token limit.", ""),
    "flagged": (PromptRejected, 200, "prohibited words", ""),
    "quoted_error": (Refused, 200, 'The model "gpt-9" does not exist or you do not have access to it.', ""),
    "limited": (Refused, 200, "[LIMITED]", "Margherita, Funghi and Diavola."),
}
FORM = {"_wpnonce": "77f045b300", "post_id": "4", "action": "wpaicg_chat_shortcode_message", "bot_id": "0"}


def test_the_tables_cover_every_case_of_the_fake() -> None:
    assert {*ANSWERS, *REFUSALS} == {"", *AIPowerSite.cases}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_is_the_sites_text(case: str, provider: str, outcome: Outcome) -> None:
    with AIPowerSite(case) as site:
        assert outcome(site, provider) == site.text


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("case", "expected"), REFUSALS.items())
def test_what_is_no_answer_is_an_error_with_the_sites_words(
    case: str, expected: tuple[type[ProviderError], int | None, str, str], provider: str, outcome: Outcome
) -> None:
    kind, status, words, partial = expected
    with AIPowerSite(case) as site:
        error = outcome(site, provider)
    assert isinstance(error, ProviderError)
    assert type(error) is kind
    assert words in error.message
    assert (error.provider, error.status, error.partial) == (provider, status, partial)


def test_the_page_is_asked_for_first_and_then_the_question(ask: Callable[..., Reply]) -> None:
    with AIPowerSite() as site:
        assert ask(site, "aipower").text == site.text
        page, question = site.requests
    assert (page.method, page.target, page.body) == ("GET", "/", b"")
    assert (question.method, question.target) == ("POST", "/wp-admin/admin-ajax.php")
    assert question.headers["content-type"] == "application/x-www-form-urlencoded"
    assert question.headers["accept-encoding"] == "identity"
    assert question.headers["origin"] == site_of(question)
    assert question.headers["referer"] == site_of(question) + "/"
    assert "cookie" not in question.headers


def site_of(received: Received) -> str:
    return f"http://{received.headers['host']}"


def test_the_form_is_the_protocols(ask: Callable[..., Reply]) -> None:
    messages = [{"role": "system", "content": "Be brief & 100%."}, {"role": "user", "content": "Hé\n🍕?"}]
    with AIPowerSite() as site:
        ask(site, "aipower", messages).close()
        form = site.requests[-1].form
        url = site.url
    client = form.pop("wpaicg_chat_client_id")
    assert form == {
        **FORM,
        "url": url,
        "message": "System: Be brief & 100%.\u2028User: Hé\u2028🍕?\u2028Assistant:",
        "chatbot_identity": "shortcode",
    }
    assert re.fullmatch("[0-9a-f]{10}", client)


def test_the_stream_comes_piece_by_piece_and_ends_with_the_sites_finish(ask: Callable[..., Reply]) -> None:
    with AIPowerSite(reply_pieces=("Größe ", "", "🍕\n", "\u2028\x85 end")) as site:
        chunks = list(ask(site, "aipower").chunks())
    assert chunks == ["Größe ", "🍕\n", "\u2028\x85 end", FinishReason("stop")]


def test_usage_is_told(ask: Callable[..., Reply]) -> None:
    with AIPowerSite("usage") as site:
        reply = ask(site, "aipower")
        assert reply.text == site.text
        assert reply.usage == Usage(21, 42)


def test_the_tokens_are_fetched_once_and_used_again() -> None:
    with AIPowerSite() as site, Client("aipower", settings={"aipower": site.client_settings()}) as client:
        for _ in range(3):
            assert client.chat("Hi").text == site.text
        assert [received.method for received in site.requests] == ["GET", "POST", "POST", "POST"]


def test_refused_tokens_are_fetched_once_more_and_the_question_repeated_once() -> None:
    with AIPowerSite() as site, Client("aipower", settings={"aipower": site.client_settings()}) as client:
        assert client.chat("Hi").text == site.text
        site.expire()
        reply = client.chat("Hi")
        assert reply.text == site.text
        assert [received.method for received in site.requests] == ["GET", "POST", "POST", "GET", "POST"]
        assert site.requests[-1].form["_wpnonce"] == "77f045b301"
        assert len(reply.attempts) == 1


def test_tokens_that_are_refused_twice_end_the_attempt(outcome: Outcome) -> None:
    with AIPowerSite("always_expired") as site:
        assert type(outcome(site, "aipower")) is AuthenticationFailed
        assert [received.method for received in site.requests] == ["GET", "POST", "GET"]


def test_nothing_is_posted_where_the_page_holds_no_token(outcome: Outcome) -> None:
    for case in ("no_tokens", "login", "not_found", "maintenance"):
        with AIPowerSite(case) as site:
            assert isinstance(outcome(site, "aipower"), TokensNotFound)
            assert isinstance(outcome(site, "aipower"), RuntimeError)
            assert {received.method for received in site.requests} == {"GET"}


def test_missing_tokens_are_explained_by_address_status_title_and_name(outcome: Outcome) -> None:
    with AIPowerSite("no_tokens") as site:
        error = outcome(site, "aipower")
        url = site.url
    assert isinstance(error, TokensNotFound)
    for word in (url, "200", "Fake service – Chat", "no nonce", "'url'", "'page'"):
        assert word in error.message


def test_maintenance_says_how_long_to_wait(outcome: Outcome) -> None:
    with AIPowerSite("maintenance") as site:
        error = outcome(site, "aipower")
    assert isinstance(error, TokenPageFailed)
    assert error.retry_after == 600


def test_a_bot_wall_is_no_expired_nonce(outcome: Outcome) -> None:
    def wall(connection: Connection, received: Received) -> None:
        connection.send(b"HTTP/1.1 403 Forbidden\r\ncf-mitigated: challenge\r\nContent-Length: 0\r\n\r\n")

    with AIPowerSite() as site:
        site.fault = wall
        error = outcome(site, "aipower")
        assert type(error) is Blocked
        assert [received.method for received in site.requests] == ["GET", "POST"]


@pytest.mark.parametrize("address", ["{}", "{}/"])
def test_the_address_comes_from_the_environment(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with AIPowerSite() as site, Client("aipower") as client:
        monkeypatch.setenv("PROVIDERS_SDK_AIPOWER_URL", address.format(site.url))
        assert client.chat("Hi").text == site.text


def test_without_an_address_the_error_says_how_to_give_one() -> None:
    with Client("aipower") as client, pytest.raises(MissingSetting, match="PROVIDERS_SDK_AIPOWER_URL"):
        client.chat("Hi")


def test_it_says_what_it_is() -> None:
    assert AnyAIPower.working
    assert AnyAIPower.supports_stream
    assert AnyAIPower.supports_system_message
    assert AnyAIPower.supports_message_history
    assert AnyAIPower.all_settings()["url"].required
