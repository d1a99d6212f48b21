"""Batches whose calls are made in other processes: a process pool, and Dask."""

import io
import logging
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from providers_sdk import Client, Outcome, read_journal
from providers_sdk._engine.batch.dask_executor import open_dask
from providers_sdk._engine.batch.pool import RemotePool
from providers_sdk.errors import BatchStopped, InvalidArgument, MissingSetting
from tests.engine.batch.service import BatchService, accept

distributed: Any = import_module("distributed")  # its functions have no types
KEY = "sk-planted-9Zq7"


def set_environment(patch: pytest.MonkeyPatch, site: BatchService) -> None:
    patch.setenv("PROVIDERS_SDK_OPENAI_URL", site.url)
    patch.setenv("PROVIDERS_SDK_OPENAI_KEY", KEY)


@pytest.fixture(scope="module")
def site() -> Iterator[BatchService]:
    with BatchService() as running:
        yield running


@pytest.fixture(scope="module")
def processes(site: BatchService) -> Iterator[ProcessPoolExecutor]:
    """Two processes whose environment has the settings."""
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch, site)
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
            list(executor.map(abs, range(4)))
            yield executor


@pytest.fixture(scope="module")
def cluster(site: BatchService) -> Iterator[Any]:
    """A Dask client of two processes whose environment has the settings, and nothing of this process's."""
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch, site)
        with (
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=4, dashboard_address=":0", silence_logs=logging.ERROR
            ) as local,
            distributed.Client(local, set_as_default=False) as client,
        ):
            yield client


