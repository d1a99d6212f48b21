"""Every fault, every bundled provider, every kind of answer: the documented error, in time, and nothing left behind."""

import importlib
import json
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from providers_sdk import ProviderError, Registry, TimeLimitExceeded
from providers_sdk.testing import FakeService
from providers_sdk.testing.faults import (
    FAULTS,
    FaultResult,
    Kind,
    NamedFault,
    collect_exposed_text,
    run_fault,
    spellings,
)
from providers_sdk_plugins.services import SERVICES

LATE = 12.0
"""Seconds that a busy machine may add. The limit that a fault is to run into lies 19 s below the client's others."""
CPU = 1.5
"""Seconds of computing that a call may cost: half a second beyond the deadline."""
PASSWORD = "pa55-w0rd-of-the-service"  # in its URL, so that the fake service sees an Authorization header to echo
SECRET = "s3cret-of-the-header"
ALIKE = frozenset(SERVICES) - {"openai"}
"""Services that differ from ``openai`` by data only: one row stands for the dialect."""
registry = Registry()


def _bundled() -> list[str]:
    found = {name: registry.get(name) for name in registry.names()}
    return [
        name
        for name, kind in found.items()
        if kind.__module__.startswith("providers_sdk_plugins.") and kind.fake_service and name not in ALIKE
    ]


def _site(provider: str, mode: str) -> FakeService:
    module, _, name = registry.get(provider).fake_service.partition(":")
    site: type[FakeService] = getattr(importlib.import_module(module), name)
    return site("json" if mode == "json" and "json" in site.cases else "")


ROWS = [(name, mode) for name in _bundled() for mode in ("stream", "json")]
ROWS += [(name, "page") for name in ("aipower", "chatgptfree", "chatgptt")]
GOLDEN = Path(__file__).with_name("fault_outcomes.json")
RECORD = os.environ.get("RECORD_FAULT_OUTCOMES")
"""Set to write the golden file anew instead of comparing with it, one row at a time; then read the difference."""
LONGEST = 500
PLACEHOLDERS = (
    (r"127\.0\.0\.1:\d+|localhost:\d+", "HOST"),
    (r"\b\d+\.\d+ s\b", "N s"),
    (r"\b0x[0-9a-f]+\b", "ADDRESS"),
    (r"/[\w./-]+\.pem", "FILE"),
    (r"_ssl\.c:\d+", "_ssl.c:N"),
)
FLOODS = tuple(fault for fault in FAULTS.values() if fault.name.startswith(("endless_", "gzip_bomb")))
QUIET = tuple(fault for fault in FAULTS.values() if fault not in FLOODS)


@dataclass(frozen=True, slots=True)
class Matrix:
    """One provider, one kind of answer, every fault; and what the process had open before and after."""

    provider: str
    mode: str
    trials: tuple[FaultResult, ...]
    files: tuple[int, int]
    threads: frozenset[threading.Thread]


def _files() -> int:
    return len(os.listdir("/dev/fd"))


def _try(provider: str, mode: str, fault: NamedFault) -> FaultResult:
    kind = registry.get(provider)
    spoiled: Kind = "page" if mode == "page" else "stream" if mode == "stream" and kind.supports_stream else "json"
    return run_fault(
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
    return Matrix(provider, mode, trials, (files, _files()), frozenset(threading.enumerate()) - threads)


def test_every_fault_ends_as_documented(matrix: Matrix) -> None:
    wrong = [trial for trial in matrix.trials if not trial.fits]
    assert [f"{it.fault}: {it.documented} is documented, it ended {it.ended}: {it.error}" for it in wrong] == []


def test_every_fault_ends_in_time(matrix: Matrix) -> None:
    late = [trial for trial in matrix.trials if trial.overrun > LATE]
    assert [f"{it.fault}: {it.overrun:.2f} s past its limit ({it.error})" for it in late] == []


def test_no_fault_makes_a_client_compute_past_its_deadline(matrix: Matrix) -> None:
    busy = [trial for trial in matrix.trials if trial.cpu_seconds > CPU]
    assert [f"{it.fault}: {it.cpu_seconds:.2f} s of CPU ({it.error})" for it in busy] == []


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
    secrets = spellings(PASSWORD, "user") | spellings(SECRET) | spellings("fake-key")
    errors = [(trial.fault, collect_exposed_text(trial.error)) for trial in matrix.trials if trial.error is not None]
    assert [(fault, secret) for fault, text in errors for secret in secrets if secret in text] == []


def test_nothing_is_left_open(matrix: Matrix) -> None:
    assert [f"{trial.fault}: {trial.sockets_left}" for trial in matrix.trials if trial.sockets_left] == []
    before, after = matrix.files
    assert after <= before
    assert matrix.threads == frozenset()


def test_every_fault_ends_as_recorded(matrix: Matrix) -> None:
    row = f"{matrix.provider}, {matrix.mode}"
    found = {trial.fault: _outcome(trial) for trial in sorted(matrix.trials, key=lambda trial: trial.fault)}
    golden: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    if RECORD:
        GOLDEN.write_text(_a_fault_a_line({**golden, row: found}), encoding="utf-8")
    else:
        assert found == golden[row]


def _a_fault_a_line(rows: dict[str, Any]) -> str:
    tables = (
        ",\n".join(f"  {json.dumps(fault)}: {json.dumps(ended, ensure_ascii=False)}" for fault, ended in table.items())
        for _, table in sorted(rows.items())
    )
    parts = (f"\n{json.dumps(row)}: {{\n{table}\n}}" for row, table in zip(sorted(rows), tables, strict=True))
    return "{" + ",".join(parts) + "\n}\n"


def _outcome(trial: FaultResult) -> dict[str, Any]:
    """How a fault ended, without what differs from run to run."""
    error = trial.error
    if not isinstance(error, ProviderError):
        return {"ended": trial.ended}
    if trial.documented == "TransportError" and isinstance(error, TimeLimitExceeded):
        return {"ended": "TimeLimitExceeded"}  # several limits run, and the machine decides which ends first
    fields = {"message": error.message, "url": error.url, "partial": error.partial, "cause": _cause(error)}
    numbers: dict[str, float | None] = {"status": error.status}
    if isinstance(error, TimeLimitExceeded):
        del fields["cause"], fields["url"], numbers["status"]  # how far it came by then is the machine's
        if len(error.partial) > LONGEST:
            fields["partial"] = ""
    kept = {name: _steady(value) for name, value in fields.items() if value}
    attempts = [f"{attempt.outcome} {attempt.status or ''}".strip() for attempt in error.attempts]
    if isinstance(error, TimeLimitExceeded):
        attempts = [attempt.outcome for attempt in error.attempts]  # how far it came by then is the machine's
    if error.retry_after is not None:
        numbers["retry_after"] = round(error.retry_after, -1)
    found = {name: number for name, number in numbers.items() if number is not None}
    return {"ended": trial.ended, "model": error.model, "attempts": attempts, **kept, **found}


def _cause(error: ProviderError) -> str:
    return type(error.__cause__).__name__ if error.__cause__ is not None else ""


def _steady(text: str) -> str:
    for pattern, placeholder in PLACEHOLDERS:
        text = re.sub(pattern, placeholder, text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} (and more)"
