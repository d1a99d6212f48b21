"""The harness of the contract tests: runs one provider against its fake service, for a bounded time."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from providers_sdk._engine.client import Client
from providers_sdk._model.chunks import Chunk
from providers_sdk._model.limits import Limits
from providers_sdk._model.messages import Messages
from providers_sdk._plugins.registry import Registry
from providers_sdk._provider.provider import Provider
from providers_sdk.testing.contract._crash import describe_crash
from providers_sdk.testing.contract._internals import open_request
from providers_sdk.testing.contract._sockets import find_guard
from providers_sdk.testing.fake_service import FakeService, Fault

__all__ = ["ClaimFailed", "Harness", "NotApplicable", "NotJudged", "Outcome"]

NAME = "under-test"
PROMPT = "Name three pizzas."
LIMITS = Limits(connect=5.0, first_token=5.0, idle=5.0, deadline=8.0)
"""Far beyond what an answer on loopback takes on a busy machine, and far from the limits that claims set themselves."""
_T = TypeVar("_T")


class ClaimFailed(AssertionError):
    """A claim does not hold; the message holds what was expected and what happened."""


class NotApplicable(Exception):
    """A claim is about something that the provider does not do; the message says what."""


class NotJudged(Exception):
    """A claim cannot be judged with this fake service; the message says what it lacks."""


@dataclass(slots=True)
class Outcome:
    """The outcome of one question: chunks, then perhaps an error.

    :param crash: where the error left the author's code, from :func:`describe_crash`.
    """

    chunks: list[Chunk] = field(default_factory=list)
    error: Exception | None = None
    seconds: float = 0.0
    crash: str = ""

    @property
    def text(self) -> str:
        """The text of the answer."""
        return "".join(chunk for chunk in self.chunks if isinstance(chunk, str))

    def __str__(self) -> str:
        if self.error is not None:
            return f"{type(self.error).__name__} ({self.error}) after {self.seconds:.1f} s{self.crash}"
        return f"an answer of {len(self.text)} characters: {self.text[:60]!r}"


@dataclass(frozen=True, slots=True)
class Harness:
    """One provider and its fake service.

    :param provider: the class under test.
    :param fake_service: the class of its fake service; ``None`` for a provider that works offline.
    :param patience: seconds after which a call that has not returned has failed.
    """

    provider: type[Provider]
    fake_service: type[FakeService] | None
    patience: float = 12.0
    crashes: list[str] = field(default_factory=list)
    """What the code of the fake service raised in the claim that is checked."""

    @contextmanager
    def site(
        self,
        fault: Fault | None = None,
        *,
        reply_pieces: Sequence[str] | None = None,
        route: tuple[str, str] | None = None,
    ) -> Iterator[FakeService]:
        """Run the fake service, with ``fault`` on requests of ``route``."""
        if self.fake_service is None:
            raise ClaimFailed(f"{self.provider.__name__} has no fake service; give one, or declare offline = True")
        site = self.fake_service() if reply_pieces is None else self.fake_service(reply_pieces=reply_pieces)
        site.fault, site.fault_route = fault, route or site.reply_route
        try:
            with site, _allow(site.address):
                yield site
        finally:
            self.crashes.extend(site.crashes)

    def settings(self, site: FakeService | None) -> dict[str, str]:
        """Return the settings that point the provider to ``site``."""
        return site.client_settings() if site is not None else {}

    def client(self, site: FakeService | None, *, settings: dict[str, str] | None = None, **arguments: Any) -> Client:
        """Return a client that knows the provider, with :data:`LIMITS` and no retries."""
        registry = Registry()
        registry.register(NAME, self.provider)
        given = {**asdict(LIMITS), "retries": 0, **arguments}
        chosen = self.settings(site) if settings is None else settings
        return Client(NAME, settings={NAME: chosen}, registry=registry, **given)

    def ask(
        self, site: FakeService | None, messages: Messages = PROMPT, *, stream: bool = True, **arguments: Any
    ) -> Outcome:
        """Ask through a client of its own, and read to the end."""
        options = arguments.pop("options", {})
        with self.client(site, **arguments) as client:
            outcome = self.patiently(
                lambda: _read(lambda: iter(client.chat(messages, stream=stream, **options).chunks()))
            )
        if outcome.error is not None:
            outcome.crash = describe_crash(outcome.error, self.provider)
        return outcome

    def raw(self, site: FakeService | None, messages: Messages = PROMPT, **fields: Any) -> list[object]:
        """Return what ``complete`` itself yields, unchecked.

        :param fields: further fields of the request: ``tools``, ``schema``.

        :raises Exception: whatever it raises.
        """
        provider = self.provider(self.settings(site), name=NAME)
        with open_request(provider, messages, LIMITS, **fields) as (request, http):
            return self.patiently(lambda: _list(provider.complete(request, http)))

    def patiently(self, call: Callable[[], _T]) -> _T:
        """Return what ``call`` returns, if it does within the patience.

        :raises ClaimFailed: it has not returned by then.
        :raises EndedTheProgram: it raised ``SystemExit`` or the like, which would end the caller, too.
        """
        results: list[_T] = []
        failures: list[BaseException] = []

        def run() -> None:
            try:
                results.append(call())
            except BaseException as error:  # noqa: BLE001  handed to the thread that waits
                failures.append(error)

        thread = threading.Thread(target=run, daemon=True, name="providers-sdk-harness")
        thread.start()
        thread.join(self.patience)
        if thread.is_alive():
            raise ClaimFailed(f"expected an end within {self.patience:g} s; it is still busy, past every time limit")
        if failures:
            if not isinstance(failures[0], Exception):
                raise EndedTheProgram(failures[0]) from failures[0]
            raise failures[0]
        return results[0]


def _allow(address: tuple[str, int]) -> AbstractContextManager[None]:
    guard = find_guard()
    return guard.allow(address) if guard is not None else nullcontext()


class EndedTheProgram(Exception):
    """What the provider raised is no ``Exception``, such as ``SystemExit``."""

    def __init__(self, raised: BaseException) -> None:
        super().__init__(f"{type(raised).__name__}: {raised}")


class NotAnIterator(Exception):
    """``complete`` returned something else."""


def _list(chunks: object) -> list[object]:
    if not isinstance(chunks, Iterator):
        raise NotAnIterator(type(chunks).__name__)
    found: list[object] = []
    for chunk in chunks:
        found.append(chunk)
        if len(found) > 100_000:
            break
    return found


def _read(start: Callable[[], Iterator[Chunk]]) -> Outcome:
    outcome = Outcome()
    started = time.monotonic()
    try:
        for chunk in start():
            outcome.chunks.append(chunk)
    except Exception as error:  # noqa: BLE001  what kind it is, is the claim's question
        outcome.error = error
    outcome.seconds = time.monotonic() - started
    return outcome
