"""The recipes of the cookbook and the page about the command line run as they stand, against fake services.

What they print is what their pages say.
"""

import asyncio
import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from providers_sdk_plugins.fakes.openai import SITES, OpenAISite

COOKBOOK = Path(__file__).parents[1] / "docs" / "cookbook"
RECIPES = sorted(path.stem for path in COOKBOOK.glob("*.md"))
PAGES = [*RECIPES, "../command-line"]
_FENCE = re.compile(r"^```(\w+)[ ]?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ALIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
ADDRESS = "https://llm.example/v1"
"""The address in a configuration, in whose place the fake's is written."""


@dataclass(frozen=True)
class Kitchen:
    """What a recipe needs.

    :param case: of the fake of ``openai``.
    :param groq: the case of the fake of ``groq``.
    :param key: whether ``openai`` has its key.
    :param files: that are there.
    """

    case: str = ""
    groq: str = ""
    key: bool = True
    files: dict[str, bytes] = field(default_factory=dict)


KITCHENS = {
    "csv": Kitchen(files={"questions.csv": b"question\nName a pizza\nName another\n"}),
    "errors": Kitchen(case="limit"),
    "fallback": Kitchen(groq="unavailable"),
    "json-out": Kitchen(case="schema"),
    "keys": Kitchen(key=False, files={"key.txt": b"fake-key\n"}),
    "tools": Kitchen(case="two_tools"),
    "images": Kitchen(files={"menu.png": b"\x89PNG\r\n\x1a\n"}),
    "shell": Kitchen(files={"notes.txt": b"Name a pizza\nName another\n"}),
}


class Cook:
    """Runs the blocks of one recipe in order, each a process of its own, in a home of their own."""

    def __init__(self, recipe: str, home: Path, environ: dict[str, str], address: str) -> None:
        self._recipe, self._home, self._environ, self._address = recipe, home, environ, address
        self._printed = ""

    def take(self, language: str, word: str, text: str) -> None:
        name = word.removeprefix("file=")
        if name != word:
            (self._home / name).write_text(text, encoding="utf-8")
        elif language == "toml":
            self._configure(text)
        elif language == "text":
            alike = doctest.OutputChecker().check_output(text, self._printed, _ALIKE)
            assert alike, f"{self._recipe}: what was run before {text!r} prints\n{self._printed}"
        elif word == "notebook":
            self._printed = self._run_cell(text)
        elif language == "python":
            self._printed = self._run(sys.executable, "-c", text)
        else:
            assert language == "sh", f"{self._recipe}: nobody runs {language!r}"
            self._run_lines(text, is_crontab=word == "crontab")

    def _configure(self, text: str) -> None:
        file = self._home / ".config" / "providers-sdk" / "config.toml"
        file.parent.mkdir(parents=True)
        file.write_text(text.replace(ADDRESS, self._address), encoding="utf-8")
        file.chmod(0o600)

    def _run_cell(self, text: str) -> str:
        """Run it as a notebook's kernel does, inside an event loop."""

        async def run() -> None:
            exec(compile(text, self._recipe, "exec"), {"__name__": "__main__"})

        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), pytest.MonkeyPatch.context() as patch:
            for name, value in self._environ.items():
                patch.setenv(name, value)
            asyncio.run(run())
        return printed.getvalue()

    def _run_lines(self, text: str, *, is_crontab: bool) -> None:
        for line in text.splitlines():
            command = line.split(maxsplit=5)[5] if is_crontab else line
            self._printed = self._run("/bin/sh", "-c", command)

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self._home, env=self._environ, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{self._recipe}: {command[-1]}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def kitchen(tmp_path: Path) -> Iterator[ExitStack]:
    with ExitStack() as running:
        yield running


def prepare(recipe: str, home: Path, running: ExitStack) -> tuple[dict[str, str], OpenAISite]:
    """Start the fakes; return the environment and the fake of ``openai``."""
    wanted = KITCHENS.get(recipe, Kitchen())
    openai, groq = running.enter_context(OpenAISite(wanted.case)), running.enter_context(SITES["groq"](wanted.groq))
    commands = home / "bin"
    commands.mkdir()
    for name, arguments in {"providers": "-m providers_sdk", "python3": ""}.items():
        (commands / name).write_text(f'#!/bin/sh\nexec {sys.executable} {arguments} "$@"\n')
        (commands / name).chmod(0o755)
    for name, content in wanted.files.items():
        (home / name).write_bytes(content)
    key = {"PROVIDERS_SDK_OPENAI_KEY": "fake-key"} if wanted.key else {}
    return {
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(home), *filter(None, sys.path)]),
        "HOME": str(home),
        "PROVIDERS_SDK_OPENAI_URL": openai.client_settings()["url"],
        "PROVIDERS_SDK_GROQ_URL": groq.client_settings()["url"],
        "PROVIDERS_SDK_GROQ_KEY": "fake-key",
        "WORK_KEY": "fake-key",
        "OFFICE_PROXY": openai.url.replace("http://", "http://user:password@"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **key,
    }, openai


@pytest.mark.parametrize("recipe", PAGES)
def test_the_recipe_runs_and_prints_what_its_page_says(recipe: str, tmp_path: Path, kitchen: ExitStack) -> None:
    environ, site = prepare(recipe, tmp_path, kitchen)
    cook = Cook(recipe, tmp_path, environ, site.client_settings()["url"])
    for found in _FENCE.finditer((COOKBOOK / f"{recipe}.md").read_text(encoding="utf-8")):
        cook.take(found[1], found[2], found[3])


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_has_a_title_code_and_few_lines(recipe: str) -> None:
    page = (COOKBOOK / f"{recipe}.md").read_text(encoding="utf-8")
    assert page.startswith("# ")
    longest = max(len(found[3].splitlines()) for found in _FENCE.finditer(page))
    assert 0 < longest <= 20


def test_there_are_sixteen_recipes_and_each_kitchen_is_of_one() -> None:
    assert len(RECIPES) == 16
    assert set(KITCHENS) <= set(RECIPES)
