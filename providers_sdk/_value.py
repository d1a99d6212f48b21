"""What frozen dataclasses need besides their fields, written once: ``@dataclass`` compiles it anew for each class.

That is a third of what making such a class costs each start. Classes of values derive from :class:`Value` and give
``repr=False, eq=False``; their text, comparison and hash are those that ``@dataclass`` would have written.
"""

from dataclasses import Field
from typing import Any, ClassVar

__all__ = ["Value"]


class Value:
    """A value: two are equal if their classes are the same and their fields are equal."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __repr__(self) -> str:
        shown = (name for name, field in self.__dataclass_fields__.items() if field.repr)
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        compared = [name for name, field in self.__dataclass_fields__.items() if field.compare]
        return [getattr(self, name) for name in compared] == [getattr(other, name) for name in compared]

    def __hash__(self) -> int:
        fields = self.__dataclass_fields__.items()
        return hash(tuple(getattr(self, name) for name, field in fields if field.hash is not False and field.compare))
