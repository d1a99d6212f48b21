"""A fake service whose own code raises is named, not the network and not the plugin."""

import threading
from collections.abc import Iterable

import pytest
import requests

from providers_sdk.errors import HTTPStatusError
from providers_sdk.testing import FakeService, Received, Response, deltas, json_response, sse
from providers_sdk.testing.contract import CLAIMS, ContractRunner, Harness, Result
from providers_sdk_plugins.fakes.openai import OpenAISite
from tests.testing.broken_answers import Sound


class Crashes(FakeService):
    settings = OpenAISite.settings

    def respond(self, received: Received) -> Response:
        return json_response({"text": undefined})  # type: ignore[name-defined]  # noqa: F821


class CrashesLate(FakeService):
    settings = OpenAISite.settings

    def respond(self, received: Received) -> Response:
        return sse(self.pieces())

    def pieces(self) -> Iterable[bytes]:
        yield deltas(["Hello"])[0]
        raise ValueError("no more")


class Parses(FakeService):
    def respond(self, received: Received) -> Response:
        return json_response(received.json())


def _judge(fake: type[FakeService]) -> Result:
    return ContractRunner(Harness(Sound, fake, patience=5.0)).run(CLAIMS["does_not_raise"])


def test_the_provider_reports_what_the_fake_service_raised_and_where() -> None:
    with Crashes() as site, pytest.raises(HTTPStatusError) as caught:
        list(Sound(site.client_settings()).create_completion("m", "hello"))
    assert "the fake service raised NameError at test_fake_crashes.py:" in str(caught.value)


def test_the_line_is_the_authors_where_this_librarys_code_raised() -> None:
    with Parses() as site:
        body = requests.post(site.url, data=b"{", timeout=5).json()
    assert "the fake service raised ValueError at test_fake_crashes.py:" in body["error"]["message"]
    assert len(site.crashes) == 1


def test_the_contract_says_it_once_where_the_response_had_not_begun() -> None:
    assert _judge(Crashes).detail.count("the fake service raised NameError at test_fake_crashes.py:") == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_contract_says_it_where_the_response_had_begun() -> None:
    detail = _judge(CrashesLate).detail
    for thread in threading.enumerate():
        if thread.name.endswith("-serves"):
            thread.join(10)  # what it raises is reported at its end, which may come after this test's
    assert detail.startswith("expected no error; complete() raised")
    assert detail.count("; the fake service raised ValueError at test_fake_crashes.py:") == 1
