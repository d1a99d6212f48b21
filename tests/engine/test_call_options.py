"""Arguments of a call: ``allow_empty``, the served model, well-known mistakes, and sessions of settings that change."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from providers_sdk import Client, FinishReason, Registry, chat
from providers_sdk.errors import EmptyAnswer, UnknownSetting, UnsupportedOption
from providers_sdk.plugin import Chunk, Http, Provider, Request, ServedModel
from providers_sdk.testing import Received, Response, json_response
from providers_sdk_plugins.fakes.openai import OpenAISite


class Quiet(Provider):
    offline = True
    default_model = "m"

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield ServedModel("m-2026")
        yield FinishReason("stop")


@pytest.fixture
def quiet() -> Iterator[Client]:
    registry = Registry()
    registry.register("quiet", Quiet)
    with Client("quiet", registry=registry) as client:
        yield client


def test_an_empty_answer_passes_where_the_call_allows_it(quiet: Client) -> None:
    with pytest.raises(EmptyAnswer, match="allow_empty=True"):
        quiet.chat("Hi")
    reply = quiet.chat("Hi", allow_empty=True)
    assert not reply.done
    assert (reply.text, reply.finish_reason, reply.done) == ("", "stop", True)
    assert list(Quiet().create_completion(None, "Hi", allow_empty=True))[-1] == FinishReason("stop")


def test_the_served_model_is_what_the_service_says(quiet: Client) -> None:
    reply = quiet.chat("Hi", allow_empty=True)
    assert (reply.model, reply.served_model) == ("m", "m-2026")
    assert chat("Hi", provider="echo").served_model is None


@pytest.mark.parametrize(
    ("mistake", "way"),
    [
        ({"timeout": 5}, "the limits are connect=, first_token=, idle= and deadline="),
        ({"system": "Be brief."}, "put {'role': 'system', 'content': ...} first"),
        ({"retries": 3}, "Client(retries=...)"),
        ({"api_key": "sk"}, "settings={provider: {'key': ...}}"),
    ],
    ids=str,
)
def test_a_well_known_mistake_is_answered_with_the_right_way(mistake: dict[str, object], way: str) -> None:
    with pytest.raises(UnsupportedOption) as caught:
        chat("Hi", provider="echo", **mistake)  # type: ignore[arg-type]
    assert way in str(caught.value)


def test_a_misspelt_option_gets_the_nearest_and_the_list() -> None:
    with OpenAISite() as site, Client("openai", settings={"openai": site.client_settings()}) as client:
        with pytest.raises(UnsupportedOption, match="for temprature, did you mean 'temperature'"):
            client.chat("Hi", temprature=0.2)
        assert site.requests == []


def test_a_misspelt_variable_of_the_asked_provider_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_PIZZAGPT_SECRT", "x")
    with (
        Client("pizzagpt") as client,
        pytest.raises(UnknownSetting, match="did you mean PROVIDERS_SDK_PIZZAGPT_SECRET"),
    ):
        client.chat("Hi")
    assert chat("Hi", provider="echo").text == "Hi"


def test_a_variable_belongs_to_the_longest_name_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    class Classic(Quiet):
        needs_auth = True

    registry = Registry()
    registry.register("quiet", Quiet)
    registry.register("quiet-classic", Classic)
    monkeypatch.setenv("PROVIDERS_SDK_QUIET_CLASSIC_KEY", "sk-1234")
    with Client(registry=registry) as client:
        for name in ("quiet", "quiet-classic"):
            assert client.chat("Hi", provider=name, allow_empty=True).done is False


class Refuses(OpenAISite):
    """A service that knows no ``stream_options``."""

    def respond(self, received: Received) -> Response:
        if b"stream_options" in received.body:
            words = {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}
            return json_response(words, status=422)
        return super().respond(received)


def test_a_request_that_the_service_refused_in_its_first_form_is_listed_and_not_counted() -> None:
    with Refuses() as site, Client("openai", settings={"openai": site.client_settings()}, retries=0) as client:
        reply = client.chat("Hi")
        assert reply.text == site.text
        assert [(attempt.outcome, attempt.status) for attempt in reply.attempts] == [
            ("HTTPStatusError", 422),
            ("answered", 200),
        ]
        assert len(client.chat("Hi again").attempts) == 1


class AcceptsEveryKey(OpenAISite):
    def respond(self, received: Received) -> Response:
        right = {"authorization": f"Bearer {self.settings['key']}"}
        return super().respond(replace(received, headers={**received.headers, **right}))


def test_a_key_that_changes_with_every_call_keeps_a_bounded_number_of_connections() -> None:
    with AcceptsEveryKey() as site, Client("openai", retries=0) as client, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROVIDERS_SDK_OPENAI_URL", site.url)
        for number in range(60):
            patch.setenv("PROVIDERS_SDK_OPENAI_KEY", f"sk-rotating-{number}")
            assert client.chat("Hi").text == site.text
        assert site.open_connections <= 17
