"""``providers show``: one provider, and where each of its settings comes from."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_list import HOSTILE

Cli = Callable[..., Any]


def settings_of(out: str) -> dict[str, tuple[str | None, str]]:
    """Setting → value and source, from the JSON."""
    return {row["name"]: (row["value"], row["source"]) for row in json.loads(out)["settings"]}


def test_it_says_where_each_value_comes_from_and_shows_no_secret(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "sk-very-secret")
    monkeypatch.setenv("PROVIDERS_SDK_OPENAI_MODEL", "o3")
    monkeypatch.setenv("PROVIDERS_SDK_OPENAI_HEADERS", '{"x-team": "kitchen-secret"}')
    monkeypatch.setenv("PROVIDERS_SDK_OPENAI_URL", "http://user:pa55word@127.0.0.1:9/v1")
    outcome = cli("show", "openai", "--json")
    found = settings_of(outcome.out)
    assert found["url"] == ("http://127.0.0.1:9/v1", "PROVIDERS_SDK_OPENAI_URL")
    assert found["key"] == ("(set)", "PROVIDERS_SDK_OPENAI_KEY")
    assert found["headers"] == ("(set)", "PROVIDERS_SDK_OPENAI_HEADERS")
    assert found["model"] == ("o3", "PROVIDERS_SDK_OPENAI_MODEL")
    lines = cli("show", "openai").out.splitlines()
    assert "key         (set)  (from PROVIDERS_SDK_OPENAI_KEY)" in [line.rstrip() for line in lines] or any(
        line.startswith("key ") and line.endswith("(set)  (from PROVIDERS_SDK_OPENAI_KEY)") for line in lines
    )
    for secret in ("sk-very-secret", "kitchen-secret", "pa55word"):
        assert secret not in outcome.out + "\n".join(lines)


def test_a_setting_without_a_value_says_how_to_set_it(cli: Cli) -> None:
    line = next(line for line in cli("show", "openai").out.splitlines() if line.startswith("key "))
    assert "not set; required, PROVIDERS_SDK_OPENAI_KEY" in line


def test_facts_of_the_class_are_shown(cli: Cli) -> None:
    shown = json.loads(cli("show", "echo", "--json").out)
    assert (shown["name"], shown["instance_of"], shown["distribution"]) == ("echo", "", "providers-sdk")
    assert shown["supports"] == ["stream", "system_message", "message_history"]
    assert (shown["default_model"], shown["models"], shown["settings"]) == ("echo", ["echo"], [])
    assert cli("show", "echo").out.splitlines()[-2:] == ["settings: none", ""]


def test_an_unknown_name_is_a_usage_error_with_the_nearest(cli: Cli) -> None:
    outcome = cli("show", "opnai")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.error == "Error: there is no provider 'opnai'; did you mean 'openai'?"


def test_a_plugin_whose_attributes_raise_is_one_line(cli: Cli, plugin: Callable[..., Path]) -> None:
    plugin("acme", HOSTILE)
    outcome = cli("show", "acme")
    assert (outcome.code, outcome.out) == (1, "")
    assert "RuntimeError: never ask me" in outcome.error
