"""Garbage is not looked for while modules load, and as before afterwards."""

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from providers_sdk._garbage import while_loading


@pytest.fixture(params=[True, False], ids=["on", "off"])
def enabled(request: pytest.FixtureRequest) -> Iterator[bool]:
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


def test_it_is_off_in_the_block_and_as_before_after_it(enabled: bool) -> None:
    with while_loading():
        assert not gc.isenabled()
    assert gc.isenabled() is enabled


def test_it_is_as_before_after_an_import_that_fails(enabled: bool) -> None:
    with pytest.raises(ImportError), while_loading():
        raise ImportError
    assert gc.isenabled() is enabled


def test_a_script_collects_garbage_as_before_once_the_library_is_loaded() -> None:
    ask = "from providers_sdk import Client; Client('echo').chat('hi').text"
    code = f"import gc; {ask}; print(gc.isenabled(), gc.get_threshold())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"True {gc.get_threshold()}\n"
