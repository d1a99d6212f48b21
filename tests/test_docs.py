"""The documents for authors and migrants tell the truth: their code runs, and prints what they say it prints."""

import ast
import builtins
import contextlib
import doctest
import html
import importlib
import io
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import providers_sdk
import providers_sdk.errors
import providers_sdk.plugin
import providers_sdk.testing
from providers_sdk._config.file import default_path
from providers_sdk.cli._project import Project, render
from providers_sdk_plugins.services import ROWS as SERVICE_ROWS

DOCS = Path(__file__).parents[1] / "docs"
WRITTEN = ["writing-a-provider.md", "extensions.md", "from-g4f.md", "errors.md", "aipower.md", "testing-your-script.md"]
WRITTEN += ["configuration.md", "keys.md", "batch.md"]
WRITTEN += ["index.md", "tutorial.md", "settings.md", "fallback.md", "honesty.md", "limits.md"]
WRITTEN += ["openai.md", "anthropic.md", "ollama.md", "which-service.md", "tools-and-schemas.md"]
WRITTEN += ["reference/chat-json.md"]

IN_A_HOME = ("configuration.md", "keys.md")
"""Documents about the user's own places, which are read there."""

RUN = ("providers", "pytest")
INSTALLS = ("pip install -e '.[test]'", "pip install -e .")
NOT_RUN = {
    **dict.fromkeys(INSTALLS, "needs an index for its build; the entry point is written by hand in its place"),
    "pip install .": "needs an index; the wheel is installed and tried by .ci/run",
    "pip install build twine": "needs an index",
    "python -m build": "needs what the line before it installs",
    "twine check dist/*": "needs what pip installs",
    "twine upload dist/*": "publishes",
}
"""Every other line of a shell block, and why it is not run."""

