"""Every fault, every bundled provider, every kind of answer: the documented error, in time, and nothing left behind."""

import importlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from providers_sdk import ProviderError, Registry
from providers_sdk.testing import StandIn
from providers_sdk.testing.faults import FAULTS, Kind, NamedFault, Trial, spellings, told, try_fault

SLACK = 0.5
PASSWORD = "pa55-w0rd-of-the-service"  # in its URL, so that the stand-in sees an Authorization header to echo
SECRET = "s3cret-of-the-header"
registry = Registry()


def _bundled() -> list[str]:
    found = {name: registry.get(name) for name in registry.names()}
    return [
        name for name, kind in found.items() if kind.__module__.startswith("providers_sdk_plugins.") and kind.stand_in
    ]


def _site(provider: str, kind: Kind) -> StandIn:
    module, _, name = registry.get(provider).stand_in.partition(":")
    site: type[StandIn] = getattr(importlib.import_module(module), name)
    return site("json" if kind == "json" and "json" in site.cases else "")


ROWS: list[tuple[str, Kind]] = [(name, kind) for name in _bundled() for kind in ("stream", "json")]
ROWS.append(("chatgptfree", "page"))  # all that scrape share the code that does
FLOODS = tuple(fault for fault in FAULTS.values() if fault.name.startswith(("endless_", "gzip_bomb")))
QUIET = tuple(fault for fault in FAULTS.values() if fault not in FLOODS)


@dataclass(frozen=True, slots=True)
class Matrix:
    """One provider, one kind of answer, every fault; and what the process had open before and after."""

    provider: str
    trials: tuple[Trial, ...]
    files: tuple[int, int]
    threads: frozenset[threading.Thread]


def _files() -> int:
    return len(os.listdir("/dev/fd"))


def _try(provider: str, kind: Kind, fault: NamedFault) -> Trial:
    needs_key = registry.get(provider).needs_auth
    settings = {"secret": SECRET} if "secret" in registry.get(provider).all_settings() else {}
    user_info = "" if needs_key else f"user:{PASSWORD}"
    return try_fault(
        fault, provider, _site(provider, kind), kind=kind, user_info=user_info, registry=registry, **settings
    )


@pytest.fixture(scope="module", params=ROWS, ids="-".join)
def matrix(request: pytest.FixtureRequest) -> Iterator[Matrix]:
    """Try every fault: those that only wait side by side, those that flood one after the other."""
    provider, kind = request.param
    files, threads = _files(), frozenset(threading.enumerate())
    with ThreadPoolExecutor(12) as pool:
        quiet = list(pool.map(lambda fault: _try(provider, kind, fault), QUIET))
    trials = (*quiet, *(_try(provider, kind, fault) for fault in FLOODS))
    yield Matrix(provider, trials, (files, _files()), frozenset(threading.enumerate()) - threads)


def test_every_fault_ends_as_documented(matrix: Matrix) -> None:
    assert [] == [
        f"{trial.fault}: {trial.documented} is documented, it ended {trial.ended}: {trial.error}"
        for trial in matrix.trials
        if not trial.fits
    ]


def test_every_fault_ends_in_time(matrix: Matrix) -> None:
    assert [] == [
        f"{trial.fault}: {trial.overrun:.2f} s past its limit ({trial.error})"
        for trial in matrix.trials
        if trial.overrun > SLACK
    ]


def test_every_error_is_of_the_tree_and_names_the_provider(matrix: Matrix) -> None:
    errors = [(trial.fault, trial.error) for trial in matrix.trials if trial.error is not None]
    assert len(errors) > 60
    assert [] == [
        f"{fault}: {error!r}"
        for fault, error in errors
        if not isinstance(error, ProviderError)
        or error.provider != matrix.provider
        or not str(error).startswith(f"{matrix.provider}: ")
        or [attempt.outcome for attempt in error.attempts] != [type(error).__name__]
        and not error.partial
    ]


def test_no_error_tells_a_secret(matrix: Matrix) -> None:
    secrets = spellings(PASSWORD, "user") | spellings(SECRET) | spellings("stand-in-key")
    assert [] == [
        f"{trial.fault}: {secret!r}"
        for trial in matrix.trials
        for secret in secrets
        if trial.error is not None and secret in told(trial.error)
    ]


def test_nothing_is_left_open(matrix: Matrix) -> None:
    assert [] == [f"{trial.fault}: {trial.sockets_left}" for trial in matrix.trials if trial.sockets_left]
    before, after = matrix.files
    assert after <= before
    assert matrix.threads == frozenset()
