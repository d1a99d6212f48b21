"""For the configuration's tests: programs of their own."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def program(home: Path) -> Callable[[str, str], Path]:
    """``program("name", "echo hello")`` writes a shell script outside PATH and returns its path."""

    def write_program(name: str, script: str) -> Path:
        path = home / "programs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o700)
        return path

    return write_program
