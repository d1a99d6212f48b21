"""Runs the fake service of a provider whose ``url`` is still a placeholder, and prints a note about it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

from providers_sdk._engine.binder import Binder
from providers_sdk._engine.client import Client, get_binder
from providers_sdk._model.names import parse_names, short_name
from providers_sdk._plugins.registry import Registry
from providers_sdk._provider.provider import Provider
from providers_sdk.cli._terminal import say
from providers_sdk.errors import ProviderError

__all__ = ["run_fakes_of_placeholders"]


@contextmanager
def run_fakes_of_placeholders(names: Sequence[str], *, profile: str | None = None) -> Iterator[dict[str, Any]]:
    """Run the fake services of those among ``names`` that have one; yield the client's arguments for them.

    A placeholder ``url`` is below ``.invalid``, a domain without hosts (RFC 6761), so no real service is replaced.
    """
    registry = Registry()
    asked = [name.name for name in parse_names(names)] if names else []
    with Client(registry=registry, profile=profile) as client:
        binder = get_binder(client)
        placeholders = {
            short_name(name): kind for name in asked if (kind := _find_placeholder(binder, name)) is not None
        }
    if not placeholders:
        yield {"registry": registry}
        return
    with ExitStack() as running:
        settings = {name: _start(running, name, kind) for name, kind in placeholders.items()}
        yield {"registry": registry, "settings": settings, "proxy": ""}


def _find_placeholder(binder: Binder, name: str) -> type[Provider] | None:
    try:
        kind, url = binder.get_kind(name), binder.trace(name).get("url")
        host = urlsplit(str(url.value)).hostname if url is not None and url.source == "the default" else None
    except (ProviderError, ValueError):
        return None  # the client raises the error
    return kind if kind.fake_service and (host or "").endswith(".invalid") else None


def _start(running: ExitStack, name: str, kind: type[Provider]) -> dict[str, str]:
    from providers_sdk.cli._target import find_fake_service

    fake_service = find_fake_service(kind.fake_service)
    if fake_service is None:
        return {}
    site = running.enter_context(
        fake_service(reply_pieces=("This is the fake service ", f"of {name}, ", "not a service."))
    )
    say(f"Note: the url of {name} is still the placeholder {kind.url}: its fake service answers, at {site.url}")
    return site.client_settings()
