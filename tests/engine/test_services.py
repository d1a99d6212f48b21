"""Instances: a name with settings of its own for an installed provider; and what may not be one."""

import json
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers_sdk import Client, Registry
from providers_sdk._config.keys import store_key
from providers_sdk._engine.client import get_binder
from providers_sdk.errors import (
    InvalidArgument,
    KeyUnavailable,
    MissingSetting,
    PluginContractError,
    UnknownProvider,
    UnknownSetting,
)
from providers_sdk.plugin import FinishReason, Provider, Setting
from providers_sdk.testing import FakeService, Received, Response
from providers_sdk_plugins.fakes.openai import OpenAISite
from providers_sdk_plugins.services import SERVICES

NOWHERE = "http://127.0.0.1:9/v1"


class AnyKeySite(OpenAISite):
    """Takes every key."""

    def respond(self, received: Received) -> Response:
        """Answer as for the right key."""
        return super().respond(replace(received, headers={**received.headers, "authorization": "Bearer fake-key"}))


def account(name: str, running: ExitStack) -> tuple[OpenAISite, dict[str, str]]:
    """Return a service of its own and an instance's settings for it."""
    site = running.enter_context(AnyKeySite())
    return site, {"provider": "openai", "url": site.url, "key": f"key-of-{name}", "model": f"model-of-{name}"}


def what_it_saw(site: FakeService) -> list[tuple[Any, ...]]:
    return [(json.loads(seen.body)["model"], seen.headers["authorization"]) for seen in site.requests]


def test_three_accounts_of_one_protocol_answer_in_one_client_each_with_its_own_key_and_model() -> None:
    with ExitStack() as running:
        sites, settings = {}, {}
        for name in ("work", "home", "spare"):
            sites[name], settings[name] = account(name, running)
        with Client(settings=settings) as client:
            for name in sites:
                reply = client.chat("Hi", provider=name)
                assert (reply.text, reply.provider, reply.model) == (sites[name].text, name, f"model-of-{name}")
        assert {name: what_it_saw(site) for name, site in sites.items()} == {
            name: [(f"model-of-{name}", f"Bearer key-of-{name}")] for name in sites
        }


def test_an_instance_is_asked_in_a_fallback_list_with_a_model_each() -> None:
    with ExitStack() as running:
        (first, work), (second, home) = account("work", running), account("home", running)
        first.case = "unavailable"
        with Client(["work/large", "home/small"], settings={"work": work, "home": home}, retries=0) as client:
            reply = client.chat("Hi")
        assert [(one.provider, one.model) for one in reply.attempts] == [("work", "large"), ("home", "small")]
        assert (what_it_saw(first)[0][0], what_it_saw(second)[0][0]) == ("large", "small")


def test_an_instance_hides_a_plugin_of_its_name_and_the_distributions_name_means_the_plugin() -> None:
    with ExitStack() as running:
        site, echo = account("echo", running)
        with Client(settings={"echo": echo}) as client:
            assert client.chat("Hi", provider="echo").text == site.text
            assert client.chat("Hi", provider="providers-sdk:echo").text == "Hi"


def test_the_variables_of_an_instance_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as running:
        site, work = account("work", running)
        del work["key"]
        monkeypatch.setenv("PROVIDERS_SDK_WORK_KEY", "key-of-work")
        monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "not this one")
        with Client("work", settings={"work": work}) as client:
            assert client.chat("Hi").text == site.text
        assert what_it_saw(site) == [("model-of-work", "Bearer key-of-work")]
        monkeypatch.setenv("PROVIDERS_SDK_WORK_KEEY", "misspelt")
        with Client("work", settings={"work": work}) as client, pytest.raises(UnknownSetting) as raised:
            client.chat("Hi")
        assert raised.value.message.endswith("PROVIDERS_SDK_WORK_KEEY; did you mean PROVIDERS_SDK_WORK_KEY?")


