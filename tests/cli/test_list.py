"""``providers list``: every plugin has its line, the well and the unwell."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers_sdk import PluginReport
from providers_sdk_plugins.services import ROWS as SERVICE_ROWS

Cli = Callable[..., Any]
Plugin = Callable[..., Path]

BUNDLED = {"aipower", "anthropic", "chatgptfree", "chatgptt", "echo", "gizai", "ollama", "pizzagpt", *SERVICE_ROWS}
GOOD = """
from providers_sdk.plugin import FinishReason, Provider, hookimpl

class Acme(Provider):
    working = True
    models = (default_model,) = ("acme-1",)

    def complete(self, request, http):
        yield "fine"
        yield FinishReason("stop")

@hookimpl
def register_providers(register):
    register("acme", Acme)
"""
HOSTILE = GOOD.replace(
    "class Acme(Provider):",
    """class Meta(type):
    @property
    def working(cls):
        raise RuntimeError("never ask me")

class Acme(Provider, metaclass=Meta):""",
).replace("    working = True\n", "")

MOODY = HOSTILE.replace(
    'raise RuntimeError("never ask me")', "cls.reads.append(1); return len(cls.reads) < 2 or exit(0)"
).replace("class Meta(type):", "class Meta(type):\n    reads = []")


def table(out: str) -> dict[str, str]:
    """Provider → its line."""
    return {line.split()[0]: line for line in reversed(out.splitlines()) if line.strip()}


def test_every_bundled_provider_has_a_line(cli: Cli) -> None:
    outcome = cli("list")

    lines = table(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert set(lines) >= BUNDLED
    assert lines["provider"].split() == ["provider", "state", "working", "streams", "needs", "model", "from"]
    assert lines["echo"].split() == ["echo", "loaded", "offline", "yes", "-", "echo", "bundled"]
    assert lines["pizzagpt"].split()[2] == "unverified"
    assert lines["chatgptfree"].split()[-2:] == ["gpt-4o-mini-2024-07-18", "bundled"]


def test_what_a_provider_needs_is_shown_until_it_is_set(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = cli("list")

    assert table(outcome.out)["openai"].split()[4] == "key"
    assert table(outcome.out)["aipower"].split()[4] == "url"
    assert "\n'providers show aipower' says how to give what aipower needs; so for the others\n" in outcome.out

    monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "sk-1234")
    outcome = cli("list")

    assert table(outcome.out)["openai"].split()[4:6] == ["key", "(set)"]
    row = next(row for row in json.loads(cli("list", "--json").out) if row["name"] == "openai")
    assert (row["needs"], row["missing"]) == (["key"], [])


def test_json_has_all_that_is_known_of_each(cli: Cli) -> None:
    rows = {row["name"]: row for row in json.loads(cli("list", "--json").out)}

    assert set(rows) == BUNDLED
    assert set(rows["echo"]) == {
        *PluginReport.__dataclass_fields__,
        "working",
        "offline",
        "default_model",
        "models",
        "supports_stream",
        "needs",
        "missing",
    }
    assert rows["pizzagpt"]["working"] is False
    assert rows["pizzagpt"]["supports_stream"] is False
    assert rows["echo"]["offline"] is True
    assert rows["chatgptt"]["models"] == ["gpt-4o", "gpt-4", "gpt-4o-mini"]
    assert rows["chatgptt"]["default_model"] == "gpt-4o"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise ImportError('no module named nowhere')", "no module named nowhere"),
        ("import sys; sys.exit('gone')", "SystemExit: gone"),
        (GOOD.replace("def register_providers", "def register_provider"), "hooks are not valid"),
        (GOOD.replace("working = True", "requires_contract = '>=9'"), ">=9"),
        ("raise ValueError('two\\nlines and \\x1b[31mred')", "two lines and"),
    ],
    ids=["import error", "exits", "misspelt hook", "contract", "escape sequences"],
)
def test_a_broken_plugin_is_told_below_and_hurts_no_other(cli: Cli, plugin: Plugin, source: str, words: str) -> None:
    plugin("acme", source)

    outcome = cli("list")

    assert outcome.code == 0
    assert set(table(outcome.out)) >= BUNDLED | {"acme"}
    below = outcome.out.partition("acme (dist-acme 1.0): ")[2]
    assert words in below
    assert "  fix: " in below
    assert "\x1b" not in outcome.out


def test_one_name_from_two_distributions_is_a_conflict_with_both_remedies(cli: Cli, plugin: Plugin) -> None:
    plugin("acme", GOOD, distribution="dist-one")
    plugin("acme", GOOD, distribution="dist-two")

    outcome = cli("list")

    assert outcome.code == 0
    assert "acme (dist-one 1.0): conflict: " in outcome.out
    assert "ask for dist-one:acme" in outcome.out
    assert "ask for dist-two:acme" in outcome.out
    assert set(table(outcome.out)) >= BUNDLED


def test_a_stranger_with_a_bundled_name_has_a_line_of_its_own_and_a_remedy(cli: Cli, plugin: Plugin) -> None:
    plugin("echo", GOOD.replace('"acme"', '"echo"'), distribution="dist-rival")

    outcome = cli("list")

    assert (outcome.code, outcome.err) == (0, "")
    lines = [line.split() for line in outcome.out.splitlines() if line.startswith("echo  ")]
    assert lines == [
        ["echo", "loaded", "yes", "no", "-", "acme-1", "dist-rival", "1.0"],
        ["echo", "loaded", "offline", "yes", "-", "echo", "bundled"],
    ]
    assert "echo (dist-rival 1.0): loaded: 'echo' alone means the bundled provider" in outcome.out
    assert "fix: ask for dist-rival:echo" in outcome.out


def test_a_plugin_whose_attributes_raise_keeps_its_line(cli: Cli, plugin: Plugin) -> None:
    plugin("acme", HOSTILE)

    outcome = cli("list")

    assert outcome.code == 0
    assert table(outcome.out)["acme"].split() == ["acme", "failed", "-", "-", "-", "-", "dist-acme", "1.0"]
    assert (
        "reading 'working' of the class that is registered as 'acme' raised RuntimeError: never ask me" in outcome.out
    )
    assert cli("list", "--json").code == 0


def test_a_plugin_whose_attributes_raise_when_they_are_read_again_keeps_its_line(cli: Cli, plugin: Plugin) -> None:
    plugin("acme", MOODY)

    outcome = cli("list")

    assert outcome.code == 0
    assert table(outcome.out)["acme"].split() == ["acme", "loaded", "-", "-", "-", "-", "dist-acme", "1.0"]
    assert cli("list", "--json").code == 0


def test_what_a_plugin_prints_at_import_is_no_part_of_the_json(cli: Cli, plugin: Plugin) -> None:
    plugin("acme", "print('look at me')\n" + GOOD)

    outcome = cli("list", "--json")

    assert "acme" in {row["name"] for row in json.loads(outcome.out)}
    assert "look at me" in outcome.err


def test_a_plugin_that_is_switched_off_says_so(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_DISABLE", "gizai")

    outcome = cli("list")

    assert table(outcome.out)["gizai"].split()[1] == "disabled"
    assert "PROVIDERS_SDK_DISABLE" in outcome.out


def test_80_columns_get_one_line_a_provider_and_a_pipe_the_whole_of_it(
    run: Cli, environ: dict[str, str], plugin: Plugin, tmp_path: Path
) -> None:
    environ["PYTHONPATH"] = str(plugin("acme", GOOD.replace("acme-1", "a-model-with-a-very-long-name")))
    environ["PROVIDERS_SDK_OPENAI_KEY"] = "sk-1234"
    lines = run("list").out.partition("\n\n")[0].splitlines()
    assert max(map(len, lines)) == 80
    assert [line.split()[0] for line in lines[2:]] == sorted([*BUNDLED, "acme"])
    starts = [lines[0].index(title) for title in ("state", "working", "streams", "needs", "model", "from")]
    assert all(line[start - 1] == " " and line[start] != " " for line in lines[2:] for start in starts)

    del environ["COLUMNS"]
    assert table(run("list").out)["acme"].split()[-3:] == ["a-model-with-a-very-long-name", "dist-acme", "1.0"]


def test_a_reader_who_leaves_ends_it_quietly(launch: Callable[..., Any]) -> None:
    process = launch("list")
    process.stdout.close()

    assert process.stderr.read() == b""
    assert process.wait(30) == 141
