"""Shows on stderr what this library logs about extensions that fail."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from providers_sdk._environment import redact_environment
from providers_sdk._plugins.extensions import LOGGER
from providers_sdk.cli._terminal import say

__all__ = ["show_failing_extensions"]


@contextmanager
def show_failing_extensions() -> Iterator[None]:
    """Show each failure of an extension that is logged meanwhile as one line on stderr, once.

    The lines are written at the end, because an answer may stand unfinished on the last line of the terminal before.
    Where this is in use already, the outer one shows them.
    """
    log, lines = logging.getLogger(LOGGER), _Lines(logging.WARNING)
    if any(isinstance(handler, _Lines) for handler in log.handlers):
        yield
        return
    log.addHandler(lines)
    try:
        yield
    finally:
        log.removeHandler(lines)
        for text in lines.texts:
            say(redact_environment()(f"Warning: {text}"))


class _Lines(logging.Handler):
    """Collects the texts of records; the same one once, whichever client or registry it comes from."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.texts: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Add the record's text, if it is new."""
        self.texts.setdefault(record.getMessage())
