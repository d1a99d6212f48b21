"""For the tests of the plugin host: a folder for distributions, and the names of the bundled providers."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers_sdk import Registry
from tests.plugin_host.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield Shelf(tmp_path)
    for name in set(sys.modules) - before:
        if name.startswith("stranger_"):
            del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def bundled() -> list[str]:
    return Registry().names()
