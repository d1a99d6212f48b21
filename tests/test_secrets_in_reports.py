"""What error reporters see: tracebacks with local variables, and the log of urllib3."""

import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from providers_sdk import Client, ProviderError, Registry
from providers_sdk.errors import HTTPStatusError
from providers_sdk.plugin import Chunk, FinishReason, Http, Provider, Request
from providers_sdk.testing import FakeService, RawServer
from providers_sdk.testing.faults import FAULTS, inject
from providers_sdk_plugins.fakes.openai import OpenAISite
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite

KEY = OpenAISite.settings["key"]
LIMITS: dict[str, Any] = {"connect": 0.3, "first_token": 1.0, "idle": 1.0, "deadline": 5.0, "retries": 0}
REPORTED = {
    "refused": "ConnectFailed",
    "tls_no_handshake": "ConnectTimeout",
    "tls_unknown_ca": "TLSFailed",
    "reset_before_headers": "ConnectionLost",
    "reset_midway": "ConnectionLost",
    "forbidden": "AuthenticationFailed",
    "key_echoed": "AuthenticationFailed",
}
SITES: dict[str, tuple[type[FakeService], str]] = {"openai": (OpenAISite, "key"), "pizzagpt": (PizzagptSite, "secret")}


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
        inject(FAULTS[fault], kind()) as rig,
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
    with inject(FAULTS["refused"], OpenAISite()) as rig:
        with Client("openai", settings=settings("openai", rig.url, "key"), **LIMITS) as client:
            error = fail(client)
    assert isinstance(error.__cause__, requests.ConnectionError)
    assert "Connection refused" in str(error.__cause__)


class KeyInQuery(Provider):
    """Sends its key as a parameter and in the path."""

    needs_auth = True

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        key = self.settings["key"]
        response = http.get(f"/v1/{key}/models", params={"key": key, "short": "abc"})
        response.check()
        yield FinishReason(None)


@pytest.mark.parametrize("answers", [True, False])
def test_a_key_in_the_address_is_not_in_the_log_of_urllib3(answers: bool, caplog: pytest.LogCaptureFixture) -> None:
    class Denies(RawServer):
        def serve(self, connection: object) -> None:
            received = connection.receive()  # type: ignore[attr-defined]
            assert KEY in received.target
            if answers:
                connection.send(b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n")  # type: ignore[attr-defined]

    caplog.set_level(logging.DEBUG)
    registry = Registry()
    registry.register("query", KeyInQuery)
    with Denies() as site:
        row = {"query": {"url": site.url, "key": KEY}}
        with Client("query", settings=row, registry=registry, proxy="", **LIMITS) as client:
            error = fail(client)
    assert isinstance(error, HTTPStatusError) or not answers
    records = [record for record in caplog.records if record.name.startswith("urllib3")]
    assert records
    told = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert KEY not in told
    if answers:
        assert "GET /v1/[hidden]/models?[hidden] HTTP/1.1" in told


def test_what_others_log_through_urllib3_stays_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with OpenAISite() as site:
        with Client("openai", settings=settings("openai", site.url, "key"), proxy="", **LIMITS) as client:
            assert client.chat("hi").text
        caplog.clear()
        with requests.Session() as session:
            session.trust_env = False
            session.get(f"{site.url}/models?page={KEY}").close()
    assert f"GET /models?page={KEY} HTTP/1.1" in caplog.text
