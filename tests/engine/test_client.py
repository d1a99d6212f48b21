"""The client: limits, settings, choice of the provider, and connections that many calls share."""

import logging
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import requests

from providers_sdk import UNSET, AllProvidersFailed, Client, FinishReason, ProviderError, Registry
from providers_sdk._engine.unset import Unset
from providers_sdk.errors import (
    AuthenticationFailed,
    Closed,
    ConnectFailed,
    DeadlineExceeded,
    FirstTokenTimeout,
    HTTPStatusError,
    InvalidArgument,
    MissingSetting,
    NoProviderChosen,
    PluginCrashed,
    TooLarge,
    UnknownProvider,
    UnknownSetting,
    UnsupportedOption,
)
from providers_sdk.plugin import Chunk, Http, Provider, Request, Setting
from providers_sdk.testing import Connection, Received, Response, html
from providers_sdk_plugins.echo import Echo
from providers_sdk_plugins.fakes.aipower import AIPowerSite
from providers_sdk_plugins.fakes.openai import OpenAISite
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite

NOWHERE = "http://127.0.0.1:9"


def pizza(site: PizzagptSite, **arguments: Any) -> Client:
    return Client("pizzagpt", settings={"pizzagpt": {"url": site.url}}, **arguments)


def hang(connection: Connection, _: Received) -> None:
    connection.wait_closed()


def test_calls_share_a_kept_connection() -> None:
    with PizzagptSite() as site, pizza(site) as client:
        for _ in range(5):
            assert client.chat("Hi").text == site.text
        assert site.connections == 1


def test_a_stream_read_to_its_end_keeps_its_connection() -> None:
    with AIPowerSite() as site, Client("chatgptfree", settings={"chatgptfree": {"url": site.url}}) as client:
        for _ in range(5):
            assert client.chat("Hi").text == site.text
        assert site.connections == 1


def test_closing_closes_the_connections_and_closing_twice_is_silence() -> None:
    with PizzagptSite() as site:
        client = pizza(site)
        assert client.chat("Hi").text == site.text
        client.close()
        client.close()
        assert site.wait_idle(10)


def test_a_closed_client_says_so() -> None:
    with Client("echo") as client:
        pass
    with pytest.raises(Closed, match="this client is closed; make a new one"):
        client.chat("Hi")
    assert repr(client) == "<Client provider='echo', closed>"


@pytest.mark.parametrize(
    "wrong",
    [
        {"connect": 0},
        {"first_token": -1},
        {"idle": "30"},
        {"deadline": float("nan")},
        {"deadline": float("inf")},
        {"first_token": True},
        {"retries": -1},
        {"retries": 1.5},
        {"retries": None},
        {"proxy": "no scheme"},
        {"proxy": "ftp://proxy:21"},
        {"proxy": 8080},
        {"settings": {"echo": "url"}},
        {"settings": ["echo"]},
    ],
    ids=str,
)
def test_what_cannot_be_used_is_refused_when_the_client_is_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument) as raised:
        Client("echo", **wrong)
    assert "\n" not in raised.value.message


@pytest.mark.parametrize("wrong", [{"connect": 0}, {"first_token": "1"}, {"idle": -2}, {"deadline": True}], ids=str)
def test_a_limit_of_a_call_is_checked_like_the_clients(wrong: dict[str, Any]) -> None:
    with Client("echo") as client, pytest.raises(InvalidArgument, match=next(iter(wrong))):
        client.chat("Hi", **wrong)


def test_a_calls_limit_replaces_the_clients() -> None:
    with AIPowerSite() as site:
        site.fault = hang
        with Client("aipower", settings={"aipower": {"url": site.url}}, first_token=60, retries=0) as client:
            with pytest.raises(FirstTokenTimeout) as first:
                client.chat("Hi", first_token=0.1)
            with pytest.raises(DeadlineExceeded) as deadline:
                client.chat("Hi", first_token=None, deadline=0.1)
    assert (first.value.limit, first.value.seconds) == ("first_token", 0.1)
    assert (deadline.value.limit, deadline.value.seconds) == ("deadline", 0.1)


