"""Scraped tokens, kept and shared: one fetch serves every thread, and one more when the site refuses them."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitTimeout
from copy import copy
from dataclasses import dataclass, field
from types import MappingProxyType

from providers_sdk._fork import renew_after_fork
from providers_sdk._http.clock import Clock
from providers_sdk.errors import Closed, ProviderError, TimeLimitExceeded

__all__ = ["TokenStore", "Tokens"]

Tokens = Mapping[str, str]
"""Token name → value."""


@dataclass(slots=True)
class _Slot:
    tokens: Tokens | None = None
    flight: "Future[Tokens] | None" = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class TokenStore:
    """The tokens of one site, by the address of the page that they stand on."""

    def __init__(self) -> None:
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()
        renew_after_fork(self)

    def _renew(self) -> None:
        """Keep the tokens, not the locks and fetches under way, in a forked child."""
        self._slots = {key: _Slot(slot.tokens) for key, slot in self._slots.items()}
        self._lock = threading.Lock()

    def get(self, key: str, fetch: Callable[[], Tokens], clock: Clock, *, stale: Tokens | None = None) -> Tokens:
        """Return the tokens of ``key``, fetched only if there are none or they are ``stale`` (the same object).

        One thread fetches, the others wait for it no longer than their own clock allows. A fetch that fails fails for
        all who waited, unless the fetching thread's time ran out or its reply was closed: then the next one fetches.

        :raises ProviderError: of the fetch, or a time limit.
        """
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
        while True:
            clock.check()
            tokens, flight, leader = self._join(slot, stale)
            if tokens is not None:
                return tokens
            if leader:
                return _fly(slot, flight, fetch)
            landed = _wait(flight, clock)
            if landed is not None:
                return landed

    @staticmethod
    def _join(slot: _Slot, stale: Tokens | None) -> "tuple[Tokens | None, Future[Tokens], bool]":
        with slot.lock:
            if slot.tokens is not None and slot.tokens is not stale:
                return slot.tokens, Future(), False
            leader = slot.flight is None
            if slot.flight is None:
                slot.tokens, slot.flight = None, Future()
            return None, slot.flight, leader


def _fly(slot: _Slot, flight: "Future[Tokens]", fetch: Callable[[], Tokens]) -> Tokens:
    try:
        tokens: Tokens = MappingProxyType(dict(fetch()))
    except BaseException as error:
        with slot.lock:
            slot.flight = None
        flight.set_exception(error)
        raise
    with slot.lock:
        slot.tokens, slot.flight = tokens, None
    flight.set_result(tokens)
    return tokens


def _wait(flight: "Future[Tokens]", clock: Clock) -> Tokens | None:
    """Return the flight's tokens; ``None`` where its leader gave up for reasons of his own."""
    left = clock.left()
    try:
        failure = flight.exception(timeout=None if left is None else max(left, 0.0))
    except WaitTimeout:
        raise clock.verdict() from None
    if failure is None:
        return flight.result()
    if isinstance(failure, ProviderError) and not isinstance(failure, (TimeLimitExceeded, Closed)):
        raise copy(failure) from failure
    return None
