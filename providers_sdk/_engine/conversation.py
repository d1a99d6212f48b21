"""A conversation: the history is kept, and a turn that failed leaves it as it was."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from providers_sdk._config.file_lock import lock_for_writing
from providers_sdk._config.places import shorten
from providers_sdk._engine.conversation_file import read_record, write_record
from providers_sdk._engine.reply import Reply
from providers_sdk._engine.turns import Record, Turn, merge, select_window
from providers_sdk._model.messages import Message, parse_history
from providers_sdk._model.parts import Part
from providers_sdk._provider.attempt import AttemptRun
from providers_sdk.errors import InvalidArgument, InvalidMessages

__all__ = ["Conversation", "get_turns"]


class Conversation:
    """Turns with a shared history. A turn joins it once its answer was read to the end.

    :param chat: asks, as ``Client.chat`` does.
    :param system: the system message; without it that of ``history``, if any.
    :param history: the messages before the first turn.
    :param max_messages: how many messages a question is sent with at the most, itself and the system message included.
    :param max_chars: how many characters of text these may hold. Where the history has more, its oldest turns are left
        out, whole; system message and question are always sent.
    :param keep_partial: whether a turn also joins the history where its reply was closed before its end.
    :param defaults: arguments for every call.
    :raises InvalidMessages: ``history`` is no sequence of messages.
    """

    def __init__(
        self,
        chat: Callable[..., Reply],
        *,
        system: str | None = None,
        history: Sequence[Mapping[str, Any] | Message] = (),
        max_messages: int | None = None,
        max_chars: int | None = None,
        keep_partial: bool = False,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        self._chat, self._defaults, self._keep_partial = chat, dict(defaults or {}), keep_partial
        self._max_messages = _check_limit("max_messages", max_messages)
        self._max_chars = _check_limit("max_chars", max_chars)
        self._record = Record.of(_parse_history(history))
        if system:
            self.system = system
        self._path: Path | None = None
        self._saved = Record()

    @property
    def history(self) -> tuple[Message, ...]:
        """The system message and all turns so far, those included that a question is sent without."""
        return self._record.messages

    @property
    def system(self) -> str | None:
        """The system message, which may be replaced; ``None`` for none."""
        return "\n\n".join(message.text for message in self._record.head) or None

    @system.setter
    def system(self, text: str | None) -> None:
        self._record = self._record._replace(head=(Message("system", text),) if text else ())

    def chat(self, content: "str | Sequence[Part]", **arguments: Any) -> Reply:
        """Ask with the history before it; arguments are those of ``Client.chat``.

        :param content: the question, as text or as a list of parts: text, :class:`Image`, :class:`File`.
        :raises ProviderError: no answer; the history is as it was.
        """
        return self._ask(self._record, _parse_question(content), None, arguments)

    def retry(self, **arguments: Any) -> Reply:
        """Ask the last question again; its new answer takes the place of the old one once it was read to the end.

        :raises InvalidArgument: there is no turn yet.
        :raises ProviderError: no answer; the history is as it was.
        """
        if not self._record.turns:
            raise InvalidArgument("there is no question to ask again; ask one first")
        last = self._record.turns[-1]
        return self._ask(self._record._replace(turns=self._record.turns[:-1]), last.messages[0], last, arguments)

    def save(self, path: "str | os.PathLike[str]") -> None:
        """Write the conversation as JSON, atomically, mode 0600.

        Turns that others have added to the file since it was loaded or saved here stay, and come before the new ones.
        A file that was neither loaded nor saved here is replaced.

        :raises OSError: it cannot be written; what it held is untouched.
        :raises InvalidArgument: others have changed turns that were saved here, or replaced the file; it is untouched.
        """
        file = _resolve(path)
        with lock_for_writing(file):
            if file == self._path and file.exists():
                self._record = self._merge_with(file)
            write_record(file, self._record)
        self._path, self._saved = file, self._record

    def load(self, path: "str | os.PathLike[str]") -> "Conversation":
        """Take system message and turns from a file that :meth:`save` has written; return this conversation.

        :raises OSError: it cannot be read; the conversation is as it was.
        :raises InvalidArgument: it holds no conversation, or one of a version that is not known here.
        """
        file = _resolve(path)
        self._record = self._saved = read_record(file)
        self._path = file
        return self

    def _ask(self, before: Record, question: Message, replaced: Turn | None, arguments: Mapping[str, Any]) -> Reply:
        asked = select_window(before, question, max_messages=self._max_messages, max_chars=self._max_chars)
        alone = len(asked) == 1 and isinstance(question.content, str)  # an error then speaks of "the prompt"
        prompt = question.content if alone else asked
        reply = self._chat(prompt, **{**self._defaults, **arguments})
        provider, model = reply.provider, reply.model

        def keep(run: AttemptRun) -> None:
            answer = Message("assistant", run.text, run.tool_calls)
            self._add(Turn((question, answer), run.finish is None, provider, model), replaced)

        reply.add_answer_callback(keep)
        if self._keep_partial:
            reply.add_close_callback(lambda run: keep(run) if _is_partial(run) else None)
        return reply

    def _merge_with(self, file: Path) -> Record:
        merged = merge(self._record, read_record(file), self._saved)
        if merged is None:
            raise InvalidArgument(
                f"{shorten(file)} was changed by another process so that its turns are no longer those before this "
                "one; save to another file, or load it again"
            )
        return merged

    def _add(self, turn: Turn, replaced: Turn | None) -> None:
        turns = self._record.turns
        kept = turns[:-1] if replaced is not None and turns and turns[-1] is replaced else turns
        self._record = self._record._replace(turns=(*kept, turn))

    def __iter__(self) -> Iterator[Message]:
        return iter(self.history)


def get_turns(conversation: Conversation) -> tuple[Turn, ...]:
    """Return the turns, with the provider that answered each, for the command line."""
    return conversation._record.turns


def _is_partial(run: AttemptRun) -> bool:
    """Whether the reply was closed after some text and before its end; one that failed is none."""
    return run.finish is None and run.error is None and bool(run.text.strip())


def _parse_question(content: object) -> Message:
    if isinstance(content, str):
        return Message("user", content)  # it is checked with the rest, when it is asked
    if not isinstance(content, Sequence) or isinstance(content, (bytes, bytearray, memoryview)):
        raise InvalidMessages(f"a turn is a string or a list of parts, not {type(content).__name__}")
    return parse_history([{"role": "user", "content": content}])[0]


def _parse_history(history: object) -> tuple[Message, ...]:
    if isinstance(history, str) or not isinstance(history, Sequence):
        raise InvalidMessages(f"history must be a list of messages, not {type(history).__name__}")
    return parse_history(history)


def _check_limit(name: str, value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise InvalidArgument(f"{name} must be a positive whole number, or None for no limit, not {value!r}")


def _resolve(path: "str | os.PathLike[str]") -> Path:
    """Return the absolute path; a link is followed, so that saving does not replace it by a file."""
    return Path(os.path.realpath(path))


Conversation.__module__ = "providers_sdk"
