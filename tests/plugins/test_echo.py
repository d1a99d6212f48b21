"""Echo says what it was asked."""

import pytest

from providers_sdk import Client, FinishReason
from providers_sdk.errors import InvalidMessages, UnsupportedOption
from providers_sdk_plugins.echo import Echo


@pytest.mark.parametrize("text", ["Name three pizzas", " a\tb\n\nc ", "日本語 🍕 é", "one"])
def test_it_says_the_very_text_of_the_last_message(text: str) -> None:
    with Client("echo") as client:
        assert client.chat([{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]).text == text


def test_it_says_it_word_by_word_and_then_stop() -> None:
    with Client("echo") as client:
        assert list(client.chat("Name three pizzas").chunks()) == ["Name ", "three ", "pizzas", FinishReason("stop")]


def test_it_refuses_what_all_refuse() -> None:
    with Client("echo") as client:
        with pytest.raises(UnsupportedOption, match="temperature"):
            client.chat("Hi", temperature=0.2)
        with pytest.raises(InvalidMessages):
            client.chat(" ")


def test_it_works_offline() -> None:
    assert Echo.offline
    assert Echo.working
    assert Echo.url == ""
