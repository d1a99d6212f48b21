"""Which provider is asked where nobody names one."""

import pytest

from providers_sdk import Client
from providers_sdk._engine.choice import Choice
from providers_sdk._model.names import ProviderName
from providers_sdk.errors import NoProviderChosen
from providers_sdk_plugins.fakes.openai import OpenAISite


def test_the_one_service_that_has_its_key_is_asked_and_the_reason_says_so() -> None:
    with OpenAISite() as site, Client(settings={"openai": site.client_settings()}) as client:
        assert client.chat("Hi").provider == "openai"
        assert client.choose_providers() == Choice(
            (ProviderName("openai"),), "the one service with a key (the argument)"
        )


def test_an_instance_with_a_key_counts() -> None:
    with OpenAISite() as site, Client(settings={"work": {"provider": "openai", **site.client_settings()}}) as client:
        assert client.chat("Hi").provider == "work"


def test_several_services_with_a_key_are_listed_and_none_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "k-openai")
    with OpenAISite() as site:
        settings = {"work": {"provider": "openai", **site.client_settings()}}
        with Client(settings=settings) as client, pytest.raises(NoProviderChosen) as raised:
            client.chat("Hi")
        assert "several services have a key: openai (PROVIDERS_SDK_OPENAI_KEY), work (the argument)" in str(
            raised.value
        )
        assert site.requests == []


@pytest.mark.parametrize(
    ("argument", "call", "variable", "chosen"),
    [
        ("echo/a", None, "pizzagpt", "echo/a"),
        ("echo/a", "gizai/b", "pizzagpt", "gizai/b"),
        (None, None, "pizzagpt/c, echo", "pizzagpt/c echo"),
        (["gizai", "echo/a"], None, "", "gizai echo/a"),
    ],
)
def test_the_call_wins_over_the_client_over_the_environment(
    argument: str | list[str] | None, call: str | None, variable: str, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_PROVIDER", variable)
    with Client(argument) as client:
        found = client.choose_providers(call)
        assert " ".join(map(str, found.names)) == chosen
        assert found.reason == ("set by PROVIDERS_SDK_PROVIDER" if argument is call is None else "")


def test_without_a_key_the_error_says_how_to_choose() -> None:
    with Client() as client, pytest.raises(NoProviderChosen) as raised:
        client.chat("Hi")
    for words in ("no service has a key", "provider=", "PROVIDERS_SDK_PROVIDER", "providers keys set", "echo"):
        assert words in raised.value.message
