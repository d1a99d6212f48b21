"""Extensions: what their hooks are given, and what is reported of one that fails."""

import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from providers_sdk import Client, Registry, StreamTruncated
from providers_sdk.errors import MissingSetting, PluginCrashed, ProviderError, UnsupportedOption
from providers_sdk.plugin import Chunk, FinishReason, Http, Provider, Request
from providers_sdk.testing import FakeService, Received, Response, deltas, json_response, sse
from tests.plugin_host.shelf import Shelf

GROUP = "providers_sdk.extensions"
KEY = "sk-very-secret-0123456789"
WATCHER = """
from providers_sdk.plugin import hookimpl
seen = []

@hookimpl
def attempt_started(attempt, request):
    seen.append(("started", attempt, request, None, None))

@hookimpl
def attempt_finished(attempt, request, text, error):
    seen.append(("finished", attempt, request, text, error))
"""
OLD = """
from providers_sdk.plugin import hookimpl
seen = []

@hookimpl
def attempt_started(attempt):
    seen.append(attempt.provider)

@hookimpl
def attempt_finished(error, attempt):
    seen.append(error)
"""


class Scripted(Provider):
    """Yields what the test wants."""

    offline = True
    default_model = "m"
    known_options = ("temperature", "labels")
    chunks: tuple[Any, ...] = ("half ", "an answer", FinishReason("stop"))

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


def make_client(*names: str, **attributes: Any) -> Client:
    registry = Registry()
    registry.register("scripted", type("Scripted", (Scripted,), attributes))
    return Client([*names] or "scripted", registry=registry, retries=0)


@pytest.fixture
def seen(shelf: Shelf) -> "Seen":
    shelf.put("watcher", WATCHER, group=GROUP)
    return Seen()


class Seen:
    """What the installed watcher was given; it is imported by the first attempt."""

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(sys.modules["stranger_watcher"].seen)


def test_the_hooks_are_given_the_attempt_the_request_the_text_and_no_error(seen: Seen) -> None:
    with make_client() as client:
        assert client.chat("Hi", temperature=1).text == "half an answer"
    [(_, started, request, *_), (_, finished, again, text, error)] = seen
    assert (started.outcome, finished.outcome, text, error) == ("streaming", "answered", "half an answer", None)
    assert (request.prompt, request.model, request.options) == ("Hi", "m", {"temperature": 1})
    assert again == request


@pytest.mark.parametrize(
    ("chunks", "outcome", "text", "kind"),
    [
        (("half ",), "StreamTruncated", "half ", StreamTruncated),
        (("half ", OSError("down")), "PluginCrashed", "half ", PluginCrashed),
        ((OSError("down"),), "PluginCrashed", "", PluginCrashed),
    ],
)
def test_a_failure_comes_with_its_error_and_the_text_until_then(
    chunks: tuple[Any, ...], outcome: str, text: str, kind: type[ProviderError], seen: Seen
) -> None:
    with make_client(chunks=chunks) as client, pytest.raises(kind) as raised:
        _ = client.chat("Hi").text
    *_, (_, attempt, request, given, error) = seen
    assert (attempt.outcome, given, type(error), str(error)) == (outcome, text, kind, str(raised.value))
    assert error is not raised.value
    assert request.prompt == "Hi"


def test_an_answer_that_is_abandoned_comes_with_the_text_that_was_delivered(seen: Seen) -> None:
    with make_client() as client:
        reply = client.chat("Hi")
        assert next(iter(reply)) == "half "
        reply.close()
    *_, (_, attempt, _, text, error) = seen
    assert (attempt.outcome, text, error) == ("abandoned", "half ", None)


def test_a_provider_that_is_skipped_has_no_request_and_the_error_that_says_why(seen: Seen) -> None:
    with make_client("echo", "scripted") as client:
        assert client.chat("Hi", temperature=1).provider == "scripted"
    (hook, attempt, request, text, error), *_ = seen
    assert (hook, attempt.outcome, request, text) == ("finished", "skipped", None, "")
    assert isinstance(error, UnsupportedOption)


MEDDLER = """
from providers_sdk.plugin import hookimpl

@hookimpl
def attempt_started(request):
    request.options.clear()
    request.tools[0]["parameters"]["type"] = "changed"
"""


