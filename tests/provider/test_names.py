"""Which names the base class for authors has, and that an author may use every other one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from providers_sdk import Client, FinishReason, Registry
from providers_sdk._http.session import HttpSession
from providers_sdk._provider.attempt import AttemptRun
from providers_sdk._provider.binding import BoundProvider
from providers_sdk.plugin import Chunk, Http, Provider, Request

PUBLIC = {
    "all_settings",
    "api_endpoint",
    "complete",
    "create_completion",
    "default_model",
    "first_token",
    "get_model",
    "list_models",
    "known_options",
    "known_settings",
    "model_aliases",
    "models",
    "needs_auth",
    "offline",
    "requires_contract",
    "sends_model",
    "fake_service",
    "supports_files",
    "supports_images",
    "supports_message_history",
    "supports_schema",
    "supports_stream",
    "supports_system_message",
    "supports_tools",
    "url",
    "working",
}
COLLIDED = ("sign", "request", "secrets", "pool", "guarded")
"""Names of helpers that made a call fail while the base class had methods of these names."""


def internal_names() -> set[str]:
    """Return every attribute of the classes that hold what the base class once held."""
    run = AttemptRun.__init__.__code__.co_names
    classes: set[str] = {name for kind in (BoundProvider, HttpSession, AttemptRun) for name in vars(kind)}
    return {name for name in {*classes, *run, *COLLIDED, "bind", "close", "run", "state"} if not name.startswith("__")}


OTHERS = sorted(internal_names() - PUBLIC - {"name", "settings", "provider"})


def answer_of(**names: Any) -> str:
    """Return what a provider answers whose class also has ``names``."""

    def complete(self: Provider, request: Request, http: Http) -> Iterator[Chunk]:
        yield f"{self.name} {request.prompt}"
        yield FinishReason("stop")

    kind = type("Acme", (Provider,), {"offline": True, "default_model": "m", "complete": complete, **names})
    registry = Registry()
    registry.register("acme", kind)
    with Client("acme", registry=registry) as client:
        return client.chat("hello").text


def test_the_base_class_has_exactly_its_documented_names() -> None:
    assert {name for name in vars(Provider) if not name.startswith("__")} == PUBLIC


def test_an_instance_holds_its_name_settings_and_address_only() -> None:
    assert set(vars(Provider(environ={}))) == {"name", "settings", "url"}


def a_method(self: Provider, body: bytes, secret: bytes) -> str:
    """Return what an author's own helper returns; no call of this library fits its parameters."""
    return f"{body!r}{secret!r}"


@pytest.mark.parametrize("value", [a_method, 7, property(lambda self: 1 / 0)], ids=["method", "number", "raises"])
@pytest.mark.parametrize("name", OTHERS)
def test_an_author_may_use_any_other_name(name: str, value: Callable[..., object]) -> None:
    assert answer_of(**{name: value}) == "acme hello"


def test_a_plugin_with_all_of_them_answers() -> None:
    assert answer_of(**dict.fromkeys(OTHERS, a_method)) == "acme hello"