@pytest.mark.parametrize("provider", ["pizzagpt", "aipower"])
def test_a_whole_answer_is_bound_by_the_deadline_only(provider: str) -> None:
    with PizzagptSite() if provider == "pizzagpt" else AIPowerSite("json") as site:
        site.fault = hang
        settings = {provider: {"url": site.url}}
        with Client(provider, settings=settings, first_token=0.01, idle=0.01, deadline=0.3, retries=0) as client:
            with pytest.raises(DeadlineExceeded):
                client.chat("Hi", stream=False)


def first_of(client: Client, first_token: float | Unset | None = UNSET) -> float | None:
    """Return the limit ``first_token`` that an attempt of the provider "slow" has."""
    return client.chat("Hi", first_token=first_token)._run.clock.limits.first_token


def test_a_provider_may_raise_the_default_of_first_but_no_limit_that_was_given() -> None:
    class Slow(Echo):
        first_token = 300.0

    registry = Registry()
    registry.register("slow", Slow)
    with Client("slow", registry=registry) as client, Client("slow", registry=registry, first_token=60) as given:
        assert first_of(client) == 300.0
        assert first_of(client, first_token=5) == 5
        assert first_of(client, first_token=None) is None
        assert first_of(given) == 60


def test_none_switches_a_limit_off_and_unset_leaves_it() -> None:
    with Client("echo", first_token=None, idle=None, deadline=None, connect=None) as client:
        assert client.chat("Hi", first_token=UNSET, deadline=None).text == "Hi"
    assert repr(UNSET) == "UNSET"


def test_max_chars_breaks_an_answer_off() -> None:
    with Client("echo") as client, pytest.raises(TooLarge, match="more than 5 characters"):
        _ = client.chat("one two three", max_chars=5).text


def test_settings_of_an_unknown_provider_are_refused() -> None:
    with Client("echo", settings={"ekho": {"url": NOWHERE}}) as client, pytest.raises(UnknownProvider, match="'ekho'"):
        client.chat("Hi")


def test_an_unknown_setting_is_refused() -> None:
    with (
        Client("pizzagpt", settings={"pizzagpt": {"adress": NOWHERE}}) as client,
        pytest.raises(UnknownSetting, match="has no setting 'adress'; it has headers, model, rpm, secret, url"),
    ):
        client.chat("Hi")


def test_the_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_PIZZAGPT_URL", NOWHERE)
    with PizzagptSite() as site, pizza(site) as client:
        assert client.chat("Hi").text == site.text


def test_what_was_handed_in_is_not_written_to() -> None:
    providers = ["pizzagpt"]
    messages = [{"role": "user", "content": "Hi"}]
    with PizzagptSite() as site:
        settings = {"pizzagpt": {"url": site.url}}
        with Client(providers, settings=settings) as client:
            settings["pizzagpt"]["url"] = "changed later"
            assert client.chat(messages).text == site.text
    assert (providers, messages) == (["pizzagpt"], [{"role": "user", "content": "Hi"}])


def test_the_environment_chooses_where_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_PROVIDER", "echo")
    with Client() as client:
        assert client.chat("Hi").provider == "echo"
    monkeypatch.setenv("PROVIDERS_SDK_PROVIDER", " pizzagpt, echo ,")
    monkeypatch.setenv("PROVIDERS_SDK_PIZZAGPT_URL", NOWHERE)
    with Client(retries=0) as client:
        reply = client.chat("Hi")
        assert [attempt.provider for attempt in reply.attempts] == ["pizzagpt", "echo"]


def test_a_name_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_PROVIDER", "gizai")
    with Client("echo") as client:
        assert client.chat("Hi").provider == "echo"
    with Client() as client:
        assert client.chat("Hi", provider="echo").provider == "echo"


