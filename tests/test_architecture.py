"""Packages import only those before them in this list, also inside functions and under ``TYPE_CHECKING``."""

import ast
import shutil
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAME = "providers_sdk"
ORDER = """
    errors _version _value _attempts _redact _fork _garbage _environment _suggest _callers
    _model
    _config
    _protocol
    _http
    _provider
    _plugins
    _engine
    plugin
    __init__
    testing
    cli
    __main__
"""
LEVEL = {package: level for level, line in enumerate(ORDER.strip().splitlines()) for package in line.split()}
SESSIONS = ("_http", "_engine.client", "_engine.api", "testing.faults.runner", "testing.contract.behaviour")
ONLY = {
    "requests": SESSIONS,  # those outside _http take a session that a caller lends, or lend one
    "urllib3": ("_http",),
    "bs4": ("_protocol.html",),
    "lxml": ("_protocol.html",),
    "platformdirs": ("_config.places",),
    "keyring": ("_config.keyring_child",),
    "click": ("cli",),
    "prompt_toolkit": ("cli._editor",),
    "rich": ("cli",),
    "jinja2": ("cli",),
    "pydantic": ("_engine.functions", "_engine.schema"),
    "pydantic_core": ("_engine.functions",),
    "docstring_parser": ("_engine.functions",),
    "jsonschema": ("_engine.schema",),
}
"""Who may import a foreign package."""
AUTHORS_MODULES = {"providers_sdk_plugins": "plugin", "providers_sdk_plugins.fakes": "testing"}
PLANTED = (
    "errors: def f(): from providers_sdk import Client",
    "_model.chunks: if TYPE_CHECKING: from providers_sdk._engine import call",
    "_protocol.html: import providers_sdk._http.clock",
    "_provider.provider: from providers_sdk._plugins.registry import Registry",
    "_engine.call: import requests.exceptions",
    "_engine.retry: from . import call",
    "_http.clock: from providers_sdk._http.client import Http",
    "novel: ",
)


def modules(root: Path) -> dict[str, Path]:
    """Return module name → file, names below ``root`` and the root itself as ``__init__``."""
    paths = {".".join(path.relative_to(root).with_suffix("").parts): path for path in root.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in paths.items()}


def imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Yield what the module imports: our modules by their name below the package, others in full."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (_short(alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            inside = [_short(f"{base}.{alias.name}") for alias in node.names]
            yield from (name if name in known else _short(base) for name in inside)


def _short(name: str) -> str:
    return "__init__" if name == NAME else name.removeprefix(f"{NAME}.")


def _level(name: str) -> int | None:
    return LEVEL.get(name.partition(".")[0])


def violations(root: Path) -> Iterator[str]:
    known = modules(root)
    yield from (f"{name} is in no line of ORDER" for name in known if _level(name) is None)
    graph = {name: sorted(set(imports(path, known))) for name, path in known.items()}
    for name, wanted in graph.items():
        yield from (f"{name} imports {other}" for other in wanted if not _is_allowed(name, other))
    inside = {name: [other for other in wanted if _level(other) == _level(name)] for name, wanted in graph.items()}
    try:
        TopologicalSorter(inside).prepare()
    except CycleError as error:
        yield f"{error.args[1][0].partition('.')[0]} has a circle: {' '.join(error.args[1])}"


def _is_allowed(name: str, other: str) -> bool:
    allowed = ONLY.get(other.partition(".")[0])
    if allowed is not None:
        return any(f"{name}.".startswith(f"{one}.") for one in allowed)
    here, there = _level(name), _level(other)
    return not other.startswith(".") and (here is None or there is None or there <= here)


def test_imports_only_go_down_and_never_in_a_circle() -> None:
    assert list(violations(ROOT / NAME)) == []


def test_every_package_of_the_order_exists() -> None:
    assert {name.partition(".")[0] for name in modules(ROOT / NAME)} == set(LEVEL)


def test_plugins_and_fakes_import_only_the_public_modules_made_for_them() -> None:
    for name, path in modules(ROOT / "plugins" / "providers_sdk_plugins").items():
        package = "providers_sdk_plugins.fakes" if name.startswith("fakes") else "providers_sdk_plugins"
        wanted = {other for other in imports(path, {}) if other == "__init__" or _level(other) is not None}
        assert wanted <= {AUTHORS_MODULES[package]}, name


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_import_is_caught(planted: str, tmp_path: Path) -> None:
    root = shutil.copytree(ROOT / NAME, tmp_path / NAME, ignore=shutil.ignore_patterns("__pycache__"))
    module, _, line = planted.partition(": ")
    with (root / f"{module.replace('.', '/')}.py").open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    assert [fault.partition(" ")[0] for fault in violations(root)] in ([module], [module.partition(".")[0]])
