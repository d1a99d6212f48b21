"""The public face: the list of names is exact, each thing says where it is public, and nothing is loaded early."""

import ast
import configparser
import importlib
import pickle
import subprocess
import sys
from fnmatch import fnmatch
from importlib.metadata import distribution
from pathlib import Path
from types import FunctionType

import pytest

import providers_sdk
from providers_sdk_plugins.services import ROWS as SERVICE_ROWS

ROOT = Path(__file__).parents[1]
FACES = ("providers_sdk", "providers_sdk.plugin", "providers_sdk.testing")
HEAVY = (
    "requests",
    "urllib3",
    "bs4",
    "lxml",
    "click",
    "rich",
    "platformdirs",
    "pluggy",
    "orjson",
    "jinja2",
    "packaging",
    "pydantic",
    "jsonschema",
    "docstring_parser",
)


def order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as isort and ruff's RUF022 put them."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


@pytest.fixture(scope="module")
def setup() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("face", FACES)
def test_the_list_of_names_is_sorted_and_each_is_there(face: str) -> None:
    module = importlib.import_module(face)
    assert module.__all__ == sorted(module.__all__, key=order)
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


def test_the_list_is_what_type_checkers_see_and_what_is_loaded() -> None:
    tree = ast.parse(Path(str(providers_sdk.__file__)).read_text(encoding="utf-8"))
    [typing] = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.name: node.module for node in typing.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    loaded = {name: f"providers_sdk.{module}" for name, module in providers_sdk._MODULES.items()}
    assert seen == loaded
    assert set(loaded) == set(providers_sdk.__all__)
    assert dir(providers_sdk) == sorted(providers_sdk.__all__)


def test_the_roof_computes_nothing_and_refuses_what_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'providers_sdk' has no attribute 'Klient'"):
        providers_sdk.Klient  # noqa: B018
    with pytest.raises(ImportError):
        from providers_sdk import Klient  # noqa: F401


@pytest.mark.parametrize("face", ["providers_sdk", "providers_sdk.plugin"])
def test_every_public_thing_says_where_it_is_public(face: str) -> None:
    module = importlib.import_module(face)
    things = {name: getattr(module, name) for name in module.__all__}
    homes = {name: thing.__module__ for name, thing in things.items() if isinstance(thing, (type, FunctionType))}
    assert {
        name for name, home in homes.items() if home not in ("providers_sdk", "providers_sdk.errors", face)
    } == set()
    assert len(homes) > 20


def test_every_public_class_and_function_can_be_found_by_pickle() -> None:
    things = [getattr(providers_sdk, name) for name in providers_sdk.__all__]
    named = [thing for thing in things if isinstance(thing, (type, FunctionType))]
    assert pickle.loads(pickle.dumps(named)) == named


@pytest.mark.parametrize("face", FACES)
def test_every_public_thing_has_a_sentence(face: str) -> None:
    module = importlib.import_module(face)
    things = {name: getattr(module, name) for name in module.__all__}
    named = {name: thing for name, thing in things.items() if isinstance(thing, (type, FunctionType))}
    assert {name for name, thing in named.items() if not (thing.__doc__ or "").strip()} == set()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True, timeout=60)


def modules_after(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded once it ran ``statement``."""
    return set(run("-c", f"{statement}\nimport sys\nprint(*sys.modules)").stdout.split())


def test_importing_the_package_loads_nothing_else_of_it_and_nothing_heavy() -> None:
    loaded = modules_after("import providers_sdk")
    assert "providers_sdk" in loaded
    assert loaded.isdisjoint(HEAVY)
    assert {name for name in loaded if name.startswith("providers_sdk.")} == set()


def test_importtime_shows_nothing_heavy() -> None:
    told = run("-X", "importtime", "-c", "import providers_sdk").stderr
    shown = {line.rpartition("|")[2].strip() for line in told.splitlines() if line.startswith("import time:")}
    assert "providers_sdk" in shown
    assert shown.isdisjoint(HEAVY)


def test_errors_and_messages_load_nothing_heavy() -> None:
    loaded = modules_after(
        "from providers_sdk import Message, ProviderError, Usage; from providers_sdk.errors import UnknownModel"
    )
    assert loaded.isdisjoint(HEAVY)


def test_a_script_loads_nothing_of_the_command_line() -> None:
    loaded = modules_after("from providers_sdk import chat; assert chat('Hi', provider='echo').text == 'Hi'")
    assert loaded.isdisjoint(
        {"requests", "bs4", "click", "rich", "platformdirs", "jinja2", "providers_sdk.cli", "providers_sdk.testing"}
    )
    plugins = {name for name in loaded if name.startswith("providers_sdk_plugins.")}
    assert plugins == {"providers_sdk_plugins.echo"}


def test_every_bundled_provider_has_an_entry_point_and_a_test(setup: configparser.ConfigParser) -> None:
    declared = dict(line.split(" = ") for line in lines(setup["options.entry_points"]["providers_sdk"]))
    files = {path.stem for path in (ROOT / "plugins" / "providers_sdk_plugins").glob("[!_]*.py")}
    alone = {name: f"providers_sdk_plugins.{name}" for name in files - {"services", "attempt_log"}}
    assert declared == alone | dict.fromkeys(SERVICE_ROWS, "providers_sdk_plugins.services")
    assert {path.stem for path in (ROOT / "tests" / "plugins").glob("test_*.py")} >= {f"test_{name}" for name in files}


def test_what_is_installed_is_what_is_declared(setup: configparser.ConfigParser) -> None:
    installed = distribution("providers-sdk")
    for group, declared in setup["options.entry_points"].items():
        found = {f"{entry.name} = {entry.value}" for entry in installed.entry_points if entry.group == group}
        assert found == set(lines(declared)), "install again: entry points changed"
    assert installed.version == providers_sdk.__version__


def test_every_package_and_every_file_of_one_gets_into_the_wheel(setup: configparser.ConfigParser) -> None:
    data = {package: globs.replace("\n", "").split(", ") for package, globs in setup["options.package_data"].items()}
    packages: set[str] = set()
    for root in (ROOT / "providers_sdk", ROOT / "plugins" / "providers_sdk_plugins"):
        paths = [path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        packages |= {
            ".".join(path.parent.relative_to(root.parent).parts) for path in paths if path.name == "__init__.py"
        }
        for path in paths:
            folders = [folder for folder in path.parents if (folder / "__init__.py").exists()]
            package, name = ".".join(folders[0].relative_to(root.parent).parts), path.relative_to(folders[0]).as_posix()
            known = name.endswith(".py") and "/" not in name
            assert known or any(fnmatch(name, glob) for glob in data.get(package, [])), f"{path} is in no wheel"
    assert packages == set(lines(setup["options"]["packages"]))


def test_mypy_reads_the_typing_test(setup: configparser.ConfigParser) -> None:
    assert "tests" in setup["mypy"]["files"].split(", ")
    assert setup["mypy"].getboolean("strict")
    assert "exclude" not in setup["mypy"]
    assert (ROOT / "tests" / "typing" / "face.py").exists()
