"""``providers new``: what it refuses, what it writes, and that what it writes is sound."""

import ast
import configparser
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import providers_sdk
from providers_sdk.cli import main
from providers_sdk.cli._project import KINDS, Project, Refused, render

LONG = "a-provider-with-a-name.of_exactly-sixty-four-characters-in-it-all"[:64]
ROOT = Path(providers_sdk.__file__).parents[1]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def in_project(folder: Path, *words: str) -> "subprocess.Popen[str]":
    """Start ``python -m words`` in the project's folder, as if it were installed."""
    roots = [str(folder.resolve()), *filter(None, sys.path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(roots), "MYPYPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(running: "dict[str, subprocess.Popen[str]]") -> Iterator[tuple[str, int, str]]:
    for name, process in running.items():
        output, _ = process.communicate(timeout=120)
        yield name, process.returncode, output


def write(kind: str, name: str = "acme") -> Path:
    assert main(["new", name, "--kind", kind, "--directory", kind]) == 0
    return Path(kind)


# names


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            " ",
            "../acme",
            "a/b",
            "a\\b",
            "/acme",
            "..",
            ".acme",
            "acme.",
            "_acme",
            "acme ",
            "a b",
            "acme\n",
            "acmé",
        ),
        *("a\0b", "{{name}}", "a;b", "$HOME", "~acme", "C:acme", "acme:acme", "2gis", "4", "a" * 65),
        *("class", "None", "none", "plugins", "Plugins"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_one_sentence(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "--", name]) == 2
    captured = capsys.readouterr()
    assert re.fullmatch(r"Error: [^\n]+\n", captured.err)
    assert captured.out == ""
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    ("name", "proposal"),
    [
        ("My Acme", "my-acme"),
        ("a b", "a-b"),
        ("acme ", "acme"),
        ("acme\n", "acme"),
        ("Acme", "acme"),
        ("XMLChat", "xmlchat"),
    ],
)
def test_a_name_with_capitals_or_spaces_is_proposed_in_its_right_form(
    name: str, proposal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "--", name]) == 2
    assert capsys.readouterr().err == f"Error: {name!r} has capitals or spaces; did you mean {proposal!r}?\n"


@pytest.mark.parametrize(
    ("name", "module", "class_name"),
    [
        ("acme", "providers_sdk_acme", "Acme"),
        ("my-llm.v2", "providers_sdk_my_llm_v2", "MyLlmV2"),
        ("a", "providers_sdk_a", "A"),
        ("a..b", "providers_sdk_a__b", "AB"),
        ("http", "providers_sdk_http", "HttpProvider"),
        ("provider", "providers_sdk_provider", "ProviderProvider"),
        ("iterator", "providers_sdk_iterator", "IteratorProvider"),
        ("value-error", "providers_sdk_value_error", "ValueErrorProvider"),
        (LONG, "providers_sdk_" + LONG.replace("-", "_").replace(".", "_"), "AProviderWithANameOfExac"),
    ],
)
def test_all_names_are_made_from_one(name: str, module: str, class_name: str) -> None:
    project = Project(name)
    assert (project.module, project.class_name) == (module, class_name)
    assert project.distribution == f"providers-sdk-{name}"


@pytest.mark.parametrize("name", ["http", "provider", "page", "my-llm.v2", "provider-contract", LONG])
@pytest.mark.parametrize("kind", KINDS)
def test_a_class_never_takes_the_name_of_what_its_module_uses(name: str, kind: str) -> None:
    for path, text in render(Project(name, kind)).items():
        if path.endswith(".py"):
            names = [
                alias.asname or alias.name
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.ImportFrom)
                for alias in node.names
            ]
            classes = [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
            assert len({*names, *classes}) == len(names) + len(classes), path


def test_a_kind_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "acme", "--kind", "soap"]) == 2
    assert "soap" in capsys.readouterr().err
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("name", ["echo", "openai"])
def test_the_name_of_an_installed_provider_is_warned_of(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", name]) == 0
    warning = capsys.readouterr().err
    assert f"Warning: providers-sdk has a provider {name!r} already" in warning
    assert f"the name alone means that one, and yours is '-p providers-sdk-{name}:{name}'" in warning


def test_a_new_name_is_not_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "acme"]) == 0
    assert capsys.readouterr().err == ""


# the folder


def test_the_folder_is_named_after_the_distribution_unless_it_is_named(tmp_path: Path) -> None:
    assert main(["new", "acme"]) == 0
    assert main(["new", "acme", "--directory", "deep/in/here"]) == 0
    assert tree(tmp_path / "providers-sdk-acme") == tree(tmp_path / "deep/in/here")


