"""The turns of a conversation: their grouping, the window of them that is sent, and the merging of two records."""

from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from providers_sdk._model.messages import Message

__all__ = ["Record", "Turn", "merge", "select_window"]

_HEAD_ROLES = ("system", "developer")


class Turn(NamedTuple):
    """A question and all that followed it.

    :param messages: the question and its answer; what a tool was asked and said lies between them.
    :param partial: whether the answer was ended before its end.
    :param provider: that answered; empty where that is not known.
    :param model: that was asked for; ``None`` where none was, or where that is not known.
    """

    messages: tuple[Message, ...]
    partial: bool = False
    provider: str = ""
    model: str | None = None


class Record(NamedTuple):
    """A conversation so far.

    :param head: the system messages before the first turn.
    """

    head: tuple[Message, ...] = ()
    turns: tuple[Turn, ...] = ()

    @classmethod
    def of(cls, messages: Sequence[Message]) -> "Record":
        """Group ``messages``: a turn begins with each message of the user that follows one of another role."""
        head = tuple(takewhile(lambda message: message.role in _HEAD_ROLES, messages))
        turns: list[list[Message]] = []
        before = ""
        for message in messages[len(head) :]:
            if not turns or (message.role == "user" and before != "user"):
                turns.append([])
            turns[-1].append(message)
            before = message.role
        return cls(head, tuple(Turn(tuple(turn)) for turn in turns))

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages in order."""
        return (*self.head, *(message for turn in self.turns for message in turn.messages))


def select_window(
    record: Record, question: Message, *, max_messages: int | None, max_chars: int | None
) -> tuple[Message, ...]:
    """Return the system message, the newest turns that fit, whole, and ``question``.

    :param max_messages: how many messages there may be, ``question`` and system message included.
    :param max_chars: how many characters of text they may hold. ``None`` means no limit.
    """
    chosen: list[Turn] = []
    always = (*record.head, question)
    count, size = len(always), _measure(always)
    for turn in reversed(record.turns):
        count, size = count + len(turn.messages), size + _measure(turn.messages)
        if (max_messages is not None and count > max_messages) or (max_chars is not None and size > max_chars):
            break
        chosen.insert(0, turn)
    return (*Record(record.head, tuple(chosen)).messages, question)


def _measure(messages: Sequence[Message]) -> int:
    return sum(len(message.text) for message in messages)


def merge(ours: Record, theirs: Record, base: Record) -> Record | None:
    """Return one record of two that began as ``base``; no turn that one of them has added is lost.

    :param theirs: what lies in the file; its turns come first.
    :return: ``None`` where ``theirs`` does not go on from ``base``.
    """
    if theirs == base:
        return ours
    if theirs.turns[: len(base.turns)] != base.turns:
        return None
    known = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(ours.turns, base.turns, strict=False)))
    head = theirs.head if ours.head == base.head else ours.head
    return Record(head, (*theirs.turns, *ours.turns[known:]))
