"""``providers models``: the list of a service, kept for a day."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from providers_sdk.testing import FakeService, Received, Response, json_response

Cli = Callable[..., Any]
ACME = """
from providers_sdk.plugin import FinishReason, Provider, hookimpl

class Acme(Provider):
    url = "http://127.0.0.1:9"
    default_model = "small"
    models = ("declared",)

    def complete(self, request, http):
        yield request.model
        yield FinishReason(None)

    def list_models(self, http):
        for row in http.get("/models").json():
            yield row

@hookimpl
def register_providers(register):
    register("acme", Acme)
"""


class ModelSite(FakeService):
    """Lists what ``models`` holds."""

    models: Any = ("small", "large\x1b[2J")

    def respond(self, received: Received) -> Response:
        """Return the list."""
        return json_response(list(self.models))


@pytest.fixture
def site(plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModelSite]:
    """A service with a list of models, which ``acme`` asks."""
    plugin("acme", ACME)
    (tmp_path / "config.toml").write_text("")
    monkeypatch.setenv("PROVIDERS_SDK_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with ModelSite() as running:
        monkeypatch.setenv("PROVIDERS_SDK_ACME_URL", running.url)
        yield running


def test_each_model_is_a_line_and_the_default_is_marked(cli: Cli, site: ModelSite) -> None:
    outcome = cli("models", "-p", "acme")
    assert (outcome.code, outcome.out, outcome.err) == (0, "* small\n  large\\x1b[2J\n", "")


def test_json_names_the_provider_and_the_default(cli: Cli, site: ModelSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_ACME_MODEL", "medium")
    assert json.loads(cli("models", "-p", "acme", "--json").out) == {
        "provider": "acme",
        "default": "medium",
        "models": ["small", "large\x1b[2J"],
    }
    assert cli("models", "-p", "acme").err == "the default of acme is medium, which the service does not list\n"


def test_the_service_is_asked_once_a_day_and_address(
    cli: Cli, site: ModelSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        assert cli("models", "-p", "acme").code == 0
    assert len(site.requests) == 1
    cli("models", "-p", "acme", "--refresh")
    assert len(site.requests) == 2
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 86_401)
    cli("models", "-p", "acme")
    assert len(site.requests) == 3
    monkeypatch.setenv("PROVIDERS_SDK_ACME_URL", f"{site.url}/elsewhere")
    cli("models", "-p", "acme")
    assert len(site.requests) == 4


def test_a_damaged_cache_is_asked_anew(cli: Cli, site: ModelSite, tmp_path: Path) -> None:
    cli("models", "-p", "acme")
    [file] = (tmp_path / "cache").rglob("acme.json")
    file.write_text('{"at": 1')
    assert cli("models", "-p", "acme").out.startswith("* small")
    assert len(site.requests) == 2


def test_a_cache_that_cannot_be_written_is_no_error(cli: Cli, site: ModelSite, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert (cli("models", "-p", "acme").code, len(site.requests)) == (0, 1)


def test_a_service_without_a_list_shows_the_declared_models(cli: Cli, site: ModelSite) -> None:
    site.models = ()
    assert cli("models", "-p", "acme").out == "  declared\n"


def test_a_list_that_is_none_is_the_plugins_fault_by_name(cli: Cli, site: ModelSite) -> None:
    site.models = ("small", 7)
    outcome = cli("models", "-p", "acme")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.error == "Error: acme: its list_models yielded int, which is no name of a model"


def test_a_dead_service_is_one_line_and_nothing_is_kept(
    cli: Cli, site: ModelSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site.close()
    outcome = cli("models", "-p", "acme")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.error.startswith("Error: acme: ")
    assert not list((tmp_path / "cache").rglob("*.json"))


def test_the_fake_service_of_a_provider_whose_url_is_a_placeholder_is_asked(
    cli: Cli, plugin: Callable[..., Path], site: ModelSite
) -> None:
    placeholder = ACME.replace(
        'url = "http://127.0.0.1:9"',
        'url, fake_service = "https://put-the-address-here.invalid", "tests.cli.test_models:ModelSite"',
    )
    plugin("draft", placeholder.replace('"acme"', '"draft"'))
    outcome = cli("models", "-p", "draft", "--refresh")
    assert (outcome.code, outcome.out) == (0, "* small\n  large\\x1b[2J\n")
    assert "the url of draft is still the placeholder https://put-the-address-here.invalid" in outcome.err