def test_without_any_choice_the_error_says_how_to_choose() -> None:
    with Client() as client, pytest.raises(NoProviderChosen) as raised:
        client.chat("Hi")
    for word in ("provider=", "PROVIDERS_SDK_PROVIDER", "providers list", "echo"):
        assert word in raised.value.message


@pytest.mark.parametrize("provider", [3, ["echo", 3], {"echo"}, [["echo"]], ["echo", ""], ("",)])
def test_a_provider_is_a_name_or_names(provider: Any) -> None:
    with Client() as client, pytest.raises((InvalidArgument, UnknownProvider)):
        client.chat("Hi", provider=provider)


def test_providers_are_asked_in_order_until_one_answers() -> None:
    with PizzagptSite("html") as first, AIPowerSite() as second:
        settings = {"pizzagpt": first.client_settings(), "chatgptfree": second.client_settings()}
        with Client(["pizzagpt", "chatgptfree", "echo"], settings=settings) as client:
            reply = client.chat("Hi")
            assert (reply.text, reply.provider) == (second.text, "chatgptfree")
        assert [(attempt.provider, attempt.outcome) for attempt in reply.attempts] == [
            ("pizzagpt", "InvalidAnswer"),
            ("chatgptfree", "answered"),
        ]


def test_when_all_fail_every_attempt_is_told() -> None:
    with PizzagptSite("html") as site, Client(
        ["pizzagpt", "gizai"], settings={"pizzagpt": site.client_settings(), "gizai": {"url": NOWHERE}}, retries=0
    ) as client, pytest.raises(AllProvidersFailed) as raised:  # fmt: skip
        client.chat("Hi")
    assert [attempt.outcome for attempt in raised.value.attempts] == ["InvalidAnswer", "ConnectFailed"]
    assert "gizai: ConnectFailed" in str(raised.value)


def test_a_missing_key_is_not_papered_over() -> None:
    with Client(["openai", "echo"]) as client, pytest.raises(MissingSetting, match="PROVIDERS_SDK_OPENAI_KEY"):
        client.chat("Hi")


def test_an_option_only_some_know_passes_the_others_over() -> None:
    with OpenAISite() as site, Client(["echo", "openai"], settings={"openai": site.client_settings()}) as client:
        assert client.chat("Hi", temperature=0.2).provider == "openai"
        with pytest.raises(UnsupportedOption, match="temprature"):
            client.chat("Hi", temprature=0.2)
        assert len(site.requests) == 1


def test_a_refused_connection_is_tried_again_and_told() -> None:
    settings = {"pizzagpt": {"url": NOWHERE}}
    with Client("pizzagpt", settings=settings, retries=1) as client, pytest.raises(ConnectFailed) as raised:
        client.chat("Hi")
    assert [attempt.outcome for attempt in raised.value.attempts] == ["ConnectFailed", "ConnectFailed"]


def test_an_attempt_tells_status_bytes_and_times() -> None:
    with PizzagptSite() as site, pizza(site) as client:
        reply = client.chat("Hi")
        assert reply.text == site.text
    [attempt] = reply.attempts
    assert (attempt.provider, attempt.model, attempt.outcome) == ("pizzagpt", "gpt-4o-mini", "answered")
    assert (attempt.status, attempt.reason, attempt.waited) == (200, "", 0.0)
    assert attempt.received > len(site.text)
    assert attempt.first_token is not None
    assert 0 < attempt.first_token <= attempt.total


class Busy(PizzagptSite):
    """Says 503 to the first question."""

    def respond(self, received: Received) -> Response:
        return html("<title>Busy</title>", status=503) if len(self.requests) == 1 else super().respond(received)


def test_a_busy_service_is_asked_again() -> None:
    with Busy() as site, pizza(site) as client:
        reply = client.chat("Hi")
        assert reply.text == site.text
    assert [(attempt.outcome, attempt.status) for attempt in reply.attempts] == [
        ("HTTPStatusError", 503),
        ("answered", 200),
    ]
    with Busy() as site, pizza(site, retries=0) as client, pytest.raises(HTTPStatusError):
        client.chat("Hi")


