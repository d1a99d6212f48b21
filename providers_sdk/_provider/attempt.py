"""One attempt under way: chunks come out, the clock is asked, and in the end it is one record."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from providers_sdk._attempts import Attempt
from providers_sdk._http.client import Http, Pool
from providers_sdk._http.clock import Clock
from providers_sdk._model.chunks import Chunk, FinishReason, Reasoning, Usage
from providers_sdk._model.request import Request
from providers_sdk._protocol.validation import checked, crash
from providers_sdk._provider.provider import Provider
from providers_sdk.errors import Closed, ProviderError, TooLarge

__all__ = ["Live", "Ready"]

_T = TypeVar("_T")
_log = logging.getLogger("providers_sdk")


@dataclass(frozen=True, slots=True)
class Ready:
    """A provider of one client, with its connections."""

    provider: Provider
    pool: Pool


class Live(Iterator[Chunk]):
    """One attempt: an iterator of chunks that closes whatever it opened, however it ends.

    :param ready: whom to ask.
    :param request: what to ask.
    :param clock: the attempt's time.
    :param waited: seconds slept before it.
    :param max_chars: characters of text that the answer may have.
    """

    def __init__(
        self,
        ready: Ready,
        request: Request,
        clock: Clock,
        *,
        waited: float = 0.0,
        max_chars: int | None = None,
    ) -> None:
        self.ready, self.request, self.clock = ready, request, clock
        self.delivered: list[str] = []
        self._waited, self._max_chars, self._size = waited, max_chars, 0
        self._http = Http(ready.pool, clock, ready.provider.url)
        self._buffer: deque[Chunk] = deque()
        self._chunks: Iterator[Chunk] = iter(())
        self._outcome, self._reason = "streaming", ""
        self._total: float | None = None

    @property
    def over(self) -> bool:
        """Whether the attempt has ended, one way or the other."""
        return self._total is not None

    def open(self) -> None:
        """Ask, and wait until the first piece of the answer is here.

        :raises ProviderError: there is none; the attempt is over.
        """
        self._chunks = self._guarded(lambda: checked(self.ready.provider.complete(self.request, self._http)))
        while not self._begun():
            chunk = self._pull()
            if isinstance(chunk, Usage) and self._buffer and isinstance(self._buffer[-1], Usage):
                self._buffer.pop()  # only the last one counts
            self._buffer.append(chunk)

    def _begun(self) -> bool:
        """Whether a piece is here; white space may yet turn out to be all there is."""
        pieces = (str(chunk) for chunk in self._buffer if isinstance(chunk, (str, Reasoning)))
        return any(piece.strip() for piece in pieces)

    def __next__(self) -> Chunk:
        if self._buffer:
            chunk = self._buffer.popleft()
        elif self.over:
            raise StopIteration
        else:
            self.clock.resume()
            chunk = self._pull()
            self.clock.pause()
        if isinstance(chunk, str):
            self.delivered.append(chunk)
        return chunk

    def attempt(self) -> Attempt:
        """Return the record of this attempt as it stands."""
        first = self.clock.first_at
        started = self.clock.attempt_started
        return Attempt(
            provider=self.ready.provider.name,
            model=self.request.model,
            outcome=self._outcome,
            reason=self._reason,
            status=self._http.status,
            waited=self._waited,
            first=None if first is None else first - started,
            total=self.clock.now() - started if self._total is None else self._total,
            received=self._http.received,
        )

    def close(self, outcome: str = "abandoned") -> None:
        """End the attempt: release its connections, whoever calls. Closing twice is silence."""
        if self._total is not None:
            return
        self._outcome = outcome
        self._total = self.clock.now() - self.clock.attempt_started
        self._http.close()
        try:
            self._chunks.close()  # type: ignore[attr-defined]
        except (ValueError, AttributeError):
            return  # another thread is inside it: the closed connection wakes that one; or nothing was started
        except Exception as error:  # noqa: BLE001  a plugin's cleaning up may raise anything; the attempt is over
            _log.debug("%s raised %s while it was closed", self.ready.provider.name, type(error).__name__)

    def _guarded(self, step: Callable[[], _T]) -> _T:
        """Take one step; whatever ends it early ends the attempt."""
        try:
            return step()
        except Exception as error:  # noqa: BLE001  a plugin may raise anything
            failure = self._failed(error)
        except BaseException:
            self.close()
            raise
        raise failure

    def _pull(self) -> Chunk:
        return self._guarded(self._step)

    def _step(self) -> Chunk:
        self.clock.check()
        chunk = next(self._chunks)
        self._count(chunk)
        if isinstance(chunk, FinishReason):
            self._end()
        return chunk

    def _end(self) -> None:
        """The finish reason is here: hand it out only once it is certain that nothing follows."""
        for _ in self._chunks:
            pass  # the grammar raises before it would get here
        self.close("answered")

    def _count(self, chunk: Chunk) -> None:
        if isinstance(chunk, (str, Reasoning)):
            self.clock.piece_arrived()
        if isinstance(chunk, str):
            self._size += len(chunk)
            if self._max_chars is not None and self._size > self._max_chars:
                raise TooLarge(
                    f"the answer has more than {self._max_chars} characters (max_chars); reading stopped there"
                )

    def _failed(self, error: Exception) -> ProviderError:
        if self.over:
            return Closed(
                "the reply was closed while it was being read; what had come is in 'partial'",
                provider=self.ready.provider.name,
                model=self.request.model,
                partial="".join(self.delivered),
            )
        ours = error if isinstance(error, ProviderError) else crash(error)
        if ours is not error:
            ours.__cause__ = error
        self.ready.provider.sign(ours, self.request, self.ready.pool)
        ours.partial = ours.partial or "".join(self.delivered)
        self._reason = ours.message
        self.close(type(ours).__name__)
        return ours
