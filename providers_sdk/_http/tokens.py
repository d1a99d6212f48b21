"""Stores scraped tokens and shares them between threads.

One fetch serves every thread, and one more when the site refuses the tokens.
"""

import threading
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitTimeout
from copy import copy
from typing import NamedTuple

from providers_sdk._fork import renew_after_fork
from providers_sdk._http.clock import Clock
from providers_sdk._http.cookies import CookieSnapshot, list_pairs
from providers_sdk.errors import Closed, ProviderError, TimeLimitExceeded

__all__ = ["TokenStore", "Tokens"]

REFUSED_FOR = 60.0
"""Seconds for which a token that the site refused is not sent again: a page's cache may hold it for hours."""


class Tokens(Mapping[str, str]):
    """Tokens by name, read only, and where they were found.

    :param found: name → value.
    :param url: the address of their page after redirects, without user info and query.
    :param cookies: the cookies that the site set with them; ``http.with_tokens`` sends them with the tokens.
    :param secrets: values to hide in messages and logs.
    """

    __slots__ = ("_found", "cookies", "secrets", "url")

    def __init__(
        self,
        found: Mapping[str, str],
        *,
        url: str = "",
        cookies: CookieSnapshot = (),
        secrets: Collection[str] = (),
    ) -> None:
        self._found = dict(found)
        self.url, self.cookies, self.secrets = url, cookies, secrets

    def __getitem__(self, name: str) -> str:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class _Refusal(NamedTuple):
    """When tokens were refused last, the error, and the cookies that they were sent with, as pairs."""

    at: float
    error: ProviderError
    visits: frozenset[frozenset[tuple[str, str]]]


_Refusals = dict[frozenset[tuple[str, str]], _Refusal]
"""The items of refused tokens → how they were refused."""


class _Slot:
    def __init__(self, tokens: Tokens | None = None, *, refused: _Refusals | None = None) -> None:
        self.tokens = tokens
        self.flight: Future[Tokens] | None = None
        self.lock = threading.Lock()
        self.refused: _Refusals = refused or {}


class TokenStore:
    """The tokens of one client and site, by the address of their page."""

    def __init__(self) -> None:
        self._slots: dict[Hashable, _Slot] = {}
        self._lock = threading.Lock()
        renew_after_fork(self)

    def _renew(self) -> None:
        """Keep the tokens, not the locks and fetches under way, in a forked child."""
        self._slots = {key: _Slot(slot.tokens, refused=dict(slot.refused)) for key, slot in self._slots.items()}
        self._lock = threading.Lock()

    def get(self, key: Hashable, fetch: Callable[[], Tokens], clock: Clock, *, stale: Tokens | None = None) -> Tokens:
        """Return the tokens of ``key``, fetched only if there are none or they are ``stale`` (the same object).

        One thread fetches, the others wait for it no longer than their own clock allows. A fetch that fails fails for
        all who waited, unless the fetching thread's time ran out or its reply was closed: then the next one fetches.

        :raises ProviderError: of the fetch, or a time limit.
        """
        slot = self._get_slot(key)
        while True:
            clock.check()
            tokens, flight, leader = self._join(slot, stale)
            if tokens is not None:
                return tokens
            if leader:
                return _run_fetch(slot, flight, fetch)
            landed = _wait(flight, clock)
            if landed is not None:
                return landed

    def refuse(
        self, key: Hashable, tokens: Mapping[str, str], error: ProviderError, now: float, cookies: CookieSnapshot = ()
    ) -> None:
        """Remember for a minute that the site refused ``tokens`` of ``key`` when they came with ``cookies``, and how.

        :param now: seconds of a monotonic clock.
        """
        slot, items = self._get_slot(key), frozenset(tokens.items())
        with slot.lock:
            recent = _keep_recent(slot, now)
            earlier = recent[items].visits if items in recent else frozenset()
            slot.refused = {**recent, items: _Refusal(now, error, earlier | {list_pairs(cookies)})}

    def refusal(
        self, key: Hashable, tokens: Mapping[str, str], now: float, cookies: CookieSnapshot = ()
    ) -> ProviderError | None:
        """Return a copy of the error with which the site refused ``tokens`` within the last minute, if it did.

        Tokens that come with other cookies are another visit, and may be accepted. Refused in two visits, they are old
        themselves, whatever the cookies: a page from a cache has old tokens and new cookies.
        """
        found = _keep_recent(self._get_slot(key), now).get(frozenset(tokens.items()))
        is_known = found is not None and (list_pairs(cookies) in found.visits or len(found.visits) > 1)
        return copy(found.error).with_traceback(None) if found is not None and is_known else None

    def has_refused(self, key: Hashable, now: float) -> bool:
        """Return whether the site refused any tokens of ``key`` within the last minute."""
        return bool(_keep_recent(self._get_slot(key), now))

    def _get_slot(self, key: Hashable) -> _Slot:
        with self._lock:
            return self._slots.setdefault(key, _Slot())

    @staticmethod
    def _join(slot: _Slot, stale: Tokens | None) -> "tuple[Tokens | None, Future[Tokens], bool]":
        with slot.lock:
            if slot.tokens is not None and slot.tokens is not stale:
                return slot.tokens, Future(), False
            leader = slot.flight is None
            if slot.flight is None:
                slot.tokens, slot.flight = None, Future()
            return None, slot.flight, leader


def _keep_recent(slot: _Slot, now: float) -> _Refusals:
    return {items: refusal for items, refusal in slot.refused.items() if now - refusal.at < REFUSED_FOR}


def _run_fetch(slot: _Slot, flight: "Future[Tokens]", fetch: Callable[[], Tokens]) -> Tokens:
    try:
        tokens = fetch()
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
    """Return the flight's tokens; ``None`` where the fetching thread ran out of time or its reply was closed."""
    left = clock.left()
    try:
        failure = flight.exception(timeout=None if left is None else max(left, 0.0))
    except WaitTimeout:
        raise clock.timeout_error() from None
    if failure is None:
        return flight.result()
    if isinstance(failure, ProviderError) and not isinstance(failure, (TimeLimitExceeded, Closed)):
        raise copy(failure).with_traceback(None) from failure
    return None


Tokens.__module__ = "providers_sdk.plugin"
