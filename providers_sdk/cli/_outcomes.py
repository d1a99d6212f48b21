"""What each service answered last, kept for a day."""

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from providers_sdk._attempts import Attempt
from providers_sdk._engine.binder import Binder
from providers_sdk._redact import bare_url
from providers_sdk.cli._day_cache import read_fact, write_fact
from providers_sdk.errors import ProviderError

__all__ = ["Outcome", "find_address", "read_outcome", "record_attempts"]

_UNDECIDED = ("streaming", "abandoned", "skipped")


class Outcome(NamedTuple):
    """How the last attempt at a service ended.

    :param at: when, as seconds since the epoch.
    :param outcome: ``"answered"``, or the error's class name.
    :param reason: the error's sentence; empty for an answer.
    :param seconds: that it took.
    """

    at: float
    outcome: str
    reason: str
    model: str
    seconds: float


def find_address(binder: Binder, name: str) -> str:
    """Return the address of a service, without user info and query; empty where it has none."""
    url = binder.trace(name).get("url")
    return bare_url(str(url.value)) if url is not None else ""


def read_outcome(binder: Binder, name: str) -> Outcome | None:
    """Return how the last attempt within a day ended; ``None`` where nobody tried, or at another address."""
    fact = read_fact("status", name, find_address(binder, name))
    try:
        found = Outcome(**fact)
    except TypeError:
        return None
    numbers, texts = (found.at, found.seconds), (found.outcome, found.reason, found.model)
    sound = all(isinstance(one, (int, float)) for one in numbers) and all(isinstance(one, str) for one in texts)
    return found if sound else None


def record_attempts(binder: Binder, attempts: Iterable[Attempt]) -> None:
    """Keep how the last attempt at each service ended; what cannot be written is no error."""
    decided = {attempt.provider: attempt for attempt in attempts if attempt.outcome not in _UNDECIDED}
    for name, attempt in decided.items():
        try:
            write_fact("status", name, find_address(binder, name), _describe(attempt))
        except ProviderError:
            continue  # its settings have changed meanwhile


def _describe(attempt: Attempt) -> dict[str, Any]:
    return Outcome(time.time(), attempt.outcome, attempt.reason, attempt.model, round(attempt.total, 3))._asdict()
