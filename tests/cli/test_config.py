"""``providers config``: the file's place, every value with its source and no secret, and every mistake at once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers_sdk._config.keys import store_key

Cli = Callable[..., Any]
Write = Callable[..., Path]
Plugin = Callable[..., Path]
PLACE = "~/.config/providers-sdk/config.toml"
SECRET = "sk-1234-secret"
FULL = f"""
provider = ["work/large", "echo"]
deadline = false
proxy = "http://user:{SECRET}@proxy.example:8080"

[services.work]
provider = "openai"
url = "https://user:{SECRET}@llm.example/v1"
key = "{SECRET}"
headers = {{ x-team = "{SECRET}" }}

[services.openai]
key = {{ env = "WHERE_THE_KEY_IS" }}

[services.aipower]
url = "https://old.example"

[profiles.home]
provider = "echo"
"""


def rows(outcome: Any) -> dict[str, tuple[str, str]]:
    assert outcome.code == 0, outcome.err
    return {row["key"]: (row["value"], row["source"]) for row in json.loads(outcome.out)["values"]}


def test_path_prints_the_place_whether_the_file_exists_or_not(cli: Cli, home: Path) -> None:
    outcome = cli("config", "path")
    assert (outcome.code, outcome.out, outcome.err) == (0, f"{home}/.config/providers-sdk/config.toml\n", "")


def test_path_of_no_file_is_an_error(cli: Cli) -> None:
    outcome = cli("config", "path")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.error == "Error: no configuration file is used: PROVIDERS_SDK_CONFIG is set and empty"


def test_show_has_each_value_with_its_source_and_no_secret(
    cli: Cli, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(FULL)
    monkeypatch.setenv("WHERE_THE_KEY_IS", SECRET)
    monkeypatch.setenv("PROVIDERS_SDK_AIPOWER_URL", "https://new.example")
    monkeypatch.setenv("PROVIDERS_SDK_GIZAI_KEY", SECRET)
    store_key("pizzagpt", SECRET, setting="secret")
    store_key("openai", SECRET)

    outcome = cli("config", "show", "--json")

    assert rows(outcome) == {
        "provider": ("work/large, echo", f"{PLACE}, line 2"),
        "deadline": ("false", f"{PLACE}, line 3"),
        "proxy": ("http://[hidden]@proxy.example:8080", f"{PLACE}, line 4"),
        "services.aipower.url": ("https://new.example", "PROVIDERS_SDK_AIPOWER_URL"),
        "services.gizai.key": ("(set)", "PROVIDERS_SDK_GIZAI_KEY"),
        "services.openai.key": ("(set: env WHERE_THE_KEY_IS)", f"{PLACE}, line 13"),
        "services.pizzagpt.secret": (
            f"(set: file {Path.home()}/.local/share/providers-sdk/keys/pizzagpt.secret)",
            "stored in ~/.local/share/providers-sdk/keys/pizzagpt.secret",
        ),
        "services.work.provider": ("openai", f"{PLACE}, line 7"),
        "services.work.headers": ("x-team: (set)", f"{PLACE}, line 10"),
        "services.work.key": ("(set)", f"{PLACE}, line 9"),
        "services.work.url": ("https://[hidden]@llm.example/v1", f"{PLACE}, line 8"),
    }
    assert SECRET not in outcome.out + cli("config", "show").out
    monkeypatch.delenv("WHERE_THE_KEY_IS")
    assert rows(cli("config", "show", "--json"))["services.openai.key"][0] == "(not set: env WHERE_THE_KEY_IS)"


def test_the_environment_and_a_profile_choose_the_provider(
    cli: Cli, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(FULL)
    assert rows(cli("config", "show", "--profile", "home", "--json"))["provider"] == (
        "echo",
        f"profile home, {PLACE}, line 19",
    )
    monkeypatch.setenv("PROVIDERS_SDK_PROVIDER", "gizai")
    assert rows(cli("config", "show", "--json"))["provider"] == ("gizai", "PROVIDERS_SDK_PROVIDER")


def test_a_pipe_gets_one_line_a_value(cli: Cli, write: Write) -> None:
    write("provider = 'echo'\n[services.aipower]\nurl = 'https://a.example'")
    lines = [line.split("  ") for line in cli("config", "show").out.splitlines()]
    assert [[cell.strip() for cell in line if cell.strip()] for line in lines[2:]] == [
        ["provider", "echo", f"{PLACE}, line 1"],
        ["services.aipower.url", "https://a.example", f"{PLACE}, line 3"],
    ]


def test_without_a_file_the_place_is_named(cli: Cli, home: Path) -> None:
    for command in ("show", "check"):
        outcome = cli("config", command)
        assert outcome.code == 0
        assert outcome.err == f"there is no configuration file {home}/.config/providers-sdk/config.toml\n"


@pytest.mark.parametrize("command", ["show", "check"])
def test_a_broken_file_is_a_usage_error(cli: Cli, write: Write, command: str) -> None:
    write(f"key = {SECRET}")
    outcome = cli("config", command)
    assert outcome.code == 2
    assert f"{PLACE}, line 1: this is not TOML: Invalid value" in outcome.out + outcome.err
    assert SECRET not in outcome.out + outcome.err


@pytest.mark.parametrize("command", ["show", "check"])
def test_a_file_that_others_may_read_is_a_usage_error_with_the_command_that_corrects_it(
    cli: Cli, write: Write, command: str
) -> None:
    path = write(FULL, mode=0o644)
    outcome = cli("config", command)
    assert outcome.code == 2
    assert f"may read this file; run: chmod 600 {path}\n" in outcome.out + outcome.err
    assert SECRET not in outcome.out + outcome.err


def test_check_finds_no_mistake_in_a_right_file(cli: Cli, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(FULL)
    monkeypatch.setenv("WHERE_THE_KEY_IS", SECRET)
    outcome = cli("config", "check")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", f"{path}: no mistake\n")


def test_check_reports_every_mistake_of_every_profile(cli: Cli, write: Write) -> None:
    write("""