_FENCE = re.compile(r"^```(\w+)[ ]?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ALIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, the word after it, its text, and the line that it begins on."""

    language: str
    word: str
    text: str
    line: int


def blocks(name: str) -> Iterator[Block]:
    document = (DOCS / name).read_text(encoding="utf-8")
    for found in _FENCE.finditer(document):
        yield Block(found[1], found[2], found[3], document.count("\n", 0, found.start()) + 2)


@dataclass
class Reader:
    """Types along: runs each block where the one before has left off, and keeps what it printed."""

    document: str
    home: Path
    here: Path
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})
    printed: str = ""

    def read(self, block: Block) -> None:
        where = f"{self.document}:{block.line}"
        if block.language == "python" and block.word.startswith("file="):
            self._replace(self.here / block.word.removeprefix("file="), block.text)
        elif block.word.startswith("new="):
            self._create(self.here / block.word.removeprefix("new="), block.text)
        elif block.language == "toml" and block.word.startswith("in="):
            self._known(block.word.removeprefix("in="), block.text, where)
        elif block.language == "toml":
            self._configure(block.text)
        elif block.language == "python" and block.word == "before":
            ast.parse(block.text)
        elif block.language == "python":
            self._python(block.text, where)
        elif block.language == "sh":
            self._shell(block.text, where)
        elif block.language == "json":
            json.loads(block.text)
        else:
            self._compare(block.text, where)

    def _create(self, path: Path, text: str) -> None:
        assert not path.exists(), f"{path} was there before"
        path.write_text(text, encoding="utf-8")

    def _replace(self, path: Path, text: str) -> None:
        assert path.is_file(), f"{path} is no file that 'providers new' writes"
        path.write_text(text, encoding="utf-8")

    def _configure(self, text: str) -> None:
        path = default_path()
        assert path is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)

    def _python(self, text: str, where: str) -> None:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(text, where, "exec"), self.names)
        self.printed = printed.getvalue()

    def _shell(self, text: str, where: str) -> None:
        for line in text.splitlines():
            if line.startswith("cd "):
                self.here /= line.removeprefix("cd ")
                os.chdir(self.here)
            elif set(line.split()) & set(RUN):
                self.printed = self._ran(line, where)
            else:
                assert line in NOT_RUN, f"{where}: nobody has said whether {line!r} can be run"
                if line in INSTALLS:
                    self._install()

    def _ran(self, line: str, where: str) -> str:
        search = [str(self.here), *filter(None, sys.path)]
        given = {"PATH": f"{self.home}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(search)}
        options = {"PYTEST_ADDOPTS": "-p no:cacheprovider", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=self.here,
            env={**os.environ, **given, **options},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{where}: {line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _install(self) -> None:
        """Write what pip would, as far as entry points are concerned."""
        project = tomllib.loads((self.here / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        name, version = project["name"], project["version"]
        folder = self.here / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        with (folder / "entry_points.txt").open("w") as file:
            for group, rows in project["entry-points"].items():
                print(f"[{group}]", *(f"{key} = {value}" for key, value in rows.items()), sep="\n", file=file)
        sys.path.insert(0, str(self.here))
        importlib.invalidate_caches()

    def _known(self, name: str, text: str, where: str) -> None:
        assert text in (self.here / name).read_text(encoding="utf-8"), f"{where}: {name} says otherwise"

    def _compare(self, text: str, where: str) -> None:
        alike = doctest.OutputChecker().check_output(text, self.printed, _ALIKE)
        assert alike, f"{where}: the block before it prints\n{self.printed}"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to be in, beside one with the commands of this very interpreter."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, code in {
        "providers": "from providers_sdk.cli import main; import sys; sys.exit(main())",
        "pytest": "import pytest, sys; sys.exit(pytest.main())",
    }.items():
        (commands / name).write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$@"\n')
        (commands / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    path = list(sys.path)
    yield commands
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if name.startswith("providers_sdk_acme"):
            del sys.modules[name]


@pytest.mark.parametrize("document", WRITTEN)
def test_every_block_runs_and_prints_what_the_document_says(
    document: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if document in IN_A_HOME:
        monkeypatch.delenv("PROVIDERS_SDK_CONFIG")
        for name in ("CONFIG", "DATA", "CACHE"):
            monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    reader = Reader(document, home, Path.cwd())
    for block in blocks(document):
        reader.read(block)


@pytest.mark.parametrize("document", WRITTEN)
def test_every_block_is_of_a_language_that_is_checked(document: str) -> None:
    text = (DOCS / document).read_text(encoding="utf-8")
    assert {block.language for block in blocks(document)} <= {"python", "sh", "text", "toml", "json"}
    assert 2 * sum(1 for _ in blocks(document)) == len(re.findall(r"^```", text, re.MULTILINE))


def test_the_tutorials_project_stays_formatted_and_typed(tmp_path: Path) -> None:
    for path, text in render(Project("acme")).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    for block in blocks("writing-a-provider.md"):
        if block.word.startswith("file="):
            (tmp_path / block.word.removeprefix("file=")).write_text(block.text, encoding="utf-8")
    roots = os.pathsep.join(str(Path(module.__file__ or "").parents[1]) for module in (providers_sdk,))
    for tool in (["ruff", "format", "--diff"], ["ruff", "check"], ["mypy", "--follow-imports=silent"]):
        done = subprocess.run(
            [sys.executable, "-m", *tool, *(["."] if tool[0] == "ruff" else [])],
            cwd=tmp_path,
            env={**os.environ, "MYPYPATH": roots},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{tool}\n{done.stdout}{done.stderr}"


def test_every_line_that_is_not_run_stands_in_a_document() -> None:
    lines = {
        line for name in WRITTEN for block in blocks(name) if block.language == "sh" for line in block.text.split("\n")
    }
    assert set(NOT_RUN) <= lines


def test_the_picture_shows_what_the_demo_prints(home: Path) -> None:
    demo = [sys.executable, "-m", "providers_sdk", "demo"]
    printed = subprocess.run(
        demo, env={**os.environ, "COLUMNS": "84"}, capture_output=True, text=True, check=True
    ).stdout
    drawn = re.findall(r"<text[^>]*>([^<]*)</text>", (DOCS / "demo.svg").read_text(encoding="utf-8"))
    assert _words(printed) == _words(" ".join(map(html.unescape, drawn))), "run python docs/draw_demo.py"


def _words(text: str) -> set[str]:
    """Ports and times differ from run to run, words do not."""
    return set(re.findall(r"[a-z]{3,}", text.lower()))


def test_the_page_of_services_is_what_their_rows_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DOCS)
    written = importlib.import_module("write_services").render(SERVICE_ROWS)
    assert (DOCS / "which-service.md").read_text(encoding="utf-8") == written, "run python docs/write_services.py"


def test_every_page_is_in_a_table_of_contents() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    tables = "\n".join(re.findall(r"^:::\{toctree\}\n(.*?)^:::", index, re.MULTILINE | re.DOTALL))
    listed = re.findall(r"^(?:.* <)?([\w./-]+)>?$", tables, re.MULTILINE)
    pages = [path.relative_to(DOCS) for path in DOCS.rglob("*.md")]
    assert sorted(listed) == sorted(str(page.with_suffix("")) for page in pages if page.name != "index.md")


def prose(name: str) -> str:
    return _FENCE.sub("", (DOCS / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("document", WRITTEN)
def test_every_class_that_the_prose_names_is_there(document: str) -> None:
    known = {
        *providers_sdk.__all__,
        *providers_sdk.errors.__all__,
        *providers_sdk.plugin.__all__,
        *providers_sdk.testing.__all__,
    }
    theirs = {name for row in rows(document) for name in re.findall(r"[A-Z]\w+", row[0])}
    named = set(re.findall(r"`([A-Z][a-z]\w+)`", prose(document)))
    assert named - known - theirs - set(dir(builtins)) == set()


def rows(document: str) -> list[list[str]]:
    """Return the cells of the table of names, in the document that has one."""
    if document != "from-g4f.md":
        return []
    lines = [line for line in prose(document).splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("document", WRITTEN)
def test_links_lead_to_headings_and_files(document: str) -> None:
    text = (DOCS / document).read_text(encoding="utf-8")
    headings = {_anchor(line) for line in text.splitlines() if line.startswith("#")}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif "://" not in target:
            assert (DOCS / target.partition("#")[0]).exists(), target


def _anchor(heading: str) -> str:
    words = re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower())
    return words.replace(" ", "-")
