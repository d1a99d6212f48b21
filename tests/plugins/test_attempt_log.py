"""The attempt log: what it writes, where, and that nothing of it is loaded where it is not switched on."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from providers_sdk import Client, Registry
from providers_sdk.errors import AllProvidersFailed, HTTPStatusError
from providers_sdk_plugins.fakes.openai import OpenAISite

VARIABLE = "PROVIDERS_SDK_ATTEMPT_LOG"
MODULE = "providers_sdk_plugins.attempt_log"


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the variable names; it does not exist yet."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "attempts.jsonl"))
    return tmp_path / "attempts.jsonl"


def read(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def test_a_line_holds_the_attempt_what_was_asked_and_what_was_answered(log: Path) -> None:
    with Client("echo") as client:
        assert client.chat([{"role": "system", "content": "Kurz."}, {"role": "user", "content": "Grüße\n"}]).text
    [line] = read(log)
    assert (line["provider"], line["model"], line["outcome"], line["text"]) == ("echo", "echo", "answered", "Grüße\n")
    assert line["messages"] == [{"role": "system", "content": "Kurz."}, {"role": "user", "content": "Grüße\n"}]
    assert line["time"].endswith("+00:00")
    assert line["total"] >= line["first_token"] >= 0
    assert "Grüße" in log.read_text(encoding="utf-8"), "a reader of the file needs no JSON to read it"


def test_a_failure_and_a_provider_that_was_skipped_have_lines_too(log: Path) -> None:
    with OpenAISite("unavailable") as site:
        settings = {"openai": site.client_settings()}
        with Client(["echo", "openai/gpt-4o"], settings=settings, retries=0) as client:
            with pytest.raises(HTTPStatusError):
                client.chat("Hi", provider="openai", model="gpt-4o")
            with pytest.raises(AllProvidersFailed):
                client.chat("Hi", temperature=0.5)
    lines = read(log)
    assert [line["outcome"] for line in lines] == ["HTTPStatusError", "skipped", "HTTPStatusError"]
    assert (lines[1]["messages"], lines[1]["text"]) == ([], "")


def test_the_file_is_the_users_alone_and_an_old_one_is_appended_to(log: Path) -> None:
    with Client("echo") as client:
        for prompt in ("one", "two"):
            assert client.chat(prompt).text == prompt
    assert log.stat().st_mode & 0o777 == 0o600
    assert [line["text"] for line in read(log)] == ["one", "two"]


def test_each_line_is_one_write_so_that_threads_do_not_mix_lines(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[bytes] = []
    write = os.write

    def note(file: int, data: bytes) -> int:
        writes.append(data)
        return write(file, data)

    monkeypatch.setattr(os, "write", note)
    prompts = [f"{number} " * 500 for number in range(8)]
    with Client("echo") as client:
        threads = [threading.Thread(target=lambda text=prompt: client.chat(text).text) for prompt in prompts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(line["text"] for line in read(log)) == sorted(prompts)
    assert sum(data.endswith(b"}\n") for data in writes) == len(prompts)


def test_a_file_that_cannot_be_written_ends_no_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere" / "attempts.jsonl"))
    with Client("echo") as client:
        assert client.chat("Hi").text == "Hi"
        assert client.chat("Hi").text == "Hi"
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line.startswith("extension attempt-log: its attempt_finished hook raised FileNotFoundError: ")


def test_without_the_variable_nothing_of_it_is_imported() -> None:
    code = (
        "import sys; from providers_sdk import Client; client = Client('echo'); assert client.chat('Hi').text == 'Hi'; "
        f"assert not client.registry.extensions(); print({MODULE!r} in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"


def test_the_report_names_the_variable_that_switches_it_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    [row] = Registry().report("attempt-log", load=True)
    assert (row.state, row.healthy, row.reason) == ("disabled", True, f"{VARIABLE} is not set")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "attempts.jsonl"))
    [row] = Registry().report("attempt-log", load=True)
    assert (row.state, row.reason, row.hooks) == ("loaded", "", ("attempt_finished",))
