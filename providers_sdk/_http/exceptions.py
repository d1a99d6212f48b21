"""Maps the exceptions of requests, urllib3 and sockets to this library's errors, and redacts secrets in them.

**Mapping.** :func:`translate` looks at a foreign exception and at everything inside it, because these libraries wrap
each other's errors in arguments, reasons, causes and contexts: a refused connection arrives as a ``ConnectionError``
with a ``MaxRetryError`` with a ``NewConnectionError`` caused by an ``OSError``. The first row of the table in
``exception_table.py`` that fits any of them decides. That table imports requests, so it is loaded by the first failure.

**Redaction.** :func:`redact_chain` runs here, so that a plugin that catches an error sees no secret, and once more
where the error leaves the attempt, because the plugin may have raised or changed one of its own:

- Errors of ours keep their class and identity: their message, notes and attributes are redacted in place.
- Foreign exceptions belong to others and are never edited. One that shows a secret is replaced by a
  :class:`RedactedCause` with its redacted text, and so is each that holds it; those below and beside stay.
- Tracebacks keep files and lines and lose their local variables. The frames that send a request hold its headers, and
  whatever reports errors with local variables (``capture_locals``, ``show_locals``, ``pytest -l``) would show them.

An exception that the caller was handling when they called is a context of every error, but no part of it: ``before``
is not changed.
"""

import sys
import traceback
from collections.abc import Iterator
from types import NoneType
from typing import Any

from providers_sdk import errors
from providers_sdk._http.clock import Clock
from providers_sdk._redact import Redactor

__all__ = ["RedactedCause", "read_text", "redact_chain", "translate"]

_DEEPEST = 8
_set = BaseException.__setattr__  # a plugin's class may have its own


_PLAIN = (str, bytes, int, float, BaseException, NoneType)


class RedactedCause(Exception):
    """Takes the place of a cause whose own text holds a secret; holds the same text, redacted."""


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
    """Return our error for a foreign ``failure``, which is its cause; neither shows a secret.

    :param clock: knows which limit a timeout means.
    :param before: what the caller was handling when the request began: Python hangs it on as a context, but it is no
        part of this failure.
    :param since: when the request began, by the clock; the attempt's start where it is not given.
    :param body: whether the response's headers were there already.
    """
    chain = list(_walk(failure, before))
    error = _choose(chain, clock, clock.attempt_started if since is None else since, body)
    error.url = url
    if error is not failure:
        error.__cause__ = failure
    error.__suppress_context__ = True
    redact_chain(error, redact, before=before)
    return error


def redact_chain(error: errors.ProviderError, redact: Redactor, *, before: BaseException | None = None) -> None:
    """Hide secrets in ``error`` and in everything that it was raised from, in chains of any length.

    :param redact: hides the secrets.
    :param before: what the caller was handling before; it and what it was raised from are left alone.
    """
    links = list(_walk(error, before))
    for link in links:
        traceback.clear_frames(link.__traceback__)
        _drop_request(link)
        _drop_connections(link)
        if isinstance(link, errors.ProviderError):
            _redact_fields(link, redact)
    replaced = {id(link): _replace(link, redact) for link in _find_showing(links, redact)}
    for link in links:
        if id(link) in replaced or isinstance(link, errors.ProviderError):
            _relink(replaced.get(id(link), link), link, replaced)


def _choose(chain: list[BaseException], clock: Clock, since: float, body: bool) -> errors.ProviderError:
    from providers_sdk._http.exception_table import CONNECT_TIMEOUTS, REFUSED, ROWS, TIMEOUTS

    for link in chain:
        if isinstance(link, errors.ProviderError):
            return link
    refused = any(isinstance(link, REFUSED) for link in chain)
    if not refused and any(isinstance(link, CONNECT_TIMEOUTS) for link in chain):
        return clock.connect_error(clock.now() - since)
    if not refused and any(isinstance(link, TIMEOUTS) for link in chain):
        return clock.timeout_error() if _is_at_end(clock) or body else clock.connect_error(clock.now() - since)
    if reply := _find_proxy_reply(chain):
        return reply
    for foreign, ours, sentence in ROWS:
        if any(isinstance(link, foreign) for link in chain):
            if body and ours is errors.TLSFailed:  # the handshake is long over: TLS reports a lost connection this way
                ours, sentence = ROWS[-1][1:]
            return ours(f"{sentence} ({_read_innermost_text(chain)})")
    return errors.TransportError(f"the request failed ({_read_innermost_text(chain)})")


def _find_proxy_reply(chain: list[BaseException]) -> errors.ProviderError | None:
    from providers_sdk._http.exception_table import PROXY_REPLIES

    texts = [read_text(link) for link in chain if isinstance(link, OSError)]
    for pattern, ours, sentence in PROXY_REPLIES:
        for text in filter(pattern.match, texts):
            return ours(f"{sentence} ({text})")
    return None


def _is_at_end(clock: Clock) -> bool:
    left = clock.left()
    return left is not None and left <= 0.05


