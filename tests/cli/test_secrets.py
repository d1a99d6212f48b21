"""A secret of the environment that a plugin's code quotes is shown by no command."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
Plugin = Callable[..., Path]
TELLTALE = "import os; raise ValueError(' '.join(os.environ[name] for name in {names}))"
SECRETS = {
    "PROVIDERS_SDK_TELLTALE_KEY": "sk-secret-1",
    "TELLTALE_API_KEY": "sk-secret-2",
    "telltale_token": "sk-secret-3",
    "HTTPS_PROXY": "http://user:sk-secret-4@127.0.0.1:9",
    "ALL_PROXY": "user:sk-secret-5@127.0.0.1:9",
}


@pytest.fixture
def telltale(plugin: Plugin, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plugin whose import fails with every secret in its message."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return plugin("telltale", TELLTALE.replace("{names}", repr(list(SECRETS))))


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["list", "--json"],
        ["doctor"],
        ["doctor", "--json"],
        ["chat", "-p", "telltale", "hello"],
        ["chat", "-p", "telltale", "-p", "telltale", "hello"],
        ["chat", "-p", "telltale", "hello", "--traceback"],
        ["check", "telltale"],
        ["check", "plug_dist_telltale"],
    ],
    ids=" ".join,
)
def test_no_command_shows_a_secret_of_a_failing_import(cli: Cli, telltale: Path, arguments: list[str]) -> None:
    outcome = cli(*arguments)

    assert "ValueError: [hidden]" in outcome.out + outcome.err
    assert "sk-secret" not in outcome.out + outcome.err


def test_no_warning_about_an_extension_shows_a_secret(cli: Cli, plugin: Plugin, telltale: Path) -> None:
    source = TELLTALE.replace("{names}", repr(list(SECRETS)))
    plugin("watcher", source, group="providers_sdk.extensions")
    hook = "    import os; raise ValueError(os.environ['TELLTALE_API_KEY'])"
    plugin(
        "hooked",
        f"from providers_sdk.plugin import hookimpl\n@hookimpl\ndef register_commands(add):\n{hook}",
        group="providers_sdk.extensions",
    )

    outcome = cli("--help")

    assert outcome.err.count("ValueError: [hidden]") == 2
    assert "sk-secret" not in outcome.err


def test_an_address_and_a_model_of_the_environment_are_no_secrets(
    cli: Cli, plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"PROVIDERS_SDK_TELLTALE_URL": "http://127.0.0.1:9/path", "PROVIDERS_SDK_TELLTALE_MODEL": "large-1"}
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    plugin("telltale", TELLTALE.replace("{names}", repr(list(names))))

    assert "ValueError: http://127.0.0.1:9/path large-1" in cli("list").out
