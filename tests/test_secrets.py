"""No secret is printed, logged, pickled or raised, even where the service sends it back."""

import base64
import html
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from providers_sdk import Client, ProviderError, Registry
from providers_sdk._provider.binding import bind
from providers_sdk.errors import InvalidArgument
from providers_sdk.plugin import Chunk, FinishReason, Http, Provider, Refused, Request
from providers_sdk.testing import Connection, FakeService, Received, Response, event, sse
from providers_sdk.testing import html as page
from providers_sdk.testing.faults import FAULTS, ProxyServer, collect_exposed_text, inject, spellings
from providers_sdk.testing.faults.answers import echoed
from providers_sdk_plugins.fakes.aipower import AIPowerSite
from providers_sdk_plugins.fakes.gizai import GizAISite
from providers_sdk_plugins.fakes.openai import OpenAISite
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite

KEY = 'Zk9/of+my"own<k&y>%7E=='
PASSWORD = "Qx7w0rd-of_mine.~42"
PROXY_PASSWORD = "Vj3proxy-w0rd_too.~99"
LIMITS = {"connect": 10.0, "first_token": 10.0, "idle": 10.0, "deadline": 30.0, "retries": 0}
ALL = spellings(KEY) | spellings(PASSWORD, "user") | spellings(PROXY_PASSWORD, "user")

Echo = Callable[[str], bytes | Response]


@dataclass(frozen=True, slots=True)
class Who:
    """A provider, its site, and the secrets that it is given."""

    name: str
    site: type[FakeService]
    key_setting: str = ""
    url_password: bool = False


WHO = [
    Who("pizzagpt", PizzagptSite, "secret", url_password=True),
    Who("gizai", GizAISite, url_password=True),
    Who("chatgptfree", AIPowerSite, url_password=True),
    Who("openai", OpenAISite, "key"),
]


def _raw(head: str, body: str = "") -> bytes:
    return f"{head}\r\n\r\n{body}".encode()


def _json(text: str, status: int = 200) -> Response:
    return Response(status, {"Content-Type": "application/json"}, text.encode(), "length")


def _escaped(words: str) -> str:
    return json.dumps(words).replace("/", "\\/")  # as PHP writes it


