"""Chooses the provider of a command that names none: as a script does, else the one local server that answers.

A server on its usual loopback port is asked for its list of models, without a proxy and for 200 ms at the most. Only
one that answers with such a list counts; where several do, none is chosen.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from providers_sdk._engine.choice import SEVERAL, Choice
from providers_sdk._engine.client import Client, get_binder
from providers_sdk._model.names import ProviderName
from providers_sdk._model.settings import Found
from providers_sdk._provider.provider import Provider
from providers_sdk.cli._terminal import say_dim
from providers_sdk.errors import NoProviderChosen, ProviderError

__all__ = ["choose_for_command_line"]

SECONDS = 0.2
"""How long a local server may take to list its models."""


def choose_for_command_line(client: Client, *, named: bool) -> Choice:
    """Return the providers that a command asks; print one line on stderr unless the user named them.

    :param named: whether the command line names one.
    :raises NoProviderChosen: none is named, configured, has its key or runs on this machine, or several do.
    """
    try:
        choice = client.choose_providers()
    except NoProviderChosen as error:
        choice = _choose_local_server(client, error)
    if not named:
        say_dim(f"asking {', or else '.join(map(str, choice.names))}: {choice.reason}")
    return choice


class _LocalServer(NamedTuple):
    """A local service that has answered.

    :param model: the one to ask: ``None`` where the settings name one or the provider's default is listed, else the
        first that is.
    """

    name: str
    url: str
    model: str | None


def _choose_local_server(client: Client, error: NoProviderChosen) -> Choice:
    if error.message.startswith(SEVERAL):
        raise error
    found = list(_find_local_servers(client))
    if len(found) == 1:
        return Choice((ProviderName(found[0].name, found[0].model),), f"the one local server, at {found[0].url}")
    if found:
        servers = ", ".join(f"{server.name} ({server.url})" for server in found)
        raise NoProviderChosen(f"no provider was chosen, and several local servers answer: {servers}; name one with -p")
    raise error


def _find_local_servers(client: Client) -> Iterator[_LocalServer]:
    binder = get_binder(client)
    with Client(registry=client.registry, proxy="", connect=SECONDS, deadline=SECONDS, config=None) as impatient:
        for name in client.registry.trusted_names():
            with suppress(ProviderError):
                settings, kind = binder.trace(name), binder.get_kind(name, warn=False)
                if _is_local(kind, settings) and (models := impatient.list_models(name)):
                    named = "model" in settings or kind.default_model in models
                    yield _LocalServer(name, settings["url"].value, None if named else models[0])


def _is_local(kind: type[Provider], settings: Mapping[str, Found]) -> bool:
    """Whether the provider asks a server on this machine without a key, at its usual address or the vendor's own."""
    url = settings.get("url")
    if url is None or "key" in settings or kind.needs_auth:
        return False
    usual = url.source in ("the default", *kind.all_settings()["url"].vendor_variables)
    return usual and urlsplit(url.value).hostname in ("localhost", "127.0.0.1", "::1")
