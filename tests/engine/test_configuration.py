"""A client and its configuration: precedence, the user's files, and keys that are read inside the deadline."""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from providers_sdk import Client, ProviderError
from providers_sdk._config.keys import store_key
from providers_sdk.errors import (
    AuthenticationFailed,
    InvalidConfiguration,
    JournalError,
    KeyUnavailable,
    MissingSetting,
    UnknownSetting,
)
from providers_sdk_plugins.fakes.openai import OpenAISite
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite

Write = Callable[..., Path]
PLACE = "~/.config/providers-sdk/config.toml"


@pytest.fixture
def service() -> Iterator[OpenAISite]:
    with OpenAISite() as site:
        yield site


def key_seen(service: OpenAISite, client: Client) -> str:
    """Return the key that the service got; it refuses all but its own."""
    with contextlib.suppress(AuthenticationFailed):
        client.chat("hi", provider="openai").close()
    return service.requests[-1].headers["authorization"].removeprefix("Bearer ")


def test_each_place_of_a_key_wins_over_those_below_it(
    write: Write, service: OpenAISite, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = f"[services.openai]\nurl = '{service.url}'\n"
    profile = "[profiles.work.services.openai]\nkey = 'sk-profile'"
    seen = []

    def ask(**arguments: object) -> None:
        with Client(retries=0, **arguments) as client:  # type: ignore[arg-type]
            seen.append(key_seen(service, client))

    store_key("openai", "sk-stored")
    write(base)
    ask()
    write(f"{base}key = 'sk-file'\n{profile}")
    ask()
    ask(profile="work")
    monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "sk-environment")
    ask(profile="work")
    ask(profile="work", settings={"openai": {"key": "sk-argument"}})
    assert seen == ["sk-stored", "sk-file", "sk-profile", "sk-environment", "sk-argument"]


def test_a_script_changes_its_service_without_being_edited(write: Write, service: OpenAISite) -> None:
    texts = []
    for provider in ("echo", "work/gpt-4o"):
        write(f"""
provider = "{provider}"
[services.work]
provider = "openai"
url = "{service.url}"
key = "{service.settings["key"]}"
""")
        with Client() as client:
            reply = client.chat("hello")
            texts.append((reply.text, reply.provider, reply.model))
    assert texts[0] == ("hello", "echo", "echo")
    assert texts[1][1:] == ("work", "gpt-4o")


def test_a_stored_setting_other_than_the_key_is_used(home: Path) -> None:
    with PizzagptSite() as site:
        store_key("pizzagpt", "s3cret-of-pizza", setting="secret")
        with Client("pizzagpt", settings={"pizzagpt": {"url": site.url}}, retries=0) as client:
            with contextlib.suppress(ProviderError):
                client.chat("hi").close()
        assert "s3cret-of-pizza" in str([(received.headers, received.body) for received in site.requests])


def test_a_misspelt_key_of_a_service_is_refused_with_its_line_and_suggestion(write: Write) -> None:
    write("[services.openai]\nkye = 'sk-1234-secret'")
    with Client("openai") as client, pytest.raises(UnknownSetting) as caught:
        client.chat("hi")
    assert f"openai: has no setting 'kye' ({PLACE}, line 2)" in str(caught.value)
    assert str(caught.value).endswith("did you mean 'key'?")
    assert "sk-1234" not in str(caught.value)


def test_a_broken_file_and_one_that_others_may_read_stop_a_client(write: Write) -> None:
    write("provider = ")
    with pytest.raises(InvalidConfiguration, match="line 1: this is not TOML"):
        Client()
    path = write("[services.openai]\nkey = 'sk-1234-secret'", mode=0o644)
    with pytest.raises(InvalidConfiguration, match=f"run: chmod 600 {path}"):
        Client()
    Client(config=None).close()


def test_the_file_is_read_once_a_client(write: Write) -> None:
    path = write("provider = 'echo'")
    with Client() as client:
        path.unlink()
        assert client.chat("hi").text == "hi"


def test_a_command_that_hangs_ends_at_the_deadline(write: Write, program: Callable[[str, str], Path]) -> None:
    path = program("hang", "sleep 1000")
    write(f"[services.openai]\nurl = 'http://127.0.0.1:9'\nkey = {{ command = ['{path}'] }}")
    started = time.monotonic()
    with Client("openai", deadline=1.0) as client, pytest.raises(KeyUnavailable) as caught:
        client.chat("hi")
    assert time.monotonic() - started < 30
    assert str(caught.value).startswith(f"openai: 'key' cannot be read from the command '{path}' ({PLACE}, line 3): ")
    assert re.search(r"it did not end within (1|0\.\d+) s", str(caught.value))  # what was left of the deadline


def test_a_command_runs_once_a_client_also_for_many_threads(
    write: Write, service: OpenAISite, program: Callable[[str, str], Path], home: Path
) -> None:
    path = program("give", f"echo ran >> {home}/runs; echo {service.settings['key']}")
    write(f"[services.openai]\nurl = '{service.url}'\nkey = {{ command = ['{path}'] }}")
    texts: list[str] = []
    with Client("openai") as client:
        threads = [threading.Thread(target=lambda: texts.append(client.chat("hi").text)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(texts) == 4
    assert (home / "runs").read_text() == "ran\n"


def test_a_key_that_cannot_be_read_leaves_the_next_provider(write: Write) -> None:
    write("provider = ['openai', 'echo']\n[services.openai]\nkey = { command = ['false'] }")
    with Client() as client:
        reply = client.chat("hi")
        assert (reply.text, [attempt.outcome for attempt in reply.attempts]) == ("hi", ["skipped", "answered"])
    assert "it ended with exit code 1" in reply.attempts[0].reason


def test_a_folder_of_keys_that_cannot_be_read_is_an_error_that_names_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("providers_sdk._config.keys.list_stored_keys", fail)
    with Client("openai") as client, pytest.raises(KeyUnavailable, match="keys, cannot be read: Permission denied"):
        client.chat("hi")


def test_a_client_without_a_configuration_uses_neither_the_file_nor_stored_keys(
    write: Write, service: OpenAISite
) -> None:
    store_key("openai", "sk-stored")
    write("[services.openai]\nkey = 'sk-file'\n")
    with (
        Client(config=None, settings={"openai": {"url": service.url}}) as client,
        pytest.raises(MissingSetting),
    ):
        client.chat("hi", provider="openai")
    assert service.requests == []


def test_an_address_from_a_variable_is_shown_and_can_be_chosen(
    write: Write, service: OpenAISite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORK_URL", service.url)
    write("[services.work]\nprovider = 'openai'\nurl = { env = 'WORK_URL' }\nkey = 'fake-key'\n")
    with Client() as client:
        assert client.chat("hi").provider == "work"


def test_a_configurations_path_that_cannot_be_one_is_refused_in_a_sentence() -> None:
    with pytest.raises(InvalidConfiguration, match="cannot be read"):
        Client("echo", config="a\0b")


def test_a_journals_path_that_cannot_be_one_is_refused_in_a_sentence() -> None:
    with Client("echo") as client, pytest.raises(JournalError, match="cannot be opened"):
        client.map(["hi"], journal="a\0b")
