"""The states of an attempt; ``_provider/attempt.py`` says how one follows the other."""

from enum import Enum

__all__ = ["State"]


class State(Enum):
    """What has become of an attempt; the value is the record's ``outcome``, but for a failure."""

    RUNNING = "streaming"
    ANSWERED = "answered"
    FAILED = "failed"
    CLOSED = "abandoned"
