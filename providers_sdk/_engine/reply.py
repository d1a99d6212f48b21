"""The reply of a call: an iterator of the answer's text, with facts about the call."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from providers_sdk._attempts import Attempt
from providers_sdk._engine.call import CallRunner
from providers_sdk._model.chunks import Chunk, ToolCall, Usage
from providers_sdk._model.messages import Message
from providers_sdk._provider.attempt import AttemptRun
from providers_sdk.errors import InvalidAnswer, InvalidArgument, ProviderError

if TYPE_CHECKING:
    from providers_sdk._engine.schema import AnswerSchema

__all__ = ["Reply"]

_T = TypeVar("_T")
_UNREAD = object()


class Reply(Iterator[str]):
    """An answer: a blocking iterator of its text, begun already.

    Leaving a ``for`` loop over it early closes the connection, as do :meth:`close`, the end of a ``with`` block and
    garbage collection; the text read by then is in :attr:`partial`. Threads may share a reply: each piece of text goes
    to one of them.

    :param run: the attempt that answers.
    :param runner: of the call that it belongs to.
    :param kept: chunks that were read already and are still to be handed out.
    """

    def __init__(self, run: AttemptRun, runner: CallRunner, kept: "deque[Chunk] | None" = None) -> None:
        self._run, self._runner = run, runner
        self._kept: deque[Chunk] = deque() if kept is None else kept
        self._data: Any = _UNREAD
        self._close_callbacks: list[Callable[[AttemptRun], None]] = []

    @property
    def provider(self) -> str:
        """The name of the provider that answers."""
        return self._run.bound.name

    @property
    def model(self) -> str | None:
        """The model that was asked for, as it was sent; ``None`` where the service is sent none."""
        return self._run.request.model if self._run.bound.provider.sends_model else None

    @property
    def served_model(self) -> str | None:
        """The model that the service names in its response; ``None`` where it names none."""
        return self._run.served_model

    @property
    def done(self) -> bool:
        """Whether the whole answer has been read."""
        return self._run.finish is not None

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended, by the service; ``None`` before its end, or where the service gave no reason."""
        return self._run.finish.reason if self._run.finish is not None else None

    @property
    def usage(self) -> Usage | None:
        """Token counts, once and if the service has reported them."""
        return self._run.usage

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt of this call, oldest first; the last is the one that answers."""
        return self._run.attempts

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tools that the model asks for; the answer is read to its end for it, and can still be iterated.

        :raises ProviderError: as for :attr:`text`.
        """
        return self.read_ahead()._run.tool_calls

    @property
    def data(self) -> Any:
        """The answer as the call's ``schema`` has it: JSON values, or an instance of the type.

        The answer is read to its end for it, and can still be iterated.

        :raises InvalidAnswer: it does not fit; the message has the path and the text.
        :raises InvalidArgument: the call had no ``schema``.
        :raises ProviderError: as for :attr:`text`.
        """
        schema = self._runner.spec.schema
        if schema is None:
            raise InvalidArgument("reply.data needs schema=, what the answer is to look like, in the call")
        if self._data is _UNREAD:
            self._data = self.read_ahead()._read_data(schema)
        return self._data

    @property
    def question(self) -> tuple[Message, ...]:
        """The turns that were asked."""
        return self._run.request.messages

    @property
    def message(self) -> Message:
        """The answer as a turn, with its tool calls, to be put behind the question's; read to its end for it."""
        run = self.read_ahead()._run
        return Message("assistant", run.text, run.tool_calls)

    @property
    def partial(self) -> str:
        """The text that has been read so far."""
        return self._run.text

    @property
    def text(self) -> str:
        """The whole text, read to the end.

        :raises ProviderError: the answer was cut off; the text so far is the error's ``partial``.
        :raises Closed: the reply was closed before its end.
        """
        for _ in self.chunks():
            pass
        return self.partial

    def chunks(self) -> Iterator[Chunk]:
        """Return an iterator of the rest of the answer as typed chunks; leaving it early closes the connection."""
        return _ClosingIterator(self, self._next_chunk)

    def __iter__(self) -> Iterator[str]:
        return _ClosingIterator(self, self.__next__)

    def __next__(self) -> str:
        while True:
            chunk = self._next_chunk() if self._kept else next(self._run)
            if isinstance(chunk, str):
                return chunk

    def read_ahead(self) -> "Reply":
        """Read the answer to its end, and keep what was read for whoever iterates; return this reply."""
        self._kept.extend(self._run)
        return self

    def ask_again(self, messages: tuple[Message, ...]) -> "Reply":
        """Return the reply to other ``messages`` in the same call: its deadline runs on, and its attempts are kept.

        :raises ProviderError: there is none.
        """
        runner = self._runner.follow(messages, self.attempts)
        return Reply(runner.start(), runner)

    def _next_chunk(self) -> Chunk:
        if self._kept:
            with suppress(IndexError):  # another thread took it
                return self._kept.popleft()
        return next(self._run)

    def _read_data(self, schema: "AnswerSchema") -> Any:
        run = self._run
        try:
            if run.tool_calls and not run.text.strip():
                raise InvalidAnswer("the answer is tool calls and no text; reply.tool_calls has them")
            return schema.read_text(run.text)
        except ProviderError as error:
            failure = run.complete_error(error)
        failure.finish_reason, failure.usage, failure.attempts = self.finish_reason, self.usage, self.attempts
        raise failure

    def add_done_callback(self, call: Callable[[AttemptRun], None]) -> None:
        """Call ``call(run)`` once the reply is over: read to its end, failed or closed."""
        self._run.add_done_callback(call)

    def add_answer_callback(self, call: Callable[[AttemptRun], None]) -> None:
        """Call ``call(run)`` once the whole answer has been read; at once if it has."""
        self._run.add_answer_callback(call)

    def add_close_callback(self, call: Callable[[AttemptRun], None]) -> None:
        """Call ``call(run)`` once the reply is closed, whether its answer was read to the end or not."""
        self._close_callbacks.append(call)

    def close(self) -> None:
        """Close the connection; closing twice is a no-op."""
        self._run.close()
        while self._close_callbacks:
            self._close_callbacks.pop()(self._run)

    def __enter__(self) -> "Reply":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if "_run" in self.__dict__:
            self.close()

    def __str__(self) -> str:
        """The whole text, read to the end; see :attr:`text`."""
        return self.text

    def __repr__(self) -> str:
        return f"<Reply from {self.provider!r}, {len(self.partial)} characters, finish {self.finish_reason!r}>"


class _ClosingIterator(Iterator[_T]):
    """What a loop holds of a reply: once it is dropped, the loop was left and the reply is closed."""

    def __init__(self, reply: Reply, read: Callable[[], _T]) -> None:
        self._reply, self._read = reply, read

    def __next__(self) -> _T:
        return self._read()

    def __del__(self) -> None:
        self._reply.close()


Reply.__module__ = "providers_sdk"
