"""Garbage is not looked for while modules load, and as before afterwards."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers_sdk._garbage import load


@pytest.fixture(params=[True, False], ids=["on", "off"])
def enabled(request: pytest.FixtureRequest) -> Iterator[bool]:
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module that notes whether garbage is looked for, and fails where it is loaded a second time."""
    (tmp_path / "noting_module.py").write_text("import gc\nlooked_for = gc.isenabled()\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "noting_module"
    sys.modules.pop("noting_module", None)


def test_it_is_off_while_a_module_loads_and_as_before_after_it(module: str, enabled: bool) -> None:
    assert load(module).looked_for is False
    assert gc.isenabled() is enabled


def test_it_is_as_before_after_an_import_that_fails(enabled: bool) -> None:
    with pytest.raises(ModuleNotFoundError):
        load("there_is_no_such_module")
    assert gc.isenabled() is enabled


def test_a_module_that_is_there_changes_nothing(module: str) -> None:
    found = load(module)
    young: list[list[int]] = [[]]
    assert load(module) is found
    assert any(one is young for one in gc.get_objects(generation=0))


def test_what_somebody_else_has_frozen_stays_so(module: str) -> None:
    gc.freeze()
    try:
        before = gc.get_freeze_count()
        load(module)
        assert gc.get_freeze_count() >= before
    finally:
        gc.unfreeze()


def test_a_script_collects_garbage_as_before_once_the_library_is_loaded() -> None:
    ask = "from providers_sdk import Client; Client('echo').chat('hi').text"
    code = f"import gc; {ask}; print(gc.isenabled(), gc.get_threshold())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"True {gc.get_threshold()}\n"