def test_a_variable_of_a_longer_instances_name_is_not_the_shorter_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_OPENAI_CLASSIC_KEEY", "misspelt")
    with OpenAISite() as site:
        settings = {"openai": site.client_settings(), "openai-classic": {"provider": "openai"}}
        with Client("openai", settings=settings) as client:
            assert client.chat("Hi").text == site.text
        with Client("openai", settings={"openai": site.client_settings()}) as client, pytest.raises(UnknownSetting):
            client.chat("Hi")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"a": {"provider": "b"}, "b": {"provider": "openai"}},
            "'a' is an instance of 'b', which is itself an instance; name the provider that 'b' is an instance of",
        ),
        (
            {"a": {"provider": "openai/gpt-4o"}},
            "'provider' of 'a' must be the name of an installed provider, without a model; the setting 'model' names "
            "that",
        ),
        (
            {"a": {"provider": 7}},
            "'provider' of 'a' must be the name of an installed provider, without a model; the setting 'model' names "
            "that",
        ),
    ],
)
def test_what_can_be_no_instance_is_refused_when_the_client_is_made(settings: Any, sentence: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        Client(settings=settings)
    assert raised.value.message == sentence


def test_an_instance_of_nothing_installed_is_refused_when_it_is_asked() -> None:
    with Client("a", settings={"a": {"provider": "openay"}}) as client, pytest.raises(UnknownProvider) as raised:
        client.chat("Hi")
    assert raised.value.message == "there is no provider 'openay'; did you mean 'openai'?"


@pytest.mark.parametrize("asked", ["echo", "opnai"])
def test_settings_of_an_unknown_name_say_how_to_make_it_an_instance(asked: str) -> None:
    with Client(asked, settings={"opnai": {"url": NOWHERE}}) as client, pytest.raises(UnknownProvider) as raised:
        client.chat("Hi")
    assert raised.value.message == (
        "settings are given for 'opnai', but there is no provider of that name; did you mean 'openai'? "
        "For an instance, add 'provider': '<installed provider>'"
    )


def test_settings_under_a_name_with_its_distribution_are_refused_and_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with OpenAISite() as usual:
        monkeypatch.setenv("PROVIDERS_SDK_OPENAI_URL", f"{usual.url}/v1")
        monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "sk-of-the-environment")
        qualified = "providers-sdk:openai"
        with Client(qualified, settings={qualified: {"url": NOWHERE}}) as client:
            with pytest.raises(UnknownProvider, match="settings are given for 'providers-sdk:openai'"):
                client.chat("Hi")
        assert usual.requests == []


class Acme(Provider):
    """A provider with a vendor whose own variables may be used."""

    url = "https://api.acme.example/v1"
    needs_auth = True
    default_model = "small"
    known_settings = {
        "url": Setting(default=url, vendor_variables=("ACME_BASE_URL",), vendor_hosts=("*.acme.example",)),
        "key": Setting(secret=True, required=True, vendor_variables=("ACME_API_KEY", "ACME_TOKEN")),
    }

    def complete(self, request: Any, http: Any) -> Any:
        yield f"{self.settings['key']} at {self.url}"
        yield FinishReason(None)


def ask_acme(**settings: str) -> str:
    registry = Registry()
    registry.register("acme", Acme)
    with Client("acme", registry=registry, settings={"acme": settings}) as client:
        return client.chat("Hi").text


