"""Runs the fake service of a provider whose ``url`` is still a placeholder, and prints a note about it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

from providers_sdk._environment import read_variable, variable_name
from providers_sdk._plugins.registry import Registry
from providers_sdk._provider.provider import Provider
from providers_sdk.cli._terminal import say
from providers_sdk.errors import ProviderError

__all__ = ["run_fakes_of_placeholders"]


@contextmanager
def run_fakes_of_placeholders(names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Run the fake services of those among ``names`` that have one; yield the client's arguments for them.

    A placeholder ``url`` is below ``.invalid``, a domain without hosts (RFC 6761), so no real service is replaced.
    """
    registry = Registry()
    placeholders = {
        name.rpartition(":")[2]: kind for name in names if (kind := _find_placeholder(registry, name)) is not None
    }
    if not placeholders:
        yield {"registry": registry}
        return
    with ExitStack() as running:
        settings = {name: _start(running, name, kind) for name, kind in placeholders.items()}
        yield {"registry": registry, "settings": settings, "proxy": ""}


def _find_placeholder(registry: Registry, name: str) -> type[Provider] | None:
    try:
        kind = registry.get(name)
        placeholder = (urlsplit(str(kind.url)).hostname or "").endswith(".invalid")
    except (ProviderError, ValueError):
        return None  # the client raises the error
    given = read_variable(variable_name(name.rpartition(":")[2], "url"))
    return kind if placeholder and kind.fake_service and not given else None


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
