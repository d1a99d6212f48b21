"""Whom a name means: what was registered at run time, the bundled provider, or the one plugin that has it."""

import sys
import warnings

import pytest

from providers_sdk import Client, Registry
from providers_sdk.errors import PluginConflict, PluginLoadError
from providers_sdk.plugin import PluginShadowed
from providers_sdk_plugins.echo import Echo
from providers_sdk_plugins.fakes.openai import OpenAISite
from tests.plugin_host.shelf import GOOD, Shelf

SHADOWED = "'echo' means the bundled provider 'providers-sdk:echo'; the other plugin of that name is 'dist-rival:echo'"


@pytest.fixture
def twins(bundled: list[str], shelf: Shelf) -> Shelf:
    """Two distributions that bring the provider ``acme``."""
    shelf.put("acme", distribution="dist-one")
    shelf.put("acme", distribution="dist-two")
    return shelf


@pytest.fixture
def rival(bundled: list[str], shelf: Shelf) -> Shelf:
    """A distribution that brings the bundled name ``echo``."""
    shelf.put("echo", distribution="dist-rival")
    return shelf


# Two strangers with one name


def test_a_name_that_two_offer_is_refused_until_one_is_picked(twins: Shelf, bundled: list[str]) -> None:
    registry = Registry()
    assert registry.names() == sorted([*bundled, "acme"])

    with pytest.raises(PluginConflict, match=r"'dist-one:acme' or 'dist-two:acme'") as raised:
        registry.get("acme")
    assert raised.value.provider == "acme"

    with Client(registry=registry) as client:
        for pick in ("dist-one:acme", "dist-two:acme", "Dist_Two:acme"):
            reply = client.chat("Hi", provider=pick)
            assert (reply.provider, reply.text) == ("acme", "the stranger says Hi")


def test_a_conflict_is_reported_for_both_and_for_nobody_else(twins: Shelf, bundled: list[str]) -> None:
    report = Registry().report(load=True)
    conflicts = [row for row in report if row.state == "conflict"]
    assert [(row.name, row.distribution) for row in conflicts] == [("acme", "dist-one"), ("acme", "dist-two")]
    assert all(f"ask for {row.qualified_name}" in row.remedy for row in conflicts)
    assert {row.name for row in report if row.state == "loaded"} == set(bundled)


def test_switching_off_one_of_two_ends_their_conflict(twins: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_DISABLE", "dist-one:acme")
    with Client("acme") as client:
        assert client.chat("Hi").text == "the stranger says Hi"


# A stranger with a bundled name


def test_a_bundled_name_means_the_bundled_provider_and_the_first_call_says_so(rival: Shelf) -> None:
    with Client("echo") as client:
        with pytest.warns(PluginShadowed) as told:
            assert client.chat("Hi").text == "Hi"
        assert [str(warning.message) for warning in told] == [SHADOWED]
        assert told[0].filename == __file__
        assert client.chat("Hi again").text == "Hi again"
    assert "stranger_echo" not in sys.modules


@pytest.mark.parametrize(
    ("pick", "text"),
    [("providers-sdk:echo", "Hi"), ("Providers.SDK:echo", "Hi"), ("dist-rival:echo", "the stranger says Hi")],
)
def test_a_qualified_name_means_that_distribution_without_a_warning(pick: str, text: str, rival: Shelf) -> None:
    with Client(pick) as client:
        assert client.chat("Hi").text == text


def test_two_strangers_with_a_bundled_name_lose_it_too(rival: Shelf) -> None:
    rival.put("echo", distribution="dist-another")
    with Client("echo") as client, pytest.warns(PluginShadowed, match="'dist-another:echo' or 'dist-rival:echo'"):
        assert client.chat("Hi").text == "Hi"


def test_whoever_switches_off_the_bundled_one_gets_the_other(rival: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_DISABLE", "providers-sdk:echo")
    with Client("echo") as client:
        assert client.chat("Hi").text == "the stranger says Hi"


def test_a_warning_that_is_an_error_ends_only_calls_of_that_name(rival: Shelf) -> None:
    rival.put("well", GOOD)
    with warnings.catch_warnings(), Client() as client:
        warnings.simplefilter("error")
        assert client.chat("Hi", provider="well").text == "the stranger says Hi"
        assert client.registry.get("echo", warn=False) is Echo
        with pytest.raises(PluginShadowed):
            client.chat("Hi", provider="echo")


def test_a_call_that_names_no_provider_does_not_warn_of_names_that_it_only_looks_at(rival: Shelf) -> None:
    with OpenAISite() as site, Client(settings={"openai": site.client_settings()}) as client:
        assert client.chat("Hi").provider == "openai"


def test_the_report_shows_who_does_not_get_the_name(rival: Shelf, bundled: list[str]) -> None:
    report = Registry().report(load=True)
    [stranger] = [row for row in report if row.distribution == "dist-rival"]
    assert (stranger.name, stranger.state, stranger.healthy) == ("echo", "loaded", True)
    assert stranger.reason == "'echo' alone means the bundled provider"
    assert stranger.remedy == "ask for dist-rival:echo, or PROVIDERS_SDK_DISABLE=providers-sdk:echo"
    assert [(row.name, row.state, row.reason) for row in report if row is not stranger] == [
        *((name, "loaded", "") for name in bundled),
        ("attempt-log", "disabled", "PROVIDERS_SDK_ATTEMPT_LOG is not set"),
    ]


def test_a_stranger_that_fails_keeps_its_own_reason_in_the_report(shelf: Shelf) -> None:
    shelf.put("echo", "raise ValueError('no good')", distribution="dist-rival")
    registry = Registry()
    [stranger] = [row for row in registry.report(load=True) if row.distribution == "dist-rival"]
    assert (stranger.state, stranger.reason) == ("failed", "importing 'stranger_echo' raised ValueError: no good")
    with pytest.warns(PluginShadowed):
        assert registry.get("echo") is Echo
    with pytest.raises(PluginLoadError, match="no good"):
        registry.get("dist-rival:echo")


def test_what_is_registered_at_run_time_wins_over_both(rival: Shelf) -> None:
    class Own(Echo):
        pass

    registry = Registry()
    registry.register("echo", Own)
    assert registry.get("echo") is Own