def test_a_lent_session_is_used_and_neither_written_to_nor_closed() -> None:
    with requests.Session() as session:
        session.headers["x-of-mine"] = "yes"
        before = (dict(session.headers), dict(session.adapters), session.trust_env, session.max_redirects)
        with PizzagptSite() as site, pizza(site, session=session) as client:
            assert client.chat("Hi").text == site.text
            client.close()
            assert site.requests[0].headers["x-of-mine"] == "yes"
            assert session.get(f"{site.url}/elsewhere").status_code == 404
        assert (dict(session.headers), dict(session.adapters), session.trust_env, session.max_redirects) == before
        assert list(session.cookies) == []


class Keyed(Provider):
    url = NOWHERE
    needs_auth = True
    models = (default_model,) = ("m",)
    known_settings: ClassVar = {"tone": Setting()}

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield f"{self.name} {self.settings.get('tone')} {self.url}"
        yield FinishReason("stop")


def test_settings_belong_to_a_registered_name_not_to_a_class() -> None:
    registry = Registry()
    registry.register("mine", Keyed)
    registry.register("yours", Keyed)
    settings = {"mine": {"key": "k-mine", "tone": "rough"}, "yours": {"key": "k-yours", "tone": "soft"}}
    with Client(registry=registry, settings=settings) as client:
        assert client.chat("Hi", provider="mine").text == f"mine rough {NOWHERE}"
        assert client.chat("Hi", provider="yours").text == f"yours soft {NOWHERE}"
    assert client.registry is registry


def test_a_secret_is_in_no_error_log_or_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with OpenAISite() as site:
        settings = {"openai": {"url": site.url, "key": "sk-very-secret"}}
        with Client("openai", settings=settings) as client, pytest.raises(AuthenticationFailed) as raised:
            client.chat("Hi")
        assert "sk-very-secret" not in f"{raised.value!r} {raised.value} {raised.value.attempts} {client!r}"
    assert caplog.records
    assert "sk-very-secret" not in caplog.text


class Leaky(Keyed):
    """Its constructor prints what it cannot read."""

    def __init__(self, settings: Any = None, **given: Any) -> None:
        super().__init__(settings, **given)
        int(self.settings["key"])


def test_a_secret_is_not_in_what_a_providers_constructor_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry()
    registry.register("leaky", Leaky)
    monkeypatch.setenv("PROVIDERS_SDK_LEAKY_KEY", "sk-very-secret")
    for settings in ({}, {"leaky": {"key": "sk-very-secret"}}):
        client = Client("leaky", registry=registry, settings=settings)
        with pytest.raises(PluginCrashed, match=r"ValueError.*\[hidden\]") as raised:
            client.chat("Hi")
        assert "sk-very-secret" not in f"{raised.value} {raised.value!r}"


def test_a_clients_settings_may_change_between_calls_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with PizzagptSite() as one, PizzagptSite(reply_pieces=("Calzone",)) as two, Client("pizzagpt") as client:
        monkeypatch.setenv("PROVIDERS_SDK_PIZZAGPT_URL", one.url)
        assert client.chat("Hi").text == one.text
        monkeypatch.setenv("PROVIDERS_SDK_PIZZAGPT_URL", two.url)
        assert client.chat("Hi").text == "Calzone"


def test_a_client_that_is_closed_while_another_thread_asks_ends_both_well() -> None:
    errors: list[ProviderError] = []

    def ask(client: Client) -> None:
        try:
            while True:
                assert client.chat("Hi").text == site.text
        except ProviderError as error:
            errors.append(error)

    with PizzagptSite() as site:
        client = pizza(site, retries=0)
        threads = [threading.Thread(target=ask, args=(client,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        while len(site.requests) < 50:
            threads[0].join(0.001)
        client.close()
        for thread in threads:
            thread.join(10)
        assert site.wait_idle(10)
    assert {type(error) for error in errors} <= {Closed}
    assert len(errors) == 8