ECHOES: dict[str, Echo] = {
    "JSON error": lambda words: _json(f'{{"error": {{"message": {_escaped(words)}}}}}', 401),
    "JSON error as text": lambda words: _json(f'{{"detail": [{_escaped(words)}]}}', 422),
    "JSON list": lambda words: _json(f"[{_escaped(words)}]"),
    "JSON, other status": lambda words: _json(f"[{_escaped(words)}]", 201),
    "JSON that breaks off": lambda words: _json(f'{{"a": {_escaped(words)}'),
    "JSON that breaks off, other status": lambda words: _json(f'{{"a": {_escaped(words)}', 201),
    "JSON, wrong types": lambda words: _json(f'{{"answer": {{"content": {{"a": {_escaped(words)}}}}}}}'),
    "misuse": lambda words: _json(f'{{"answer": {{"content": {_escaped("Misuse detected. " + words)}}}}}'),
    "WordPress says no": lambda words: _json(f'{{"status": "error", "msg": {_escaped(html.escape(words))}}}'),
    "WordPress, no status": lambda words: _json(f'{{"what": {_escaped(words)}}}'),
    "title": lambda words: page(f"<title>{html.escape(words)}</title>", status=500),
    "title, status 200": lambda words: page(f"<title>{html.escape(words)}</title>"),
    "page without a title": lambda words: page(f"<p>{html.escape(words)}</p>", status=502),
    "unescaped page": lambda words: page(f"<p>{words}</p>", status=403),
    "plain text": lambda words: Response(500, {"Content-Type": "text/plain"}, words.encode(), "length"),
    "URL-quoted text": lambda words: Response(500, {"Content-Type": "text/plain"}, _quoted(words), "length"),
    "content type": lambda words: Response(200, {"Content-Type": f"text/{words}"}, b"?", "length"),
    "content type, other status": lambda words: Response(201, {"Content-Type": f"text/{words}"}, b"?", "length"),
    "content encoding": lambda words: Response(
        200, {"Content-Type": "application/json", "Content-Encoding": words}, b"?", "length"
    ),
    "content encoding of a stream": lambda words: Response(
        200, {"Content-Type": "text/event-stream", "Content-Encoding": words}, b"?", "length"
    ),
    "location": lambda words: page("", status=302, headers={"Location": f"http://elsewhere.invalid/{words}"}),
    "location with user": lambda words: page(
        "", status=307, headers={"Location": f"http://{words}@elsewhere.invalid/"}
    ),
    "retry-after": lambda words: page("", status=429, headers={"Retry-After": words}),
    "wall": lambda words: page(words, status=403, headers={"cf-mitigated": f"challenge {words}"}),
    "proxy asks": lambda words: page(words, status=407, headers={"Proxy-Authenticate": words}),
    "reason": lambda words: _raw(f"HTTP/1.1 500 {words}\r\nContent-Length: 0"),
    "status": lambda words: _raw(f"HTTP/1.1 {words}"),
    "no HTTP": lambda words: _raw(words),
    "header without colon": lambda words: _raw(f"HTTP/1.1 500 No\r\n{words}\r\nContent-Length: 0"),
    "content length": lambda words: _raw(f"HTTP/1.1 200 OK\r\nContent-Length: {words}", "?"),
    "two lengths": lambda words: _raw(f"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6{words}", "?"),
    "chunk size": lambda words: _raw(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked", f"{words}\r\n"
    ),
    "chunk size of a stream": lambda words: _raw(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked", f"{words}\r\n"
    ),
    "stream error": lambda words: sse([event({"error": {"message": words, "code": words}})]),
    "stream error event": lambda words: sse([event(words, "error")]),
    "stream, no JSON": lambda words: sse([event(words)]),
    "stream, no events": lambda words: sse([words.encode()]),
    "stream, wrong choices": lambda words: sse([event({"choices": words})]),
    "stream, wrong choice": lambda words: sse([event({"choices": [words]})]),
    "stream, finish and no text": lambda words: sse([event({"choices": [{"delta": {}, "finish_reason": words}]})]),
    "stream, wrong event": lambda words: sse([event([words])]),
    "WordPress speaks": lambda words: sse([event({"choices": [{"delta": {"content": words}}]}, "message")]),
    "WordPress's limit": lambda words: sse([event({"msg": words, "tokenLimitReached": True})]),
}
CUTTING = ["JSON error", "JSON that breaks off", "title", "page without a title", "plain text", "stream, no JSON",
           "WordPress says no", "location", "stream, wrong choice", "URL-quoted text", "stream error"]  # fmt: skip


def _quoted(words: str) -> bytes:
    return quote(words, safe="").encode()


def _sends(echo: Echo, padding: str = "") -> Callable[[Connection, Received], None]:
    def fault(connection: Connection, received: Received) -> None:
        answer = echo(padding + echoed(received))
        for piece in [answer] if isinstance(answer, bytes) else answer.encode():
            connection.send(piece)

    return fault


def _client(who: Who, url: str, proxy: str = "") -> Client:
    row = {"url": url.replace("://", f"://user:{PASSWORD}@") if who.url_password else url}
    if who.key_setting:
        row[who.key_setting] = KEY
    return Client(who.name, settings={who.name: row}, proxy=proxy, **LIMITS)  # type: ignore[arg-type]


def _ask(client: Client, prompt: str = "hi") -> ProviderError | None:
    try:
        _ = client.chat(prompt).text
    except ProviderError as error:
        return error
    return None


def _found(text: str, wanted: Iterable[str] = ALL) -> list[str]:
    return [secret for secret in wanted if secret in text]


