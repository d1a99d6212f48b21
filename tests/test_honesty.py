"""Corners where an answer, a limit or a secret could slip: each was found by trying to break the library."""

import os
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from providers_sdk import AllProvidersFailed, Client, ProviderError, Registry
from providers_sdk.errors import (
    DeadlineExceeded,
    EmptyAnswer,
    HTTPStatusError,
    InvalidAnswer,
    InvalidArgument,
    PluginContractError,
    PluginCrashed,
    TooLarge,
)
from providers_sdk.plugin import Chunk, FinishReason, Http, Provider, Request, Setting, Usage
from providers_sdk.testing import Connection, FakeService, RawServer, Received, Response, html, json_response
from providers_sdk_plugins.echo import Echo
from providers_sdk_plugins.fakes.aipower import AIPowerSite
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite

_KEY = "sk-never-to-be-seen"


class Site(FakeService):
    """Answers every request with one response."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response

    def respond(self, received: Received) -> Response:
        return self.response


def ask(site: FakeService, name: str = "pizzagpt", **arguments: Any) -> str:
    with Client(name, settings={name: site.client_settings()}, retries=0, **arguments) as client:
        return client.chat("Hello").text


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


class Keyed(Provider):
    """Has a secret, and a place to go wrong in each subclass."""

    offline = True
    default_model = "m"
    known_settings = {"key": Setting(secret=True)}

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield "a"
        yield "b"
        yield FinishReason("stop")


class FailsWhenMade(Keyed):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        raise KeyError(self.settings["key"])


class FailsInGetModel(Keyed):
    @classmethod
    def get_model(cls, model: str | None = None, *, strict: bool = False) -> str:
        raise KeyError(_KEY)


class FailsInKnownOptions(Keyed):
    @property
    def known_options(self) -> tuple[str, ...]:  # type: ignore[override]
        raise KeyError(self.settings["key"])


class FailsWhenClosed(Keyed):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        try:
            yield from super().complete(request, http)
        finally:
            raise KeyError(self.settings["key"])


def keyed(kind: type[Provider], *, also: str = "") -> Client:
    registry = Registry()
    registry.register("keyed", kind)
    return Client(["keyed", also] if also else "keyed", settings={"keyed": {"key": _KEY}}, registry=registry, retries=0)


@pytest.mark.parametrize("kind", [FailsWhenMade, FailsInGetModel, FailsInKnownOptions])
def test_a_crash_anywhere_in_a_plugin_is_named_and_shows_no_secret(kind: type[Provider]) -> None:
    with keyed(kind) as client, pytest.raises(PluginCrashed) as caught:
        client.chat("Hello")
    assert caught.value.provider == "keyed"
    assert caught.value.__cause__ is not None
    assert _KEY not in shown(caught.value)


@pytest.mark.parametrize("kind", [FailsWhenMade, FailsInGetModel, FailsInKnownOptions])
def test_the_next_provider_answers_where_a_plugin_crashes(kind: type[Provider]) -> None:
    with keyed(kind, also="echo") as client:
        assert client.chat("Hello").text == "Hello"


def test_a_plugin_that_fails_while_it_is_closed_disturbs_nobody() -> None:
    with keyed(FailsWhenClosed) as client, client.chat("Hello") as reply:
        for _ in reply:
            break
    assert reply.attempts[-1].outcome == "abandoned"


@pytest.mark.parametrize("userinfo", ["user:p%40ss-word", "user:pa@ss-word"])
def test_what_stands_before_the_host_of_a_url_is_hidden_when_a_service_echoes_it(userinfo: str) -> None:
    class Echoing(FakeService):
        def respond(self, received: Received) -> Response:
            return html(f"<title>who is {received.headers['authorization']}</title>", status=401)

    with Echoing() as site:
        url = site.url.replace("://", f"://{userinfo}@")
        with Client("pizzagpt", settings={"pizzagpt": {"url": url}}, retries=0) as client:
            with pytest.raises(ProviderError) as caught:
                client.chat("Hello")
    assert "[hidden]" in str(caught.value)
    assert "ss-word" not in shown(caught.value)


def test_a_proxy_password_that_came_into_the_environment_later_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = html("<title>who is bob:hunter22secret</title>", status=407)
    with PizzagptSite() as site, Site(refusal) as proxy:
        settings = {"pizzagpt": {"url": "http://pizza.invalid"}}
        with Client("pizzagpt", settings=settings, retries=0) as client:
            client._bind("pizzagpt")
            monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("://", "://bob:hunter22secret@"))
            with pytest.raises(ProviderError) as caught:
                client.chat("Hello")
        assert site.requests == []
    assert "hunter22secret" not in shown(caught.value)


def test_json_of_a_million_lists_is_refused_before_it_is_parsed() -> None:
    body = b"[" + b"[]," * 400_000 + b"[]]"
    with Site(Response(200, {"Content-Type": "application/json"}, body, "length")) as site:
        with pytest.raises(TooLarge, match="lists and objects"):
            ask(site)


def test_a_status_is_told_though_its_body_never_ends() -> None:
    def drip(connection: Connection, received: Received) -> None:
        connection.send(b"HTTP/1.1 500 Oops\r\nContent-Type: text/plain\r\n\r\n")
        for _ in range(400):
            connection.send(b"x")
            time.sleep(0.05)

    with PizzagptSite() as site:
        site.fault = drip
        with pytest.raises(HTTPStatusError) as caught:
            ask(site, first_token=15)
    assert caught.value.status == 500


def test_a_deadline_that_has_passed_is_not_blamed_on_a_provider_that_was_not_asked() -> None:
    class Slow(Keyed):
        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            raise HTTPStatusError("answered 500", status=501)
            yield

    registry = Registry()
    registry.register("slow", Slow)
    with Client(["slow", "echo"], registry=registry, retries=0, deadline=1.0) as client:
        late = threading.Event()
        client._notify = lambda hook, _: hook == "attempt_finished" and late.wait(1.05)  # type: ignore[method-assign,assignment]
        with pytest.raises(DeadlineExceeded) as caught:
            client.chat("Hello")
    assert caught.value.provider == "slow"
    assert [attempt.provider for attempt in caught.value.attempts] == ["slow"]
    assert isinstance(caught.value.__cause__, ProviderError)


def test_all_providers_failed_keeps_the_last_failure_as_its_cause() -> None:
    with Site(html("no", status=501)) as site:
        settings = {name: {"url": site.url} for name in ("pizzagpt", "gizai")}
        with Client(["pizzagpt", "gizai"], settings=settings, retries=0) as client:
            with pytest.raises(AllProvidersFailed) as caught:
                client.chat("Hello")
    assert isinstance(caught.value.__cause__, HTTPStatusError)
    assert caught.value.__cause__.provider == "gizai"


def test_an_answer_of_white_space_is_none_and_the_next_provider_is_asked() -> None:
    with Site(json_response({"answer": {"content": " \n "}})) as site:
        with Client(["pizzagpt", "echo"], settings={"pizzagpt": {"url": site.url}}, retries=0) as client:
            reply = client.chat("Hello")
    assert (reply.provider, reply.attempts[0].outcome) == ("echo", EmptyAnswer.__name__)


def test_the_direct_door_hands_out_a_finish_only_when_nothing_follows() -> None:
    class GoesOn(Echo):
        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            yield from super().complete(request, http)
            yield "more"

    chunks = GoesOn().create_completion("echo", "Hello")
    assert next(chunks) == "Hello"
    with pytest.raises(PluginContractError):
        next(chunks)


def test_usage_before_the_first_piece_is_kept_once() -> None:
    class Counts(Echo):
        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            yield from (Usage(1, number) for number in range(1_000))
            yield from super().complete(request, http)

    registry = Registry()
    registry.register("counts", Counts)
    with Client("counts", registry=registry) as client:
        reply = client.chat("Hello")
        assert len(reply._run._buffer) == 2
        assert (reply.text, reply.usage) == ("Hello", Usage(1, 999))


@pytest.mark.parametrize("page", ["foo.html", "https://example.com/a", '<?xml version="1.0"?><html><p>x</html>'])
def test_a_page_that_looks_like_something_else_makes_no_warning(page: str) -> None:
    with Site(html(page)) as site, pytest.raises(InvalidAnswer):
        ask(site)


@pytest.mark.parametrize("value", ["5", -1, 0, True, 1.5])
def test_max_chars_that_is_no_number_of_characters_is_the_callers_mistake(value: Any) -> None:
    with Client("echo") as client, pytest.raises(InvalidArgument, match="max_chars"):
        client.chat("Hello", max_chars=value)


def test_a_session_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"requests\.Session"):
        Client("echo", session=object())  # type: ignore[arg-type]


def test_a_plugin_that_is_slow_to_import_keeps_nobody_else_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "snail_plugin.py").write_text("import snail_gate\nsnail_gate.pass_through()\n")
    (tmp_path / "snail_gate.py").write_text(
        "import threading\nreached, gate = threading.Event(), threading.Event()\n"
        "def pass_through():\n    reached.set()\n    gate.wait(30)\n"
    )
    dist = tmp_path / "snail-1.0.dist-info"
    dist.mkdir()
    (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: snail\nVersion: 1.0\n")
    (dist / "entry_points.txt").write_text("[providers_sdk]\nsnail = snail_plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import snail_gate  # type: ignore[import-not-found]

    registry = Registry()
    thread = threading.Thread(target=lambda: registry.report("snail", load=True))
    thread.start()
    try:
        assert snail_gate.reached.wait(30)
        with Client("echo", registry=registry) as client:
            assert client.chat("Hello").text == "Hello"
    finally:
        snail_gate.gate.set()
        thread.join()


def test_a_child_forked_while_the_token_page_is_fetched_fetches_its_own() -> None:
    reached, gate = threading.Event(), threading.Event()

    class Held(AIPowerSite):
        def respond(self, received: Received) -> Response:
            if received.method == "GET" and not reached.is_set():
                reached.set()
                gate.wait(30)
            return super().respond(received)

    with Held() as site, Client("chatgptfree", settings={"chatgptfree": {"url": site.url}}, deadline=20) as client:
        thread = threading.Thread(target=lambda: client.chat("Hello").text)
        thread.start()
        assert reached.wait(30)
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if client.chat("Hello").text == site.text else 1)
            finally:
                os._exit(2)
        _, status = os.waitpid(child, 0)
        gate.set()
        thread.join()
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_content_type_with_control_characters_is_shown_not_obeyed() -> None:
    class Hostile(RawServer):
        def serve(self, connection: Connection) -> None:
            connection.receive()
            head = b"HTTP/1.1 200 OK\r\nContent-Type: te\x1b[31mxt/x\r\nContent-Length: 2\r\n\r\nhi"
            connection.send(head)

    with Hostile() as site, Client("pizzagpt", settings={"pizzagpt": {"url": site.url}}, retries=0) as client:
        with pytest.raises(InvalidAnswer) as caught:
            client.chat("Hello")
    assert "\x1b" not in str(caught.value)
