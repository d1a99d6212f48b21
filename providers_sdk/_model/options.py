"""An option of a call with its type: what a plugin declares, and the check of what a caller gives."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any

from providers_sdk._value import Value

__all__ = ["Option", "find_wrong_option"]


_Class = type[Any]  # in the class below, ``type`` is a field


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Option(Value):
    """One option of a call.

    :param type: the class of its values, or several. ``float`` takes whole numbers, too; true and false are no numbers.
    :param sample: a value that the service accepts: the contract tests send it, and messages show it.
    :raises TypeError: the sample is of another type.
    """

    type: _Class | tuple[_Class, ...]
    sample: Any

    def __post_init__(self) -> None:
        if not self.accepts(self.sample):
            raise TypeError(f"the sample of an Option is of its type: {self.sample!r} is no {self.type_names}")

    def accepts(self, value: object) -> bool:
        """Return whether ``value`` has the type."""
        if isinstance(value, bool):
            return any(kind in (bool, object) for kind in self._kinds)
        return isinstance(value, (*self._kinds, int) if float in self._kinds else self._kinds)

    @property
    def type_names(self) -> str:
        """The names of the type's classes, such as ``"str or list"``."""
        return " or ".join("None" if kind is NoneType else kind.__name__ for kind in self._kinds)

    @property
    def _kinds(self) -> tuple[_Class, ...]:
        return self.type if isinstance(self.type, tuple) else (self.type,)


def find_wrong_option(known: Collection[str], options: Mapping[str, Any]) -> str:
    """Return a sentence on the first of ``options`` that has another type than ``known`` declares; ``""`` for none."""
    for name, value in options.items():
        option = known.get(name) if isinstance(known, Mapping) else None
        if isinstance(option, Option) and not option.accepts(value):
            given = "None" if value is None else type(value).__name__
            return f"takes {option.type_names} for the option {name}, such as {option.sample!r}; it was given {given}"
    return ""


Option.__module__ = "providers_sdk.plugin"
