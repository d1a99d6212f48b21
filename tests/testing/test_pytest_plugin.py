"""The pytest plugin costs a run that does not use it next to nothing, and the package's names are loaded on access."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import providers_sdk.testing


def _modules_after(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded once it ran ``statement``."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    return set(done.stdout.split())


def test_the_plugin_loads_nothing_heavy_and_of_this_library_only_itself() -> None:
    before = _modules_after("import pytest")
    loaded = _modules_after("import pytest, providers_sdk.testing.pytest_plugin") - before
    assert loaded == {"providers_sdk", "providers_sdk.testing", "providers_sdk.testing.pytest_plugin"}


def test_a_fake_loads_neither_the_contract_nor_requests() -> None:
    loaded = _modules_after("from providers_sdk.testing import FakeService, deltas, sse")
    assert loaded.isdisjoint({"requests", "bs4", "providers_sdk.testing.contract"})


def test_the_names_are_those_that_type_checkers_see() -> None:
    tree = ast.parse(Path(str(providers_sdk.testing.__file__)).read_text(encoding="utf-8"))
    [typing] = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.name: node.module for node in typing.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == {name: f"providers_sdk.testing.{module}" for name, module in providers_sdk.testing._MODULES.items()}
    assert sorted(seen) == sorted(providers_sdk.testing.__all__) == dir(providers_sdk.testing)


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'StandOut'"):
        providers_sdk.testing.StandOut  # noqa: B018
