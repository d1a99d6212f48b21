"""Time limits as values."""

from dataclasses import dataclass, fields, replace
from functools import lru_cache

from providers_sdk._value import Value
from providers_sdk.errors import InvalidArgument

__all__ = ["LIMITS", "MAX_SECONDS", "Limits"]

MAX_SECONDS = 1_000_000  # sockets accept no timeout of more than 24 days


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Limits(Value):
    """Time limits in seconds; ``None`` switches one off.

    :param connect: to open a connection, all addresses of the host together.
    :param first_token: from an attempt's start to the first piece of its answer.
    :param idle: between pieces; keep-alive comments and empty deltas are none. The consumer's own time is not counted.
    :param deadline: for the whole call by the wall clock, the consumer's own time included.
    """

    connect: float | None = 10.0
    first_token: float | None = 60.0
    idle: float | None = 30.0
    deadline: float | None = 600.0

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name))

    def __hash__(self) -> int:
        return hash((self.connect, self.first_token, self.idle, self.deadline))  # each call asks for it

    def with_(self, **given: float | None) -> "Limits":
        """Return a copy with the ``given`` limits replaced."""
        try:
            return _replace(self, **given) if given else self
        except TypeError:  # no hash has what is no number: the check refuses it
            return replace(self, **given)


@lru_cache(maxsize=64, typed=True)
def _replace(limits: Limits, **given: float | None) -> Limits:
    """Return a copy; each call asks for the same few."""
    return replace(limits, **given)


def _check(name: str, value: object) -> None:
    sound = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= MAX_SECONDS
    if value is not None and not sound:
        raise InvalidArgument(
            f"{name} must be a positive number of seconds, at most {MAX_SECONDS}, or None for no limit, "
            f"not {value!r:.40}"
        )


LIMITS = tuple(field.name for field in fields(Limits))
"""The names of the limits."""
Limits.__module__ = "providers_sdk"