@pytest.fixture
def printed(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """All that was logged, by anybody and down to the last detail, and printed."""
    caplog.set_level(logging.DEBUG)

    def text() -> str:
        captured = capfd.readouterr()
        records = [f"{record.getMessage()} {vars(record)!r}" for record in caplog.records]
        return "\n".join([captured.out, captured.err, caplog.text, *records])

    return text


@pytest.mark.parametrize("who", WHO, ids=lambda who: who.name)
def test_a_secret_that_is_sent_back_is_told_nowhere(who: Who, printed: Callable[[], str]) -> None:
    errors: dict[str, ProviderError] = {}
    site = who.site()
    with site, _client(who, site.url) as client:
        for name, echo in ECHOES.items():
            site.fault = _sends(echo)
            error = _ask(client)
            assert error is not None, name
            errors[name] = error
            error.partial = ""  # what was delivered as the answer's text is the caller's, as it came
    assert [(name, secret) for name, error in errors.items() for secret in _found(collect_exposed_text(error))] == []
    logged = printed()
    assert _found(logged) == []
    assert "providers_sdk" in logged
    assert sum("[hidden]" in str(error) for error in errors.values()) >= 15


def test_a_page_that_sends_a_secret_back_is_told_without_it(printed: Callable[[], str]) -> None:
    errors: dict[str, ProviderError] = {}
    site = AIPowerSite()
    site.fault_route = ("GET", "")
    with site, _client(WHO[2], site.url) as client:
        for name, echo in ECHOES.items():
            site.fault = _sends(echo)
            error = _ask(client)
            assert error is not None, name
            errors[name] = error
    assert [(name, secret) for name, error in errors.items() for secret in _found(collect_exposed_text(error))] == []
    assert _found(printed()) == []


@pytest.mark.parametrize(("who", "on"), [*((who, "POST") for who in WHO), (WHO[2], "GET")])
def test_a_secret_that_is_cut_off_leaves_no_beginning(who: Who, on: str) -> None:
    wrong = []
    site = who.site()
    site.fault_route = (on, "")
    beginnings = [KEY[:6], PASSWORD[:6], *(_base64_beyond_the_user(PASSWORD))]
    with site, _client(who, site.url) as client:
        for name in CUTTING:
            for padding in range(40, 420, 7):
                site.fault = _sends(ECHOES[name], "." * padding)
                error = _ask(client)
                assert error is not None, name
                found = _found(str(error), beginnings)
                if found:
                    wrong.append((name, padding, found, str(error)[-60:]))
    assert wrong == []


def _base64_beyond_the_user(password: str) -> list[str]:
    return [base64.b64encode(f"user:{password}".encode()).decode()[8:16]]


@pytest.mark.parametrize("name", sorted(ECHOES))
def test_a_proxy_that_sends_its_password_back_is_told_without_it(name: str, printed: Callable[[], str]) -> None:
    proxy = PizzagptSite()  # takes whole addresses, too
    proxy.fault = _sends(ECHOES[name])
    with proxy, _client(WHO[0], "http://service.invalid", _with_password(proxy.url)) as client:
        error = _ask(client)
    assert error is not None
    assert "proxy-authorization" in proxy.requests[0].headers
    assert _found(collect_exposed_text(error)) == []
    assert _found(printed()) == []


def _with_password(url: str) -> str:
    return url.replace("://", f"://user:{PROXY_PASSWORD}@")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("how", ["argument", "environment"])
def test_a_proxy_that_refuses_dies_or_is_not_there_is_told_without_its_password(
    scheme: str, how: str, printed: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = []
    with (
        ProxyServer(credentials="user:another") as refusing,
        ProxyServer(cut_after=20) as dying,
        PizzagptSite() as site,
    ):
        gone = ProxyServer()
        with gone:
            nobody = gone.url
        for url in (refusing.url, dying.url, nobody):
            monkeypatch.setenv(f"{scheme}_proxy", _with_password(url))
            proxy = _with_password(url) if how == "argument" else None
            row = {"url": site.url.replace("http:", f"{scheme}:")}
            with Client("pizzagpt", settings={"pizzagpt": row}, proxy=proxy, **LIMITS) as client:  # type: ignore[arg-type]
                errors.append(_ask(client))
    assert [type(error).__name__ for error in errors if error is None or _found(collect_exposed_text(error))] == []
    assert _found(printed()) == []


@pytest.mark.parametrize("who", WHO, ids=lambda who: who.name)
def test_no_fault_of_the_wire_tells_a_secret(who: Who, printed: Callable[[], str]) -> None:
    quick = ["reset_before_headers", "reset_midway", "no_http", "no_status", "cut_headers", "two_lengths", "cut_chunk",
             "bad_chunk_size", "short_length", "wrong_gzip", "endless_headers", "refused", "tls_wrong_name",
             "tls_unknown_ca", "redirect_elsewhere", "redirect_to_file", "key_echoed", "forbidden"]  # fmt: skip
    for name in quick:
        with inject(FAULTS[name], who.site()) as rig, _client(who, rig.url) as client:
            error = _ask(client)
            assert error is not None, name
            assert _found(collect_exposed_text(error)) == [], name
            assert _found(repr(client)) == []
    assert _found(printed()) == []


def test_what_answers_has_no_secret_in_its_repr(printed: Callable[[], str]) -> None:
    who = WHO[0]
    with who.site() as site, _client(who, site.url) as client:
        reply = client.chat("hi")
        _ = reply.text
        shown = [repr(client), repr(reply), repr(reply.attempts), str(vars(client)["_registry"])]
        provider = Registry().get(who.name)({"secret": KEY}, name=who.name)
        shown += [repr(provider), repr(bind(provider).session), repr(bind(provider).session.redact)]
    assert _found("\n".join(shown)) == []
    assert _found(printed()) == []


@pytest.mark.parametrize("bad", ["\n", "\r\nX: y", "\0", "…", " "])
def test_a_key_that_no_header_may_hold_is_refused_without_being_shown(bad: str) -> None:
    with OpenAISite() as site:
        row = {"url": site.url, "key": KEY + bad}
        with Client("openai", settings={"openai": row}, proxy="", **LIMITS) as client:  # type: ignore[arg-type]
            error = _ask(client)
        assert isinstance(error, InvalidArgument)
        assert _found(collect_exposed_text(error)) == []
        assert site.requests == []


@pytest.mark.parametrize(
    "proxy", ["ftp://user:{}@host:1", "http://user:{}@host:port", "user:{}@host", "http://user:{}@:1"]
)
def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(proxy: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Client("echo", proxy=proxy.format(PROXY_PASSWORD))
    assert _found(collect_exposed_text(caught.value)) == []


def test_all_that_failed_is_told_without_secrets(printed: Callable[[], str]) -> None:
    site = PizzagptSite()
    site.fault = FAULTS["key_echoed"]
    with site:
        rows = {
            "pizzagpt": {"url": site.url, "secret": KEY},
            "gizai": {"url": site.url.replace("://", f"://user:{PASSWORD}@")},
        }
        with Client(["pizzagpt", "gizai"], settings=rows, proxy="", **LIMITS) as client:  # type: ignore[arg-type]
            error = _ask(client)
    assert error is not None
    assert str(error).count("[hidden]") >= 2
    assert len(error.attempts) == 2
    assert _found(collect_exposed_text(error)) == []
    assert _found(printed()) == []


class Careless(Provider):
    """Speaks of its key wherever it can."""

    url = "http://service.invalid"
    needs_auth = True

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        key, known = self.settings["key"], dict[str, str]()
        if request.prompt == "crash":
            raise KeyError(f"no such key: {key}")
        try:
            known[key]
        except KeyError as error:
            if request.prompt == "refuse, with a cause":
                raise Refused(f"the service knows no {key}") from error
            if request.prompt == "refuse, without":
                raise Refused("no", url=f"http://service.invalid/{key}") from None
            if request.prompt == "refuse within":
                raise Refused("no")  # noqa: B904  the context is what is tested
        if request.prompt == "foreign object":
            yield {"key": key}  # type: ignore[misc]
        yield FinishReason(key)


CARELESS = ["crash", "refuse, with a cause", "refuse, without", "refuse within", "foreign object", "finish"]


@pytest.mark.parametrize("prompt", CARELESS)
def test_a_plugin_that_speaks_of_its_key_is_not_heard(prompt: str, printed: Callable[[], str]) -> None:
    registry = Registry()
    registry.register("careless", Careless)
    with Client("careless", settings={"careless": {"key": KEY}}, registry=registry, retries=0) as client:
        error = _ask(client, prompt)
    with pytest.raises(ProviderError) as caught:
        list(Careless({"key": KEY}).create_completion(None, prompt))
    assert error is not None
    assert _found(collect_exposed_text(error)) == []
    assert _found(collect_exposed_text(caught.value)) == []
    assert _found(printed()) == []
