"""Parses and checks messages, and formats them as one prompt for services that take a single string."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from providers_sdk._model.chunks import ToolCall
from providers_sdk._model.parts import File, Image, Part, parse_parts
from providers_sdk._model.tools import parse_tool_calls
from providers_sdk._value import Value
from providers_sdk.errors import InvalidMessages

__all__ = ["ROLES", "Message", "Messages", "format_prompt", "parse_history", "parse_messages"]

ROLES = ("system", "developer", "user", "assistant", "tool")
MAX_CHARACTERS = 8_000_000  # some two million tokens, more than any service is known to take
MAX_TOTAL_BYTES = 50_000_000  # of all images and files of a call


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Message(Value):
    """One turn.

    :param role: ``system``, ``developer``, ``user``, ``assistant`` or ``tool``.
    :param content: its text; a tuple of parts (text, :class:`Image`, :class:`File`) only where it is not text alone.
    :param tool_calls: of an ``assistant`` turn: the tools that the model asked for.
    :param tool_call_id: of a ``tool`` turn: the id of the call whose result it is.
    """

    role: str
    content: str | tuple[Part, ...]
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    def __post_init__(self) -> None:
        for name in ("content", "tool_calls"):
            if isinstance(getattr(self, name), list):  # a message can be hashed
                object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def text(self) -> str:
        """The text alone, without images and files."""
        return self.content if isinstance(self.content, str) else "".join(p for p in self.content if isinstance(p, str))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The content as parts, whichever form it has; none where it is empty."""
        return ((self.content,) if self.content else ()) if isinstance(self.content, str) else self.content


Messages = str | Sequence[Mapping[str, Any] | Message]
"""What ``chat`` takes: one prompt, or turns as ``{"role", "content"}`` mappings or :class:`Message` values."""


def parse_messages(messages: Messages) -> tuple[Message, ...]:
    """Return ``messages`` as a tuple of :class:`Message`, the last of which asks something.

    :raises InvalidMessages: for anything else; the message names the wrong entry.
    """
    if isinstance(messages, str):
        _check_text(messages, "the prompt")
        return (_check_not_empty(Message("user", messages), "the prompt"),)
    if not isinstance(messages, Sequence) or isinstance(messages, (bytes, bytearray, memoryview)):
        raise InvalidMessages(
            f"messages must be a string or a list of messages, not {type(messages).__name__}"
            + ("; decode it first" if isinstance(messages, (bytes, bytearray, memoryview)) else "")
        )
    if not messages:
        raise InvalidMessages("there are no messages; give at least one of role 'user'")
    parsed = tuple(_parse_message(entry, f"message {index}") for index, entry in enumerate(messages))
    _check_not_empty(parsed[-1], f"message {len(parsed) - 1} (the last)")
    _check_results(parsed)
    _check_total(parsed)
    return parsed


def parse_history(messages: Sequence[Mapping[str, Any] | Message]) -> tuple[Message, ...]:
    """Return turns that were had before; unlike those of a question, the last may be empty, and there may be none.

    :raises InvalidMessages: as for :func:`parse_messages`.
    """
    return parse_messages([*messages, Message("user", "?")])[:-1]


def _parse_message(entry: object, where: str) -> Message:
    if isinstance(entry, Message):
        entry = {name: getattr(entry, name) for name in Message.__slots__}
    if not isinstance(entry, Mapping):
        raise InvalidMessages(f"{where} must be a mapping with 'role' and 'content', not {type(entry).__name__}")
    role = _require_key(entry, "role", where)
    if role not in ROLES:
        raise InvalidMessages(f"{where} has the role {role!r:.60}; known roles are {', '.join(ROLES)}")
    calls = parse_tool_calls(entry.get("tool_calls"), where) if role == "assistant" else ()
    content = entry.get("content") or "" if calls else _require_key(entry, "content", where)
    return Message(
        role, _parse_content(content, where), calls, _parse_call_id(entry, where) if role == "tool" else None
    )


def _require_key(entry: Mapping[str, Any], key: str, where: str) -> Any:
    if key not in entry:
        raise InvalidMessages(f"{where} has no {key!r}; each message needs 'role' and 'content'")
    return entry[key]


def _parse_call_id(entry: Mapping[str, Any], where: str) -> str:
    found = entry.get("tool_call_id")
    if isinstance(found, str):
        return found
    raise InvalidMessages(f"{where} has no 'tool_call_id'; a message of the role 'tool' names the call that it answers")


def _parse_content(content: object, where: str) -> str | tuple[Part, ...]:
    if isinstance(content, str):
        return _check_text(content, where)
    if isinstance(content, Sequence) and not isinstance(content, (bytes, bytearray, memoryview)):
        parsed = parse_parts(content, where)
        for text in (parsed,) if isinstance(parsed, str) else parsed:
            if isinstance(text, str):
                _check_text(text, where)
        return parsed
    raise InvalidMessages(f"{where} has content of type {type(content).__name__}; give a string or a list of parts")


def _check_results(messages: Sequence[Message]) -> None:
    """Refuse the result of a call that was never made: no service takes it."""
    made: set[str] = set()
    for index, message in enumerate(messages):
        made.update(call.id for call in message.tool_calls)
        if message.tool_call_id is not None and message.tool_call_id not in made:
            raise InvalidMessages(
                f"message {index} answers the tool call {message.tool_call_id!r:.60}, which no message before it holds"
            )


def _check_total(messages: Sequence[Message]) -> None:
    parts = (part for message in messages for part in message.parts if isinstance(part, (Image, File)))
    total = sum(len(part.data) for part in parts)
    if total > MAX_TOTAL_BYTES:
        from providers_sdk._model.media import MAX_BYTES

        raise InvalidMessages(
            f"the images and files have {total} bytes together; at most {MAX_TOTAL_BYTES} "
            f"({MAX_TOTAL_BYTES // 1_000_000} MB) can be sent, {MAX_BYTES // 1_000_000} MB each"
        )


def _check_text(text: str, where: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise InvalidMessages(f"{where} has {len(text)} characters; at most {MAX_CHARACTERS} can be sent")
    if "\0" in text:
        raise InvalidMessages(f"{where} holds a NUL character at position {text.index(chr(0))}; remove it")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidMessages(
            f"{where} holds a lone surrogate at position {error.start}, which cannot be sent; "
            "decode the text with errors='replace'"
        ) from None
    return text


def _check_not_empty(message: Message, where: str) -> Message:
    if message.tool_calls:
        raise InvalidMessages(
            f"{where} holds tool calls that nobody answered; add a message of the role 'tool' for each, "
            "or use client.run"
        )
    if message.role != "tool" and not message.text.strip() and isinstance(message.content, str):
        raise InvalidMessages(f"{where} is empty; say what to ask")
    return message


def format_prompt(messages: Sequence[Message]) -> str:
    """Return the text of ``messages`` as one string, for services that take no list.

    A single message is its text, unchanged; several become ``Role: text`` lines, empty ones left out, closed by a line
    ``Assistant:``. Images, files and tool calls are no text; a provider that takes them reads ``request.messages``.
    """
    if len(messages) == 1:
        return messages[0].text
    lines = [f"{message.role.capitalize()}: {message.text}" for message in messages if message.text.strip()]
    return "\n".join([*lines, "Assistant:"])


Message.__module__ = format_prompt.__module__ = "providers_sdk"
