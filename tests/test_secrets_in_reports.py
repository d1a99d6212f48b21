"""What error reporters see: tracebacks with local variables."""

import traceback
from typing import Any

import pytest
import requests

from providers_sdk import Client, ProviderError
from providers_sdk.testing import StandIn
from providers_sdk.testing.faults import FAULTS, rigged
from providers_sdk_plugins.fakes.openai import OpenAISite
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite

KEY = OpenAISite.settings["key"]
LIMITS: dict[str, Any] = {"connect": 0.3, "first": 1.0, "idle": 1.0, "deadline": 5.0, "retries": 0}
REPORTED = {
    "refused": "ConnectFailed",
    "tls_no_handshake": "ConnectTimeout",
    "tls_unknown_ca": "TLSFailed",
    "reset_before_headers": "ConnectionLost",
    "reset_midway": "ConnectionLost",
    "forbidden": "AuthenticationFailed",
    "key_echoed": "AuthenticationFailed",
}
SITES: dict[str, tuple[type[StandIn], str]] = {"openai": (OpenAISite, "key"), "pizzagpt": (PizzagptSite, "secret")}


def report(error: BaseException) -> str:
    """What rich, pytest -l and error reporters show: every frame of the chain with its local variables."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def fail(client: Client) -> ProviderError:
    try:
        _ = client.chat("hi").text
    except ProviderError as error:
        return error
    raise AssertionError("it answered")


@pytest.mark.parametrize("name", SITES)
@pytest.mark.parametrize("fault", REPORTED)
def test_no_local_variable_in_a_traceback_holds_the_key(name: str, fault: str) -> None:
    kind, setting = SITES[name]
    with (
        rigged(FAULTS[fault], kind()) as rig,
        Client(name, settings=settings(name, rig.url, setting), **LIMITS) as client,
    ):
        error = fail(client)
    assert type(error).__name__ == REPORTED[fault]
    shown = report(error)
    assert KEY not in shown
    assert "in complete" in shown, "the provider's own line is there"


def settings(name: str, url: str, setting: str) -> dict[str, dict[str, str]]:
    return {name: {"url": url, setting: KEY}}


def test_the_cause_of_a_failed_connection_is_kept() -> None:
    with rigged(FAULTS["refused"], OpenAISite()) as rig:
        with Client("openai", settings=settings("openai", rig.url, "key"), **LIMITS) as client:
            error = fail(client)
    assert isinstance(error.__cause__, requests.ConnectionError)
    assert "Connection refused" in str(error.__cause__)
