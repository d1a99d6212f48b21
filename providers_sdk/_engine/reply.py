"""The reply: an answer that is read as it arrives, and that says what became of it."""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from typing import TypeVar

from providers_sdk._attempts import Attempt
from providers_sdk._model.chunks import Chunk, FinishReason, Usage
from providers_sdk._provider.attempt import Live
from providers_sdk.errors import Closed, ProviderError

__all__ = ["Reply"]


class Reply(Iterator[str]):
    """An answer: a blocking iterator of its text, begun already.

    Leaving a ``for`` loop over it early closes the connection, as do :meth:`close`, the end of a ``with`` block and
    garbage collection; what had been read by then is in :attr:`partial`.

    :param live: the attempt that answers.
    :param failed: the attempts before it.
    """

    def __init__(self, live: Live, *, failed: Sequence[Attempt] = ()) -> None:
        self._live = live
        self._failed = tuple(failed)
        self._when_over: list[Callable[[Attempt], None]] = []
        self._finish: FinishReason | None = None
        self._failure: ProviderError | None = None
        self._on_finish: Callable[[Reply], None] | None = None
        self.usage: Usage | None = None
        """Token counts, once and if the service has reported them."""

    @property
    def provider(self) -> str:
        """The name of the provider that answers."""
        return self._live.ready.provider.name

    @property
    def model(self) -> str:
        """The model that was asked, in the service's own word."""
        return self._live.request.model

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended, in the service's word; ``None`` before its end."""
        return self._finish.reason if self._finish else None

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt of this call, oldest first; the last is the one that answers."""
        return (*self._failed, self._live.attempt())

    @property
    def partial(self) -> str:
        """The text that has been read so far."""
        return "".join(self._live.delivered)

    @property
    def text(self) -> str:
        """The whole text, read to the end.

        :raises ProviderError: the answer broke off; the text so far is the error's ``partial``.
        :raises Closed: the reply was closed before its end.
        """
        for _ in self.chunks():
            pass
        return self.partial

    def chunks(self) -> Iterator[Chunk]:
        """Return an iterator of the rest of the answer as typed chunks; leaving it early closes the connection."""
        return _Pieces(self, self._next_chunk)

    def __iter__(self) -> Iterator[str]:
        return _Pieces(self, self.__next__)

    def __next__(self) -> str:
        while True:
            chunk = self._next_chunk()
            if isinstance(chunk, str):
                return chunk

    def when_over(self, call: Callable[[Attempt], None]) -> None:
        """Call ``call(attempt)`` once the reply is over: read to its end, failed or abandoned."""
        self._when_over.append(call)

    def on_finish(self, call: "Callable[[Reply], None]") -> None:
        """Call ``call(reply)`` once the answer has come to its proper end."""
        self._on_finish = call

    def close(self) -> None:
        """Close the connection; closing twice is silence."""
        self._live.close()
        self._tell()

    def __enter__(self) -> "Reply":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if "_when_over" in self.__dict__:
            self.close()

    def __repr__(self) -> str:
        return f"<Reply from {self.provider!r}, {len(self.partial)} characters, finish {self.finish_reason!r}>"

    def _next_chunk(self) -> Chunk:
        if self._live.over and self._finish is None and self._live.attempt().outcome == "abandoned":
            raise Closed(
                "the reply was closed before its end; what had come is in reply.partial", provider=self.provider,
                model=self.model, partial=self.partial, attempts=self.attempts,
            )  # fmt: skip
        if self._failure is not None:
            raise _again(self._failure)
        try:
            chunk = next(self._live)
        except ProviderError as error:
            error.attempts = self.attempts
            self._failure = _again(error)
            self._tell()
            raise
        except StopIteration:
            self._tell()
            raise
        self._note(chunk)
        return chunk

    def _note(self, chunk: Chunk) -> None:
        if isinstance(chunk, FinishReason):
            self._finish = chunk
            if self._on_finish is not None:
                self._on_finish(self)
            self._tell()
        elif isinstance(chunk, Usage):
            self.usage = chunk

    def _tell(self) -> None:
        calls, self._when_over = self._when_over, []
        for call in calls:
            call(self._live.attempt())


def _again(error: ProviderError) -> ProviderError:
    """A copy: what broke off stays broken off, and the traceback of the first raise must not hold the reply."""
    fresh = copy(error)
    fresh.__cause__ = error.__cause__
    return fresh


_T = TypeVar("_T")


class _Pieces(Iterator[_T]):
    """What a loop holds of a reply: once it is dropped, the loop was left and the reply is closed."""

    def __init__(self, reply: Reply, read: Callable[[], _T]) -> None:
        self._reply, self._read = reply, read

    def __next__(self) -> _T:
        return self._read()

    def __del__(self) -> None:
        self._reply.close()


Reply.__module__ = "providers_sdk"
