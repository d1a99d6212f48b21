"""``providers status``: what is configured, what has its key, what answered last."""

import json
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from providers_sdk.testing import FakeService, Received, Response, json_response
from providers_sdk_plugins.fakes.openai import OpenAISite

Cli = Callable[..., Any]
Home = Callable[[str], None]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Home:
    """``home('provider = "echo"')`` writes the configuration file of the user."""
    file = tmp_path / "config.toml"
    monkeypatch.setenv("PROVIDERS_SDK_CONFIG", str(file))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def write(text: str) -> None:
        file.write_text(text)
        file.chmod(0o600)

    write("")
    return write


@pytest.fixture
def site() -> Iterator[OpenAISite]:
    with OpenAISite() as running:
        yield running


def configure(name: str, url: str, key: str = 'key = "fake-key"\n') -> str:
    return f'[services.{name}]\nprovider = "openai"\nurl = "{url}"\nmodel = "gpt-4o"\n{key}'


def find(cli: Cli, name: str, *arguments: str) -> dict[str, Any]:
    [row] = [row for row in json.loads(cli("status", "--json", *arguments).out) if row["name"] == name]
    found: dict[str, Any] = row
    return found


def test_where_nothing_is_configured_a_line_says_how_to_begin(cli: Cli, home: Home) -> None:
    assert cli("status").out.startswith("no service is configured; 'providers keys set NAME' gives one its key")


def test_what_is_configured_is_shown_with_the_place_of_its_key_and_no_secret(
    cli: Cli, home: Home, site: OpenAISite
) -> None:
    home(configure("work", f"{site.url}/v1") + configure("open", site.url, key=""))
    outcome = cli("status")
    assert "fake-key" not in outcome.out
    rows = {line.split()[0]: line for line in outcome.out.partition("\n\n")[0].splitlines()}
    assert "config.toml, line 5" in rows["work"]
    assert "missing" in rows["open"]
    assert "open cannot be asked: needs the setting 'key'" in outcome.out
    assert "echo" not in rows
    assert site.requests == []
    assert find(cli, "open")["ready"] is False


def test_names_show_what_is_not_configured_and_an_unknown_one_is_refused(cli: Cli, home: Home) -> None:
    assert [row["name"] for row in json.loads(cli("status", "echo", "--json").out)] == ["echo"]
    outcome = cli("status", "ekho")
    assert (outcome.code, outcome.error) == (2, "Error: there is no provider 'ekho'; did you mean 'echo'?")


def test_live_asks_each_once_and_a_failure_is_kept_with_its_reason(
    cli: Cli, home: Home, site: OpenAISite, tmp_path: Path
) -> None:
    with Refusing() as refusing:
        home(configure("work", site.url) + configure("tired", refusing.url) + configure("open", site.url, key=""))
        outcome = cli("status", "--live")
        assert (outcome.code, len(site.requests), len(refusing.requests)) == (1, 1, 1)
        assert sorted(outcome.err.splitlines()) == ["asking tired", "asking work"]
        assert "RateLimited, just now" in outcome.out
        assert "quota" in outcome.out
        assert cli("status", "--live", "work").code == 0
    last = find(cli, "tired")["last"]
    assert (last["outcome"], last["model"]) == ("RateLimited", "gpt-4o")
    assert abs(datetime.fromisoformat(last["at"]).timestamp() - time.time()) < 60
    assert list((tmp_path / "cache").rglob(".*")) == []


class Refusing(FakeService):
    """Refuses every question."""

    def respond(self, received: Received) -> Response:
        return json_response({"error": {"message": "You exceeded your quota"}}, status=429)


def test_live_asks_four_at_a_time(cli: Cli, home: Home, site: OpenAISite) -> None:
    together, most, lock = [0], [0], threading.Lock()
    four = threading.Barrier(4, timeout=30)

    class Counting(OpenAISite):
        def respond(self, received: Received) -> Response:
            with lock:
                together[0] += 1
                most[0] = max(most[0], together[0])
            four.wait()
            with lock:
                together[0] -= 1
            return super().respond(received)

    with Counting() as counting:
        home("".join(configure(f"work{number}", counting.url) for number in range(8)))
        outcome = cli("status", "--live")
    assert (outcome.code, len(counting.requests)) == (0, 8)
    assert most == [4]


def test_what_providers_chat_has_seen_is_shown_for_a_day(
    cli: Cli, home: Home, site: OpenAISite, monkeypatch: pytest.MonkeyPatch
) -> None:
    home(configure("work", site.url))
    assert find(cli, "work")["last"] is None
    assert cli("chat", "-p", "work", "Hi").code == 0
    assert find(cli, "work")["last"]["outcome"] == "answered"
    site.case = "cut"
    assert cli("chat", "-p", "work", "Hi").code == 1
    assert find(cli, "work")["last"]["outcome"] == "StreamTruncated"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7200)
    assert "StreamTruncated, 2 h ago" in cli("status").out
    monkeypatch.setattr(time, "time", lambda: now + 86_401)
    assert find(cli, "work")["last"] is None


def test_an_answer_of_another_address_does_not_count(cli: Cli, home: Home, site: OpenAISite) -> None:
    home(configure("work", site.url))
    assert cli("chat", "-p", "work", "Hi").code == 0
    home(configure("work", f"{site.url}/other"))
    assert find(cli, "work")["last"] is None


def test_a_plugin_that_is_broken_is_no_service_unless_it_is_named(
    cli: Cli, home: Home, plugin: Callable[..., Path]
) -> None:
    plugin("broken", "raise RuntimeError('no luck')")
    assert cli("status").code == 0
    assert "broken" not in cli("status").out
    assert "no luck" in find(cli, "broken", "broken")["problem"]


def test_a_damaged_fact_is_none(cli: Cli, home: Home, site: OpenAISite, tmp_path: Path) -> None:
    home(configure("work", site.url))
    cli("chat", "-p", "work", "Hi")
    [file] = (tmp_path / "cache").rglob("work.json")
    assert stat.S_ISREG(file.stat().st_mode)
    row = json.loads(file.read_text())
    file.write_text(json.dumps({**row, "fact": {"at": 1}}))
    assert find(cli, "work")["last"] is None


@pytest.mark.parametrize("broken", ["deep", "pipe", "types"])
def test_a_broken_file_of_the_cache_counts_as_none(
    cli: Cli, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_OPENAI_URL", "http://127.0.0.1:9")
    file = tmp_path / "cache" / "providers-sdk" / "status" / "openai.json"
    file.parent.mkdir(parents=True)
    fact = {"at": "noon", "outcome": 1, "reason": [], "model": 2, "seconds": "long"}
    if broken == "pipe":
        os.mkfifo(file)
    else:
        row = {"at": time.time(), "key": "http://127.0.0.1:9", "fact": fact}
        file.write_text("[" * 100_000 if broken == "deep" else json.dumps(row))
    outcome = cli("status", "openai")
    assert "openai" in outcome.out
    assert "internal" not in outcome.err
