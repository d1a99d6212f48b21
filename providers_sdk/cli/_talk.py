"""The conversation that the command line is in: the providers that it asks, and the file that keeps it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from providers_sdk._engine.client import Client, get_binder
from providers_sdk._engine.conversation import Conversation, get_turns
from providers_sdk._engine.reply import Reply
from providers_sdk._model.names import ProviderName, parse_names, short_name
from providers_sdk._model.parts import Part
from providers_sdk._redact import snippet
from providers_sdk.cli._conversations import remove_old_unnamed
from providers_sdk.cli._outcomes import record_attempts
from providers_sdk.errors import ProviderError

__all__ = ["Content", "Talk", "find_last_provider"]

Content = str | Sequence[Part]
"""A question: text, or a list of parts."""


@dataclass(slots=True)
class Talk:
    """A conversation, and the providers that its next question goes to.

    :param names: the providers that are asked, in order.
    :param model: the model for those that are named without one; ``None`` for their own choice.
    :param arguments: further ones for each question.
    :param file: where it is kept; ``None`` where it is not.
    :param unanswered: the last question, where its turn did not join the history.
    """

    client: Client
    conversation: Conversation
    names: Sequence[ProviderName]
    model: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    file: Path | None = None
    unanswered: Content | None = None

    def ask(self, question: Content, **limits: Any) -> Reply:
        """Ask; ``limits`` are those of this question."""
        self.unanswered = question
        return self._watch(lambda: self.conversation.chat(question, **self._make_arguments(limits)))

    def retry(self) -> Reply:
        """Ask the last question again, whether it was answered or not."""
        if self.unanswered is not None:
            return self.ask(self.unanswered)
        return self._watch(lambda: self.conversation.retry(**self._make_arguments({})))

    def save(self) -> None:
        """Write the conversation to its file, where it has one and anything was said.

        :raises OSError: it cannot be written.
        :raises InvalidArgument: another process has changed its turns.
        """
        if self.file is not None and get_turns(self.conversation):
            self.conversation.save(self.file)
            remove_old_unnamed()

    def describe(self) -> str:
        """Return provider and model of the next question, for the prompt: ``groq/llama-3.3-70b-versatile``."""
        name = self.names[0]
        model = name.model or self.model or self._find_default_model(name.name)
        return snippet(f"{short_name(name.name)}/{model}" if model else short_name(name.name), 40)

    def _find_default_model(self, name: str) -> str:
        with suppress(ProviderError):
            binder = get_binder(self.client)
            found = binder.trace(name).get("model")
            return str(found.value if found else binder.get_kind(name, warn=False).default_model)
        return ""

    def _make_arguments(self, limits: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.arguments, **limits, "provider": list(map(str, self.names)), "model": self.model}

    def _watch(self, ask: Callable[[], Reply]) -> Reply:
        """Ask, and keep how each attempt ended, and whether the turn joined the history."""
        before, binder = get_turns(self.conversation), get_binder(self.client)
        try:
            reply = ask()
        except ProviderError as error:
            record_attempts(binder, error.attempts)
            raise
        reply.add_done_callback(lambda run: record_attempts(binder, run.attempts))

        def note(_: object) -> None:
            if get_turns(self.conversation) != before:
                self.unanswered = None

        reply.add_close_callback(note)
        return reply


def find_last_provider(conversation: Conversation) -> tuple[tuple[ProviderName, ...], str | None]:
    """Return who answered last in a conversation, and with which model; nothing where that is not known."""
    turns = get_turns(conversation)
    if not turns or not turns[-1].provider:
        return (), None
    return parse_names(turns[-1].provider), turns[-1].model
