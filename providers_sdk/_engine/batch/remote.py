"""The part of a batch that runs in a worker process.

A task is one function, names and questions: the scheduler of a cluster shows its ``repr``. The settings of providers,
keys among them, are read in the worker, from its own environment and configuration.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from providers_sdk._engine.batch.worker import Answer, Calls, Worker
from providers_sdk._engine.call import CallSpec
from providers_sdk._engine.schema import read_schema
from providers_sdk.errors import InvalidArgument, MissingSetting, ProviderError

__all__ = ["OpenClient", "WorkerState", "ask_all", "check_worker", "describe_settings", "describe_worker"]

_FIX = "Settings do not travel to workers: set it in the environment or the configuration file there"
OpenClient = Callable[[], Calls]
"""Makes the client of a worker process: a class, which pickle finds by its name."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What a process knows of one provider.

    :param problem: why it cannot ask it; empty where it can.
    :param settings: its settings that are not secret.
    :param secrets: the names of its secret settings that have a value.
    """

    problem: str
    settings: Mapping[str, str]
    secrets: tuple[str, ...]


@lru_cache(maxsize=1)
def _open_once(open_client: OpenClient) -> Calls:
    return open_client()


def ask_all(open_client: OpenClient, specs: Sequence[CallSpec], schema: object) -> list[Answer]:
    """Ask all ``specs``, one after the other.

    :param schema: what the answers are to look like.
    """
    worker, ready = Worker(_open_once(open_client)), read_schema(schema)
    return [worker.ask(spec._replace(schema=ready)) for spec in specs]


def describe_worker(open_client: OpenClient, names: Sequence[str]) -> dict[str, WorkerState]:
    """Return what this process knows of each provider."""
    return {name: describe_settings(_open_once(open_client), name) for name in names}


def describe_settings(calls: Calls, name: str) -> WorkerState:
    """Return what a client knows of a provider."""
    try:
        provider = calls._bind(name).provider
        known = provider.all_settings()
    except ProviderError as error:
        return WorkerState(str(error), {}, ())
    secrets = tuple(sorted(name for name in provider.settings if name in known and known[name].secret))
    shown = {name: value for name, value in provider.settings.items() if name not in secrets}
    return WorkerState("", shown, secrets)


def check_worker(mine: Mapping[str, WorkerState], theirs: Mapping[str, WorkerState], where: str) -> None:
    """Refuse a worker that would ask otherwise than this process.

    :param where: the worker.
    :raises MissingSetting: a setting is missing there.
    :raises InvalidArgument: one has another value there.
    """
    for name, state in mine.items():
        found = theirs[name]
        if found.problem:
            raise MissingSetting(f"the worker {where} cannot ask {name}: {found.problem}. {_FIX}")
        for setting in state.secrets:
            if setting not in found.secrets:
                raise MissingSetting(f"the worker {where} lacks the setting {setting!r} of {name}. {_FIX}")
        for setting in {**state.settings, **found.settings}:
            if state.settings.get(setting) != found.settings.get(setting):
                raise InvalidArgument(
                    f"the worker {where} has another value for the setting {setting!r} of {name} than this process. "
                    f"{_FIX}"
                )