@pytest.mark.parametrize(
    "url",
    [
        "https://api.acme.example/v1",
        "https://api.acme.example",
        "https://API.acme.example:443/v2",
        "https://eu.acme.example/v1",
        "https://gateway.example/v1",
    ],
)
def test_a_vendors_key_goes_to_the_vendors_addresses(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", "k-vendor")
    monkeypatch.setenv("ACME_BASE_URL", "https://gateway.example/acme")
    assert ask_acme(url=url) == f"k-vendor at {url}"


@pytest.mark.parametrize(
    "url",
    [
        "https://proxy.example/v1",
        "http://api.acme.example/v1",
        "https://api.acme.example:8443/v1",
        "https://api.acme.example.evil.example/v1",
        "https://api.acme.example@evil.example/v1",
        "https://acme.example/v1",
        "http://eu.acme.example/v1",
        "https://eu.acme.example:444/v1",
        "https://gateway.example/v1",
    ],
)
def test_a_vendors_key_goes_to_no_other_address(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", "k-vendor")
    with pytest.raises(MissingSetting) as raised:
        ask_acme(url=url)
    assert raised.value.message == (
        "needs the setting 'key': give settings={'acme': {'key': ...}} or set PROVIDERS_SDK_ACME_KEY; "
        "ACME_API_KEY is used for its vendor's address only, and 'url' is another"
    )
    assert ask_acme(url=url, key="k-mine").startswith("k-mine at ")


def test_a_vendors_base_address_is_used_with_the_vendors_first_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_BASE_URL", "https://gateway.example/acme/")
    monkeypatch.setenv("ACME_TOKEN", "k-second")
    assert ask_acme() == "k-second at https://gateway.example/acme"
    monkeypatch.setenv("ACME_API_KEY", "k-first")
    assert ask_acme() == "k-first at https://gateway.example/acme"
    assert ask_acme(url="") == "k-first at https://gateway.example/acme"


def test_without_a_key_the_vendors_variable_is_named_too() -> None:
    with pytest.raises(MissingSetting, match=r"or set PROVIDERS_SDK_ACME_KEY or ACME_API_KEY$"):
        ask_acme()


def test_a_vendors_address_that_is_none_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_BASE_URL", "gateway.example")
    with pytest.raises(InvalidArgument, match=r"setting 'url' \(ACME_BASE_URL\) must be an address"):
        ask_acme(key="k-mine")


def test_no_plugin_may_declare_the_setting_provider() -> None:
    kind = type("Greedy", (SERVICES["openai"],), {"known_settings": {"provider": Setting()}})
    registry = Registry()
    registry.register("greedy", kind)
    with (
        Client("greedy", registry=registry, settings={"greedy": {"key": "k"}}) as client,
        pytest.raises(PluginContractError, match="declares a setting 'provider', which is reserved"),
    ):
        client.chat("Hi")


def test_a_key_stored_for_an_instance_does_not_go_to_the_plugin_that_it_hides(home: Path) -> None:
    store_key("openai", "sk-of-the-instance")
    with Client(settings={"openai": {"provider": "groq", "model": "m"}}) as client:
        assert get_binder(client).create("openai").settings["key"] == "sk-of-the-instance"
        with pytest.raises(MissingSetting, match="needs the setting 'key'"):
            get_binder(client).create("providers-sdk:openai")


def test_several_keys_of_one_service_share_the_deadline(write: Callable[..., Path]) -> None:
    program = f"[{sys.executable!r}, '-c', 'import time; time.sleep(0.7); print(1234)']"
    path = write(f"[services.anthropic]\nkey = {{ command = {program} }}\ntoken = {{ command = {program} }}\n")
    with Client("anthropic", config=path, deadline=1.0) as client, pytest.raises(KeyUnavailable):
        client.chat("Name three pizzas")


def test_the_deadline_holds_for_the_key_of_a_batch(write: Callable[..., Path]) -> None:
    program = f"[{sys.executable!r}, '-c', 'import time; time.sleep(30)']"
    path = write(f"[services.openai]\nkey = {{ command = {program} }}\n")
    began = time.monotonic()
    with Client("openai", config=path, deadline=0.5) as client, pytest.raises(KeyUnavailable):
        list(client.map(["Name three pizzas"]))
    assert time.monotonic() - began < 10


def test_a_client_that_was_refused_can_be_shown() -> None:
    client = Client.__new__(Client)
    with pytest.raises(InvalidArgument):
        client.__init__("echo", deadline=-1)  # type: ignore[misc]
    assert repr(client) == "<Client provider='echo'>"


@pytest.mark.parametrize(
    "arguments",
    [
        {"settings": {"openai": {"key": "sk-of-the-user"}, "bad": 3}},
        {"settings": {"a": {"provider": 3, "key": "sk-of-the-user"}}},
        {"settings": {"openai": {"key": "sk-of-the-user"}}, "deadline": -1},
        {"proxy": "ftp://user:sk-of-the-user@host"},
    ],
)
def test_no_frame_of_a_client_that_was_refused_holds_what_was_given(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument) as raised:
        Client(**arguments)
    frames = [frame for frame, _ in traceback.walk_tb(raised.value.__traceback__)]
    ours = [frame for frame in frames if "providers_sdk" in frame.f_code.co_filename]
    assert ours
    assert "sk-of-the-user" not in repr([frame.f_locals for frame in ours])


def test_two_names_with_the_same_variables_are_refused_once_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as running:
        (first, one), (second, other) = account("a", running), account("b", running)
        with Client(settings={"a-b": one, "a_b": other}) as client:
            assert client.chat("Hi", provider="a-b").text == first.text
            monkeypatch.setenv("PROVIDERS_SDK_A_B_KEY", "sk-whose")
            with pytest.raises(InvalidArgument) as raised:
                client.chat("Hi", provider="a-b")
    assert raised.value.message == (
        "the variables PROVIDERS_SDK_A_B_... are those of 'a_b' as well; rename one of the two"
    )
    assert second.requests == []


@pytest.mark.parametrize("nothing", ["", [], ()])
def test_an_empty_provider_is_no_choice_of_the_default(nothing: Any) -> None:
    with Client("echo") as client, pytest.raises(InvalidArgument):
        client.chat("Hi", provider=nothing)