@pytest.fixture(scope="module")
def doomed(site: BatchService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A scheduler in a process of its own, one worker, and a client of it, for the test that kills the scheduler."""
    file = tmp_path_factory.mktemp("dask") / "scheduler.json"
    arguments = ("--scheduler-file", str(file), "--dashboard-address", ":0")
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch, site)
        commands = [
            [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *arguments],
            [sys.executable, "-m", "distributed.cli.dask_worker", *arguments, "--no-nanny", "--death-timeout", "30"],
        ]
        with ExitStack() as running:
            processes = []
            for command in commands:
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                running.enter_context(process)
                running.callback(process.kill)
                processes.append(process)
            dask = distributed.Client(scheduler_file=str(file), set_as_default=False)
            dask.wait_for_workers(1, timeout=60)
            yield processes[0], dask
            dask.close(timeout=1)


@pytest.fixture
def ready(site: BatchService, monkeypatch: pytest.MonkeyPatch) -> BatchService:
    set_environment(monkeypatch, site)
    site.asked.clear()
    site.requests.clear()
    site._wait = site._behave = None
    return site


def check_all(outcomes: list[Outcome], count: int) -> None:
    assert sorted(outcome.index for outcome in outcomes) == list(range(count))
    assert [outcome.text for outcome in outcomes if outcome.text != f"yes: {outcome.prompt}"] == []


def test_a_process_pool_answers_and_is_left_running(ready: BatchService, processes: ProcessPoolExecutor) -> None:
    with Client("openai") as client:
        check_all(list(client.map(map("p{}".format, range(60)), executor=processes, workers=16)), 60)
    assert processes.submit(abs, -1).result() == 1
    assert set(ready.asked.values()) == {1}


def test_data_of_a_schema_come_back_from_a_process(ready: BatchService, processes: ProcessPoolExecutor) -> None:
    ready._behave = lambda *_: accept('{"stars": 3}')
    with Client("openai") as client:
        [outcome] = client.map(["p"], executor=processes, schema={"type": "object"})
    assert outcome.data == {"stars": 3}


def test_a_setting_that_the_worker_lacks_is_named_before_anything_is_asked(
    ready: BatchService, processes: ProcessPoolExecutor
) -> None:
    settings = {"deepseek": {"key": KEY}}
    with Client("deepseek", settings=settings) as client, pytest.raises(MissingSetting) as caught:
        client.map(["p"], executor=processes)
    assert "the worker process cannot ask deepseek: deepseek: needs the setting 'key'" in str(caught.value)
    assert "Settings do not travel to workers: set it in the environment" in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_setting_with_another_value_there_is_named(ready: BatchService, processes: ProcessPoolExecutor) -> None:
    settings = {"openai": {"url": "http://127.0.0.1:9", "key": KEY}}
    with Client("openai", settings=settings) as client, pytest.raises(InvalidArgument) as caught:
        client.map(["p"], executor=processes)
    assert "the worker process has another value for the setting 'url' of openai" in str(caught.value)


def test_short_answers_share_a_task_and_long_ones_do_not() -> None:
    with ProcessPoolExecutor(1) as executor:
        pool = RemotePool(executor, 64, Client)
    chunks = []
    for seconds in (None, 0.001, 0.01, 0.04, 1.0):
        pool._seconds = seconds
        chunks.append(pool.choose_chunk())
    assert chunks == [1, 8, 5, 2, 1]


def test_dask_answers_and_releases_its_tasks(ready: BatchService, cluster: Any) -> None:
    with Client("openai") as client:
        check_all(list(client.map(map("p{}".format, range(200)), executor=cluster, workers=16)), 200)
        check_all(list(client.map(map("q{}".format, range(20)), executor=cluster.get_executor(), ordered=True)), 20)
    assert set(ready.asked.values()) == {1}
    until = time.monotonic() + 30
    while cluster.futures and time.monotonic() < until:
        time.sleep(0.01)
    assert cluster.futures == {}


def test_the_key_is_in_no_task_and_no_log(ready: BatchService, cluster: Any, tmp_path: Path) -> None:
    gate = threading.Event()
    ready._wait = lambda prompt: None if prompt == "prompt 0" else gate.wait(30)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    try:
        with Client("openai") as client:
            batch = client.map(map("prompt {}".format, range(40)), executor=cluster, workers=8, journal=tmp_path / "j")
            assert next(batch).prompt == "prompt 0"
            shown, until = "", time.monotonic() + 30
            while "prompt 1" not in shown and time.monotonic() < until:  # the dispatcher may not have come to it yet
                shown = cluster.run_on_scheduler(show_tasks)
            gate.set()
            assert len(list(batch)) == 39
        logs = repr((cluster.get_worker_logs(), cluster.get_scheduler_logs()))
    finally:
        gate.set()
        logging.getLogger().removeHandler(handler)
    assert "prompt 1" in shown
    assert KEY not in shown + logs + stream.getvalue() + (tmp_path / "j").read_text()


def show_tasks(dask_scheduler: Any) -> str:
    """Return all that the scheduler knows of its tasks, what travels among it."""
    tasks = list(dask_scheduler.tasks.values())
    travels = [pickle.dumps(task.run_spec).decode("latin-1") for task in tasks]
    return repr([*tasks, *(task.run_spec for task in tasks), *travels])


def test_a_worker_that_is_killed_costs_a_repeat_of_what_was_in_flight(
    ready: BatchService, cluster: Any, tmp_path: Path
) -> None:
    ready._wait = lambda _: threading.Event().wait(0.02)
    victims = list(cluster.run(os.getpid).values())
    with Client("openai") as client:
        outcomes = []
        for outcome in client.map(map("p{}".format, range(150)), executor=cluster, workers=8, journal=tmp_path / "j"):
            outcomes.append(outcome)
            if len(outcomes) == 30:
                os.kill(victims[0], signal.SIGKILL)
    check_all(outcomes, 150)
    assert sum(ready.asked.values()) <= 150 + 8
    lines = (tmp_path / "j").read_text().split("\n")
    assert len(lines) == 150 + 2  # the header, and nothing behind the last line end
    assert len(list(read_journal(tmp_path / "j"))) == 150


def test_the_schedulers_death_says_how_to_go_on(ready: BatchService, doomed: Any, tmp_path: Path) -> None:
    gate = threading.Event()
    ready._wait = lambda prompt: gate.wait(30) if prompt != "p0" else None
    scheduler, dask = doomed
    with Client("openai") as client:
        batch = client.map(map("p{}".format, range(9)), executor=dask, workers=2, journal=tmp_path / "j")
        assert next(batch).prompt == "p0"
        scheduler.kill()
        with pytest.raises(BatchStopped, match=r"the executor lost a task .*start the executor again and run"):
            list(batch)
        gate.set()
        assert len(list(client.map(map("p{}".format, range(9)), journal=tmp_path / "j"))) == 8


@pytest.mark.parametrize("address", ["local", "tcp://127.0.0.1:1", "dask://"])
def test_an_address_that_is_no_schedulers_is_refused(address: str) -> None:
    with pytest.raises(InvalidArgument, match="the executor must be an address such as dask://"):
        open_dask(address)
