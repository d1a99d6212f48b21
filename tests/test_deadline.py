"""The deadline and the other limits hold by the wall clock, whatever the service does, and say so."""

import contextlib
import pickle
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from providers_sdk import Client, ProviderError, RateLimited, TimeLimitExceeded
from providers_sdk.errors import ConnectTimeout, DeadlineExceeded, FirstTokenTimeout, HTTPStatusError, IdleTimeout
from providers_sdk.testing import Connection, RawServer, Received, json_response
from providers_sdk.testing.faults import FAULTS, ProxyServer, TLSServer, inject
from providers_sdk_plugins.fakes.aipower import AIPowerSite
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite

DEADLINE = 0.6
ROOMY = 2.0
"""A deadline for calls that must get somewhere before it: through a proxy, or to a third provider."""
SLACK = 3.0
ENDLESS = [
    ("POST", "comments_forever"),
    ("POST", "comments_midway"),
    ("POST", "empty_deltas_forever"),
    ("POST", "one_byte_a_second"),
    ("POST", "stall_after_headers"),
    ("POST", "stall_before_headers"),
    ("POST", "endless_continue"),
    ("POST", "endless_deltas"),
    ("GET", "slow_headers"),
    ("GET", "one_byte_a_second"),
]


@dataclass(slots=True)
class Timed:
    """What a call ended with, and after how long."""

    error: ProviderError | None = None
    seconds: float = 0.0


@contextlib.contextmanager
def _timed() -> Iterator[Timed]:
    """Note the error of the block and the time that it took."""
    timed, started = Timed(), time.monotonic()
    try:
        yield timed
    except ProviderError as error:
        timed.error = error
    timed.seconds = time.monotonic() - started


class TLSSite(TLSServer, AIPowerSite):
    """An AI Power site in TLS."""


def _trusting(ca: str) -> requests.Session:
    session = requests.Session()
    session.verify = ca
    return session


