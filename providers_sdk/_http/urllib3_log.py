"""Redacts secrets in urllib3's log.

At DEBUG, urllib3 logs the path and query of every request, and either may hold a key. A filter on its loggers
replaces the query, and each registered secret, in the records that are made while a session of this library sends in
the same thread. Records of other users of urllib3 in this process stay as they are, and so do levels and handlers.
A filter sees the record before any handler does, also those of adapters that the caller passed in.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from providers_sdk._redact import HIDDEN, Redactor

__all__ = ["redact_urllib3_log"]

_NAMES = ("connection", "connectionpool", "poolmanager", "response", "util.retry")
_LOGGERS = [logging.getLogger(f"urllib3.{name}") for name in _NAMES]
_sending: ContextVar[Callable[[], Redactor] | None] = ContextVar("providers_sdk_sending", default=None)


@contextmanager
def redact_urllib3_log(redact: Callable[[], Redactor]) -> Iterator[None]:
    """Redact what urllib3 logs in this thread.

    :param redact: returns what hides the secrets.
    """
    for logger in _LOGGERS:
        logger.addFilter(_redact_record)  # adding it twice changes nothing
    token = _sending.set(redact)
    try:
        yield
    finally:
        _sending.reset(token)


def _redact_record(record: logging.LogRecord) -> bool:
    redact = _sending.get()
    if redact is not None and isinstance(record.args, tuple):
        record.args = tuple(_redact_argument(argument, redact()) for argument in record.args)
    return True


def _redact_argument(argument: object, redact: Redactor) -> object:
    if isinstance(argument, (int, float)):
        return argument
    path, mark, _ = str(argument).partition("?")
    return redact(path) + (f"?{HIDDEN}" if mark else "")
