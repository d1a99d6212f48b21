"""When a provider is made anew."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from providers_sdk import Client, Registry
from providers_sdk._engine.client import get_binder
from providers_sdk.plugin import Chunk, FinishReason, Http, Provider, Request, Setting

KEY = Setting(secret=True, vendor_variables=("VENDOR_KEY",))


class Counting(Provider):
    url = "https://counting.example"
    known_settings: ClassVar[Mapping[str, Setting]] = {"key": KEY}
    made: ClassVar[list[Mapping[str, str]]] = []

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.made.append(self.settings)

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield FinishReason(None)


class Other(Counting):
    pass


@pytest.fixture
def registry() -> Registry:
    Counting.made.clear()
    registry = Registry()
    registry.register("acme", Counting)
    return registry


def test_a_provider_is_made_anew_only_after_a_setting_changed(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Client(registry=registry) as client:
        create = get_binder(client).create
        assert create("acme") is create("acme")
        monkeypatch.setenv("VENDOR_KEY", "one")
        assert create("acme").settings["key"] == "one"
        monkeypatch.setenv("PROVIDERS_SDK_ACME_KEY", "two")
        assert create("acme").settings["key"] == "two"
        assert create("acme") is create("acme")
    assert [settings.get("key") for settings in Counting.made] == [None, "one", "two"]


def test_another_class_of_the_same_name_is_made_anew(registry: Registry) -> None:
    with Client(registry=registry) as client:
        create = get_binder(client).create
        assert type(create("acme")) is Counting
        registry.register("acme", Other)
        assert type(create("acme")) is Other


def test_two_names_of_one_class_share_no_provider(registry: Registry) -> None:
    with Client(registry=registry, settings={"work": {"provider": "acme", "key": "of-work"}}) as client:
        create = get_binder(client).create
        assert [create(name).settings.get("key") for name in ("work", "acme", "work")] == ["of-work", None, "of-work"]
