"""How a call names a provider: ``name``, ``distribution:name``, and either with ``/model``."""

from collections.abc import Sequence
from typing import NamedTuple

from providers_sdk._redact import snippet
from providers_sdk.errors import InvalidArgument

__all__ = ["NAME", "ProviderName", "parse_names", "short_name"]

NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?"
"""The form of a provider's name, and of the name that a key is stored under."""


class ProviderName(NamedTuple):
    """One provider of a call.

    :param name: the provider's name, with ``distribution:`` in front where that was given.
    :param model: the model behind the first slash; ``None`` where there is none.
    """

    name: str
    model: str | None = None

    def __str__(self) -> str:
        return f"{self.name}/{self.model}" if self.model else self.name


def parse_names(chosen: object) -> tuple[ProviderName, ...]:
    """Return the providers that ``chosen`` names, in its order.

    :param chosen: a name or a sequence of names.
    :raises InvalidArgument: it is neither, or a part of a name is empty.
    """
    names = [chosen] if isinstance(chosen, str) else list(chosen) if isinstance(chosen, Sequence) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise InvalidArgument(f"provider must be a name or a list of names, not {chosen!r}")
    return tuple(map(_parse, names))


def short_name(name: str) -> str:
    """Return the name without its distribution."""
    return name.rpartition(":")[2]


def _parse(text: str) -> ProviderName:
    name, slash, model = text.partition("/")
    if not all(part.strip() for part in (*name.split(":"), *([model] if slash else []))) or name.count(":") > 1:
        raise InvalidArgument(
            f"{snippet(text, 80)!r} names no provider: write 'name', 'distribution:name', or either with '/model'"
        )
    return ProviderName(name, model or None)
