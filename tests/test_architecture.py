"""The house has floors, and imports only go down, also inside functions and under ``TYPE_CHECKING``."""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT, HOUSE = Path(__file__).parents[1], "providers_sdk."
FLOORS = """
    _engine _plugins _provider _http _protocol _model _plugins.entry_points _fork _protocol.json _redact _version
    _protocol.bot_walls _attempts _model.chunks testing.response testing.faults.exposed | errors testing.server
    cli._stdout_redirect cli._console cli._terminal | _protocol.validation _model.limits _protocol.html
    _protocol.retry_after _protocol.sse _model.messages _model.settings testing.fake_service cli._exit_codes
    cli._demo_view | _protocol.openai _http.tokens _http.exceptions _http.adapter _protocol.error_body
    testing.faults.fault | _http.response _http.session testing.faults.answers testing.faults.heads
    testing.faults.peers | _http.client testing.faults.bodies | _provider.provider testing.faults.floods |
    _provider.attempt _plugins.hookspecs | _engine.call _plugins.loading _engine.reply plugin | _engine.conversation
    _plugins.registry cli._answer cli._project | _engine.client cli._extensions cli._diagnosis | _engine.api
    testing.faults.runner testing.contract._harness cli._group cli._repl | providers_sdk testing.faults
    testing.contract._claim cli | testing.contract.streaming | testing.contract.behaviour testing.contract.failures
    | testing.contract | testing testing.contract.page | cli._timeline | cli._report cli._target
    testing.pytest_plugin | cli._placeholder | cli.chat cli.check cli.demo cli.doctor cli.list_ cli.new __main__
"""
FLOOR = {name: number for number, floor in enumerate(FLOORS.split("|")) for name in floor.split()}
HTTP = "_http _engine.client _engine.api testing.faults.runner"  # the last three hand a session in
ONLY = {
    "requests": HTTP,
    "urllib3": "_http",
    "bs4": "_protocol.html",
    "lxml": "_protocol.html",
    "click": "cli",
    "rich": "cli",
}
DOORS = {"providers_sdk_plugins": "plugin", "providers_sdk_plugins.fakes": "testing"}
PLANTS = (
    "errors: def f(): from providers_sdk._engine.client import Client",
    "_model.chunks: if TYPE_CHECKING: from providers_sdk import _engine",
    "_protocol.html: import providers_sdk._protocol.retry_after",
    "_model.limits: from providers_sdk._http.exceptions import translate",
    "_engine.call: import requests.exceptions",
    "_provider.provider: from . import messages",
    "novel: ",
)


def modules(root: Path) -> dict[str, Path]:
    named = {".".join(path.relative_to(root.parent).with_suffix("").parts): path for path in root.rglob("*.py")}
    return {name.removesuffix(".__init__").removeprefix(HOUSE): path for name, path in named.items()}


def imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.removeprefix(HOUSE) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names = (f"{base}.{alias.name}".removeprefix(HOUSE) for alias in node.names)
            yield from (name if name in known else base.removeprefix(HOUSE) for name in names)


def faults(root: Path) -> Iterator[str]:
    known = modules(root)
    yield from (f"{name} has no floor" for name in known if name not in FLOOR)
    for name, path in known.items():
        for wanted in imports(path, known):
            package = wanted.rpartition(".")[0]  # is loaded, too
            ours = {wanted, package if package in known and not f"{name}.".startswith(f"{package}.") else wanted}
            rooms = ONLY.get(wanted.partition(".")[0], name).split()
            below = all(FLOOR.get(name, 0) > FLOOR[other] for other in ours & set(FLOOR)) and wanted[0] != "."
            if not below or not any(f"{name}.".startswith(f"{room}.") for room in rooms):
                yield f"{name} imports {wanted}"


def test_imports_only_go_down() -> None:
    assert list(faults(ROOT / "providers_sdk")) == []
    assert set(FLOOR) == set(modules(ROOT / "providers_sdk"))


def test_plugins_and_stand_ins_come_in_by_their_own_door() -> None:
    for name, path in modules(ROOT / "plugins" / "providers_sdk_plugins").items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        rooms = {room for room in imports(path, {}) if room in FLOOR or room.startswith(("providers_sdk", "testing"))}
        assert {room for room in rooms if room.rpartition(".")[0] != package} <= {DOORS[package]}, name


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_arrow_is_caught(plant: str, tmp_path: Path) -> None:
    house = shutil.copytree(ROOT / "providers_sdk", tmp_path / "providers_sdk")
    room, _, line = plant.partition(": ")
    with (house / f"{room.replace(chr(46), chr(47))}.py").open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    assert [fault.partition(" ")[0] for fault in faults(house)] == [room]
