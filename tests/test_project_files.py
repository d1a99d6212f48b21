"""The files around the library agree with it and with each other: paths, Pythons, sessions, bounds."""

import ast
import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "docs/decisions/README.md"]
DOCUMENTS += sorted(f"docs/decisions/{path.name}" for path in (ROOT / "docs" / "decisions").glob("0*.md"))
PATH = re.compile(r"`((?:\.ci|\.github|docs|plugins|providers_sdk|tests|benchmarks)/[\w./-]*)`")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def setup() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read_string(read("setup.cfg"))
    return config


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_and_link_in_a_document_leads_to_a_file(document: str) -> None:
    text = read(document)
    links = {target.partition("#")[0] for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text)}
    found = {ROOT / document.rpartition("/")[0] / link for link in links} | {ROOT / path for path in PATH.findall(text)}
    assert [str(path) for path in sorted(found) if not path.exists()] == []


def test_every_decision_is_in_the_list() -> None:
    listed = re.findall(r"\((0\d+-[\w-]+\.md)\)", read("docs/decisions/README.md"))
    assert listed == sorted(path.name for path in (ROOT / "docs" / "decisions").glob("0*.md"))


def test_nox_ci_and_the_classifiers_name_the_same_pythons(setup: configparser.ConfigParser) -> None:
    classified = re.findall(r"Python :: (3\.\d+)", setup["metadata"]["classifiers"])
    [in_nox] = [ast.literal_eval(found) for found in re.findall(r"^PYTHONS = (.*)$", read("noxfile.py"), re.MULTILINE)]
    in_ci = ast.literal_eval(re.findall(r"python: (\[.*\])", read(".github/workflows/ci.yml"))[0])
    assert classified == in_nox == in_ci


def test_ci_runs_only_sessions_that_nox_has() -> None:
    [listed] = re.findall(r"session: \[(.*)\]", read(".github/workflows/ci.yml"))
    functions = {node.name for node in ast.parse(read("noxfile.py")).body if isinstance(node, ast.FunctionDef)}
    assert set(listed.split(", ")) <= functions


def test_every_dependency_has_a_lower_bound_and_no_upper_one(setup: configparser.ConfigParser) -> None:
    rows = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    needs = [need for need in "\n".join(rows).splitlines() if need and not need.startswith("providers-sdk[")]
    assert needs
    assert [need for need in needs if not re.fullmatch(r"[\w.-]+ >= [\d.]+", need)] == []
