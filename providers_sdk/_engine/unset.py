"""The value of an argument that was not given, where ``None`` means something."""

from typing import Any, Final

__all__ = ["UNSET", "Seconds", "Unset", "drop_unset"]


class Unset:
    """The type of :data:`UNSET`: an argument that was not given, where ``None`` means "no limit"."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()
Seconds = float | None | Unset


def drop_unset(**arguments: Any) -> dict[str, Any]:
    """Return the arguments that were given."""
    return {name: value for name, value in arguments.items() if not isinstance(value, Unset)}


Unset.__module__ = "providers_sdk"
