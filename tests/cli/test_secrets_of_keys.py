"""A key that is given in any way reaches its service, and no output, log, traceback, pickle or command line.

The service sends the key back in an error. Each way has its own secret, so that a leak names the way.
"""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from providers_sdk import Client, ProviderError
from providers_sdk._config.keys import store_key
from providers_sdk.testing import Connection, RawServer, Response
from providers_sdk.testing.faults import collect_exposed_text, spellings

Cli = Callable[..., Any]
Plugin = Callable[..., Path]
PLUGIN = """
from dataclasses import replace
from providers_sdk.plugin import hookimpl
from providers_sdk_plugins.services import SERVICES

class Acme(SERVICES["openai"]):
    url = "http://127.0.0.1:9/v1"

    @classmethod
    def all_settings(cls):
        known = super().all_settings()
        url = replace(known["url"], vendor_variables=("ACME_BASE_URL",))
        return {**known, "url": url, "key": replace(known["key"], vendor_variables=("ACME_API_KEY",))}

@hookimpl
def register_providers(register):
    register("acme", Acme)
"""


class Echo(RawServer):
    """Answers 401, with the headers that it was sent."""

    def serve(self, connection: Connection) -> None:
        received = connection.receive()
        assert received is not None
        self.seen = received.headers.get("authorization", "") + received.headers.get("x-secret", "")
        text = f'{{"error": {{"message": "no: {self.seen}"}}}}'
        for piece in Response(401, {"Content-Type": "application/json"}, text.encode(), "length").encode():
            connection.send(piece)


@dataclass
class Place:
    """Where a way puts the secret."""

    url: str
    home: Path
    write: Callable[..., Path]
    keyring: Callable[[str], Path]
    setenv: Callable[[str, str], None]

    def configure(self, line: str, more: str = "") -> None:
        self.write(f"[services.acme]\nurl = '{self.url}'\n{line}\n{more}")


def give_argument(place: Place, secret: str) -> dict[str, Any]:
    place.configure("")
    return {"key": secret}


def give_variable(place: Place, secret: str) -> None:
    place.configure("")
    place.setenv("PROVIDERS_SDK_ACME_KEY", secret)


def give_vendors_variable(place: Place, secret: str) -> None:
    place.setenv("ACME_BASE_URL", place.url)
    place.setenv("ACME_API_KEY", secret)


def give_plain(place: Place, secret: str) -> None:
    place.configure(f"key = '{secret}'")


def give_in_profile(place: Place, secret: str) -> None:
    place.configure("", f"[profiles.work.services.acme]\nkey = '{secret}'")
    place.setenv("PROVIDERS_SDK_PROFILE", "work")


def give_header(place: Place, secret: str) -> None:
    place.configure(f"key = 'none'\nheaders = {{ x-secret = '{secret}' }}")


def give_env(place: Place, secret: str) -> None:
    place.setenv("WHERE_IT_IS", secret)
    place.configure("key = { env = 'WHERE_IT_IS' }")


def give_command(place: Place, secret: str) -> None:
    (place.home / "vault").write_text(secret)
    place.configure(f"key = {{ command = ['cat', '{place.home}/vault'] }}")


def give_file(place: Place, secret: str) -> None:
    (place.home / "vault").write_text(secret)
    (place.home / "vault").chmod(0o600)
    place.configure("key = { file = '~/vault' }")


def give_keyring(place: Place, secret: str) -> None:
    (place.keyring("InAFile") / "providers-sdk-work").write_text(secret)
    place.configure("key = { keyring = 'work' }")


def give_stored(place: Place, secret: str) -> None:
    place.configure("")
    store_key("acme", secret)


def give_stored_in_keyring(place: Place, secret: str) -> None:
    place.keyring("InAFile")
    place.configure("")
    store_key("acme", secret, in_keyring=True)


WAYS: dict[str, Callable[[Place, str], dict[str, Any] | None]] = {
    name.removeprefix("give_"): way for name, way in globals().copy().items() if name.startswith("give_")
}
COMMANDS = [
    ("chat", "-p", "acme", "hello"),
    ("chat", "-p", "acme", "hello", "--traceback"),
    ("models", "-p", "acme"),
    ("show", "acme"),
    ("show", "acme", "--json"),
    ("config", "show"),
    ("config", "show", "--json"),
    ("config", "check"),
    ("keys", "list"),
    ("keys", "list", "--json"),
    ("list",),
    ("list", "--json"),
    ("doctor",),
    ("doctor", "--json"),
]


@pytest.fixture(params=list(WAYS))
def given(
    request: pytest.FixtureRequest,
    write: Callable[..., Path],
    keyring: Callable[[str], Path],
    home: Path,
    plugin: Plugin,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """The way, its secret, the settings to give as an argument, and the service."""
    plugin("acme", PLUGIN)
    secret = f"sk-{request.param.replace('_', '-')}-8842"
    with Echo() as service:
        place = Place(service.url + "/v1", home, write, keyring, monkeypatch.setenv)
        settings = WAYS[request.param](place, secret)
        yield secret, {"acme": settings} if settings else {}, service


def find(text: str, secret: str) -> list[str]:
    return [spelling for spelling in spellings(secret) if spelling in text]


def test_no_command_shows_the_key(cli: Cli, given: Any, home: Path) -> None:
    secret, settings, service = given
    if settings:
        return  # an argument is no way of the command line
    for arguments in COMMANDS:
        outcome = cli(*arguments)
        assert (arguments, find(outcome.out + outcome.err, secret)) == (arguments, [])
        if arguments[0] == "chat":
            assert secret in service.seen
            assert "[hidden]" in outcome.err
    command_lines = home / "keyring" / "command-line"
    assert not command_lines.exists() or secret not in command_lines.read_text()


def test_no_error_log_pickle_or_traceback_holds_the_key(given: Any, caplog: pytest.LogCaptureFixture) -> None:
    secret, settings, service = given
    caplog.set_level(logging.DEBUG)

    with Client("acme", settings=settings, proxy="", retries=0) as client:
        error = fail(client)
        assert find(repr(client) + repr(vars(client)), secret) == []

    assert secret in service.seen
    assert "[hidden]" in str(error)
    assert find(collect_exposed_text(error), secret) == []
    assert find(report(error), secret) == []
    records = "\n".join(f"{record.getMessage()} {vars(record)!r}" for record in caplog.records)
    assert "providers_sdk" in records
    assert find(records + caplog.text, secret) == []


def test_an_error_about_another_setting_does_not_hold_the_key(
    given: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, settings, _ = given
    monkeypatch.setenv("PROVIDERS_SDK_ACME_URL", "no address")
    with Client("acme", settings=settings, proxy="", retries=0) as client:
        error = fail(client)
    assert "must be an address" in str(error)
    assert find(collect_exposed_text(error), secret) == []
    assert find(report(error), secret) == []


def fail(client: Client) -> ProviderError:
    try:
        _ = client.chat("hi").text
    except ProviderError as error:
        return error
    raise AssertionError("it answered")


def report(error: BaseException) -> str:
    """What error reporters show of this library's own frames: each with its local variables."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
