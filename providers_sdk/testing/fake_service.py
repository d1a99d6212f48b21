"""Fake services: small servers on loopback that speak a service's protocol over real HTTP, refusals included."""

import json
import re
import sys
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar

from providers_sdk._model.chunks import ToolCall, Usage
from providers_sdk.testing.response import Response
from providers_sdk.testing.server import Connection, RawServer, Received

__all__ = [
    "FakeService",
    "Fault",
    "Response",
    "deltas",
    "event",
    "html",
    "json_response",
    "ndjson",
    "split_prompt",
    "sse",
]

Headers = Mapping[str, str | Sequence[str]]
Fault = Callable[[Connection, Received], None]
"""What a site does instead of responding; the response it would have sent is ``connection.intended_response``."""


class FakeService(RawServer):
    """A site that responds to requests one after the other on each connection; a subclass writes :meth:`respond`.

    :param case: which of :attr:`cases` it plays; with ``""`` it responds as the healthy service does.
    :param reply_pieces: the text of the answer, cut into pieces where it streams.
    """

    cases: ClassVar[Mapping[str, str]] = {}
    """Name → one line on what the service does then."""
    settings: ClassVar[Mapping[str, str]] = {}
    """Settings besides ``url`` that a provider needs to talk to this site."""
    reply_route: ClassVar[tuple[str, str]] = ("POST", "")
    """Method and path of the request whose response carries the answer, an empty path for any; a fault replaces
    that response. A path may hold ``*``, such as ``"/jobs/*"``."""
    varying: ClassVar[Collection[str]] = ()
    """Names of fields and headers whose values are new in each request, such as an idempotency key, and paths with
    ``*`` that hold such a value."""

    def __init__(
        self, case: str = "", *, reply_pieces: Iterable[str] = ("Margherita, ", "Funghi ", "and ", "Diavola.")
    ) -> None:
        if case and case not in self.cases:
            raise ValueError(f"{type(self).__name__} has no case {case!r}; it has {', '.join(self.cases)}")
        super().__init__()
        self.case = case
        self.reply_pieces = tuple(reply_pieces)
        self.fault: Fault | None = None
        """Replaces the response to requests of ``fault_route``."""
        self.fault_route = self.reply_route
        self.before_next_piece: Callable[[], object] = _do_nothing
        """Called between two pieces of a streamed answer; it may wait."""
        self.write_size = 0
        """How many bytes of a response are written at a time; 0 for whole pieces."""
        self.after_write: Callable[[Connection, bytes], object] = _do_nothing
        """Called with what was just written; it may wait until the client has read it."""
        self.replace_response: Callable[[Received, Response], Response] = _keep_response
        """Returns the response to send in the place of the one that :meth:`respond` returned."""
        self.sent_at: list[float] = []
        """When each piece of a streamed answer was sent, by ``time.monotonic``."""
        self.sent_pieces: list[bytes] = []
        """Each piece of a streamed answer as it was sent, such as an event."""
        self.crashes: list[str] = []
        """What its own code raised, such as ``"NameError at fake.py:40: name 'x' is not defined"``."""

    def respond(self, received: Received) -> Response:
        """Return the response to one request; called in a thread of its own for each connection."""
        raise TypeError(f"{type(self).__name__} has no respond(received) method")

    def turns(self, received: Received) -> list[tuple[str, str]] | None:
        """Return role and text of each turn in a request, roles as in this library; ``None`` where it carries none.

        The contract tests compare them with what was asked. A subclass writes it where its protocol has roles.
        """
        return None

    def client_settings(self) -> dict[str, str]:
        """Return the settings that point a provider to this site."""
        return {"url": self.url, **self.settings}

    @property
    def text(self) -> str:
        """The whole text of the answer."""
        return "".join(self.reply_pieces)

    def serve(self, connection: Connection) -> None:
        """Respond to request after request until either side closes."""
        while (received := connection.receive()) is not None:
            self.requests.append(received)
            response = self.replace_response(received, self.__make_response(received))
            if self.fault is not None and self.matches_route(received, self.fault_route):
                connection.intended_response = response
                self.fault(connection, received)
                return
            for piece in self.__watch(response.encode()):
                self.__send(connection, piece)
            if response.framing == "close":
                return

    def __make_response(self, received: Received) -> Response:
        """Return what :meth:`respond` returns; where it raises, a 500 that says what and where."""
        try:
            return self.respond(received)
        except Exception as error:  # noqa: BLE001  an author's code may raise anything
            return json_response({"error": {"message": f"the fake service raised {self.__note(error)}"}}, status=500)

    def __watch(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield ``pieces``, noting what making them raises: too late for a 500."""
        try:
            yield from pieces
        except Exception as error:
            raise RuntimeError(f"the fake service raised {self.__note(error)}") from error

    def __note(self, error: Exception) -> str:
        place = traceback.extract_tb(error.__traceback__)
        authors = [kind for kind in type(self).__mro__ if not kind.__module__.startswith("providers_sdk.testing.")]
        own = {getattr(sys.modules.get(kind.__module__), "__file__", "") for kind in authors}
        frame = next((frame for frame in reversed(place) if frame.filename in own), place[-1])
        self.crashes.append(f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}: {error}")
        return self.crashes[-1]

    @staticmethod
    def matches_route(received: Received, route: tuple[str, str]) -> bool:
        """Return whether a request has the method and path of ``route``, such as :attr:`reply_route`."""
        method, path = route
        return received.method == method and (not path or fnmatchcase(received.path, path))

    def __send(self, connection: Connection, piece: bytes) -> None:
        step = self.write_size or len(piece) or 1
        for start in range(0, len(piece), step):
            connection.send(piece[start : start + step])
            self.after_write(connection, piece[start : start + step])

    def paced(self, pieces: Iterable[bytes]) -> Iterable[bytes]:
        """Yield ``pieces``, calling :attr:`before_next_piece` after each but before the next."""
        for index, piece in enumerate(pieces):
            if index:
                self.before_next_piece()
            self.sent_at.append(time.monotonic())
            self.sent_pieces.append(piece)
            yield piece


def _do_nothing(*_: object) -> None:
    return None


def _keep_response(_: Received, response: Response) -> Response:
    return response


_LABEL = re.compile(r"(System|Developer|User|Assistant): ?")


def split_prompt(prompt: str) -> list[tuple[str, str]]:
    """Return role and text of each turn in one string, as :func:`providers_sdk.plugin.format_prompt` writes it.

    Line breaks may be any that ``str.splitlines`` knows. For :meth:`FakeService.turns` where a service takes no list.
    """
    turns: list[tuple[str, str]] = []
    for line in prompt.splitlines():
        label = _LABEL.match(line)
        if label:
            turns.append((label[1].lower(), line[label.end() :]))
        elif turns:
            role, text = turns.pop()
            turns.append((role, f"{text}\n{line}"))
        else:
            return [("user", prompt)]
    return turns[:-1] if turns and turns[-1] == ("assistant", "") else turns


def event(data: Any, name: str = "") -> bytes:
    """Return one server-sent event; ``data`` is text, or an object sent as JSON."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


def sse(pieces: Iterable[bytes], *, status: int = 200, framing: str = "chunked") -> Response:
    """Return an event stream of ``pieces``."""
    return Response(status, {"Content-Type": "text/event-stream;charset=UTF-8"}, pieces, framing)


def ndjson(rows: Iterable[Any], *, status: int = 200, framing: str = "chunked") -> Response:
    """Return newline-delimited JSON: each row is ``bytes`` that are sent as they are, or an object, sent as a line.

    :param rows: their iterator is :meth:`FakeService.paced`, if the first piece has to come before the next.
    """
    lines = (row if isinstance(row, bytes) else f"{json.dumps(row, ensure_ascii=False)}\n".encode() for row in rows)
    return Response(status, {"Content-Type": "application/x-ndjson"}, lines, framing)


def json_response(body: Any, *, status: int = 200, headers: Headers | None = None) -> Response:
    """Return ``body`` as JSON."""
    text = json.dumps(body, ensure_ascii=False)
    return Response(status, {"Content-Type": "application/json", **(headers or {})}, text.encode(), "length")


def html(body: str, *, status: int = 200, headers: Headers | None = None) -> Response:
    """Return ``body`` as a page."""
    kind = {"Content-Type": "text/html; charset=UTF-8"}
    return Response(status, {**kind, **(headers or {})}, body.encode(), "length")


def deltas(
    pieces: Iterable[str],
    *,
    finish: str | None = "stop",
    done: bool = True,
    role_first: bool = True,
    tool_calls: Iterable[ToolCall] = (),
    usage: Usage | None = None,
) -> list[bytes]:
    """Return the events of an OpenAI-style stream whose text is ``pieces``.

    :param finish: the finish reason; services send ``"tool_calls"`` where they ask for some.
    :param tool_calls: calls after the text, each in three events: its name, and its arguments in two pieces.
    :param usage: the counts that come last.
    """

    def choice(delta: Mapping[str, Any], reason: str | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
        return event({"object": "chat.completion.chunk", "choices": choices})

    events = [choice({"role": "assistant", "content": ""})] if role_first else []
    events += [choice({"content": piece}) for piece in pieces]
    for index, call in enumerate(tool_calls):
        events += [choice({"tool_calls": [{"index": index, **piece}]}) for piece in _cut_tool_call(call)]
    events += [choice({}, finish)] if finish else []
    if usage is not None:
        counts = {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens}
        events.append(event({"object": "chat.completion.chunk", "choices": [], "usage": counts}))
    return [*events, *([event("[DONE]")] if done else [])]


def _cut_tool_call(call: ToolCall) -> list[dict[str, Any]]:
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
    half = len(arguments) // 2
    named = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
    return [named, *({"function": {"arguments": text}} for text in (arguments[:half], arguments[half:]))]
