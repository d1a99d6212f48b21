"""Puts tool calls together from what services of the OpenAI dialect send. Pure.

A stream sends a call in pieces: the first has the id and the name, all have a part of the arguments' JSON text. A piece
belongs to the call of its ``index``; where a service sends none, to that of its ``id``; or else it continues the call
before it. Some services number every call 0, or repeat id and name in each piece: a piece with another id *and* a name
begins a new call, and a name that is repeated is not appended. A whole answer has each call in one piece.

Calls are complete only at the answer's end, and only there it is known whether it ended for its length: then a call
whose arguments were cut is left out, and otherwise it is an error.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from providers_sdk._model.chunks import ToolCall
from providers_sdk._protocol.json import parse_json
from providers_sdk._redact import snippet
from providers_sdk.errors import InvalidAnswer, TooLarge

__all__ = ["ToolCallBuilder", "iter_call_pieces"]

MAX_CALLS = 1_000
MAX_CHARACTERS = 8_000_000
_LONGEST_NAME = 1_000
_LONGEST_QUOTE = 2_000  # characters of arguments in a message


def iter_call_pieces(delta: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the pieces of tool calls in a delta or message; the older ``function_call`` is a call without an id.

    Snowflake sends an empty ``function_call`` with every response, which is no call.
    """
    calls = delta.get("tool_calls")
    yield from (call for call in calls if isinstance(call, dict)) if isinstance(calls, list) else ()
    function = delta.get("function_call")
    if isinstance(function, dict) and (function.get("name") or function.get("arguments")):
        yield {"index": "function_call", "function": function}


class _Call:
    """One call so far; ``index`` and ``id`` say which pieces belong to it."""

    def __init__(self, index: object, id_: str) -> None:
        self.index, self.id, self.name = index, id_, ""
        self.pieces: list[str] = []

    @property
    def arguments(self) -> str:
        """The JSON text so far."""
        return "".join(self.pieces)


class ToolCallBuilder:
    """Puts the tool calls of one answer together; a dialect of another form is brought into these pieces first.

    :param whole: whether each piece is a call of its own, as in an answer that is not streamed.
    """

    def __init__(self, *, whole: bool) -> None:
        self._whole, self._calls, self._size = whole, list[_Call](), 0

    @property
    def names(self) -> list[str]:
        """The names so far."""
        return [call.name for call in self._calls]

    def add(self, piece: Mapping[str, Any]) -> bool:
        """Add the next piece; return whether there is anything in it.

        :param piece: ``{"index", "id", "function": {"name", "arguments"}}``, of which the first two say which call it
            belongs to; the arguments are the next part of their JSON text, or a whole object.
        :raises InvalidAnswer: a field of it has a wrong type.
        :raises TooLarge: the answer has too many calls, or too long ones.
        """
        function = piece.get("function")
        if not isinstance(function, dict):
            return False
        name, arguments = _read_text(function, "name"), _read_arguments(function.get("arguments"))
        if not name and not arguments:
            return False
        call = self._find(piece.get("index"), _read_text(piece, "id"), name)
        if name != call.name:
            call.name += name
        call.pieces.append(arguments)
        self._size += len(name) + len(arguments)
        if self._size > MAX_CHARACTERS or len(self._calls) > MAX_CALLS or len(call.name) > _LONGEST_NAME:
            raise TooLarge(
                f"the answer has more than {MAX_CALLS} tool calls or {MAX_CHARACTERS} characters in them; "
                "reading stopped there"
            )
        return True

    def _find(self, index: object, id_: str, name: str) -> _Call:
        """Return the call that a piece belongs to, a new one where it begins one."""
        found = None if self._whole else self._find_known(index, id_, name)
        if found is None:
            found = _Call(index, id_)
            self._calls.append(found)
        found.id = found.id or id_
        return found

    def _find_known(self, index: object, id_: str, name: str) -> _Call | None:
        if index is not None:
            same = next((call for call in reversed(self._calls) if call.index == index), None)
            begins = same is not None and bool(id_ and same.id and name) and id_ != same.id
            return None if begins else same
        if id_:
            same = next((call for call in self._calls if call.id == id_), None)
            return same or (None if name or not self._calls else self._calls[-1])
        return None if name or not self._calls else self._calls[-1]

    def build(self, *, cut: bool) -> list[ToolCall]:
        """Return the calls that are complete.

        :param cut: whether the answer ended for its length: incomplete calls are left out.
        :raises InvalidAnswer: a call is incomplete and ``cut`` is not set; the message holds its text.
        """
        built = []
        for call in self._calls:
            try:
                built.append(_build(call, cut))
            except InvalidAnswer:
                if not cut:
                    raise
        return built


def _build(call: _Call, cut: bool) -> ToolCall:
    text = call.arguments
    if not call.name:
        raise InvalidAnswer(f"a tool call has no name; its arguments are {snippet(text, _LONGEST_QUOTE)}")
    if not text.strip() and not cut:
        return ToolCall(call.id, call.name, {})  # so some services write a call without arguments
    try:
        arguments = parse_json(text)
    except ValueError:
        arguments = None
    else:
        arguments = {} if arguments is None else arguments
    if not isinstance(arguments, dict):
        raise InvalidAnswer(
            f"the arguments of the tool call {snippet(call.name, 80)!r} are no JSON object: "
            f"{snippet(text, _LONGEST_QUOTE)}"
        )
    return ToolCall(call.id, call.name, _replace_lone_surrogates(arguments))


def _replace_lone_surrogates(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return ``arguments`` as they can be printed and sent: half a character becomes U+FFFD."""
    text = json.dumps(arguments, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        fixed: dict[str, Any] = json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
        return fixed
    return arguments


def _read_text(mapping: Mapping[str, Any], key: str) -> str:
    value = mapping.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidAnswer(f"{key!r} of a tool call should be text, not {type(value).__name__}")
    return value or ""


def _read_arguments(value: object) -> str:
    """Return the JSON text of the arguments; some services send the object itself."""
    if isinstance(value, dict):
        return json.dumps(value)
    if value is not None and not isinstance(value, str):
        raise InvalidAnswer(f"the arguments of a tool call should be JSON text, not {type(value).__name__}")
    return value or ""


ToolCallBuilder.__module__ = "providers_sdk.plugin"
