"""Start-up with 300 plugins installed, 30 of them broken, beside that with none.

python benchmarks/many_plugins.py [--plugins 300] [--broken 30] [--runs 9]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

GOOD = """
from providers_sdk.plugin import FinishReason, Provider, hookimpl

class Stranger(Provider):
    offline = True
    models = (default_model,) = ("m",)

    def complete(self, request, http):
        yield request.prompt
        yield FinishReason("stop")

@hookimpl
def register_providers(register):
    register("{name}", Stranger)
"""
WORDLESS = """
class Wordless(Exception):
    def __str__(self):
        raise ValueError
raise Wordless
"""


@dataclass(frozen=True)
class Kind:
    """One way of being a plugin.

    :param state: what the registry makes of it.
    :param words: words of the reason that it gives.
    :param module: the module's source.
    :param entry: the entry point's value.
    :param entry_points: the file's content, where it is none that a tool would write.
    :param metadata: the same of METADATA.
    :param twins: whether a second distribution offers the name.
    """

    state: str
    words: str = ""
    module: str = GOOD
    entry: str = "{module}"
    entry_points: bytes = b""
    metadata: bytes = b""
    twins: bool = False


def _failed(words: str, module: str = GOOD, **facts: str) -> Kind:
    return Kind("failed", words, module, **facts)  # type: ignore[arg-type]


def _hook(body: str) -> str:
    return GOOD.replace('    register("{name}", Stranger)', f"    {body}")


def _with(line: str) -> str:
    return GOOD.replace("offline = True", line)


WELL = Kind("loaded")
NOISY = Kind(
    "loaded", module="import os, sys\nprint('noise')\nos.system('echo noise')\nsys.__stdout__.write('noise')" + GOOD
)
BROKEN = {
    "lacks a dependency": _failed("ModuleNotFoundError", "import a_module_that_nobody_has"),
    "raises at import": _failed("RuntimeError: no good", "raise RuntimeError('no good')"),
    "exits at import": _failed("SystemExit: 3", "raise SystemExit(3)"),
    "raises what is no Exception": _failed("GeneratorExit", "raise GeneratorExit"),
    "raises an error without words": _failed("Wordless", WORDLESS),
    "recurses at import": _failed("RecursionError", "def f(): f()\nf()"),
    "is no Python": _failed("SyntaxError", "def broken(:"),
    "is a binary": _failed("null bytes", "\0"),
    "names no module": _failed("ModuleNotFoundError", entry="{module}_that_is_not_there"),
    "names nothing in its module": _failed("AttributeError", entry="{module}:nothing"),
    "has an entry point that is none": _failed("is not of the form", entry="!!"),
    "has no hook": _failed("it registered nothing", "hook = 'none'"),
    "misspells its hook": _failed("unknown hook", GOOD.replace("def register_providers", "def register_provider")),
    "wants another argument": _failed("colour", GOOD.replace("(register):", "(register, colour):")),
    "raises in its hook": _failed("ZeroDivisionError", _hook("1 / 0")),
    "exits in its hook": _failed("SystemExit", _hook("raise SystemExit")),
    "registers another name": _failed("it registered somebody", _hook("register('somebody', Stranger)")),
    "registers a number": _failed("no subclass of Provider", _hook("register('{name}', 7)")),
    "registers another class": _failed("no subclass of Provider", _hook("register('{name}', dict)")),
    "cannot answer": _failed("no complete()", GOOD.replace("def complete", "def completely")),
    "has wild settings": _failed("known_settings", _with("known_settings = {'a': 'b'}")),
    "wants rubbish": _failed("is no range of versions", _with("requires_contract = 'new'")),
    "wants a number": _failed("must be a string", _with("requires_contract = 1")),
    "wants a newer contract": Kind(
        "incompatible", "it needs plugin contract >=99", _with("requires_contract = '>=99'")
    ),
    "has a twin": Kind("conflict", "is offered by 2 distributions", twins=True),
    "has entry points in no encoding": Kind("failed", "cannot be read", entry_points=b"[providers_sdk]\n\xff = x\n"),
    "has entry points without a value": Kind("failed", "cannot be read", entry_points=b"[providers_sdk]\nx\n"),
}
"""Each way of being broken. In every one of them nobody else is hurt."""


def install(folder: Path, name: str, kind: Kind = WELL, *, group: str = "providers_sdk") -> None:
    """Write a distribution ``stranger-NAME`` with the plugin ``name`` into ``folder``, as pip would."""
    for distribution in [f"stranger_{name}_a", f"stranger_{name}_b"] if kind.twins else [f"stranger_{name}"]:
        (folder / f"{distribution}.py").write_text(kind.module.replace("{name}", name), "utf-8")
        info = folder / f"{distribution}-1.0.dist-info"
        info.mkdir()
        entry = f"[{group}]\n{name} = {kind.entry.replace('{module}', distribution)}\n"
        readme = "A line of a readme, as a real distribution has it.\n" * 60
        metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n\n{readme}"
        (info / "entry_points.txt").write_bytes(kind.entry_points or entry.encode())
        (info / "METADATA").write_bytes(kind.metadata or metadata.encode())


def fill(folder: Path, plugins: int, broken: int) -> dict[str, Kind]:
    """Install ``plugins`` of which ``broken`` are, and return them by name."""
    folder.mkdir()
    kinds = [*islice(cycle(BROKEN.values()), broken), *[WELL] * (plugins - broken)]
    made = {f"fake{number:03d}": kind for number, kind in enumerate(kinds)}
    for name, kind in made.items():
        install(folder, name, kind)
    return made


def providers(folder: Path, *words: str, **variables: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run ``providers`` with what is installed in ``folder``, too; return what it did and how long it took.

    :param variables: of the environment, besides those that are there.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PROVIDERS_SDK_", "PYTHON"))}
    environment = {**clean, "PYTHONPATH": str(folder), **variables}
    command = [sys.executable, "-m", "providers_sdk", *words]
    started = time.perf_counter()
    done = subprocess.run(
        command, env=environment, cwd=folder.parent, capture_output=True, text=True, timeout=120, check=False
    )
    return done, time.perf_counter() - started


def check(folder: Path, made: dict[str, Kind]) -> None:
    """Stop unless every command does what it should beside the plugins ``made``."""
    chat, _ = providers(folder, "chat", "-p", "echo", "hi")
    assert (chat.returncode, chat.stdout) == (0, "hi\n"), chat
    doctor, _ = providers(folder, "doctor", "--json")
    assert doctor.returncode == (1 if made else 0), doctor
    states = {row["name"].removeprefix("stranger_"): row for row in json.loads(doctor.stdout)["plugins"]}
    wrong = {name: kind for name, kind in made.items() if states[name]["state"] != kind.state}
    wrong |= {name: kind for name, kind in made.items() if kind.words not in states[name]["reason"]}
    assert not wrong, wrong
    listed, _ = providers(folder, "list")
    assert listed.returncode == 0, listed
    assert all(name in listed.stdout for name in [*made, "echo"]), listed


def medians(empty: Path, full: Path, runs: int, *words: str) -> tuple[float, float]:
    """Return the median seconds of both, measured in turns so that a slow moment hits both."""
    pairs = [(providers(empty, *words)[1], providers(full, *words)[1]) for _ in range(runs)]
    return statistics.median(one for one, _ in pairs), statistics.median(two for _, two in pairs)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plugins", type=int, default=300)
    parser.add_argument("--broken", type=int, default=30)
    parser.add_argument("--runs", type=int, default=9)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        empty, full = Path(place, "empty"), Path(place, "full")
        fill(empty, 0, 0)
        made = fill(full, asked.plugins, asked.broken)
        check(empty, {})
        check(full, made)
        kinds = len({id(kind) for kind in made.values() if kind is not WELL})
        print(f"{asked.plugins} plugins, {asked.broken} of them broken in {kinds} ways; medians of {asked.runs} runs")
        print(f"{'':28} {'none':>8} {asked.plugins:>8} {'ratio':>8}")
        for words in (["list"], ["chat", "-p", "echo", "hi"], ["doctor"]):
            without, with_all = medians(empty, full, asked.runs, *words)
            name = " ".join(["providers", *words])
            print(f"{name:28} {without:7.3f}s {with_all:7.3f}s {with_all / without:8.2f}")


if __name__ == "__main__":
    main()
