import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from providers_sdk import Limits, ProviderError
from providers_sdk._http.clock import Clock
from providers_sdk._http.tokens import Tokens, TokenStore
from providers_sdk.errors import (
    AuthenticationFailed,
    Closed,
    ConnectTimeout,
    DeadlineExceeded,
    FirstTokenTimeout,
    TokensNotFound,
)

PATIENCE = 30.0
MANY = 50


class Watched(Clock):
    """A clock that tells when its thread has looked at it often enough to be waiting for another's fetch."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.waiting = threading.Event()
        self._looks = 0
        super().__init__(limits or Limits())

    def left(self) -> float | None:
        self._looks += 1
        if self._looks == 1:  # it knows that it must wait
            self.waiting.set()
        return super().left()


class Site:
    """A page whose tokens change with every fetch; a fetch lasts until the gate is open."""

    def __init__(self) -> None:
        self.fetches = 0
        self.gate = threading.Event()
        self.begun = threading.Event()
        self.fails: BaseException | None = None
        self._lock = threading.Lock()

    def fetch(self) -> Tokens:
        with self._lock:
            self.fetches += 1
            number = self.fetches
            failure, self.fails = self.fails, None
        self.begun.set()
        assert self.gate.wait(PATIENCE)
        if failure is not None:
            raise failure
        return Tokens({"nonce": f"n{number}"})


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(MANY) as pool:
        yield pool


def ask(
    store: TokenStore, site: Site, threads: ThreadPoolExecutor, many: int, stale: Tokens | None = None
) -> list[Future[Tokens]]:
    """Let ``many`` threads ask for tokens; return once one of them fetches and all others wait for it."""
    site.begun.clear()
    first = threads.submit(store.get, "page", site.fetch, Clock(Limits()), stale=stale)
    assert site.begun.wait(PATIENCE)
    clocks = [Watched() for _ in range(many - 1)]
    others = [threads.submit(store.get, "page", site.fetch, clock, stale=stale) for clock in clocks]
    assert all(clock.waiting.wait(PATIENCE) for clock in clocks)
    return [first, *others]


def test_tokens_are_fetched_once_and_reused(site: Site) -> None:
    site.gate.set()
    store = TokenStore()
    tokens = [store.get("page", site.fetch, Clock(Limits())) for _ in range(3)]
    assert tokens == [{"nonce": "n1"}] * 3
    assert site.fetches == 1


def test_each_page_has_its_own_tokens(site: Site) -> None:
    site.gate.set()
    store = TokenStore()
    assert [store.get(page, site.fetch, Clock(Limits()))["nonce"] for page in ("a", "b", "a")] == ["n1", "n2", "n1"]


def test_nobody_can_write_into_shared_tokens() -> None:
    mine = {"nonce": "n1"}
    tokens = TokenStore().get("page", lambda: Tokens(mine), Clock(Limits()))
    mine["nonce"] = "changed"
    assert tokens == {"nonce": "n1"}
    with pytest.raises(TypeError):
        tokens["nonce"] = "changed"  # type: ignore[index]


def test_fifty_threads_share_one_fetch(site: Site, threads: ThreadPoolExecutor) -> None:
    asked = ask(TokenStore(), site, threads, MANY)
    site.gate.set()
    assert [future.result(PATIENCE) for future in asked] == [{"nonce": "n1"}] * MANY
    assert site.fetches == 1


def test_fifty_threads_with_stale_tokens_share_one_refresh(site: Site, threads: ThreadPoolExecutor) -> None:
    store = TokenStore()
    site.gate.set()
    stale = store.get("page", site.fetch, Clock(Limits()))
    site.gate.clear()
    asked = ask(store, site, threads, MANY, stale)
    site.gate.set()
    assert [future.result(PATIENCE) for future in asked] == [{"nonce": "n2"}] * MANY
    assert site.fetches == 2


def test_tokens_that_another_has_refreshed_already_are_taken(site: Site) -> None:
    site.gate.set()
    store = TokenStore()
    stale = store.get("page", site.fetch, Clock(Limits()))
    fresh = store.get("page", site.fetch, Clock(Limits()), stale=stale)
    assert store.get("page", site.fetch, Clock(Limits()), stale=stale) is fresh
    assert site.fetches == 2


def test_tokens_that_come_back_unchanged_are_fresh_all_the_same() -> None:
    store = TokenStore()
    stale = store.get("page", lambda: Tokens({"nonce": "same"}), Clock(Limits()))
    fresh = store.get("page", lambda: Tokens({"nonce": "same"}), Clock(Limits()), stale=stale)
    assert fresh == stale
    assert fresh is not stale


def test_a_failure_is_shared_each_with_an_error_of_his_own(site: Site, threads: ThreadPoolExecutor) -> None:
    store = TokenStore()
    site.fails = TokensNotFound("no nonce", status=200)
    asked = ask(store, site, threads, MANY)
    site.gate.set()
    failures = [future.exception(PATIENCE) for future in asked]
    assert {(type(failure), str(failure)) for failure in failures} == {(TokensNotFound, "no nonce")}
    assert len({id(failure) for failure in failures}) == MANY
    assert site.fetches == 1
    assert store.get("page", site.fetch, Clock(Limits())) == {"nonce": "n2"}


def test_a_failed_refresh_does_not_bring_the_stale_tokens_back(site: Site) -> None:
    site.gate.set()
    store = TokenStore()
    stale = store.get("page", site.fetch, Clock(Limits()))
    site.fails = TokensNotFound("no nonce")
    with pytest.raises(TokensNotFound):
        store.get("page", site.fetch, Clock(Limits()), stale=stale)
    assert store.get("page", site.fetch, Clock(Limits())) == {"nonce": "n3"}


@pytest.mark.parametrize(
    "own_end",
    [
        DeadlineExceeded("late"),
        FirstTokenTimeout("late"),
        ConnectTimeout("late"),
        Closed("closed"),
        KeyboardInterrupt(),
    ],
    ids=repr,
)
def test_when_the_fetching_thread_ends_for_reasons_of_its_own_another_fetches(
    own_end: BaseException, site: Site, threads: ThreadPoolExecutor
) -> None:
    site.fails = own_end
    first, *others = ask(TokenStore(), site, threads, 10)
    site.gate.set()
    assert first.exception(PATIENCE) is own_end
    assert [other.result(PATIENCE) for other in others] == [{"nonce": "n2"}] * 9
    assert site.fetches == 2


def test_waiting_is_bounded_by_the_waiters_own_clock(site: Site, threads: ThreadPoolExecutor) -> None:
    store = TokenStore()
    leader = threads.submit(store.get, "page", site.fetch, Clock(Limits()))
    assert site.begun.wait(PATIENCE)
    hurried = {FirstTokenTimeout: Limits(first_token=0.05), DeadlineExceeded: Limits(deadline=0.05)}
    for kind, limits in hurried.items():
        with pytest.raises(kind):
            store.get("page", site.fetch, Clock(limits))
    assert not leader.done()
    site.gate.set()
    assert leader.result(PATIENCE) == {"nonce": "n1"}
    assert site.fetches == 1


def test_without_limits_a_waiter_waits(site: Site, threads: ThreadPoolExecutor) -> None:
    store = TokenStore()
    leader = threads.submit(store.get, "page", site.fetch, Clock(Limits()))
    assert site.begun.wait(PATIENCE)
    clock = Watched(Limits(connect=None, first_token=None, idle=None, deadline=None))
    waiter = threads.submit(store.get, "page", site.fetch, clock)
    assert clock.waiting.wait(PATIENCE)
    site.gate.set()
    assert leader.result(PATIENCE) == waiter.result(PATIENCE) == {"nonce": "n1"}


def test_a_clock_that_has_run_out_fetches_nothing(site: Site) -> None:
    clock = Clock(Limits(first_token=1), now=iter([0.0, *[5.0] * 9]).__next__)
    with pytest.raises(FirstTokenTimeout):
        TokenStore().get("page", site.fetch, clock)
    assert site.fetches == 0


def test_an_error_for_a_waiter_keeps_the_fetching_threads_error_as_its_cause(
    site: Site, threads: ThreadPoolExecutor
) -> None:
    site.fails = TokensNotFound("no nonce")
    first, second = ask(TokenStore(), site, threads, 2)
    site.gate.set()
    original, copied = first.exception(PATIENCE), second.exception(PATIENCE)
    assert isinstance(copied, ProviderError)
    assert copied.__cause__ is original


KEPT = {"nonce": "n1"}


def refused(store: TokenStore, at: float) -> AuthenticationFailed:
    error = AuthenticationFailed("expired", status=403)
    store.refuse("page", KEPT, error, at)
    return error


def test_a_refusal_is_remembered_for_a_minute_and_given_out_as_a_copy() -> None:
    store = TokenStore()
    error = refused(store, 100.0)
    found = store.refusal("page", KEPT, 159.0)
    assert (type(found), str(found)) == (AuthenticationFailed, "expired")
    assert found is not error
    assert store.has_refused("page", 159.0)
    assert store.refusal("page", KEPT, 160.0) is None
    assert not store.has_refused("page", 160.0)


def test_a_refusal_concerns_one_value_on_one_page() -> None:
    store = TokenStore()
    refused(store, 100.0)
    assert store.refusal("page", {"nonce": "n2"}, 101.0) is None
    assert store.refusal("other", KEPT, 101.0) is None
    assert not store.has_refused("other", 101.0)


def test_tokens_know_where_they_were_found() -> None:
    tokens = Tokens({"nonce": "n1"}, url="https://acme.example/talk")
    assert (dict(tokens), len(tokens), tokens.url) == ({"nonce": "n1"}, 1, "https://acme.example/talk")
