"""Makes the prompts of ``providers batch`` from rows: a column, or a template with fields."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from providers_sdk._suggest import find_nearest
from providers_sdk.cli._batch_input import PROMPT, Row, RowSource
from providers_sdk.errors import InvalidArgument

__all__ = ["PromptMaker", "check_rows", "iter_prompts"]

_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class PromptMaker:
    """Makes the prompt and the id of a row.

    :param columns: the columns of the input.
    :param column: the column of the prompts; ``prompt``, or the only one, where neither it nor a template is given.
    :param template: text with fields, ``{name}``; ``{{`` and ``}}`` are braces.
    :param id_column: the column of the ids, if any.
    :raises InvalidArgument: a column or field is not there.
    """

    def __init__(
        self, columns: Sequence[str], *, column: str | None = None, template: str | None = None, id_column: str | None
    ) -> None:
        if column is not None and template is not None:
            raise InvalidArgument("give --prompt-column or --template, not both")
        self._columns, self._template, self._id_column = columns, template, id_column
        self._column = None if template is not None else column or self._choose_column()
        wanted = [self._column] if template is None else _find_fields(template)
        for name in [*wanted, *([id_column] if id_column is not None else [])]:
            if name not in columns:
                raise InvalidArgument(self._describe_missing(str(name)))

    def make(self, row: Row) -> Any:
        """Return the prompt.

        :raises InvalidArgument: the row lacks a value.
        """
        if self._template is None:
            return _get(row, str(self._column))
        return _FIELD.sub(lambda found: _fill(found, row), self._template)

    def make_id(self, row: Row) -> Any:
        """Return the id, ``None`` where there are none."""
        return None if self._id_column is None else _get(row, self._id_column)

    def _choose_column(self) -> str:
        if PROMPT in self._columns or not self._columns:
            return PROMPT
        if len(self._columns) == 1:
            return self._columns[0]
        raise InvalidArgument(
            f"which column is the prompt? Name it with --prompt-column, or give a --template; "
            f"there are {', '.join(self._columns)}"
        )

    def _describe_missing(self, name: str) -> str:
        near = find_nearest(name, self._columns)
        meant = f"; did you mean {near!r}?" if near else ""
        return f"the input has no column {name!r}; it has {', '.join(self._columns) or 'none'}{meant}"


def check_rows(source: RowSource, maker: PromptMaker, limit: int | None) -> int:
    """Check every row that would be asked; return how many there are.

    :raises InvalidArgument: a row has no prompt; the message names its line.
    """
    return sum(1 for _ in iter_prompts(source, maker, limit))


def iter_prompts(source: RowSource, maker: PromptMaker, limit: int | None) -> Iterator[Row]:
    """Yield the prompt and the id of each row, as ``Client.map`` takes them."""
    for line, row in islice(source.rows(), limit):
        try:
            prompt, identity = maker.make(row), maker.make_id(row)
        except InvalidArgument as error:
            raise InvalidArgument(f"line {line} of {source.name}: {error.message}") from None
        if not prompt or (isinstance(prompt, str) and not prompt.strip()):
            raise InvalidArgument(f"line {line} of {source.name} has an empty prompt; fill it or remove the row")
        yield {PROMPT: prompt, "id": identity}


def _find_fields(template: str) -> list[str]:
    for found in _FIELD.finditer(template):
        if found[0] in "{}":
            raise InvalidArgument(f"the template has a lone {found[0]!r}; write a brace that is no field twice")
    return [found[1] for found in _FIELD.finditer(template) if found[1] is not None]


def _fill(found: re.Match[str], row: Row) -> str:
    if found[1] is None:
        return found[0][0]
    value = _get(row, found[1])
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _get(row: Row, name: str) -> Any:
    if name not in row:
        raise InvalidArgument(f"there is no {name!r}; the row has {', '.join(row) or 'nothing'}")
    return row[name]
