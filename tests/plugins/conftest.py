"""For the providers' tests: ask one provider at its fake service, or with the package ``responses``."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import responses

from providers_sdk import Client, ProviderError, Reply
from providers_sdk.testing import FakeService

Ask = Callable[..., Reply]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """``ask(site, provider, messages, **arguments)`` asks once, at the fake service."""
    with ExitStack() as clients:

        def ask_at(site: FakeService, provider: str, messages: Any = "Name three pizzas", **arguments: Any) -> Reply:
            settings = {provider: site.client_settings()}
            client = clients.enter_context(Client(provider, retries=0, settings=settings))
            return client.chat(messages, **arguments)

        yield ask_at


@pytest.fixture
def mocked() -> Iterator[responses.RequestsMock]:
    """The package ``responses`` in the place of the network: what a test does not register cannot be reached."""
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def outcome(ask: Ask) -> Callable[..., str | ProviderError]:
    """``outcome(site, provider)`` is the text of the answer, or the error in its place."""

    def outcome_at(site: FakeService, provider: str, messages: Any = "Name three pizzas") -> str | ProviderError:
        try:
            return ask(site, provider, messages).text
        except ProviderError as error:
            return error

    return outcome_at
