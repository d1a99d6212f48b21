"""A model in the provider's name: its place in the order of models, and that it is never replaced."""

import warnings
from collections.abc import Iterator

import pytest

from providers_sdk import AllProvidersFailed, Client, Registry
from providers_sdk.errors import UnknownModel
from providers_sdk.plugin import Chunk, FinishReason, Http, ModelReplaced, Provider, Request


class Acme(Provider):
    """Answers with the model that it is asked for."""

    default_model = "small"

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Yield the model."""
        yield request.model
        yield FinishReason(None)


class Listed(Acme):
    """Knows its models."""

    models = ("small", "large")


class Choosing(Listed):
    """Its service chooses."""

    sends_model = False


def registry() -> Registry:
    made = Registry()
    for kind in (Acme, Listed, Choosing):
        made.register(kind.__name__.lower(), kind)
    return made


@pytest.mark.parametrize(
    ("name", "call", "client", "setting", "asked"),
    [
        ("acme/a/b", "c", "d", "e", "a/b"),
        ("acme", "c", "d", "e", "c"),
        ("acme", None, "d", "e", "d"),
        ("acme", None, None, "e", "e"),
        ("acme", None, None, "", "small"),
    ],
)
def test_the_order_of_the_places_that_name_a_model(
    name: str, call: str | None, client: str | None, setting: str, asked: str
) -> None:
    with Client(name, model=client, settings={"acme": {"model": setting}}, registry=registry()) as one:
        reply = one.chat("Hi", model=call)
        assert (reply.text, reply.model, reply.provider) == (asked, asked, "acme")


def test_the_setting_model_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_ACME_MODEL", "from-the-environment")
    with Client("acme", registry=registry()) as client:
        assert client.chat("Hi").model == "from-the-environment"


def test_a_model_in_the_name_that_is_not_known_is_refused_where_model_would_be_replaced() -> None:
    with Client(registry=registry()) as client:
        with pytest.warns(ModelReplaced):
            assert client.chat("Hi", provider="listed", model="huge").model == "small"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(UnknownModel, match="the model 'huge' is not known; known are small, large"):
                client.chat("Hi", provider="listed/huge")


def test_in_a_list_it_is_passed_over_with_its_attempt() -> None:
    with Client(["listed/huge", "listed/large"], registry=registry()) as client:
        reply = client.chat("Hi")
        assert [(one.model, one.outcome) for one in reply.attempts] == [("huge", "skipped"), ("large", "streaming")]
    with Client(["listed/huge", "acme/x"], registry=registry()) as client:
        assert client.chat("Hi").model == "x"


def test_one_provider_with_two_models_is_told_apart_in_the_error() -> None:
    class Broken(Acme):
        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            yield from http.get("http://127.0.0.1:9/").json()

    made = registry()
    made.register("broken", Broken)
    with Client(["broken/a", "broken/b"], registry=made, retries=0) as client:
        with pytest.raises(AllProvidersFailed) as raised:
            client.chat("Hi")
        assert "\n  broken/a: ConnectFailed: " in raised.value.message
        assert "\n  broken/b: ConnectFailed: " in raised.value.message


def test_where_the_service_chooses_a_listed_model_only_labels_the_call() -> None:
    with Client(registry=registry()) as client:
        reply = client.chat("Hi", provider="choosing/large")
        assert (reply.model, reply.attempts[0].model) == (None, "large")
        with pytest.raises(UnknownModel):
            client.chat("Hi", provider="choosing/huge")