def test_an_extension_cannot_change_the_call(shelf: Shelf) -> None:
    shelf.put("meddler", MEDDLER, group=GROUP)
    given: list[Request] = []

    def complete(self: Provider, request: Request, http: Http) -> Iterator[Chunk]:
        given.append(request)
        yield from ("fine", FinishReason(None))

    with make_client(complete=complete, supports_tools=True) as client:
        tools = [{"name": "get_menu", "parameters": {"type": "object"}}]
        assert client.chat("Hi", labels=[{"a": 1}], tools=tools).text == "fine"
        assert [row.state for row in client.registry.report("meddler")] == ["loaded"]
    assert (given[0].options, given[0].tools[0]["parameters"]) == ({"labels": [{"a": 1}]}, {"type": "object"})


class Gate(FakeService):
    """Refuses a first form of the question, and echoes the key wherever it can."""

    def respond(self, received: Received) -> Response:
        if received.path == "/first":
            return json_response({"error": f"{KEY} may not ask this way"}, status=403)
        return sse(deltas([f"your key is {KEY}", ", bye"]))


GATED = """
from providers_sdk.plugin import Provider, ProviderError, hookimpl, iter_deltas

class Gated(Provider):
    url = "https://put-the-address-here.invalid"
    needs_auth = True
    default_model = "m"
    known_options = ("extra_body", "labels")

    def complete(self, request, http):
        try:
            http.post("/first").json()
        except ProviderError as error:
            http.note_refused_attempt(error)
        yield from iter_deltas(http.post("/second").events())

@hookimpl
def register_providers(register):
    register("gated", Gated)
"""


def test_nothing_that_is_handed_over_holds_a_secret_but_the_prompt(seen: Seen, shelf: Shelf) -> None:
    shelf.put("gated", GATED)
    with Gate() as site:
        settings = {"url": site.url, "key": KEY, "extra_body": '{"account": "private-account"}'}
        with Client("gated", settings={"gated": settings}) as client:
            options: dict[str, Any] = {"labels": [KEY, {KEY: (KEY, 1)}], "extra_body": {"mine": KEY}}
            assert client.chat("Tell me my key", **options).text == f"your key is {KEY}, bye"
    rows = list(seen)
    assert [(hook, attempt.outcome) for hook, attempt, *_ in rows] == [
        ("started", "streaming"),
        ("finished", "AuthenticationFailed"),
        ("finished", "answered"),
    ]
    assert [(text, type(error).__name__) for *_, text, error in rows[1:]] == [
        ("", "AuthenticationFailed"),
        ("your key is [hidden], bye", "NoneType"),
    ]
    assert KEY not in repr(rows)
    assert "private-account" not in repr(rows)
    assert rows[0][2].options["labels"] == ["[hidden]", {"[hidden]": ["[hidden]", 1]}]


def test_an_extension_that_takes_fewer_arguments_keeps_working(shelf: Shelf) -> None:
    shelf.put("old", OLD, group=GROUP)
    with make_client() as client:
        assert client.chat("Hi").text == "half an answer"
    assert sys.modules["stranger_old"].seen == ["scripted", None]


def test_the_arguments_are_not_made_where_there_is_no_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers_sdk._engine.call.describe_start", pytest.fail)
    with Client("echo") as client:
        assert client.chat("Hi").text == "Hi"


FAILING = WATCHER.replace("seen.append", "raise ValueError")


def test_a_hook_that_fails_is_logged_once_and_shown_in_the_report(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.put("bad", FAILING, group=GROUP)
    caplog.set_level(logging.DEBUG, "providers_sdk")
    with Client("echo") as client:
        for _ in range(3):
            assert client.chat("Hi").text == "Hi"
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [line.partition("ValueError")[0] for line in warnings] == [
        "extension bad: its attempt_started hook raised ",
        "extension bad: its attempt_finished hook raised ",
    ]
    assert caplog.text.count("stranger_bad.py") == 6, "the traceback is in the log for who looks for it"
    [row] = client.registry.report("bad")
    assert (row.state, row.healthy) == ("failed", False)
    assert row.reason.startswith("its attempt_started hook raised ValueError: ")
    assert row.remedy == "pip install --upgrade dist-bad, or switch it off: PROVIDERS_SDK_DISABLE=bad"


def test_a_failing_hook_shows_no_secret_of_the_environment(
    shelf: Shelf, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_SERVICE_KEY", KEY)
    shelf.put("bad", FAILING.replace("raise ValueError", f"raise ValueError({KEY!r}) #"), group=GROUP)
    caplog.set_level(logging.DEBUG, "providers_sdk")
    with Client("echo") as client:
        assert client.chat("Hi").text == "Hi"
    assert "ValueError: [hidden]" in caplog.text
    assert KEY not in caplog.text


def test_a_missing_key_is_no_attempt_of_the_only_provider(seen: Seen) -> None:
    with Client("openai") as client, pytest.raises(MissingSetting):
        client.chat("Hi")
    assert "stranger_watcher" not in sys.modules
