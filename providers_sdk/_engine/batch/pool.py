"""Where the calls of a batch are made: threads of this process, or an executor that runs them elsewhere."""

import math
import time
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor

from providers_sdk._engine.batch.remote import OpenClient, ask_all
from providers_sdk._engine.batch.worker import Answer, Worker
from providers_sdk._engine.call import CallSpec

__all__ = ["RemotePool", "ThreadPool"]

_SHORT = 0.05  # seconds; a task of less is mostly overhead, 1 to 5 ms on a cluster
_MOST_IN_CHUNK = 16
_SHARE = 8  # of the workers' calls in one task, so that the tasks still spread


class ThreadPool:
    """Calls in threads of this process, through one client.

    :param executor: the caller's threads, which are left running; own ones where it is not given.
    """

    def __init__(self, worker: Worker, workers: int, executor: ThreadPoolExecutor | None = None) -> None:
        self._worker, self._lent = worker, executor
        self._executor = executor or ThreadPoolExecutor(workers, thread_name_prefix="providers-sdk-batch")

    def submit(self, specs: Sequence[CallSpec]) -> "Future[list[Answer]]":
        """Ask all ``specs``, one after the other."""
        return self._executor.submit(self._ask, specs)

    def choose_chunk(self) -> int:
        """Return 1: a task of this process costs 20 µs."""
        return 1

    def stop(self) -> None:
        """Close the connections of what is in flight."""
        self._worker.stop()

    def close(self, *, wait: bool) -> None:
        """End the threads."""
        if self._lent is None:
            self._executor.shutdown(wait=wait, cancel_futures=True)

    def _ask(self, specs: Sequence[CallSpec]) -> list[Answer]:
        return [self._worker.ask(spec) for spec in specs]


class RemotePool:
    """Calls in other processes: what travels is the question, never a setting.

    :param executor: the caller's, which is left running.
    :param workers: calls in flight at the most.
    :param open_client: makes the client of a worker process.
    :param schema: what the answers are to look like, as the caller gave it.
    """

    def __init__(self, executor: Executor, workers: int, open_client: OpenClient, schema: object = None) -> None:
        self._executor, self._open_client, self._schema = executor, open_client, schema
        self._most = max(1, min(_MOST_IN_CHUNK, workers // _SHARE))
        self._seconds: float | None = None
        self._futures: set[Future[list[Answer]]] = set()

    def submit(self, specs: Sequence[CallSpec]) -> "Future[list[Answer]]":
        """Ask all ``specs``, one after the other."""
        plain = [spec._replace(schema=None) for spec in specs]  # one that is ready for use cannot travel
        future = self._executor.submit(ask_all, self._open_client, plain, self._schema)
        started = time.monotonic()
        self._futures.add(future)
        future.add_done_callback(lambda future: self._note(future, len(specs), time.monotonic() - started))
        return future

    def choose_chunk(self) -> int:
        """Return as many calls as fill a task of 50 ms."""
        if not self._seconds:
            return 1
        return max(1, min(self._most, math.ceil(_SHORT / self._seconds)))

    def stop(self) -> None:
        """Cancel what is in flight; what runs already ends by its own limits."""
        for future in list(self._futures):
            future.cancel()

    def close(self, *, wait: bool) -> None:
        """Do nothing: the executor is the caller's."""

    def _note(self, future: "Future[list[Answer]]", calls: int, seconds: float) -> None:
        self._futures.discard(future)
        self._seconds = seconds / calls if self._seconds is None else 0.8 * self._seconds + 0.2 * seconds / calls
