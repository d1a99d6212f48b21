"""A conversation: the history is kept, and a turn that failed leaves it as it was."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from providers_sdk._engine.reply import Reply
from providers_sdk._model.messages import Message
from providers_sdk.errors import InvalidMessages

__all__ = ["Conversation"]


class Conversation:
    """Turns with a shared history. A turn joins it once its answer was read to the end.

    :param chat: asks, as ``Client.chat`` does.
    :param system: the system message, if any.
    :param defaults: arguments for every call.
    """

    def __init__(
        self,
        chat: Callable[..., Reply],
        *,
        system: str | None = None,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        self._chat, self._defaults = chat, dict(defaults or {})
        self._history: tuple[Message, ...] = (Message("system", system),) if system else ()

    @property
    def history(self) -> tuple[Message, ...]:
        """The system message and the complete turns so far."""
        return self._history

    def chat(self, text: str, **arguments: Any) -> Reply:
        """Ask ``text`` with the history before it; arguments are those of ``Client.chat``.

        :raises ProviderError: no answer; the history is as it was.
        """
        if not isinstance(text, str):
            raise InvalidMessages(f"a turn is a string, not {type(text).__name__}")
        asked = (*self._history, Message("user", text))
        reply = self._chat(asked, **{**self._defaults, **arguments})
        reply.add_answer_callback(lambda run: self._keep(asked, Message("assistant", run.text, run.tool_calls)))
        return reply

    def _keep(self, asked: tuple[Message, ...], answer: Message) -> None:
        self._history = (*asked, answer)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._history)


Conversation.__module__ = "providers_sdk"
