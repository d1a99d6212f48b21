"""The one door through which foreign errors pass: what requests, urllib3 and sockets raise becomes ours, by a table."""

from collections.abc import Iterator

import requests.exceptions as theirs
import urllib3.exceptions as lower

from providers_sdk import errors
from providers_sdk._http.clock import Clock
from providers_sdk._http.exception_table import CONNECT_TIMEOUTS, ROWS, TIMEOUTS
from providers_sdk._redact import Redactor

__all__ = ["ForeignError", "scrub", "translate"]


class ForeignError(Exception):
    """Stands in the place of a cause whose own text holds a secret."""


def translate(
    failure: BaseException,
    *,
    clock: Clock,
    url: str,
    redact: Redactor,
    before: BaseException | None,
    since: float | None = None,
    body: bool = False,
) -> errors.ProviderError:
    """Return our error for a foreign ``failure``, its cause set (scrubbed where it holds a secret).

    :param clock: tells which limit a timeout means.
    :param before: what the caller was handling when the request began: Python hangs it on as a context, but it is no
        part of this failure.
    :param since: when the request began, as the clock tells; the attempt's start where it is not given.
    :param body: whether the answer's headers were there already.
    """
    chain = list(_chain(failure, before))
    error = _of(chain, clock, clock.attempt_started if since is None else since, body)
    error.url = url
    error.__cause__ = _scrubbed(failure, chain, redact)
    error.__suppress_context__ = True
    return error


def _of(chain: list[BaseException], clock: Clock, since: float, body: bool) -> errors.ProviderError:
    for link in chain:
        if isinstance(link, errors.ProviderError):
            return link
    refused = any(isinstance(link, lower.NewConnectionError) for link in chain)  # by its class a timeout; it is none
    if not refused and any(isinstance(link, CONNECT_TIMEOUTS) for link in chain):
        return clock.connect_verdict(clock.now() - since)
    if not refused and any(isinstance(link, TIMEOUTS) for link in chain):
        return clock.verdict() if _at_end(clock) or body else clock.connect_verdict(clock.now() - since)
    for foreign, ours, sentence in ROWS:
        if any(isinstance(link, foreign) for link in chain):
            if body and ours is errors.TLSFailed:  # the handshake is long over: TLS reports a lost connection this way
                ours, sentence = ROWS[-1][1:]
            return ours(f"{sentence} ({_words(chain)})")
    return errors.TransportError(f"the request failed ({_words(chain)})")


def _at_end(clock: Clock) -> bool:
    left = clock.left()
    return left is not None and left <= 0.05


def _chain(failure: BaseException, before: BaseException | None) -> Iterator[BaseException]:
    """Yield ``failure`` and everything inside it: arguments, reasons, causes, contexts; but nothing of ``before``."""
    seen: set[int] = {id(before)}
    stack = [failure]
    while stack:
        link = stack.pop()
        if id(link) in seen or len(seen) > 50:
            continue
        seen.add(id(link))
        yield link
        inside = (*link.args, getattr(link, "reason", None), link.__cause__, link.__context__)
        stack.extend(item for item in reversed(inside) if isinstance(item, BaseException))


def _words(chain: list[BaseException]) -> str:
    """The innermost error's own words, without the objects that urllib3 prints into them."""
    innermost = chain[-1]
    text = getattr(innermost, "strerror", None) or (innermost.args[-1] if innermost.args else "")
    return f"{type(innermost).__name__}: {text}" if isinstance(text, str) and text else type(innermost).__name__


def _scrubbed(failure: BaseException, chain: list[BaseException], redact: Redactor) -> BaseException:
    for link in chain:
        if isinstance(link, theirs.RequestException):
            link.request = link.response = None  # they carry headers, and so keys
    if all(redact(text) == text for text in map(_told, chain)):
        return failure
    return ForeignError(redact(f"{type(failure).__module__}.{type(failure).__name__}: {_told(failure, '{}')}"))


def _told(link: BaseException, shape: str = "{0} {0!r} {1}") -> str:
    """What a link says, shows and holds: a field of urllib3's timeouts is the proxy's address."""
    try:
        return shape.format(link, vars(link))
    except Exception:  # noqa: BLE001  a plugin's own error may be unprintable
        return ""


def scrub(error: errors.ProviderError, redact: Redactor) -> None:
    """Put a redacted stand-in in the place of a cause or context of ``error`` that holds a secret."""
    for name in ("__cause__", "__context__"):
        link = getattr(error, name)
        if link is not None:
            setattr(error, name, _scrubbed(link, list(_chain(link, None)), redact))
