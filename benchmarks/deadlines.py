"""What a deadline is worth: seconds from asking to the error, against services that never come to an end.

Run ``python benchmarks/deadlines.py [deadline]``; everything is sent to loopback.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from providers_sdk import Client, ProviderError
from providers_sdk.testing import Connection, Received, json_response
from providers_sdk.testing.faults import FAULTS, TLSServer, inject
from providers_sdk_plugins.fakes.aipower import AIPowerSite
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite

Case = Callable[[float], AbstractContextManager[Client]]
SLACK = 0.5


class TLSSite(TLSServer, AIPowerSite):
    """An AI Power site in TLS."""


def client(provider: str | list[str], url: str, deadline: float, **given: object) -> Client:
    """Return a client that has a deadline and no other limit."""
    names = [provider] if isinstance(provider, str) else provider
    limits: dict[str, object] = {"connect": None, "first_token": None, "idle": None, "deadline": deadline, "proxy": ""}
    rows = {name: {"url": url, **({"key": "any"} if name == "openai" else {})} for name in names}
    return Client(names, settings=rows, **{**limits, **given})  # type: ignore[arg-type]


def struck(fault: str, *, on: str = "POST") -> Case:
    """Return a case: an AI Power site with a fault."""

    @contextlib.contextmanager
    def case(deadline: float) -> Iterator[Client]:
        with (
            inject(FAULTS[fault], AIPowerSite(), route=(on, "")) as rig,
            client("chatgptfree", rig.url, deadline) as asking,
        ):
            yield asking

    return case


@contextlib.contextmanager
def over_tls(deadline: float) -> Iterator[Client]:
    """Keep-alive comments for ever, in TLS."""
    import requests

    site = TLSSite()
    site.fault = FAULTS["comments_forever"]
    with site, requests.Session() as session:
        session.verify = site.ca
        with client("chatgptfree", site.url, deadline, session=session) as asking:
            yield asking


@contextlib.contextmanager
def in_an_hour(deadline: float) -> Iterator[Client]:
    """A service that asks to wait for an hour."""

    def refuse(connection: Connection, _: Received) -> None:
        connection.send(b"".join(json_response({}, status=429, headers={"Retry-After": "3600"}).encode()))

    site = PizzagptSite()
    site.fault = refuse
    with site, client("pizzagpt", site.url, deadline, retries=5) as asking:
        yield asking


@contextlib.contextmanager
def three_that_hang(deadline: float) -> Iterator[Client]:
    """Three services, each of which hangs for more than a third of the deadline."""
    names = ["pizzagpt", "gizai", "openai"]
    given = {"first_token": deadline * 0.45, "retries": 0}
    with inject(FAULTS["stall_before_headers"], PizzagptSite()) as rig, client(names, rig.url, deadline, **given) as it:
        yield it


CASES: dict[str, Case] = {
    "keep-alive comments for ever": struck("comments_forever"),
    "the same, after the first pieces": struck("comments_midway"),
    "the same, in TLS": over_tls,
    "empty deltas for ever": struck("empty_deltas_forever"),
    "text for ever": struck("endless_deltas"),
    "one byte a second": struck("one_byte_a_second"),
    "a stall after the headers": struck("stall_after_headers"),
    "a header, byte by byte": struck("slow_headers"),
    "100 Continue for ever": struck("endless_continue"),
    "a slow token page": struck("one_byte_a_second", on="GET"),
    "Retry-After: 3600": in_an_hour,
    "three fallbacks that hang": three_that_hang,
}


def main(deadline: float) -> int:
    """Print one line a case; return 1 if one of them ended too late."""
    print(f"deadline {deadline:g} s; it must end by {deadline + SLACK:g} s")
    late = 0
    for name, case in CASES.items():
        with case(deadline) as asking:
            started = time.monotonic()
            try:
                _ = asking.chat("hi").text
                ended = "answered"
            except ProviderError as error:
                ended = type(error).__name__
            seconds = time.monotonic() - started
        late += seconds > deadline + SLACK or ended == "answered"
        print(f"{name:34}{seconds:7.3f} s  {ended}", flush=True)
    return int(late > 0)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0))
