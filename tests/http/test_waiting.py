"""``http.sleep`` and ``http.poll``: within the limits, ended by closing, as long as the service asks for."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from providers_sdk import Client, ProviderError, Registry
from providers_sdk._http.client import Http, HttpSession
from providers_sdk._http.clock import Clock
from providers_sdk._http.response import HttpResponse
from providers_sdk._model.limits import Limits
from providers_sdk.errors import (
    Closed,
    DeadlineExceeded,
    FirstTokenTimeout,
    HTTPStatusError,
    IdleTimeout,
    InvalidArgument,
    RateLimited,
)
from providers_sdk.plugin import FinishReason, Provider, Request
from providers_sdk.testing import FakeService, RawServer, Received, Response, json_response
from tests.http.steps import PATIENCE, SLACK, OpenHttp, assert_within

LIMIT = 0.2
SLEEP = 60.0


class Job(FakeService):
    """A job that is done when it is asked for the third time."""

    def __init__(self, *, headers: dict[str, str] | None = None, status: int = 200) -> None:
        super().__init__()
        self.headers, self.status, self.asked = headers or {}, status, 0

    def respond(self, received: Received) -> Response:
        self.asked += 1
        done = self.asked >= 3
        return json_response({"done": done}, status=200 if done else self.status, headers={} if done else self.headers)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "1", None, True], ids=repr)
def test_what_is_no_time_is_refused(seconds: Any, open_http: OpenHttp) -> None:
    http = open_http("http://acme.invalid")
    with pytest.raises(InvalidArgument, match=r"http.sleep\(\) takes seconds, a number of at least 0"):
        http.sleep(seconds)
    with pytest.raises(InvalidArgument, match=r"every= takes seconds, a number of at least 0\.01"):
        http.poll(lambda: True, every=seconds, until=bool)


def test_a_sleep_ends_when_its_time_is_over(open_http: OpenHttp) -> None:
    http = open_http("http://acme.invalid", deadline=None, first_token=None)
    started = time.monotonic()
    http.sleep(0)
    http.sleep(0.05)
    assert time.monotonic() - started >= 0.05


@pytest.mark.parametrize(
    ("limits", "error"),
    [({"deadline": LIMIT}, DeadlineExceeded), ({"first_token": LIMIT}, FirstTokenTimeout)],
)
def test_a_sleep_ends_at_the_limit_which_is_named(
    limits: dict[str, float], error: type[ProviderError], open_http: OpenHttp
) -> None:
    http = open_http("http://acme.invalid", **limits)
    started = time.monotonic()
    with assert_within(LIMIT + SLACK), pytest.raises(error):
        http.sleep(SLEEP)
    assert time.monotonic() - started >= LIMIT - 0.01


def test_after_the_first_piece_a_sleep_counts_for_idle(open_http: OpenHttp) -> None:
    http = open_http("http://acme.invalid", idle=LIMIT)
    http.clock.stop_waiting(piece=True)
    with assert_within(LIMIT + SLACK), pytest.raises(IdleTimeout):
        http.sleep(SLEEP)


def test_a_sleep_without_limits_may_be_of_any_length(open_http: OpenHttp) -> None:
    http = open_http("http://acme.invalid", deadline=None, first_token=None)
    threading.Timer(0.05, http.close).start()
    with pytest.raises(Closed):
        http.sleep(1e300)


def test_closing_from_another_thread_ends_a_sleep_and_every_later_one(open_http: OpenHttp) -> None:
    http = open_http("http://acme.invalid")
    threading.Timer(0.05, http.close).start()
    with assert_within(SLACK):
        for _ in range(2):
            with pytest.raises(Closed, match="closed while its provider was waiting"):
                http.sleep(SLEEP)


def test_several_threads_that_sleep_are_all_woken(open_http: OpenHttp) -> None:
    http, errors = open_http("http://acme.invalid"), []

    def sleep() -> None:
        try:
            http.sleep(SLEEP)
        except Closed as error:
            errors.append(error)

    threads = [threading.Thread(target=sleep) for _ in range(5)]
    for thread in threads:
        thread.start()
    http.close()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(errors) == 5


# --- polling ---


def test_polling_asks_until_the_result_is_accepted(open_http: OpenHttp) -> None:
    with Job() as site:
        http = open_http(site.url)
        result = http.poll(lambda: http.get("/job").json(), every=0.01, until=lambda job: job["done"])
        assert (result, site.asked) == ({"done": True}, 3)


def test_the_accepted_response_can_be_read_and_the_others_are_closed(open_http: OpenHttp) -> None:
    seen: list[HttpResponse] = []

    def ask() -> HttpResponse:
        seen.append(http.get("/job"))
        return seen[-1]

    with Job(status=202) as site:
        http = open_http(site.url)
        response = http.poll(ask, every=0.01, until=lambda response: response.status == 200)
        assert [one.closed for one in seen] == [True, True, False]
        assert response.json() == {"done": True}


class Watched(Http):
    """Notes how long it would sleep."""

    def __init__(self, site: RawServer, limits: Limits, sleeps: list[float]) -> None:
        super().__init__(HttpSession(), Clock(limits), site.url)
        self._waiting.sleep = sleeps.append  # type: ignore[method-assign,assignment]


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 2),
        ({"Retry-After-Ms": "2500"}, 2.5),
        ({"Retry-After": "soon"}, 2),
        ({}, 2),
    ],
)
@pytest.mark.parametrize("returns", ["a response", "JSON"])
def test_polling_waits_as_long_as_the_service_asks_for(returns: str, headers: dict[str, str], waits: float) -> None:
    sleeps: list[float] = []
    with Job(headers=headers, status=202) as site:
        http = Watched(site, Limits(), sleeps)
        asks: dict[str, Callable[[], object]] = {
            "a response": lambda: http.get("/job"),
            "JSON": lambda: http.get("/job").json(status=(200, 202)),
        }
        http.poll(asks[returns], every=2, until=lambda _: site.asked == 3)
        http.close()
    assert sleeps == [waits, waits]


def test_a_wait_that_the_limits_do_not_allow_is_refused_at_once(open_http: OpenHttp) -> None:
    with Job(headers={"Retry-After": "3600"}, status=202) as site:
        http = open_http(site.url, deadline=SLEEP)
        with (
            assert_within(SLACK),
            pytest.raises(RateLimited, match=r"asks to wait 3600 s .* and \d+ s are left") as caught,
        ):
            http.poll(lambda: http.get("/job"), every=1, until=lambda response: response.status == 200)
    assert (caught.value.retry_after, caught.value.status) == (3600, 202)


def test_what_asking_raises_ends_the_polling(open_http: OpenHttp) -> None:
    with Job(status=500) as site:
        http = open_http(site.url)
        with pytest.raises(HTTPStatusError, match="500"):
            http.poll(lambda: http.get("/job").json(), every=0.01, until=lambda job: job["done"])
        assert site.asked == 1


def test_polling_keeps_no_response_but_the_last(open_http: OpenHttp) -> None:
    with Job() as site:
        http = open_http(site.url)
        http.poll(lambda: http.get("/job").json(), every=0.01, until=lambda _: site.asked == 50)
        assert len(http._sender.responses) <= 2
        assert http.received > 50 * 30


# --- in a call ---


class Sleepy(Provider):
    """Sleeps five seconds between two questions to its job."""

    url = "http://acme.invalid"
    default_model = "any"

    def complete(self, request: Request, http: Http) -> Any:
        http.sleep(5)
        yield "too late"
        yield FinishReason(None)


class Polling(Sleepy):
    """Polls a job that is never done."""

    def complete(self, request: Request, http: Http) -> Any:
        yield str(http.poll(lambda: http.get("/job").json(), every=5, until=lambda job: job["done"]))
        yield FinishReason(None)


@pytest.mark.parametrize("provider", [Sleepy, Polling])
@pytest.mark.parametrize("stream", [True, False])
def test_a_provider_that_waits_ends_with_the_deadline(provider: type[Provider], stream: bool) -> None:
    registry = Registry()
    registry.register("acme", provider)
    with Job() as site, Client("acme", registry=registry, settings={"acme": {"url": site.url}}) as client:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            client.chat("hello", deadline=1, stream=stream)
        assert 0.95 <= time.monotonic() - started < 1 + SLACK
