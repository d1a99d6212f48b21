"""The method of a client that begins a batch."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import os

    from providers_sdk._engine.batch.batch import Batch, BatchCalls
    from providers_sdk._engine.batch.items import Identity

__all__ = ["BatchMethods"]


class BatchMethods:
    """Mixed into the client."""

    def map(
        self,
        prompts: Iterable[Any],
        *,
        workers: int = 8,
        journal: "str | os.PathLike[str] | None" = None,
        id: "Identity | None" = None,  # noqa: A002  the public name
        ordered: bool = False,
        max_failures: float | None = None,
        rpm: float | None = None,
        executor: Any = None,
        durable: bool = False,
        retry_failed: bool = True,
        system: str | None = None,
        **arguments: Any,
    ) -> "Batch":
        """Ask many prompts at once, and return an iterator of their outcomes, as they finish.

        An error is a value of its outcome and is not raised. Leaving the loop stops the batch: what is in flight may
        finish for ten seconds.

        :param prompts: prompts as :meth:`chat` takes them, or mappings with the column ``prompt``; it may be endless,
            at most ``2 * workers`` are read ahead.
        :param workers: calls in flight at the most.
        :param journal: a file that keeps each outcome; a later run with the same file asks only what is not finished,
            and yields only that. :func:`read_journal` reads it.
        :param id: what identifies a prompt beside its content: a column, a value for each, or a function of the prompt.
        :param ordered: yield outcomes in the order of the prompts.
        :param max_failures: stop once more prompts have failed: a count, or a share such as 0.1.
        :param rpm: calls a minute to each service at the most.
        :param executor: where the calls are made: a ``concurrent.futures.Executor`` or a ``distributed.Client``.
        :param durable: have each outcome on the disk before it is yielded, even where the machine loses its power.
        :param retry_failed: whether a later run asks again what failed.
        :param system: a system message before each prompt.
        :param arguments: of each call, as for :meth:`chat`.
        :raises InvalidCall: an argument or a prompt cannot be used.
        :raises JournalError: the journal is in use, damaged, or cannot be written.
        :raises BatchStopped: while iterating: more failures than ``max_failures``, or no service answers for minutes.
        """
        from providers_sdk._engine.batch.batch import Batch
        from providers_sdk._engine.batch.items import BatchOptions

        options = BatchOptions(
            workers=workers,
            journal=journal,
            id=id,
            ordered=ordered,
            max_failures=max_failures,
            rpm=rpm,
            executor=executor,
            durable=durable,
            retry_failed=retry_failed,
            system=system,
        )
        calls = cast("BatchCalls", self)  # a client: this class is mixed into it
        return Batch(calls, prompts, options, arguments, open_client=cast(Any, type(self)))
