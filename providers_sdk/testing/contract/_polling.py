"""Finds out whether a provider polls, and makes a job of its fake service last for ever."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from providers_sdk.testing.contract._crash import describe_place, list_packages
from providers_sdk.testing.contract._harness import Harness, NotApplicable, NotJudged
from providers_sdk.testing.contract._patches import Patches
from providers_sdk.testing.response import Response
from providers_sdk.testing.server import Received

__all__ = ["PolledResponse", "find_polled_response", "watch_sleep"]

_Route = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PolledResponse:
    """What the service responded to the first of several requests for the same: the job is not done yet."""

    route: _Route
    pending: Response

    def replace(self, received: Received, response: Response) -> Response:
        """Return the response of a job that is never done."""
        return self.pending if (received.method, received.path) == self.route else response


def find_polled_response(harness: Harness) -> PolledResponse:
    """Ask once, and return what is asked for again and again.

    :raises NotApplicable: the provider asks for nothing twice.
    :raises NotJudged: it may poll, but the job was done at the first poll.
    """
    seen: list[tuple[_Route, Response]] = []

    def record(received: Received, response: Response) -> Response:
        body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
        seen.append(((received.method, received.path), replace(response, body=body)))
        return seen[-1][1]

    with harness.site() as site:
        site.replace_response = record
        harness.ask(site)
    routes = [route for route, _ in seen]
    repeated = [(route, response) for route, response in seen if routes.count(route) > 1]
    if repeated:
        return PolledResponse(*repeated[0])
    if site.reply_route[0] == "GET" and any(site.matches_route(request, site.reply_route) for request in site.requests):
        raise NotJudged("the fake service's job is done at the first poll; let it be pending at least once")
    raise NotApplicable("it polls nothing: it sends each request once")


@contextmanager
def watch_sleep(provider: type) -> Iterator[list[str]]:
    """Collect where the author's own code calls ``time.sleep``: ``"time.sleep(5) (acme.py:12, in complete)"``."""
    found: list[str] = []
    packages = list_packages(provider)

    def watch(original: Callable[[float], None]) -> Any:
        def sleep(seconds: float) -> None:
            caller = sys._getframe(1)
            if str(caller.f_globals.get("__name__", "")).partition(".")[0] in packages:
                place = describe_place(caller.f_code.co_filename, caller.f_lineno, caller.f_code.co_name)
                found.append(f"time.sleep({seconds:g}){place}")
            original(seconds)

        return sleep

    with Patches([(time, "sleep", watch)]).apply():
        yield found
