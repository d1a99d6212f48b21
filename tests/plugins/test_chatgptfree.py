"""ChatgptFree: what it does not share with other AI Power sites."""

import re
from collections.abc import Callable

import pytest

from providers_sdk import Client, Reply
from providers_sdk_plugins.chatgptfree import ChatgptFree
from providers_sdk_plugins.fakes.aipower import AIPowerSite


def test_the_question_is_the_protocols(ask: Callable[..., Reply]) -> None:
    with AIPowerSite() as site:
        assert ask(site, "chatgptfree", "Name three pizzas").text == site.text
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
    assert (question.headers["referer"], question.headers["origin"]) == (f"{url}/chat/", url)


def test_the_alias_means_the_services_own_name() -> None:
    assert ChatgptFree.get_model("gpt-4o-mini") == "gpt-4o-mini-2024-07-18"


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with AIPowerSite() as site, Client("chatgptfree") as client:
        monkeypatch.setenv("PROVIDERS_SDK_CHATGPTFREE_URL", site.url)
        assert client.chat("Hi").text == site.text


def test_it_says_what_it_is() -> None:
    assert ChatgptFree.url == "https://chatgptfree.ai"
    assert ChatgptFree.get_model() == "gpt-4o-mini-2024-07-18"
    assert not ChatgptFree.working
    assert ChatgptFree.supports_stream
    assert ChatgptFree.supports_system_message
    assert ChatgptFree.supports_message_history
