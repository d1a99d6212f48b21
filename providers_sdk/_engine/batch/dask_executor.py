"""Dask as an executor (the extra ``dask``).

Dask keeps the result of a task for as long as a future of it exists, and runs finished tasks again when the worker that
holds their results dies. So each future is released as soon as its result is here.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Executor, Future
from importlib import import_module
from typing import Any

from providers_sdk.errors import InvalidArgument

__all__ = ["DaskExecutor", "find_dask_client", "open_dask"]


class DaskExecutor(Executor):
    """Runs calls as tasks of a cluster.

    :param client: a ``distributed.Client``.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Submit a task that is asked each time anew, even where an equal one ran before."""
        task = self._client.submit(fn, *args, pure=False, **kwargs)
        future = _TaskFuture(task)
        future.set_running_or_notify_cancel()
        task.add_done_callback(future.take_over)
        return future

    def run_on_each(self, fn: Callable[..., Any], *args: Any) -> Mapping[str, Any]:
        """Return what ``fn`` returns on each worker, by the worker's address."""
        found: Mapping[str, Any] = self._client.run(fn, *args)
        return found


class _TaskFuture(Future[Any]):
    """The future of one task; ``cancel`` cancels the task."""

    def __init__(self, task: Any) -> None:
        super().__init__()
        self._task = task

    def cancel(self) -> bool:
        """Cancel the task; it then ends with ``CancelledError``."""
        self._task.cancel()
        return True

    def take_over(self, task: Any) -> None:
        """Take the result of the task, then release it."""
        try:
            if task.status == "cancelled":
                raise CancelledError("it was cancelled, or the scheduler is gone")
            result = task.result()  # waits where the worker that held it has died and it is run again
        except BaseException as error:  # noqa: BLE001  of the task, or of the cluster
            task.release()
            self.set_exception(error)
        else:
            task.release()
            self.set_result(result)


def find_dask_client(executor: object) -> Any:
    """Return the ``distributed.Client`` that ``executor`` is, or belongs to; ``None`` where it is none of Dask's."""
    for candidate in (executor, getattr(executor, "_client", None)):
        if type(candidate).__module__.partition(".")[0] == "distributed" and hasattr(candidate, "scheduler_info"):
            return candidate
    return None


def open_dask(address: str) -> Any:
    """Return a ``distributed.Client`` for ``dask://HOST:PORT``.

    :raises InvalidArgument: it is no such address, Dask is not installed, or nobody answers there.
    """
    scheme, _, rest = address.partition("://")
    if scheme != "dask" or not rest:
        raise InvalidArgument(f"the executor must be an address such as dask://127.0.0.1:8786, not {address!r}")
    try:
        connect = import_module("distributed").Client
    except ImportError:
        raise InvalidArgument("Dask is not installed; pip install 'providers-sdk[dask]'") from None
    try:
        return connect(f"tcp://{rest}", set_as_default=False)
    except (OSError, ValueError) as error:
        raise InvalidArgument(f"the Dask scheduler at {address} cannot be reached: {error}") from error