def _read_innermost_text(chain: list[BaseException]) -> str:
    """Return the innermost error's own text, without the objects that urllib3 prints into the outer ones."""
    innermost = chain[-1]
    text = getattr(innermost, "strerror", None) or (innermost.args[-1] if innermost.args else read_text(innermost))
    return f"{type(innermost).__name__}: {text}" if isinstance(text, str) and text else type(innermost).__name__


def _walk(failure: BaseException, before: BaseException | None) -> Iterator[BaseException]:
    """Yield ``failure`` and everything inside it, each once, but nothing of ``before``."""
    seen, stack = {id(before)}, [failure]
    while stack:
        link = stack.pop()
        if id(link) not in seen:
            seen.add(id(link))
            yield link
            stack.extend(reversed(_list_inside(link)))


def _list_inside(link: BaseException) -> list[BaseException]:
    """Return the exceptions in arguments, attributes and groups, the cause and the context."""
    held = (*link.args, *vars(link).values(), *getattr(link, "exceptions", ()), link.__cause__, link.__context__)
    return [item for item in held if isinstance(item, BaseException)]


def _drop_request(link: BaseException) -> None:
    """Take request and response out of an error of requests: they hold headers, and so keys."""
    requests = sys.modules.get("requests")
    if requests is not None and isinstance(link, requests.RequestException):
        link.request = link.response = None


def _drop_connections(link: BaseException) -> None:
    """Take pools and connections out of an error of urllib3: they hold sockets, and do not pickle."""
    urllib3 = sys.modules.get("urllib3")
    if urllib3 is not None and isinstance(link, urllib3.exceptions.HTTPError):
        link.args = tuple(item if isinstance(item, _PLAIN) else read_text(item) for item in link.args)
        vars(link).update({name: None for name, item in vars(link).items() if not isinstance(item, _PLAIN)})


def _redact_fields(error: errors.ProviderError, redact: Redactor) -> None:
    _set(error, "args", tuple(_redact_value(item, redact) for item in error.args))
    fields = vars(error)
    fields.update({name: _redact_value(value, redact) for name, value in fields.items()})


def _redact_value(value: Any, redact: Redactor, depth: int = 0) -> Any:
    """Return ``value`` without secrets: text and collections keep their type, any other object becomes its text."""
    if isinstance(value, BaseException) or value is None:
        return value
    if isinstance(value, str):
        return redact(value)
    if type(value) is dict and depth < _DEEPEST:
        return {_redact_value(k, redact, depth + 1): _redact_value(v, redact, depth + 1) for k, v in value.items()}
    if type(value) in (list, tuple, set, frozenset) and depth < _DEEPEST:
        return type(value)(_redact_value(item, redact, depth + 1) for item in value)
    return redact(read_text(value)) if _holds_secret(value, redact) else value


def _find_showing(links: list[BaseException], redact: Redactor) -> list[BaseException]:
    """Return the foreign exceptions that show a secret, or hold one that does."""
    holders: dict[int, list[BaseException]] = {}
    for link in links:
        for item in _list_inside(link):
            holders.setdefault(id(item), []).append(link)
    foreign = [link for link in links if not isinstance(link, errors.ProviderError)]
    stack = [link for link in foreign if _holds_secret(link, redact)]
    found: dict[int, BaseException] = {}
    while stack:
        link = stack.pop()
        if id(link) not in found and not isinstance(link, errors.ProviderError):
            found[id(link)] = link
            stack.extend(holders.get(id(link), ()))
    return list(found.values())


def _holds_secret(value: object, redact: Redactor) -> bool:
    """Whether ``value`` shows or holds a secret: a field of urllib3's timeouts is the proxy's address."""
    try:
        text = f"{value} {value!r} {getattr(value, '__dict__', '')}"
    except Exception:  # noqa: BLE001  a plugin's own object may be unprintable, and so cannot be judged
        return True
    return redact(text) != text


def read_text(value: object) -> str:
    """Return the text of ``value``, whose own code may fail."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001  a plugin's own error may be unprintable
        return "(its text cannot be read)"


def _replace(link: BaseException, redact: Redactor) -> RedactedCause:
    replacement = RedactedCause(redact(f"{type(link).__module__}.{type(link).__name__}: {read_text(link)}"))
    for note in getattr(link, "__notes__", ()):
        replacement.add_note(redact(read_text(note)))
    return replacement.with_traceback(link.__traceback__)


def _relink(new: BaseException, old: BaseException, replaced: dict[int, RedactedCause]) -> None:
    """Give ``new`` the cause and context of ``old``, and to an error of ours its attributes, as replaced."""
    suppress = old.__suppress_context__
    _set(new, "__cause__", replaced.get(id(old.__cause__), old.__cause__))
    _set(new, "__context__", replaced.get(id(old.__context__), old.__context__))
    _set(new, "__suppress_context__", suppress)
    if new is old:
        _set(new, "args", tuple(replaced.get(id(item), item) for item in new.args))
        vars(new).update({name: replaced.get(id(item), item) for name, item in vars(new).items()})
