"""The setting ``url`` of an OpenAI-compatible service: what is refused, and what a wrong one leads to."""

import pytest

from providers_sdk import Client, ProviderError
from providers_sdk.errors import AuthenticationFailed, HTTPStatusError, InvalidArgument
from providers_sdk.testing import Received, Response, json_response
from providers_sdk_plugins._openai_address import propose_base
from providers_sdk_plugins.fakes.openai import SITES, OpenAISite


class Below(OpenAISite):
    """A server that speaks the protocol below ``/v1`` only, as most do."""

    def respond(self, received: Received) -> Response:
        path = received.path.removeprefix("/v1") if received.path.startswith("/v1/") else "/nothing"
        return super().respond(Received(received.method, path, received.headers, received.body))


def fail(url: str, name: str = "openai", **settings: str) -> ProviderError:
    given = {"key": "fake-key", **settings, "url": url}
    with Client(name, retries=0, settings={name: given}) as client, pytest.raises(ProviderError) as raised:
        client.chat("Hi")
    return raised.value


def test_a_404_names_the_address_that_was_asked_and_proposes_the_likely_one() -> None:
    with Below() as site:
        error = fail(site.url)
        assert (type(error), error.status, error.url) == (HTTPStatusError, 404, f"{site.url}/chat/completions")
        assert error.message == (
            f"answered 404 Not Found: no such page; the address asked was {site.url}/chat/completions; "
            f"the setting 'url' is probably {site.url}/v1"
        )
        settings = {"openai": {"key": "fake-key", "url": f"{site.url}/v1"}}
        with Client("openai", settings=settings) as client:
            assert client.chat("Hi").text == site.text


def test_a_404_below_a_version_proposes_nothing() -> None:
    with Below() as site:
        error = fail(f"{site.url}/api/v2")
        assert error.message.endswith(f"; the address asked was {site.url}/api/v2/chat/completions")


def test_a_404_shows_no_password_of_the_address() -> None:
    with Below() as site:
        error = fail(site.url.replace("://", "://me:pass-of-mine@"))
        assert "pass-of-mine" not in f"{error!r} {error} {error.attempts}"
        assert error.message.endswith(f"probably {site.url}/v1")


def test_another_refusal_proposes_no_address() -> None:
    with OpenAISite() as site:
        error = fail(site.url, key="wrong")
    assert isinstance(error, AuthenticationFailed)
    assert "address" not in error.message


def test_a_404_that_rejects_the_prompt_stays_what_it_is() -> None:
    class Rejecting(OpenAISite):
        def respond(self, received: Received) -> Response:
            return json_response({"error": {"message": "filtered", "code": "content_filter"}}, status=404)

    with Rejecting() as site:
        assert fail(site.url).message == "answered 404 Not Found: filtered"


@pytest.mark.parametrize(
    ("url", "default", "likely"),
    [
        ("http://localhost:8801", "https://api.openai.com/v1", "http://localhost:8801/v1"),
        ("http://localhost:8801/llm", "https://api.openai.com/v1", "http://localhost:8801/llm/v1"),
        ("https://gateway.example", "https://api.z.ai/api/paas/v4", "https://gateway.example/api/paas/v4"),
        ("https://gateway.example", "https://api.deepseek.com", "https://gateway.example/v1"),
        ("https://gateway.example", "", "https://gateway.example/v1"),
        ("https://api.deepseek.com", "https://api.deepseek.com", None),
        ("https://gateway.example/v1", "https://api.openai.com/v1", None),
        ("https://gateway.example/v1beta/openai", "https://api.openai.com/v1", None),
    ],
)
def test_the_likely_address_is_the_one_with_a_version(url: str, default: str, likely: str | None) -> None:
    assert propose_base(url, default) == likely


@pytest.mark.parametrize(
    ("name", "url", "right"),
    [
        ("openai", "https://gw.example/v1/chat/completions", "https://gw.example/v1"),
        ("openai", "https://gw.example/v1/chat/completions/", "https://gw.example/v1"),
        ("openai", "https://me:pass@gw.example/chat/completions", "https://gw.example"),
        ("vllm", "http://localhost:8000/v1/chat/completions", "http://localhost:8000/v1"),
        ("azure-classic", "https://me.example/openai/deployments/gpt/chat/completions", "https://me.example"),
        ("azure-classic", "https://me.example/openai/deployments/gpt", "https://me.example"),
    ],
)
def test_an_address_that_holds_the_path_of_questions_is_refused_with_the_right_one(
    name: str, url: str, right: str
) -> None:
    error = fail(url, name, **SITES[name].settings)
    assert isinstance(error, InvalidArgument)
    assert (
        error.message == f"the setting 'url' holds the path of questions, which the provider adds itself; give {right}"
    )
