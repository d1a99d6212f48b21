"""A batch: an iterator of outcomes over many prompts.

Data flow: prompts → window → budget of a service → call → outcome → journal → consumer.

The window is what keeps memory flat: at most two prompts a worker are read whose outcome has not been handed out, in
order or not. Prompts are read in the consumer's thread, which their iterator belongs to.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

from providers_sdk._engine.batch.budget import PATIENCE, Budget
from providers_sdk._engine.batch.dask_executor import DaskExecutor, find_dask_client
from providers_sdk._engine.batch.items import BatchOptions, iter_items
from providers_sdk._engine.batch.journal import Journal
from providers_sdk._engine.batch.keys import Keys
from providers_sdk._engine.batch.outcome import Outcome, describe_prompt
from providers_sdk._engine.batch.pool import RemotePool, ThreadPool
from providers_sdk._engine.batch.remote import OpenClient, check_worker, describe_settings, describe_worker
from providers_sdk._engine.batch.runner import GRACE, Pool, Runner
from providers_sdk._engine.batch.schedule import FailureLimit, Job, Progress, Schedule, list_services, name_prompt
from providers_sdk._engine.batch.worker import Calls, Worker
from providers_sdk._engine.call import CallSpec
from providers_sdk._model.messages import Message, parse_messages
from providers_sdk._model.names import ProviderName
from providers_sdk.errors import InvalidArgument, InvalidCall, ProviderError

__all__ = ["Batch", "describe_question"]


class BatchCalls(Calls, Protocol):
    """The part of :class:`Client` that a batch uses in this process."""

    def _make_spec(self, messages: Any, **arguments: Any) -> CallSpec: ...


class Batch(Iterator[Outcome]):
    """An iterator of outcomes; leaving its loop stops the batch, as do :meth:`close` and garbage collection.

    :param calls: the client.
    :param prompts: what is asked.
    :param options: how.
    :param arguments: of each call.
    :param open_client: makes the client of a worker process.
    :param observe: is given the key of each prompt that is read, and whether it is skipped.
    :param patience: see :class:`Budget`.
    :param grace: see :class:`Runner`.
    """

    def __init__(
        self,
        calls: BatchCalls,
        prompts: Iterable[Any],
        options: BatchOptions,
        arguments: Mapping[str, Any],
        *,
        open_client: OpenClient,
        observe: Callable[[bytes, bool], None] | None = None,
        patience: float = PATIENCE,
        grace: float = GRACE,
    ) -> None:
        self._options, self._observe = options, observe
        self._items = enumerate(iter_items(prompts, options.id))
        self._spec = calls._make_spec("a prompt", **arguments)
        question = describe_question(self._spec, options.system)
        self._keys, self._names = Keys(question), tuple(self._spec.providers)
        pool = _make_pool(calls, options, self._names, open_client, arguments.get("schema"))
        budget = _make_budget_factory(calls, options, patience, self._spec.limits.deadline)
        schedule = Schedule(options.workers, budget, FailureLimit(options.max_failures))
        self._journal = _open_journal(options, question, pool)
        self._runner = Runner(schedule, pool, self._journal, grace=grace)
        self._close = weakref.finalize(self, self._runner.close)
        self._exhausted = self._closed = False
        self._skipped = 0
        self._positions: list[int] = []  # of those whose outcome is still to be yielded, in order
        self._early: dict[int, Outcome] = {}

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return replace(self._runner.describe(), skipped=self._skipped)

    @property
    def journal(self) -> Journal | None:
        """Its journal."""
        return self._journal

    def close(self) -> None:
        """Stop: what is in flight may finish for ten seconds, then connections are closed. Twice is a no-op."""
        self._closed = True
        self._close()

    def __next__(self) -> Outcome:
        if self._closed:
            raise StopIteration
        try:
            outcome = self._advance()
        except BaseException:
            self.close()
            raise
        if outcome is None:
            self.close()
            raise StopIteration
        return outcome

    def __enter__(self) -> "Batch":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _advance(self) -> Outcome | None:
        while True:
            self._read_ahead()
            if (outcome := self._take_early()) is not None:
                return outcome
            outcome = self._runner.take()
            if outcome is None:
                return self._end()
            if not self._options.ordered:
                return outcome
            self._early[outcome.index] = outcome

    def _take_early(self) -> Outcome | None:
        """Return the outcome whose turn it is, in order; any of them once no others will come."""
        if not self._early or self._positions[0] not in self._early:
            return None
        return self._early.pop(self._positions.pop(0))

    def _end(self) -> Outcome | None:
        """Return what is left of an ordered batch that was stopped; raise why it was.

        :raises ProviderError: the batch was stopped.
        """
        if self._early:
            index = min(self._early)
            self._positions.remove(index)
            return self._early.pop(index)
        if self._runner.stopped is not None:
            raise self._runner.stopped
        return None

    def _read_ahead(self) -> None:
        """Read prompts until the window is full, or until there is something better to do."""
        workers = self._options.workers
        while not self._exhausted and self._runner.stopped is None:
            if self._runner.open + len(self._early) >= 2 * workers or self._runner.has_enough(workers):
                return
            self._read_next()

    def _read_next(self) -> None:
        """Read the next prompt that is not finished."""
        for index, (prompt, identity) in self._items:
            try:
                key, done = self._meet(prompt, identity)
                if not done:
                    self._add(index, prompt, identity, key)
                    return
            except InvalidCall as error:
                raise name_prompt(error, index, identity) from error.__cause__
            self._skipped += 1
        self._exhausted = True

    def _meet(self, prompt: Any, identity: str | int | None) -> tuple[bytes, bool]:
        if self._journal is None:
            return b"", False
        key, done = self._journal.meet(self._keys.make(describe_prompt(prompt), identity))
        if self._observe is not None:
            self._observe(key, done)
        return key, done

    def _add(self, index: int, prompt: Any, identity: str | int | None, key: bytes) -> None:
        spec = self._spec._replace(messages=parse_messages(_add_system(prompt, self._options.system)))
        if self._options.ordered:
            self._positions.append(index)
        self._runner.add(Job(index, identity, prompt, key, spec, self._names))


def describe_question(spec: CallSpec, system: str | None) -> dict[str, Any]:
    """Return what is asked of every prompt: providers, model, system message, options."""
    options = dict(sorted(spec.options.items()))
    if spec.tools:
        options["tools"] = list(spec.tools)
    if spec.json_schema is not None:
        options["schema"] = spec.json_schema
    return {"provider": list(map(str, spec.providers)), "model": spec.model, "system": system, "options": options}


def _add_system(prompt: Any, system: str | None) -> Any:
    if system is None:
        return prompt
    first = Message("system", system)
    return [first, Message("user", prompt)] if isinstance(prompt, str) else [first, *prompt]


def _open_journal(options: BatchOptions, question: Mapping[str, Any], pool: Pool) -> Journal | None:
    if options.journal is None:
        return None
    try:
        return Journal(options.journal, question, durable=options.durable, retry_failed=options.retry_failed)
    except BaseException:
        pool.close(wait=True)
        raise


def _make_budget_factory(
    calls: BatchCalls, options: BatchOptions, patience: float, seconds: float | None
) -> Callable[[str], Budget]:
    def make(service: str) -> Budget:
        rpm = options.rpm if options.rpm is not None else _read_rpm(calls, service, seconds)
        return Budget(options.workers, rpm=rpm, patience=patience)

    return make


def _read_rpm(calls: BatchCalls, service: str, seconds: float | None) -> float | None:
    try:
        value = calls._bind(service, seconds).provider.settings.get("rpm")
    except ProviderError:
        return None  # its first call raises the error
    return None if value is None else float(value)


def _make_pool(
    calls: BatchCalls, options: BatchOptions, names: Sequence[ProviderName], open_client: OpenClient, schema: object
) -> Pool:
    executor = options.executor
    if executor is None or isinstance(executor, ThreadPoolExecutor):
        return ThreadPool(Worker(calls), options.workers, executor)
    services = list_services(names)
    mine = {name: describe_settings(calls, name) for name in services}
    found = find_dask_client(executor)
    remote = executor if found is None else DaskExecutor(found)
    for where, theirs in _ask_workers(remote, open_client, services).items():
        check_worker(mine, theirs, where)
    return RemotePool(remote, options.workers, open_client, schema)


def _ask_workers(executor: Executor, open_client: OpenClient, services: Sequence[str]) -> Mapping[str, Any]:
    try:
        if isinstance(executor, DaskExecutor):
            return executor.run_on_each(describe_worker, open_client, services)
        return {"process": executor.submit(describe_worker, open_client, services).result()}
    except Exception as error:
        raise InvalidArgument(
            f"a worker of the executor cannot be used: {type(error).__name__}: {error}; "
            "it needs this library and the same plugins"
        ) from error