provider = ["wrok", "ecko", "work"]
[services.work]
provider = "openai"
kee = "sk-example"
url = "llm.example"
key = { env = "NO_SUCH_VARIABLE" }
[services.second]
provider = "work"
[services.opnai]
model = "large"
[profiles.home.services.work]
modle = "large"
[profiles.home.services.third]
provider = "gizia"
extra_body = { model = "large" }
""")

    outcome = cli("config", "check")

    lines = outcome.out.splitlines()
    assert (outcome.code, outcome.err) == (2, "")
    for words in (
        f"{PLACE}, line 2: there is no provider 'wrok'; did you mean 'work', a service of this file?",
        f"{PLACE}, line 2: there is no provider 'ecko'; did you mean 'echo'",
        f"work: has no setting 'kee' ({PLACE}, line 5); it has ",
        f"work: setting 'url' ({PLACE}, line 6) must be an address such as 'https://example.org'",
        f"work: 'key' cannot be read from the variable 'NO_SUCH_VARIABLE' ({PLACE}, line 7): the variable is not set",
        f"{PLACE}, line 9: 'work' is itself an instance; name the installed provider",
        f"{PLACE}, line 11: there is no provider 'opnai'; did you mean 'openai'",
        f"work: has no setting 'modle' (profile home, {PLACE}, line 13); it has ",
        f"profile home, {PLACE}, line 15: there is no provider 'gizia'; did you mean 'gizai'",
    ):
        assert [line for line in lines if line.startswith(words)], (words, lines)
    assert len(lines) == 9
    assert any(line.endswith("did you mean 'key'?") for line in lines)


def test_check_lists_all_mistakes_of_the_forms_at_once(cli: Cli, write: Write) -> None:
    write("idle = 0\nmodle = 'a'\n[services.a]\nport = 1\n")
    outcome = cli("config", "check")
    assert (outcome.code, len(outcome.out.splitlines())) == (2, 3)


def test_check_runs_no_command_and_imports_only_plugins_that_the_file_names(
    cli: Cli, plugin: Plugin, write: Write, home: Path
) -> None:
    for name in ("acme", "other"):
        plugin(
            name, f"print('look at me'); open({str(home / name)!r}, 'w').close(); raise ImportError('{name} is broken')"
        )
    write(
        "[services.acme]\nkey = { command = ['touch', 'ran'] }\n[services.openai]\nkey = { command = ['touch', 'ran'] }"
    )

    outcome = cli("config", "check")

    assert outcome.code == 1
    assert "acme is broken" in outcome.out
    assert "look at me" not in outcome.out
    assert [path.name for path in home.rglob("ran")] == []
    assert ((home / "acme").exists(), (home / "other").exists()) == (True, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["config", "shw"], "there is no command 'providers config shw'; did you mean 'show'?"),
        (["keys", "lst"], "there is no command 'providers keys lst'; did you mean 'list'?"),
        (["config", "show", "--profile", "home"], "there is no profile 'home': there is no configuration file"),
    ],
)
def test_a_wrong_word_is_one_line(cli: Cli, arguments: list[str], words: str) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 2
    assert words in outcome.error


@pytest.mark.parametrize("name", ["config", "keys"])
def test_without_a_command_the_help_is_shown(cli: Cli, name: str) -> None:
    outcome = cli(name)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"Usage: providers {name} ")


def test_a_password_with_a_question_mark_is_hidden_as_a_whole(
    cli: Callable[..., Any], write: Callable[..., Path]
) -> None:
    write('proxy = "http://me:SECR?ET@proxy.example:8080"\n')
    assert rows(cli("config", "show", "--json"))["proxy"][0] == "http://[hidden]@proxy.example:8080"
