"""``providers chat hello`` where nobody names a provider, in each kind of home that a user may have."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from providers_sdk._plugins.extensions import ExtensionHost
from providers_sdk._plugins.registry import Registry
from providers_sdk.cli import _choice
from providers_sdk.testing import FakeService, Received, Response, deltas, json_response, sse
from providers_sdk_plugins._openai import OpenAICompatible
from providers_sdk_plugins.fakes.ollama import OllamaSite
from providers_sdk_plugins.fakes.openai import OpenAISite
from providers_sdk_plugins.ollama import Ollama

Cli = Callable[..., Any]
Home = Callable[..., Path]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Home:
    """``home("provider = 'echo'", mode=0o600)`` writes the configuration file of the user."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("PROVIDERS_SDK_CONFIG", raising=False)

    def write(text: str, *, mode: int = 0o600) -> Path:
        file = tmp_path / "config" / "providers-sdk" / "config.toml"
        file.parent.mkdir(parents=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    return write


@pytest.fixture
def site() -> Iterator[OpenAISite]:
    """A service for the provider ``openai``."""
    with OpenAISite() as running:
        yield running


def as_instance(name: str, site: OpenAISite) -> str:
    return f'[services.{name}]\nprovider = "openai"\nurl = "{site.url}"\nkey = "fake-key"\n'


def test_with_nothing_it_says_how_to_choose(cli: Cli, home: Home) -> None:
    outcome = cli("chat", "hello")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.error.startswith("Error: no provider was chosen, and no service has a key; name one with")


def test_with_one_key_that_service_answers_and_one_line_says_so(
    cli: Cli, home: Home, site: OpenAISite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_OPENAI_URL", site.url)
    monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "fake-key")
    outcome = cli("chat", "hello")
    assert (outcome.code, outcome.out) == (0, f"{site.text}\n")
    assert outcome.err == "asking openai: the one service with a key (PROVIDERS_SDK_OPENAI_KEY)\n"
    assert cli("chat", "-p", "openai", "hello").err == ""


def test_with_two_keys_both_are_listed_and_none_is_asked(
    cli: Cli, home: Home, site: OpenAISite, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home(as_instance("work", site))
    monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "fake-key")
    outcome = cli("chat", "hello")
    assert (outcome.code, outcome.out, site.requests) == (2, "", [])
    assert "several services have a key: openai (PROVIDERS_SDK_OPENAI_KEY), work (" in outcome.error
    assert f"{file.name}, line 4)" in outcome.error


def test_a_configured_provider_is_asked_and_its_line_is_named(cli: Cli, home: Home, site: OpenAISite) -> None:
    home('provider = ["work/gpt-4o", "echo"]\n' + as_instance("work", site))
    outcome = cli("chat", "hello")
    assert (outcome.code, outcome.out) == (0, f"{site.text}\n")
    assert outcome.err.startswith("asking work/gpt-4o, or else echo: set in ~/config/providers-sdk/config.toml, line 1")


class LocalSite(FakeService):
    """A local server: it lists its models and answers as any that is asked for."""

    models: tuple[str, ...] = ("tiny", "huge")

    def respond(self, received: Received) -> Response:
        """Return the list, or an answer that names the model."""
        if received.path == "/models":
            return json_response({"object": "list", "data": [{"id": name} for name in self.models]})
        return sse(deltas([f"{json.loads(received.body)['model']} answers"]))


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], LocalSite]]:
    """``local("name")`` runs a local server where the provider of that name expects it."""
    monkeypatch.setattr(_choice, "SECONDS", 10.0)
    with ExitStack() as running:
        kinds: dict[str, Any] = {}

        def start(name: str) -> LocalSite:
            site = running.enter_context(LocalSite())
            kinds[name] = type(
                "Local", (OpenAICompatible,), {"url": site.url, "needs_auth": False, "list_models": listed}
            )
            monkeypatch.setattr(Registry, "__init__", lambda self: _make_registry(self, kinds))
            return site

        yield start


def listed(self: Any, http: Any) -> Iterator[str]:
    for row in http.get("/models").json()["data"]:
        yield row["id"]


def _make_registry(self: Any, kinds: dict[str, Any]) -> None:
    self._own, self._offers = dict(kinds), {"providers_sdk": {}, "providers_sdk.extensions": {}}
    self._renew()
    self._unreadable, self._loaded, self._warned_of = [], {}, set()
    self.extension_host = ExtensionHost(list)


def test_with_one_local_server_its_first_model_answers(cli: Cli, home: Home, local: Any) -> None:
    site = local("llamacpp")
    outcome = cli("chat", "hello")
    assert (outcome.code, outcome.out) == (0, "tiny answers\n")
    assert outcome.err == f"asking llamacpp/tiny: the one local server, at {site.url}\n"


def test_with_two_local_servers_none_is_asked(cli: Cli, home: Home, local: Any) -> None:
    sites = [local("llamacpp"), local("vllm")]
    outcome = cli("chat", "hello")
    assert (outcome.code, outcome.out) == (2, "")
    assert f"several local servers answer: llamacpp ({sites[0].url}), vllm ({sites[1].url})" in outcome.error
    assert [request.path for site in sites for request in site.requests] == ["/models", "/models"]


def test_the_default_model_is_asked_only_where_the_server_lists_it(
    cli: Cli, home: Home, local: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = local("llamacpp")
    monkeypatch.setattr(Registry().get("llamacpp"), "default_model", "huge")
    assert cli("chat", "hello").out == "huge answers\n"
    site.models = ("tiny",)
    assert cli("chat", "hello").out == "tiny answers\n"


def test_ollama_is_found_where_its_own_variable_says(cli: Cli, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_choice, "SECONDS", 10.0)
    monkeypatch.setattr(Registry, "__init__", lambda self: _make_registry(self, {"ollama": Ollama}))
    with OllamaSite() as site:
        monkeypatch.setenv("OLLAMA_HOST", site.url.removeprefix("http://"))
        outcome = cli("chat", "hello")
    assert (outcome.code, outcome.out) == (0, f"{site.text}\n")
    assert outcome.err == f"asking ollama: the one local server, at {site.url}\n"


def test_a_server_that_lists_no_models_is_none(cli: Cli, home: Home, local: Any) -> None:
    local("llamacpp").models = ()
    assert "no service has a key" in cli("chat", "hello").error


def test_a_broken_file_is_one_line_with_its_place(cli: Cli, home: Home) -> None:
    home('provider = "echo"\nprovidr = "x"\n')
    outcome = cli("chat", "hello")
    assert (outcome.code, outcome.out) == (2, "")
    assert "config.toml, line 2" in outcome.error
    assert "did you mean 'provider'?" in outcome.error


def test_a_file_with_a_key_that_others_may_read_is_refused_with_the_cure(
    cli: Cli, home: Home, site: OpenAISite
) -> None:
    file = home(as_instance("work", site), mode=0o644)
    outcome = cli("chat", "hello")
    assert (outcome.code, outcome.out, site.requests) == (2, "", [])
    assert f"chmod 600 {file}" in outcome.error
    assert "fake-key" not in outcome.err


def test_doctor_shows_a_broken_file_and_an_instance_that_hides_a_plugin(cli: Cli, home: Home, site: OpenAISite) -> None:
    file = home(as_instance("echo", site))
    assert (
        "an instance of the configuration has its name; providers-sdk:echo means the plugin"
        in cli("doctor", "echo").out
    )
    file.write_text("nonsense")
    outcome = cli("doctor", "echo")
    assert (outcome.code, "the configuration file is not used: " in outcome.out) == (0, True)
