"""One attempt: one try at one provider, from the first byte sent to the last chunk read.

An attempt is in one of four states::

    RUNNING ──> ANSWERED   the finish reason arrived, and nothing after it
       ├──────> FAILED     something was raised; ``error`` holds it, finished
       └──────> CLOSED     the caller closed it, or dropped it

It leaves RUNNING once, in :meth:`AttemptRun._leave`, whichever thread gets there first: that one stops the clock,
closes what the attempt opened and runs the callbacks. Everything else that an attempt is asked about (text, time,
bytes, finish reason, usage) lives here and nowhere else; :class:`Reply`, ``create_completion`` and a call's retries
read it.

``open`` reads until the first piece of the answer is there, so that a failure before it can still be retried; what it
read waits in a buffer. The finish reason leaves the buffer only once it is certain that nothing follows it.
"""

import logging
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from providers_sdk._attempts import Attempt
from providers_sdk._http.client import Http
from providers_sdk._http.clock import Clock
from providers_sdk._model.chunks import (
    TOOL_CALL_PIECE,
    Chunk,
    FinishReason,
    Reasoning,
    ServedModel,
    ToolCall,
    ToolCallPiece,
    Usage,
)
from providers_sdk._model.request import Request
from providers_sdk._protocol.validation import validate_chunks
from providers_sdk._provider.binding import BoundProvider
from providers_sdk._provider.finish_error import finish_error, fresh_copy
from providers_sdk._provider.state import State
from providers_sdk._provider.text import TextPieces
from providers_sdk.errors import Closed, ProviderError, TooLarge

__all__ = ["AttemptRun", "State"]

_T = TypeVar("_T")
_log = logging.getLogger("providers_sdk")


_RUNNING = State.RUNNING  # Python 3.11 calls a function for each access to a member