def test_what_is_there_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "providers-sdk-acme"
    mine.mkdir()
    (mine / "README.md").write_text("mine")
    (mine / "notes.txt").write_text("mine")
    assert main(["new", "acme"]) == 2
    error = capsys.readouterr().err
    assert "README.md, notes.txt" in error
    assert "--force would overwrite README.md\n" in error
    assert tree(mine) == {"README.md", "notes.txt"}
    assert (mine / "README.md").read_text() == "mine"


def test_a_folder_of_other_things_is_left_alone_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(9):
        (tmp_path / f"{number}.txt").write_text("mine")
    assert main(["new", "acme", "--directory", "."]) == 2
    assert "(it holds 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 4 more)" in capsys.readouterr().err
    assert len(tree(tmp_path)) == 9


def test_force_overwrites_its_own_files_and_no_others(tmp_path: Path) -> None:
    mine = tmp_path / "providers-sdk-acme"
    mine.mkdir()
    (mine / "README.md").write_text("mine")
    (mine / "notes.txt").write_text("mine")
    assert main(["new", "acme", "--force"]) == 0
    assert (mine / "README.md").read_text().startswith("# providers-sdk-acme")
    assert (mine / "notes.txt").read_text() == "mine"


def test_an_empty_folder_needs_no_force(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["new", "acme", "--directory", "empty"]) == 0


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "acme").write_text("mine")
    assert main(["new", "acme", "--directory", "acme", "--force"]) == 2
    assert capsys.readouterr().err.startswith("Error: 'acme' cannot be a project's folder")
    assert (tmp_path / "acme").read_text() == "mine"


def test_a_link_that_leads_out_of_the_folder_is_not_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, theirs = tmp_path / "providers-sdk-acme", tmp_path / "theirs"
    mine.mkdir()
    theirs.mkdir()
    (mine / "tests").symlink_to(theirs)
    assert main(["new", "acme", "--force"]) == 2
    assert "leads out of" in capsys.readouterr().err
    assert tree(theirs) == set()


def test_a_folder_that_cannot_be_written_to_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in-the-way").write_text("a file")
    assert main(["new", "acme", "--directory", "in-the-way/below"]) == 1
    assert re.fullmatch(r"Error: [^\n]+ cannot be written: [^\n]+\n", capsys.readouterr().err)


# what is written


@pytest.mark.parametrize("kind", KINDS)
def test_a_project_is_complete(kind: str) -> None:
    assert tree(write(kind)) == {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        ".gitignore",
        ".github/workflows/ci.yml",
        "providers_sdk_acme/__init__.py",
        "providers_sdk_acme/provider.py",
        "providers_sdk_acme/fake.py",
        "providers_sdk_acme/py.typed",
        "tests/test_acme.py",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_no_placeholder_of_the_templates_is_left_over(kind: str) -> None:
    for path, text in render(Project("acme", kind)).items():
        left = re.sub(r"\$\{\{ matrix.python \}\}", "", text)
        assert not re.search(r"\{\{|\{%|%\}|\{#", left), path
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), path
        assert not re.search(r"[ \t]+$", text, re.MULTILINE), path


@pytest.mark.parametrize("kind", KINDS)
def test_generated_code_imports_the_authors_doors_only(kind: str) -> None:
    for path, text in render(Project("acme", kind)).items():
        if path.endswith(".py"):
            imported = {
                node.module
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("providers_sdk.")
            }
            if path.startswith("tests/"):
                imported.discard("providers_sdk.errors")
            assert imported <= {"providers_sdk.plugin" if path.endswith("provider.py") else "providers_sdk.testing"}


@pytest.mark.parametrize("kind", KINDS)
def test_two_functions_are_marked_for_the_author(kind: str) -> None:
    module = render(Project("acme", kind))["providers_sdk_acme/provider.py"]
    assert re.findall(r"# EDIT (\d of \d).*\n    def (\w+)", module) == [("1 of 2", "ask"), ("2 of 2", "read")]


@pytest.mark.parametrize("name", ["acme", "my-llm.v2"])
def test_one_file_names_the_entry_point_the_packages_the_licence_the_addresses_and_what_is_needed(name: str) -> None:
    files, module = render(Project(name)), Project(name).module
    config = tomllib.loads(files["pyproject.toml"])
    project = config["project"]
    assert project["name"] == f"providers-sdk-{name}"
    assert config["tool"]["setuptools"] == {"packages": [module], "package-data": {module: ["py.typed"]}}
    assert project["dependencies"] == ["providers-sdk >= 0.1"]
    assert project["optional-dependencies"]["test"][0].startswith("pytest")
    assert project["entry-points"] == {"providers_sdk": {name: f"{module}.provider"}}
    assert (project["license"], project["license-files"]) == ("MIT", ["LICENSE"])
    assert files["LICENSE"].startswith("MIT License\n")
    assert set(project["urls"]) == {"Source", "Issues"}


