"""The README tells the truth: its Python runs as it stands, and its commands exist."""

import configparser
import re
from pathlib import Path
from types import CodeType

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NETWORK = "# needs a network"


def blocks(language: str) -> dict[str, str]:
    """Each fenced block of a language, by the line that it begins on."""
    fence = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return {f"line {README.count(chr(10), 0, found.start(1)) + 1}": found[1] for found in fence.finditer(README)}


def code_of(where: str, text: str) -> CodeType:
    """Compile a block so that a traceback names the README's own lines."""
    above = "\n" * (int(where.removeprefix("line ")) - 1)
    code: CodeType = compile(above + text, str(ROOT / "README.md"), "exec", dont_inherit=True)
    return code


def claims(text: str) -> list[str]:
    """What a block says that it prints: the comments behind its prints."""
    prints = (line for line in text.splitlines() if re.search(r"\bprint\(.*\)\s+#", line))
    return [line.partition("#")[2].strip() for line in prints]


@pytest.mark.parametrize("where", blocks("python"))
def test_a_block_of_python_runs_as_a_plain_script(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROVIDERS_SDK_PROVIDER", "echo")
    text = blocks("python")[where]
    code = code_of(where, text)
    if not text.startswith(NETWORK):
        exec(code, {"__name__": "__main__"})
        printed = capsys.readouterr().out
        assert [claim for claim in claims(text) if claim not in printed] == []


def test_the_readme_has_the_five_line_script_first() -> None:
    first = next(iter(blocks("python").values()))
    assert len(first.strip().splitlines()) <= 5
    assert "from providers_sdk import chat" in first


def test_the_first_two_commands_run_the_demo_and_the_tests_on_a_fresh_machine() -> None:
    demo, tests, *_ = [text.strip() for text in blocks("sh").values()]
    assert demo == "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/providers demo"
    assert re.fullmatch(r"python3 -m venv \.venv && \.venv/bin/pip install .* && \.venv/bin/python -m pytest.*", tests)


def test_the_readme_names_every_bundled_provider_and_no_other() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    bundled = [
        line.partition(" = ")[0] for line in config["options.entry_points"]["providers_sdk"].strip().splitlines()
    ]
    [others] = re.findall(r"^Other services of OpenAI's dialect.*?: (.*?)\. \[", README, re.MULTILINE | re.DOTALL)
    assert sorted(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE) + re.findall(r"`([\w-]+)`", others)) == bundled


def test_every_file_that_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
