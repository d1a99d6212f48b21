"""A client keeps a bounded number of sessions, and closes those that it drops once nobody uses them."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from providers_sdk._http.client import Http, HttpSession
from providers_sdk._http.session import SessionCache
from providers_sdk.testing import RawServer

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
CUT = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n[1"
OpenHttp = Callable[..., Http]
Serve = Callable[..., RawServer]


def open_sockets(pool: HttpSession) -> int:
    adapter: Any = pool.session().get_adapter("http://acme.invalid")
    pools = [adapter.poolmanager.pools.get(key) for key in adapter.poolmanager.pools.keys()]  # noqa: SIM118
    return sum(connection is not None for one in pools if one and one.pool for connection in one.pool.queue)


def test_sessions_of_the_same_settings_are_one_and_of_other_settings_are_others() -> None:
    cache: SessionCache[object] = SessionCache(lambda session: None)
    first = cache.get("acme", "key-1", object)
    assert cache.get("acme", "key-1", object) is first
    assert cache.get("acme", "key-2", object) is not first
    assert cache.get("other", "key-1", object) is not first


def test_a_setting_that_changes_with_every_call_keeps_a_bounded_number_of_sessions() -> None:
    retired: list[int] = []
    cache: SessionCache[int] = SessionCache(retired.append)
    for number in range(400):
        cache.get("acme", number, lambda number=number: number)  # type: ignore[misc]
        cache.get("other", "one", lambda: -1)
    assert retired == list(range(384))
    assert cache.clear() == [*range(384, 400), -1]
    assert cache.clear() == []


def test_the_session_that_was_not_used_for_longest_goes_first() -> None:
    retired: list[str] = []
    cache: SessionCache[str] = SessionCache(retired.append, most=2)
    for name in ("a", "b", "a", "c"):
        cache.get("acme", name, lambda name=name: name)  # type: ignore[misc]
    assert retired == ["b"]


def test_threads_that_ask_at_once_share_one_session() -> None:
    made: list[object] = []
    cache: SessionCache[object] = SessionCache(lambda session: None)
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait(10)
        cache.get("acme", "key", lambda: made.append(object()) or made[-1])  # type: ignore[func-returns-value]

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(made) == 1


def test_a_retired_session_that_nobody_uses_is_closed_at_once(
    serve: Serve, says: Callable[..., Any], open_http: OpenHttp
) -> None:
    pool = HttpSession(proxy="")
    http = open_http(serve(says(OK)).url, pool=pool)
    http.get("/").json()
    http.close()
    assert open_sockets(pool) == 1
    pool.retire()
    assert open_sockets(pool) == 0


def test_a_retired_session_serves_whoever_uses_it_to_the_end(
    serve: Serve, says: Callable[..., Any], open_http: OpenHttp
) -> None:
    pool, site = HttpSession(proxy=""), serve(says(OK))
    first, second = open_http(site.url, pool=pool), open_http(site.url, pool=pool)
    assert first.get("/").json() == {}
    pool.retire()
    assert [first.get("/").json(), second.get("/").json()] == [{}, {}]
    first.close()
    assert open_sockets(pool) == 1
    second.close()
    assert open_sockets(pool) == 0
    assert site.connections == 1


def test_a_session_that_is_used_again_after_it_was_retired_is_closed_again(
    serve: Serve, says: Callable[..., Any], open_http: OpenHttp
) -> None:
    pool, site = HttpSession(proxy=""), serve(says(OK))
    pool.retire()
    http = open_http(site.url, pool=pool)
    assert http.get("/").json() == {}
    http.close()
    assert open_sockets(pool) == 0


def test_four_hundred_settings_leave_sixteen_sockets(
    serve: Serve, says: Callable[..., Any], open_http: OpenHttp
) -> None:
    site, pools = serve(says(OK)), []
    cache: SessionCache[HttpSession] = SessionCache(HttpSession.retire)
    for number in range(400):
        pool = cache.get("acme", number, lambda: HttpSession(proxy=""))
        pools.append(pool)
        http = open_http(site.url, pool=pool)
        http.get("/").json()
        http.close()
    assert sum(map(open_sockets, pools)) == 16
    for pool in cache.clear():
        pool.close()
    assert sum(map(open_sockets, pools)) == 0


@pytest.mark.parametrize("closed", [True, False])
def test_a_user_that_is_gone_without_closing_does_not_keep_a_retired_session_open(closed: bool) -> None:
    class User:
        pass

    pool, user = HttpSession(proxy=""), User()
    pool.attach(user)
    if closed:
        pool.detach(user)
    del user
    pool.retire()
    assert pool._retired
    assert not pool._users
