"""Bad input, the caller's and the service's: each kind ends in its own error, one sentence, and at once."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from providers_sdk import Client, InvalidCall, ProviderError
from providers_sdk.errors import (
    InvalidAnswer,
    InvalidArgument,
    InvalidMessages,
    MissingSetting,
    NoProviderChosen,
    TokensNotFound,
    TooLarge,
    UnknownModel,
    UnknownProvider,
    UnknownSetting,
    UnsupportedOption,
)
from providers_sdk.testing import Connection, FakeService, Received
from providers_sdk_plugins.fakes.aipower import AIPowerSite
from providers_sdk_plugins.fakes.gizai import GizAISite
from providers_sdk_plugins.fakes.openai import OpenAISite
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite

USER = {"role": "user", "content": "Hi"}


@dataclass(frozen=True)
class Mistake:
    """What a caller does wrong, and what he is told."""

    error: type[ProviderError]
    words: str
    messages: Any = "Hi"
    arguments: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    provider: Any = "openai"


MISTAKES = {
    "an empty prompt": Mistake(InvalidMessages, "the prompt is empty", ""),
    "white space": Mistake(InvalidMessages, "the prompt is empty", " \t\n"),
    "no messages": Mistake(InvalidMessages, "there are no messages", []),
    "an empty last message": Mistake(InvalidMessages, "message 1 (the last) is empty", [USER, {**USER, "content": ""}]),
    "a message without role": Mistake(InvalidMessages, "message 0 has no 'role'", [{"content": "Hi"}]),
    "a message without content": Mistake(InvalidMessages, "message 1 has no 'content'", [USER, {"role": "user"}]),
    "a role nobody knows": Mistake(InvalidMessages, "message 0 has the role 'boss'", [{**USER, "role": "boss"}]),
    "a message that is none": Mistake(InvalidMessages, "message 0 must be a mapping", [3]),
    "content that is no text": Mistake(InvalidMessages, "message 0 has content of type int", [{**USER, "content": 3}]),
    "an image": Mistake(InvalidMessages, "message 0, part 0", [{**USER, "content": [{"type": "image_url"}]}]),
    "bytes": Mistake(InvalidMessages, "not bytes; decode it first", b"Hi"),
    "bytes in a message": Mistake(InvalidMessages, "content of type bytes", [{**USER, "content": b"Hi"}]),
    "a mapping": Mistake(InvalidMessages, "not dict", USER),
    "nothing": Mistake(InvalidMessages, "not NoneType", None),
    "a lone surrogate": Mistake(InvalidMessages, "a lone surrogate at position 3", "Hi \ud83c"),
    "a NUL": Mistake(InvalidMessages, "a NUL character at position 2", "Hi\0"),
    "a prompt of 10 MB": Mistake(InvalidMessages, "10000000 characters; at most 8000000", "x" * 10_000_000),
    "a message of 10 MB": Mistake(InvalidMessages, "message 0 has 10000000", [{**USER, "content": "x" * 10_000_000}]),
    "an unknown provider": Mistake(UnknownProvider, "did you mean 'openai'?", provider="openia"),
    "an unknown one among several": Mistake(UnknownProvider, "did you mean 'echo'?", provider=["openai", "ekho"]),
    "a provider that is no name": Mistake(InvalidArgument, "provider must be a name", provider=3),
    "no provider": Mistake(NoProviderChosen, "PROVIDERS_SDK_PROVIDER", provider=None, settings={"key": ""}),
    "an unknown setting": Mistake(
        UnknownSetting,
        "has no setting 'adress'; it has extra_body, headers, key, model, organization, ",
        settings={"adress": "x"},
    ),
    "a setting that is no string": Mistake(InvalidArgument, "'key' must be a string", settings={"key": 3}),
    "a missing key": Mistake(MissingSetting, "PROVIDERS_SDK_OPENAI_KEY", settings={"key": ""}),
    "an address without scheme": Mistake(InvalidArgument, "setting 'url'", settings={"url": "127.0.0.1:80"}),
    "an address of a file": Mistake(InvalidArgument, "setting 'url'", settings={"url": "file:///etc/hostname"}),
    "an address without host": Mistake(InvalidArgument, "setting 'url'", settings={"url": "http://"}),
    "an address with a line break": Mistake(InvalidArgument, "setting 'url'", settings={"url": "http://a\r\nb"}),
    "an address with a wild port": Mistake(InvalidArgument, "setting 'url'", settings={"url": "http://a:99999"}),
    "a key with a line break": Mistake(InvalidArgument, "header 'authorization'", settings={"key": "sk-1\r\nx: y"}),
    "a key that ends in a line break": Mistake(InvalidArgument, "header 'authorization'", settings={"key": "sk-1\n"}),
    "a key with a control character": Mistake(InvalidArgument, "header 'authorization'", settings={"key": "sk\x1b-1"}),
    "a key in no header's letters": Mistake(InvalidArgument, "header 'authorization'", settings={"key": "sk…1"}),
    "an unknown option": Mistake(UnsupportedOption, "does not know the option colour", arguments={"colour": "red"}),
    "a limit of nothing": Mistake(InvalidArgument, "deadline must be", arguments={"deadline": 0}),
    "a limit that is no number": Mistake(InvalidArgument, "idle must be", arguments={"idle": "30"}),
    "a model that is no name": Mistake(UnknownModel, "a model is named by a string", arguments={"model": 3}),
    "an option that is no JSON": Mistake(InvalidArgument, "JSON", arguments={"temperature": float("nan")}),
    "an option that JSON lacks": Mistake(InvalidArgument, "JSON", arguments={"response_format": {"x": {1, 2}}}),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_callers_mistake_is_told_in_a_sentence_and_nothing_is_sent(name: str) -> None:
    mistake = MISTAKES[name]
    with OpenAISite() as site:
        settings = {"openai": {**site.client_settings(), **mistake.settings}}
        with Client(settings=settings) as client, pytest.raises(ProviderError) as raised:
            client.chat(mistake.messages, provider=mistake.provider, **mistake.arguments)
        assert site.requests == []
        assert site.connections == 0
    error = raised.value
    assert type(error) is mistake.error
    assert isinstance(error, InvalidCall)
    assert mistake.words in error.message
    assert_is_one_sentence(error)
    assert "sk-1" not in f"{error} {error!r}"


def assert_is_one_sentence(error: ProviderError) -> None:
    assert str(error).isprintable()
    assert len(str(error)) < 600


@pytest.mark.parametrize("secret", ["Mari\nnara", "Marinara\r\n", "Mari\0nara", " Marinara", "Größe"])
def test_a_setting_that_no_header_may_hold_is_refused_and_not_shown(secret: str) -> None:
    with PizzagptSite() as site:
        settings = {"pizzagpt": {"url": site.url, "secret": secret}}
        with Client("pizzagpt", settings=settings) as client, pytest.raises(InvalidArgument) as raised:
            client.chat("Hi")
        assert site.requests == []
    assert "header 'x-secret'" in raised.value.message
    assert secret.strip() not in f"{raised.value}"
    assert_is_one_sentence(raised.value)


def test_a_lent_sessions_header_with_a_line_break_is_the_callers_mistake() -> None:
    with requests.Session() as session, PizzagptSite() as site:
        session.headers["x-key"] = "sk-1234\n"
        settings = {"pizzagpt": site.client_settings()}
        with Client("pizzagpt", settings=settings, session=session) as client, pytest.raises(InvalidCall) as raised:
            client.chat("Hi")
        assert site.requests == []
    assert "sk-1234" not in f"{raised.value} {raised.value!r}"
    assert_is_one_sentence(raised.value)


@dataclass(frozen=True)
class Nonsense:
    """What a service says in the place of an answer, and what the caller is told."""

    provider: str
    site: type[FakeService]
    case: str
    error: type[ProviderError]
    words: str


NONSENSE = {
    "a login form for a page": Nonsense("chatgptfree", AIPowerSite, "login", TokensNotFound, "asks for a password"),
    "a list for an answer": Nonsense("pizzagpt", PizzagptSite, "list", InvalidAnswer, "JSON list"),
    "a list for a site's answer": Nonsense("chatgptfree", AIPowerSite, "list_json", InvalidAnswer, "JSON list"),
    "a list with status 201": Nonsense("gizai", GizAISite, "list", InvalidAnswer, "JSON list"),
    "a page with status 200": Nonsense("pizzagpt", PizzagptSite, "html", InvalidAnswer, "text/html instead of"),
    "a page with status 201": Nonsense("gizai", GizAISite, "html", InvalidAnswer, "text/html instead of"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_a_services_nonsense_is_told_in_a_sentence(name: str) -> None:
    nonsense = NONSENSE[name]
    with nonsense.site(nonsense.case) as site:
        settings = {nonsense.provider: site.client_settings()}
        with Client(nonsense.provider, settings=settings) as client, pytest.raises(ProviderError) as raised:
            client.chat("Hi")
    assert type(raised.value) is nonsense.error
    assert nonsense.words in raised.value.message
    assert_is_one_sentence(raised.value)


def endless(kind: bytes, start: bytes, block: bytes) -> Any:
    """Return a fault that sends a body of 50 MB, or as much of it as the client takes."""

    def fault(connection: Connection, _: Received) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nConnection: close\r\n\r\n%b" % (kind, start))
        for _block in range(50_000_000 // len(block)):
            connection.send(block)

    return fault


FLOODS = {
    "a page": ("GET", endless(b"text/html", b"<html>", b"<p>Hello. " * 6_500), "page"),
    "a page without end of line": ("GET", endless(b"text/html", b"<html>", b"x" * 65_000), "page"),
    "JSON": ("POST", endless(b"application/json", b'{"status":"success","data":"', b"x" * 65_000), "JSON response"),
    "one event": ("POST", endless(b"text/event-stream", b"data: ", b"x" * 65_000), "line"),
}


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("name", FLOODS)
def test_50_megabytes_are_refused_without_being_held(name: str) -> None:
    method, fault, words = FLOODS[name]
    with AIPowerSite() as site:
        site.fault, site.fault_route = fault, (method, "")
        settings = {"chatgptfree": site.client_settings()}
        with Client("chatgptfree", settings=settings, retries=0) as client, pytest.raises(TooLarge) as raised:
            client.chat("Hi")
    _, peak = tracemalloc.get_traced_memory()
    assert words in raised.value.message
    assert_is_one_sentence(raised.value)
    assert peak < (45_000_000 if name == "JSON" else 12_000_000)