def _client(provider: str, url: str, **given: object) -> Client:
    """A client with a deadline and no other limit."""
    limits: dict[str, object] = {"connect": None, "first_token": None, "idle": None, "deadline": DEADLINE, "proxy": ""}
    return Client(provider, settings={provider: {"url": url}}, **{**limits, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(("on", "name"), ENDLESS)
def test_the_deadline_ends_whatever_goes_on(on: str, name: str) -> None:
    with (
        inject(FAULTS[name], AIPowerSite(), route=(on, "")) as rig,
        _client("chatgptfree", rig.url) as client,
        _timed() as call,
    ):
        _ = client.chat("hi").text
    assert isinstance(call.error, DeadlineExceeded)
    assert DEADLINE <= call.seconds < DEADLINE + SLACK
    assert (call.error.limit, call.error.seconds, call.error.provider) == ("deadline", DEADLINE, "chatgptfree")
    assert call.error.elapsed == pytest.approx(call.seconds, abs=0.2)


@pytest.mark.parametrize("name", ["trickle", "slow_headers", "stall_midway"])
def test_the_deadline_ends_a_blocked_read_over_tls(name: str) -> None:
    site = TLSSite()
    site.fault = FAULTS[name]
    with site, _client("chatgptfree", site.url, session=_trusting(site.ca)) as client, _timed() as call:
        _ = client.chat("hi").text
    assert [received.method for received in site.requests] == ["GET", "POST"]
    assert isinstance(call.error, DeadlineExceeded)
    assert call.seconds < DEADLINE + SLACK


def test_the_deadline_holds_through_a_proxy_and_its_tunnel() -> None:
    site = TLSSite()
    site.fault = FAULTS["comments_forever"]
    with (
        site,
        ProxyServer() as proxy,
        _client("chatgptfree", site.url, session=_trusting(site.ca), proxy=proxy.url, deadline=ROOMY) as client,
        _timed() as call,
    ):
        _ = client.chat("hi").text
    assert proxy.requests
    assert isinstance(call.error, DeadlineExceeded)
    assert call.seconds < ROOMY + SLACK


def test_the_deadline_ends_a_handshake_that_is_never_answered() -> None:
    with (
        inject(FAULTS["tls_no_handshake"], PizzagptSite()) as rig,
        _client("pizzagpt", rig.url) as client,
        _timed() as call,
    ):
        client.chat("hi")
    assert isinstance(call.error, DeadlineExceeded)
    assert call.seconds < DEADLINE + SLACK


@pytest.mark.parametrize("seconds", ["3600", "29"], ids=["above the cap", "below the cap"])
def test_a_retry_after_beyond_the_deadline_is_not_waited_for(seconds: str) -> None:
    site = PizzagptSite()
    site.fault = lambda connection, _: _refuse(connection, seconds)
    with site, _client("pizzagpt", site.url, retries=2) as client, _timed() as call:
        client.chat("hi")
    assert isinstance(call.error, RateLimited)
    assert call.error.retry_after == float(seconds)
    assert "not asked again" in str(call.error)
    assert call.seconds < SLACK
    assert len(site.requests) == 1


def _refuse(connection: Connection, seconds: str) -> None:
    for piece in json_response({}, status=429, headers={"Retry-After": seconds}).encode():
        connection.send(piece)


class Silent(RawServer):
    """Accepts, and sends nothing."""

    def serve(self, connection: Connection) -> None:
        connection.wait_closed()


def test_three_fallbacks_that_hang_share_one_deadline() -> None:
    names = ("chatgptt", "chatgptfree", "openai")  # they stream: a whole answer is bound by the deadline only
    with Silent() as site:
        rows = {name: {"url": site.url} for name in names}
        rows["openai"]["key"] = "any"
        given = {"connect": None, "first_token": 0.8, "deadline": ROOMY, "retries": 0, "proxy": ""}
        with Client(names, settings=rows, **given) as client, _timed() as call:  # type: ignore[arg-type]
            client.chat("hi")
    assert isinstance(call.error, DeadlineExceeded)
    assert ROOMY <= call.seconds < ROOMY + SLACK
    assert [attempt.provider for attempt in call.error.attempts] == list(names)
    assert [attempt.outcome for attempt in call.error.attempts] == [
        "FirstTokenTimeout",
        "FirstTokenTimeout",
        "DeadlineExceeded",
    ]


def test_a_first_provider_that_hangs_until_the_deadline_leaves_nothing_to_the_next() -> None:
    with inject(FAULTS["stall_before_headers"], PizzagptSite()) as rig:
        rows = {name: {"url": rig.url} for name in ("pizzagpt", "gizai")}
        given = {"first_token": None, "idle": None, "deadline": DEADLINE, "retries": 2, "proxy": ""}
        with Client(("pizzagpt", "gizai"), settings=rows, **given) as client, _timed() as call:  # type: ignore[arg-type]
            client.chat("hi")
    assert isinstance(call.error, DeadlineExceeded)
    assert [attempt.outcome for attempt in call.error.attempts] == ["DeadlineExceeded"]
    assert call.seconds < DEADLINE + SLACK


def test_retries_end_with_the_deadline() -> None:
    with (
        inject(FAULTS["status_503"], PizzagptSite()) as rig,
        _client("pizzagpt", rig.url, retries=1000) as client,
        _timed() as call,
    ):
        client.chat("hi")
    assert isinstance(call.error, HTTPStatusError)
    assert call.seconds < DEADLINE + SLACK


def test_idle_is_told_from_first_and_carries_what_had_come() -> None:
    with (
        inject(FAULTS["comments_midway"], AIPowerSite()) as rig,
        _client("chatgptfree", rig.url, first_token=5, idle=0.3, deadline=5) as client,
        _timed() as call,
    ):
        _ = client.chat("hi").text
    assert isinstance(call.error, IdleTimeout)
    assert (call.error.limit, call.error.seconds) == ("idle", 0.3)
    assert call.error.partial == "Margherita, Funghi "
    assert call.seconds < 0.3 + SLACK


def test_first_counts_the_token_page_too() -> None:
    with (
        inject(FAULTS["slow_headers"], AIPowerSite(), route=("GET", "")) as rig,
        _client("chatgptfree", rig.url, first_token=0.3, deadline=5) as client,
        _timed() as call,
    ):
        client.chat("hi")
    assert isinstance(call.error, FirstTokenTimeout)
    assert call.error.partial == ""
    assert call.seconds < 0.3 + SLACK


def test_connect_ends_a_handshake() -> None:
    with (
        inject(FAULTS["tls_no_handshake"], PizzagptSite()) as rig,
        _client("pizzagpt", rig.url, connect=0.3, deadline=5, retries=0) as client,
        _timed() as call,
    ):
        client.chat("hi")
    assert isinstance(call.error, ConnectTimeout)
    assert (call.error.limit, call.error.seconds) == ("connect", 0.3)
    assert call.seconds < 0.3 + SLACK


def test_the_consumers_own_time_counts_for_the_deadline_and_not_for_idle() -> None:
    with inject(FAULTS["closed_between_calls"], AIPowerSite()) as rig:
        with _client("chatgptfree", rig.url, idle=0.5, deadline=30) as client:
            reply = client.chat("hi")
            next(reply)
            threading.Event().wait(0.6)  # longer than idle
            assert reply.text.endswith("Diavola.")
        with _client("chatgptfree", rig.url, deadline=ROOMY) as client, _timed() as call:
            reply = client.chat("hi")
            next(reply)
            threading.Event().wait(ROOMY)  # the call began before
            _ = reply.text
    assert isinstance(call.error, DeadlineExceeded)
    assert call.error.partial == "Margherita, "


def test_after_the_end_mark_nothing_holds_the_answer_back() -> None:
    with (
        inject(FAULTS["endless_trailers"], AIPowerSite()) as rig,
        _client("chatgptfree", rig.url, deadline=5) as client,
        _timed() as call,
    ):
        assert client.chat("hi").text.endswith("Diavola.")
    assert call.error is None
    assert call.seconds < SLACK


def test_threads_that_wait_for_one_token_page_each_keep_their_own_deadline() -> None:
    began, calls = threading.Event(), [Timed(), Timed()]

    def drip(connection: Connection, received: Received) -> None:
        began.set()
        FAULTS["slow_headers"](connection, received)

    site = AIPowerSite()
    site.fault, site.fault_route = drip, ("GET", "")
    with site, _client("chatgptfree", site.url) as client:

        def ask(index: int, deadline: float) -> None:
            with _timed() as calls[index]:
                client.chat("hi", deadline=deadline)

        leader = threading.Thread(target=ask, args=(0, 1.5))
        leader.start()
        assert began.wait(10)
        ask(1, 0.3)
        leader.join(10)
    assert [type(call.error) for call in calls] == [DeadlineExceeded, DeadlineExceeded]
    assert calls[1].seconds < 0.3 + SLACK
    assert calls[0].seconds < 1.5 + SLACK


def test_a_time_limit_survives_pickling() -> None:
    with (
        inject(FAULTS["stall_midway"], AIPowerSite()) as rig,
        _client("chatgptfree", rig.url, idle=0.2) as client,
        _timed() as call,
    ):
        _ = client.chat("hi").text
    copy = pickle.loads(pickle.dumps(call.error))
    assert isinstance(copy, TimeLimitExceeded)
    assert isinstance(copy, TimeoutError)
    assert (copy.limit, copy.seconds, copy.partial) == ("idle", 0.2, "Margherita, Funghi ")
    assert str(copy) == str(call.error)
