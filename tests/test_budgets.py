"""What a step, a call and a delta may cost, as counts that are the same on every machine.

The numbers were taken with one Python and hold with 10 % tolerance. On another Python the standard library calls itself
differently, so the counts of functions and modules are compared on that one only; the others everywhere. Where one is
passed on purpose, write the new number here, in the commit that explains it.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
METER = Path(__file__).with_name("budget_meter.py")
PYTHON = (3, 11)
"""The Python of the counts below."""
TOLERANCE = 1.1

_REQUESTS = "backports certifi charset_normalizer idna requests socks urllib3"  # socks and backports where installed
PACKAGES = {
    "import": "",
    "client": "platformdirs pluggy",
    "echo": "platformdirs pluggy",
    "openai": f"platformdirs pluggy {_REQUESTS}",
    "version": "click",
    "help": "click",
}
"""Step → the foreign packages that it loads."""
PLUGINS = {
    "import": "",
    "client": "",
    "echo": "echo",
    "openai": "_hosted _local _openai _openai_address _options _rows services",
    "version": "",
    "help": "",
}
"""Step → the modules of plugins that it imports: those of the provider that is asked."""
COUNTS = {
    "modules import": 1,
    "modules client": 123,
    "modules echo": 126,
    "modules openai": 325,
    "modules version": 40,
    "modules help": 46,
    "calls per call": 967,
    "calls per delta": 23,
}
EVERYWHERE = {"reads per call": 1, "reads per delta": 0, "bytes per delta": 16}
"""Reads are of the environment's variables; bytes are those that a delta of 5 characters leaves behind."""

PLANTED = {
    "packages echo": ("_engine/call.py", "import bs4\n", "bs4 (_engine/call.py:1)"),
    "reads per delta": (
        "_protocol/validation.py",
        "import os\ntake = _Validator.take\n_Validator.take = lambda *a: (os.environ.get('X'), take(*a))[1]\n",
        "_protocol/validation.py",
    ),
    "plugins echo": ("_engine/call.py", "import providers_sdk_plugins.gizai\n", "providers_sdk_plugins.gizai"),
}
"""Figure → a file, what is planted in it, and what the failure has to name."""


def measure(figure: str, *, path: Path = ROOT) -> tuple[float, list[str]]:
    """Return a figure of the library that lies in ``path``, and the places that it is made of."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    variables["PYTHONPATH"] = os.pathsep.join([str(path), str(path / "plugins")])
    command = [sys.executable, str(METER), *figure.split()]
    done = subprocess.run(command, env=variables, cwd=path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found["number"], found["places"]


def check_count(figure: str, budget: float, *, path: Path = ROOT) -> None:
    number, places = measure(figure, path=path)
    assert number <= budget * TOLERANCE, f"{figure}: {number:.2f}, budget {budget}; made of:\n" + "\n".join(places)


def check_names(figure: str, allowed: str, *, path: Path = ROOT) -> None:
    _, places = measure(figure, path=path)
    found = {place.partition(" ")[0].removeprefix("providers_sdk_plugins."): place for place in places}
    more = [place for name, place in found.items() if name not in allowed.split()]
    assert not more, f"{figure}: beyond the budget ({allowed or 'none'}): {', '.join(more)}"


def check(figure: str, *, path: Path = ROOT) -> None:
    kind, _, step = figure.partition(" ")
    if kind in ("packages", "plugins"):
        check_names(figure, {"packages": PACKAGES, "plugins": PLUGINS}[kind][step], path=path)
    else:
        check_count(figure, {**COUNTS, **EVERYWHERE}[figure], path=path)


@pytest.mark.parametrize("step", PACKAGES)
def test_a_step_loads_no_foreign_package_beyond_its_budget(step: str) -> None:
    check(f"packages {step}")


@pytest.mark.parametrize("step", PLUGINS)
def test_a_step_imports_the_plugin_that_is_asked_and_no_other(step: str) -> None:
    check(f"plugins {step}")


@pytest.mark.parametrize("figure", [*EVERYWHERE, *(COUNTS if sys.version_info[:2] == PYTHON else ())])
def test_a_count_is_within_its_budget(figure: str) -> None:
    check(figure)


@pytest.mark.parametrize("figure", PLANTED)
def test_a_planted_cost_breaks_its_budget_and_is_named(figure: str, tmp_path: Path) -> None:
    file, line, named = PLANTED[figure]
    for package in ("providers_sdk", "plugins"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / "providers_sdk" / file
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}\n{line}" if "_Validator" in line else f"{line}{text}", encoding="utf-8")
    with pytest.raises(AssertionError) as caught:
        check(figure, path=tmp_path)
    assert named in str(caught.value)
