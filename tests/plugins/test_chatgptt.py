"""ChatGptt: what it does not share with other AI Power sites."""

import re
from collections.abc import Callable

import pytest

from providers_sdk import Client, Reply
from providers_sdk_plugins.chatgptt import ChatGptt
from providers_sdk_plugins.fakes.aipower import AIPowerSite


def test_the_question_is_the_protocols(ask: Callable[..., Reply]) -> None:
    with AIPowerSite() as site:
        assert ask(site, "chatgptt", "Name three pizzas").text == site.text
        question = site.requests[-1]
        url = site.url
    form = question.form
    assert re.fullmatch("[0-9a-f]{10}", form.pop("wpaicg_chat_client_id"))
    assert form == {
        "_wpnonce": "77f045b300",
        "post_id": "4",
        "url": url,
        "action": "wpaicg_chat_shortcode_message",
        "message": "Name three pizzas",
        "bot_id": "0",
        "chatbot_identity": "shortcode",
    }
    assert (question.headers["referer"], question.headers["origin"]) == (f"{url}/chat", url)


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with AIPowerSite() as site, Client("chatgptt") as client:
        monkeypatch.setenv("PROVIDERS_SDK_CHATGPTT_URL", site.url)
        assert client.chat("Hi").text == site.text


def test_it_says_what_it_is() -> None:
    assert ChatGptt.url == "https://chatgptt.me"
    assert ChatGptt.get_model() == "gpt-4o"
    assert ChatGptt.models == ("gpt-4o", "gpt-4", "gpt-4o-mini")
    assert not ChatGptt.working
    assert ChatGptt.supports_stream
    assert ChatGptt.supports_system_message
    assert ChatGptt.supports_message_history