class AttemptRun(Iterator[Chunk]):
    """One attempt: an iterator of chunks that closes whatever it opened, however it ends.

    Threads may share it: each chunk goes to one of them.

    :param bound: the provider to ask.
    :param request: the question.
    :param clock: the attempt's time.
    :param earlier: the attempts of the same call before this one, for errors.
    :param waited: seconds slept before it.
    :param max_chars: characters of text that the answer may have.
    :param allow_empty: whether an answer without text is accepted.
    """

    def __init__(
        self,
        bound: BoundProvider,
        request: Request,
        clock: Clock,
        *,
        earlier: Sequence[Attempt] = (),
        waited: float = 0.0,
        max_chars: int | None = None,
        allow_empty: bool = False,
    ) -> None:
        self.bound, self.request, self.clock = bound, request, clock
        self.state = State.RUNNING
        self.error: ProviderError | None = None
        self.finish: FinishReason | None = None
        self.usage: Usage | None = None
        self.served_model: str | None = None
        self.tool_calls: tuple[ToolCall, ...] = ()
        self._allow_empty = allow_empty
        self._earlier, self._waited, self._max_chars = tuple(earlier), waited, max_chars
        self._http = Http(bound.session, clock, bound.provider.url)
        self.http = self._http
        self._chunks: Iterator[Chunk] = iter(())
        self._buffer: deque[Chunk] = deque()
        self._text, self._size, self._begun = TextPieces(), 0, False
        self._total: float | None = None
        self._reading = threading.RLock()
        self._may_leave = [True]
        self._done_callbacks: list[Callable[[AttemptRun], None]] = []
        self._answer_callbacks: list[Callable[[AttemptRun], None]] = []

    def open(self) -> None:
        """Ask, and wait until the first piece of the answer is here.

        :raises ProviderError: there is none; the attempt is over.
        """
        self._chunks = self._guard(self._start)
        while not self._begun and self.state is _RUNNING:
            chunk = self._guard(self._pull)
            if isinstance(chunk, Usage) and self._buffer and isinstance(self._buffer[-1], Usage):
                self._buffer.pop()  # only the last one counts
            self._buffer.append(chunk)

    def _start(self) -> Iterator[Chunk]:
        chunks = self.bound.provider.complete(self.request, self._http)
        return validate_chunks(chunks, allow_empty=self._allow_empty)

    def __next__(self) -> Chunk:
        with self._reading:
            kept = self._buffer or self.state is not _RUNNING
            chunk = self._read_kept() if kept else self._guard(self._pull)
            self._note(chunk)
        return chunk

    @property
    def text(self) -> str:
        """The text that has been read so far."""
        return self._text.read()

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt of the call so far, oldest first; this one is the last."""
        return (*self._earlier, *self.records())

    def records(self) -> tuple[Attempt, ...]:
        """Return what this attempt adds to those of the call: requests refused in their first form, and itself."""
        return (*map(self._make_refused_record, self._http.refused_attempts), self.record())

    def record(self) -> Attempt:
        """Return the record of this attempt so far."""
        first, started = self.clock.first_at, self.clock.attempt_started
        return Attempt(
            provider=self.bound.name,
            model=self.request.model,
            outcome=type(self.error).__name__ if self.error is not None else self.state.value,
            reason=self.error.message if self.error is not None else "",
            status=(self.error.status if self.error is not None else None) or self._http.status,
            waited=self._waited,
            first_token=None if first is None else first - started,
            total=self.clock.now() - started if self._total is None else self._total,
            received=self._http.received,
        )

    def add_done_callback(self, call: "Callable[[AttemptRun], None]") -> None:
        """Call ``call(run)`` once the attempt is over: answered, failed or closed; at once if it is."""
        self._done_callbacks.append(call)
        if self.state is not _RUNNING:
            self._run_callbacks()

    def add_answer_callback(self, call: "Callable[[AttemptRun], None]") -> None:
        """Call ``call(run)`` once the whole answer has been read; at once if it has."""
        self._answer_callbacks.append(call)
        if self.finish is not None:
            call(self)

    def close(self) -> None:
        """End the attempt and release its connections; any thread may call it, and closing twice is a no-op."""
        self._leave(State.CLOSED)

    def _read_kept(self) -> Chunk:
        if self.state is State.FAILED and self.error is not None:
            raise fresh_copy(self.error)
        if self.state is State.CLOSED:
            raise self._make_closed("the reply was closed before its end; the text so far is in reply.partial")
        if self._buffer:
            return self._buffer.popleft()
        raise StopIteration

    def _note(self, chunk: Chunk) -> None:
        """Keep what the reply's properties return; a chunk counts once it was delivered."""
        if isinstance(chunk, str):
            self._text.append(chunk)
            if len(self._text) >= self._text.full_at:
                self._text.join_newest()
        elif isinstance(chunk, ToolCall):
            self.tool_calls += (chunk,)
        elif isinstance(chunk, Usage):
            self.usage = chunk
        elif isinstance(chunk, FinishReason):
            self.finish = chunk
            for call in self._answer_callbacks:
                call(self)

    def _pull(self) -> Chunk:
        """Take the next chunk from the provider, within the limits: a plugin may have waited outside ``http``."""
        chunk: Chunk = TOOL_CALL_PIECE
        while isinstance(chunk, ToolCallPiece):
            self.clock.start_waiting()
            chunk = next(self._chunks)
            if self.state is not _RUNNING:  # another thread closed it, and the plugin did not notice
                raise self._make_closed_while_read()
            is_piece = isinstance(chunk, (str, Reasoning, ToolCall))
            self.clock.stop_waiting(piece=is_piece)
        if is_piece:
            if not self._begun or self._max_chars is not None:
                self._count(chunk)
        elif isinstance(chunk, ServedModel):
            self.served_model = chunk.name
        elif isinstance(chunk, FinishReason):
            for _ in self._chunks:
                pass  # validation raises if anything follows
            self._leave(State.ANSWERED)
        return chunk

    def _count(self, piece: Chunk) -> None:
        if not self._begun:
            self._begun = bool(str(piece).strip())  # white space may turn out to be all there is
        if isinstance(piece, str) and self._max_chars is not None:
            self._size += len(piece)
            if self._size > self._max_chars:
                raise TooLarge(
                    f"the answer has more than {self._max_chars} characters (max_chars); reading stopped there"
                )

    def _guard(self, step: Callable[[], _T]) -> _T:
        """Take one step; whatever ends it early ends the attempt."""
        before = sys.exception()
        try:
            return step()
        except (KeyboardInterrupt, GeneratorExit):
            self.close()
            raise
        except BaseException as error:  # noqa: BLE001  a plugin may raise anything, SystemExit included
            failure = self._fail(error, before)
        raise failure  # out here, so that it does not carry the foreign error as its context

    def _fail(self, error: BaseException, before: BaseException | None) -> ProviderError:
        if self.state is not _RUNNING:
            return self._make_closed_while_read()
        failure = self.complete_error(error, before)
        if not self._leave(State.FAILED, failure):
            return self._make_closed_while_read()
        failure.attempts = self.attempts
        self.error = fresh_copy(failure)
        return failure

    def complete_error(self, error: BaseException, before: BaseException | None = None) -> ProviderError:
        """Return ``error`` as the caller gets it; ``before`` is what the caller was handling already."""
        redact, name, model = self._http.redact, self.bound.name, self.request.model
        return finish_error(
            error, redact, provider=name, model=model, response=self._http, text=self.text, before=before
        )

    def _make_refused_record(self, refused: tuple[ProviderError, float]) -> Attempt:
        error, at = refused
        return Attempt(
            provider=self.bound.name,
            model=self.request.model,
            outcome=type(error).__name__,
            reason=self._http.redact(error.message),
            status=error.status,
            total=at - self.clock.attempt_started,
        )

    def _make_closed_while_read(self) -> Closed:
        return self._make_closed("the reply was closed while it was being read; the text so far is in 'partial'")

    def _make_closed(self, message: str) -> Closed:
        name, model = self.bound.name, self.request.model
        return Closed(message, provider=name, model=model, partial=self.text, attempts=self.attempts)

    def _leave(self, state: State, error: ProviderError | None = None) -> bool:
        """Leave RUNNING for ``state``; return whether this call did it."""
        try:
            self._may_leave.pop()  # atomic, and unlike a lock it is never left held in a forked child
        except IndexError:
            return False
        self.state, self.error = state, error
        self._total = self.clock.now() - self.clock.attempt_started
        self._http.close()
        self._close_chunks()
        self._run_callbacks()
        return True

    def _close_chunks(self) -> None:
        try:
            self._chunks.close()  # type: ignore[attr-defined]
        except (ValueError, AttributeError):
            return  # another thread is inside it: the closed connection wakes that one; or nothing was started
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  a plugin's clean-up may raise anything; the attempt is over
            _log.debug("%s raised %s while it was closed", self.bound.name, type(error).__name__)

    def _run_callbacks(self) -> None:
        calls, self._done_callbacks = self._done_callbacks, []
        for call in calls:
            call(self)
