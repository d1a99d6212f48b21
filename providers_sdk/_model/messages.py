"""Parses and checks messages, and formats them as one prompt for services that take a single string."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from providers_sdk.errors import InvalidMessages

__all__ = ["ROLES", "Message", "Messages", "format_prompt", "parse_messages"]

ROLES = ("system", "developer", "user", "assistant")
MAX_CHARACTERS = 8_000_000  # some two million tokens, more than any service is known to take


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: ``role`` is ``system``, ``developer``, ``user`` or ``assistant``, ``content`` its text."""

    role: str
    content: str


Messages = str | Sequence[Mapping[str, Any] | Message]
"""What ``chat`` takes: one prompt, or turns as ``{"role", "content"}`` mappings or :class:`Message` values."""


def parse_messages(messages: Messages) -> tuple[Message, ...]:
    """Return ``messages`` as a tuple of :class:`Message`, the last of which asks something.

    :raises InvalidMessages: for anything else; the message names the wrong entry.
    """
    if isinstance(messages, str):
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
    return parsed


def _parse_message(entry: object, where: str) -> Message:
    if isinstance(entry, Message):
        role, content = entry.role, entry.content
    elif isinstance(entry, Mapping):
        role, content = _require_key(entry, "role", where), _require_key(entry, "content", where)
    else:
        raise InvalidMessages(f"{where} must be a mapping with 'role' and 'content', not {type(entry).__name__}")
    if role not in ROLES:
        raise InvalidMessages(f"{where} has the role {role!r:.60}; known roles are {', '.join(ROLES)}")
    return Message(role, _check_text(_join_content(content, where), where))


def _require_key(entry: Mapping[str, Any], key: str, where: str) -> Any:
    if key not in entry:
        raise InvalidMessages(f"{where} has no {key!r}; each message needs 'role' and 'content'")
    return entry[key]


def _join_content(content: object, where: str) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence) and not isinstance(content, (bytes, bytearray, memoryview)):
        return "".join(_read_part(part, f"{where}, part {index}") for index, part in enumerate(content))
    raise InvalidMessages(
        f"{where} has content of type {type(content).__name__}; give a string or a list of text parts"
    )


def _read_part(part: object, where: str) -> str:
    if isinstance(part, str):
        return part
    text = part.get("text") if isinstance(part, Mapping) and part.get("type", "text") == "text" else None
    if not isinstance(text, str):
        raise InvalidMessages(f"{where} is no text part; only {{'type': 'text', 'text': ...}} can be sent")
    return text


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
    if not _check_text(message.content, where).strip():
        raise InvalidMessages(f"{where} is empty; say what to ask")
    return message


def format_prompt(messages: Sequence[Message]) -> str:
    """Return ``messages`` as one string, for services that take no list.

    A single message is its content, unchanged; several become ``Role: content`` lines, empty ones left out,
    closed by a line ``Assistant:``.
    """
    if len(messages) == 1:
        return messages[0].content
    lines = [f"{message.role.capitalize()}: {message.content}" for message in messages if message.content.strip()]
    return "\n".join([*lines, "Assistant:"])


Message.__module__ = format_prompt.__module__ = "providers_sdk"
