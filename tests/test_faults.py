"""Every fault, every bundled provider, every kind of answer: the documented error, in time, and nothing left behind."""

import importlib
import os
import threading
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


def _site(provider: str, mode: str) -> StandIn:
    module, _, name = registry.get(provider).stand_in.partition(":")
    site: type[StandIn] = getattr(importlib.import_module(module), name)
    return site("json" if mode == "json" and "json" in site.cases else "")


ROWS = [(name, mode) for name in _bundled() for mode in ("stream", "json")]
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


def _try(provider: str, mode: str, fault: NamedFault) -> Trial:
    kind = registry.get(provider)
    spoiled: Kind = "page" if mode == "page" else "stream" if mode == "stream" and kind.supports_stream else "json"
    return try_fault(
        fault,
        provider,
        _site(provider, mode),
        kind=spoiled,
        stream=mode != "json",
        user_info="" if kind.needs_auth else f"user:{PASSWORD}",
        settings={"secret": SECRET} if "secret" in kind.all_settings() else {},
        registry=registry,
    )


@pytest.fixture(scope="module", params=ROWS, ids="-".join)
def matrix(request: pytest.FixtureRequest) -> Matrix:
    """Try every fault: those that only wait side by side, those that flood one after the other."""
    provider, mode = request.param
    files, threads = _files(), frozenset(threading.enumerate())
    with ThreadPoolExecutor(16) as pool:
        quiet = list(pool.map(lambda fault: _try(provider, mode, fault), QUIET))
    trials = (*quiet, *(_try(provider, mode, fault) for fault in FLOODS))
    return Matrix(provider, trials, (files, _files()), frozenset(threading.enumerate()) - threads)


def test_every_fault_ends_as_documented(matrix: Matrix) -> None:
    wrong = [trial for trial in matrix.trials if not trial.fits]
    assert [f"{it.fault}: {it.documented} is documented, it ended {it.ended}: {it.error}" for it in wrong] == []


def test_every_fault_ends_in_time(matrix: Matrix) -> None:
    late = [trial for trial in matrix.trials if trial.overrun > SLACK]
    assert [f"{it.fault}: {it.overrun:.2f} s past its limit ({it.error})" for it in late] == []


def test_every_error_is_of_the_tree_and_names_its_provider(matrix: Matrix) -> None:
    errors = [(trial.fault, trial.error) for trial in matrix.trials if trial.error is not None]
    assert len(errors) > 60
    assert [f"{fault}: {error!r}" for fault, error in errors if not _names(matrix.provider, error)] == []


def _names(provider: str, error: Exception) -> bool:
    return (
        isinstance(error, ProviderError)
        and error.provider == provider
        and str(error).startswith(f"{provider}: ")
        and [attempt.outcome for attempt in error.attempts] == [type(error).__name__]
    )


def test_no_error_tells_a_secret(matrix: Matrix) -> None:
    secrets = spellings(PASSWORD, "user") | spellings(SECRET) | spellings("stand-in-key")
    errors = [(trial.fault, told(trial.error)) for trial in matrix.trials if trial.error is not None]
    assert [(fault, secret) for fault, text in errors for secret in secrets if secret in text] == []


def test_nothing_is_left_open(matrix: Matrix) -> None:
    assert [f"{trial.fault}: {trial.sockets_left}" for trial in matrix.trials if trial.sockets_left] == []
    before, after = matrix.files
    assert after <= before
    assert matrix.threads == frozenset()
