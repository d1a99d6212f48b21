"""The only use of this library's internals by the contract tests: one small function each."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from providers_sdk._engine.client import Client
from providers_sdk._http.client import Http
from providers_sdk._http.clock import Clock
from providers_sdk._model.limits import Limits
from providers_sdk._model.messages import Messages, parse_messages
from providers_sdk._model.request import Request
from providers_sdk._provider.binding import Described, bind
from providers_sdk._provider.provider import Provider

__all__ = ["find_instance", "open_request"]


@contextmanager
def open_request(
    provider: Provider, messages: Messages, limits: Limits, **fields: Any
) -> Iterator[tuple[Request, Http]]:
    """Give what ``complete`` gets when ``messages`` are asked; close its connections at the end.

    :param fields: ``tools`` and ``schema``, as in :class:`Request`.
    """
    bound = bind(provider)
    http = Http(bound.session, Clock(limits), provider.url)
    try:
        yield bound.create_request(None, parse_messages(messages), **fields), http
    finally:
        http.close()
        bound.close()


def find_instance(client: Client, name: str) -> Described:
    """Return the instance that ``client`` asks under ``name``."""
    return client._bind(name).provider
