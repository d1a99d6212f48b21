"""Runs one fault against one provider, and measures the end, the time and the connections left open."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from providers_sdk._engine.client import Client
from providers_sdk._model.limits import Limits
from providers_sdk.errors import IdleTimeout, ProviderError, TimeLimitExceeded, TransportError
from providers_sdk.testing.fake_service import FakeService
from providers_sdk.testing.faults.fault import FaultSetup, Kind, NamedFault, inject
from providers_sdk.testing.server import RawServer

if TYPE_CHECKING:
    import requests

    from providers_sdk._plugins.registry import Registry

__all__ = ["FaultResult", "run_fault"]

SMALL = Limits(connect=0.3, first_token=0.5, idle=0.4, deadline=1.0)
_UNHURRIED = Limits(connect=10, first_token=20, idle=20, deadline=20)
_ANSWERED = "answered"
_NOTHING: Mapping[str, str] = MappingProxyType({})
_PATIENCE = 30.0  # seconds for the server to notice that its connection was closed
_CLOSING = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultResult:
    """How one fault ended for one provider.

    :param documented: the class of error that the fault names; ``"answered"`` for a harmless one.
    :param ended: the class of error that was raised; ``"answered"`` where the whole text came.
    :param fits: whether it ended as documented.
    :param seconds: how long that took.
    :param overrun: seconds beyond the limit that should have ended it; negative where there was time left. A busy
        machine makes it larger, but a limit that is not kept does so by more than ten seconds.
    :param cpu_seconds: what the asking thread computed, which a busy machine leaves as it is.
    :param sockets_left: connections still open on a server two seconds after the client was closed.
    :param error: what was raised.
    """

    fault: str
    provider: str
    kind: Kind
    documented: str
    ended: str
    fits: bool
    seconds: float
    overrun: float
    cpu_seconds: float
    sockets_left: int
    error: Exception | None


@dataclass(slots=True)
class _Asked:
    started: float = field(default_factory=time.monotonic)
    last_piece: float = 0.0
    text: str = ""
    error: Exception | None = None
    ended: float = 0.0
    cpu_seconds: float = 0.0


def run_fault(
    fault: NamedFault,
    provider: str,
    site: FakeService,
    *,
    kind: Kind,
    stream: bool = True,
    limits: Limits = SMALL,
    user_info: str = "",
    settings: Mapping[str, str] = _NOTHING,
    registry: "Registry | None" = None,
) -> FaultResult:
    """Ask ``provider`` once with the fault in its way; once more if an answer arrives.

    :param site: a fake service of the provider's service, not started.
    :param kind: what the fault spoils: a response of the kind that the site sends, or the page with the tokens.
    :param stream: whether the caller asks for a stream; not every service then gives one.
    :param limits: the client has the one that the fault must run into; its other limits are generous, so that a slow
        machine runs into none of them. What ends otherwise must do so within the deadline among ``limits``.
    :param user_info: ``"user:password"`` to put into the service's address.
    :param settings: further settings of the provider.
    """
    documented = fault.ends.of(kind)
    tight = _tighten(documented, limits)
    with inject(fault, site, route=("GET", "") if kind == "page" else None) as setup:
        url = setup.url.replace("://", f"://{user_info}@") if user_info else setup.url
        row = {**site.client_settings(), **settings, "url": url}
        client = Client(
            provider, settings={provider: row}, proxy=setup.proxy, session=_open_session(setup),
            registry=registry, retries=0, connect=tight.connect,
            first_token=tight.first_token, idle=tight.idle, deadline=tight.deadline,
        )  # fmt: skip
        with client:
            asked = _ask(client, stream)
            if asked.error is None:
                site.wait_idle(_CLOSING if fault.closes else 0.0)
                asked = _ask(client, stream)
        left = _count_open((site, *setup.servers))
    answered = asked.error is None and site.text.strip() in asked.text
    return FaultResult(
        fault=fault.name,
        provider=provider,
        kind=kind,
        documented=documented.__name__ if documented else _ANSWERED,
        ended=_ANSWERED if answered else type(asked.error).__name__ if asked.error else "another text",
        fits=answered if documented is None else isinstance(asked.error, documented),
        seconds=asked.ended - asked.started,
        overrun=asked.ended - _compute_due(asked, limits),
        cpu_seconds=asked.cpu_seconds,
        sockets_left=left,
        error=asked.error,
    )


def _tighten(documented: type[ProviderError] | None, limits: Limits) -> Limits:
    if documented is TransportError:
        return limits
    limit = documented.limit if documented is not None and issubclass(documented, TimeLimitExceeded) else ""
    return _UNHURRIED.with_(**{limit: getattr(limits, limit)}) if limit else _UNHURRIED


def _open_session(setup: FaultSetup) -> "requests.Session | None":
    if setup.ca is None:
        return None
    import requests  # only a client with its own certificate authority needs a session

    session = requests.Session()
    session.verify = setup.ca
    return session


def _ask(client: Client, stream: bool) -> _Asked:
    asked, cpu_before = _Asked(), time.thread_time()
    try:
        for piece in client.chat("Name three pizzas.", stream=stream):
            asked.last_piece = time.monotonic()
            asked.text += piece
    except Exception as error:  # noqa: BLE001  whatever it is, it is the result
        asked.error = error
    asked.ended, asked.cpu_seconds = time.monotonic(), time.thread_time() - cpu_before
    return asked


def _compute_due(asked: _Asked, limits: Limits) -> float:
    """Return when it should have ended at the latest."""
    if isinstance(asked.error, IdleTimeout):
        return asked.last_piece + (limits.idle or 0.0)
    if isinstance(asked.error, TimeLimitExceeded):
        return asked.started + (getattr(limits, asked.error.limit) or 0.0)
    return asked.started + (limits.deadline or 0.0)


def _count_open(servers: Iterable[RawServer]) -> int:
    ends = time.monotonic() + _PATIENCE
    while (left := sum(server.open_connections for server in servers)) and time.monotonic() < ends:
        time.sleep(0.005)
    return left
