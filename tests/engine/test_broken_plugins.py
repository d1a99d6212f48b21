"""A plugin that is broken in any way affects only the calls that name it."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from providers_sdk import Client, FinishReason, PluginError, Registry
from providers_sdk._plugins import hookspecs
from providers_sdk.errors import PluginCrashed
from providers_sdk.plugin import Chunk, Http, Provider, Request, Setting


class Sound(Provider):
    url = "https://acme.invalid"
    default_model = "m"
    offline = True

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield "sound"
        yield FinishReason("stop")


class Exits(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        sys.exit(0)
        yield


class ExitsLater(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield " "
        raise SystemExit


class ExitsWhenMade(Sound):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        sys.exit("enough")


class ForgetsItsBase(Sound):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Do not call the base class."""


class HasNoAddress(Sound):
    url = None  # type: ignore[assignment]


class HasSettingsOfLists(Sound):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.settings = {"url": ["https://acme.invalid"]}  # type: ignore[dict-item]


class IsSomethingElse(Sound):
    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return 7


class CannotSayWhetherItStreams(Sound):
    @property
    def supports_stream(self) -> bool:  # type: ignore[override]
        raise OSError("who knows")


class CannotSayWhatItTakes(Sound):
    @property
    def supports_system_message(self) -> bool:  # type: ignore[override]
        raise SystemExit


class CannotListItsSettings(Sound):
    """Its settings can be listed while it is made, and not afterwards."""

    made = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        type(self).made = True

    @classmethod
    def all_settings(cls) -> dict[str, Setting]:
        if cls.made:
            raise OSError("no settings")
        return super().all_settings()


BROKEN = (
    CannotListItsSettings,
    Exits,
    ExitsLater,
    ExitsWhenMade,
    ForgetsItsBase,
    HasNoAddress,
    HasSettingsOfLists,
    IsSomethingElse,
    CannotSayWhetherItStreams,
    CannotSayWhatItTakes,
)


def client(kind: type[Provider], *names: str) -> Client:
    registry = Registry()
    registry.register("sound", Sound)
    registry._own["broken"] = kind  # register() refuses some of them; a class may also change after it
    return Client(list(names), registry=registry, retries=0)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_an_error_that_names_it(kind: type[Provider]) -> None:
    with client(kind, "broken") as one, pytest.raises(PluginError) as caught:
        one.chat("Hi")
    assert caught.value.provider == "broken"


@pytest.mark.parametrize("kind", BROKEN)
def test_the_next_provider_answers_in_its_place(kind: type[Provider]) -> None:
    with client(kind, "broken", "sound") as one:
        reply = one.chat("Hi")
    assert (reply.text, reply.provider) == ("sound", "sound")
    assert [attempt.provider for attempt in reply.attempts] == ["broken", "sound"]


def test_ctrl_c_in_a_plugin_is_the_users() -> None:
    class Interrupted(Sound):
        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            raise KeyboardInterrupt
            yield

    with client(Interrupted, "broken", "sound") as one, pytest.raises(KeyboardInterrupt):
        one.chat("Hi")


def test_a_plugin_whose_settings_raise_does_not_hide_the_one_that_has_its_key() -> None:
    class CannotSay(Sound):
        @classmethod
        def all_settings(cls) -> dict[str, Setting]:
            raise SystemExit

    class Online(Sound):
        offline, needs_auth = False, True

    registry = Registry()
    registry._own.update(broken=CannotSay, online=Online)
    with Client(registry=registry, settings={"online": {"key": "k-123"}}) as one:
        assert one.chat("Hi").provider == "online"


@pytest.mark.parametrize("error", [SystemExit(0), OSError("disk full")])
def test_an_extension_that_fails_does_not_end_the_call(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    class Extension:
        @hookspecs.hookimpl
        def attempt_started(self) -> None:
            raise error

        @hookspecs.hookimpl
        def attempt_finished(self) -> None:
            raise error

    manager = hookspecs.new_manager(hookspecs.ExtensionHooks)
    manager.register(Extension())
    with client(Sound, "sound") as one:
        monkeypatch.setattr(one.registry.extension_host, "get_managers", lambda: [manager])
        assert one.chat("Hi").text == "sound"


def test_a_crash_after_the_first_piece_keeps_the_text() -> None:
    class Breaks(Sound):
        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            yield "half"
            raise SystemExit

    with client(Breaks, "broken", "sound") as one, pytest.raises(PluginCrashed) as caught:
        _ = one.chat("Hi").text
    assert caught.value.partial == "half"