def test_the_requirement_is_met_by_this_very_version() -> None:
    from packaging.specifiers import SpecifierSet

    assert providers_sdk.__version__ in SpecifierSet(">= 0.1")


def test_projects_of_every_kind_are_formatted_and_checked_and_typed() -> None:
    folders = {kind: write(kind) for kind in KINDS}
    for kind in ("scrape", "ndjson", "job", "tools"):
        folders[f"long {kind}"] = Path(f"long-{kind}")
        assert main(["new", LONG, "--directory", f"long-{kind}", "--kind", kind]) == 0
    for tool in (
        ("ruff", "format", "--diff", "--no-cache", "."),
        ("ruff", "check", "--no-cache", "."),
        ("mypy", "--cache-dir=../mypy-cache", "--follow-imports=silent"),
    ):
        for kind, folder in folders.items():  # one after the other: they share mypy's cache
            for name, code, output in finish({kind: in_project(folder, *tool)}):
                assert code == 0, f"{name}: {' '.join(tool)}\n{output}"


def test_the_tests_of_projects_of_every_kind_pass() -> None:
    running = {kind: in_project(write(kind), "pytest", "-q", "-p", "no:cacheprovider") for kind in KINDS}
    for kind, code, output in finish(running):
        assert code == 0, f"{kind}\n{output}"
        assert " passed" in output


# what is said


def test_the_next_commands_are_said_and_can_be_typed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert main(["new", "acme", "--directory", "my projects/acme"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[-4:] == [
        "cd 'my projects/acme'",
        "pip install -e '.[test]'",
        "pytest",
        "providers chat -p acme hello",
    ]
    assert Path(shlex.split(lines[-4])[1]).is_dir()


def test_in_an_environment_that_is_not_activated_commands_are_said_with_their_path(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["new", "acme", "--directory", "."]) == 0
    *_, pip, pytest_line, providers = [line.strip() for line in capsys.readouterr().out.splitlines()]
    beside = Path(sys.executable).parent
    assert shlex.split(pip) == [str(beside / "pip"), "install", "-e", ".[test]"]
    assert shlex.split(pytest_line) == [str(beside / "pytest")]
    assert shlex.split(providers) == [str(beside / "providers"), "chat", "-p", "acme", "hello"]


# the fake service answers in the place of a service that is not there yet


def installed(kind: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a project and offer it as pip would."""
    folder = write(kind, f"draft-{kind}").resolve()
    info = folder / f"providers_sdk_draft_{kind}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: providers-sdk-draft-{kind}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[providers_sdk]\ndraft-{kind} = providers_sdk_draft_{kind}.provider\n")
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_a_project_answers_as_soon_as_it_is_installed_and_says_who_speaks(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed(kind, monkeypatch)
    capsys.readouterr()
    assert main(["chat", "-p", f"draft-{kind}", "hello"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"This is the fake service of draft-{kind}, not a service.\n"
    assert captured.err.startswith(f"Note: the url of draft-{kind} is still the placeholder https://put-the-address")


def test_a_fake_answers_nobody_whose_url_is_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed("json", monkeypatch)
    monkeypatch.setenv("PROVIDERS_SDK_DRAFT_JSON_URL", "http://127.0.0.1:9")
    capsys.readouterr()
    assert main(["chat", "-p", "draft-json", "hello"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "fake service" not in captured.err


def test_a_script_is_never_answered_by_a_fake(monkeypatch: pytest.MonkeyPatch) -> None:
    installed("json", monkeypatch)
    with providers_sdk.Client("draft-json", retries=0) as client, pytest.raises(providers_sdk.errors.ConnectFailed):
        client.chat("hello")


def test_the_templates_are_part_of_the_package() -> None:
    config = configparser.ConfigParser()
    setup = Path(__file__).parents[2] / "setup.cfg"
    config.read(setup, encoding="utf-8")
    patterns = [word.strip() for word in config["options.package_data"]["providers_sdk.cli"].split(",")]
    folder = ROOT / "providers_sdk" / "cli"
    taken = {path for pattern in patterns for path in folder.glob(pattern)}
    files = [*(folder / "templates").rglob("*"), *(folder / "pages").rglob("*")]
    assert taken == {path for path in files if path.is_file()}


def test_the_template_engine_is_declared_and_loaded_only_when_it_is_used() -> None:
    code = "import sys, providers_sdk.cli._group, providers_sdk.cli.new; sys.exit('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.returncode == 0
    assert any(requirement.startswith("jinja2") for requirement in metadata.requires("providers-sdk") or ())


def test_a_refusal_is_an_error_of_the_command_line() -> None:
    with pytest.raises(Refused, match="no name for a provider"):
        Project("../acme")
