"""Sessions of nox.

``nox`` runs every check on the Python that nox itself runs on. ``nox -s tests`` runs the tests on every supported
Python, each with the lowest and with the newest dependencies that ``setup.cfg`` allows. ``nox -l`` lists the sessions.
"""

import configparser
import re
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["lint", "coverage", "docs", "wheel"]

PYTHONS = ["3.11", "3.12", "3.13"]
WORKERS = ("-n", "4", "--dist", "worksteal")
BENCHMARKS = sorted(path.as_posix() for path in Path("benchmarks").glob("[!_]*.py"))


def read_lower_bounds() -> list[str]:
    """Return the lower bound of each requirement in ``setup.cfg`` as an exact version: ``requests==2.32.4``."""
    config = configparser.ConfigParser()
    config.read("setup.cfg", encoding="utf-8")
    rows = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    found = re.findall(r"^([\w.-]+) *>= *([\w.]+)", "\n".join(rows), re.MULTILINE)
    return sorted({f"{name}=={version}" for name, version in found})


@nox.session(python=PYTHONS)
@nox.parametrize("dependencies", ["lowest", "newest"])
def tests(session: nox.Session, dependencies: str) -> None:
    """Run the tests."""
    constraints = Path(session.create_tmp()) / "constraints.txt"
    constraints.write_text("\n".join(read_lower_bounds()) if dependencies == "lowest" else "", encoding="utf-8")
    session.install("--upgrade", "-e", ".[test,fast]", "--constraint", str(constraints.resolve()))
    session.run("python", "-m", "pytest", *WORKERS, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting and types."""
    session.install("-e", ".[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the tests and fail below the coverage that ``setup.cfg`` asks for."""
    session.install("-e", ".[dev]")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *WORKERS, *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation site; every warning is an error."""
    session.install("-e", ".[docs]")
    session.run("python", "-m", "sphinx", "-W", "-n", "-b", "html", "docs", "docs/_build/html")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel, install it without the sources, and run the demo with it."""
    temporary = Path(session.create_tmp()).resolve()
    session.install("build >= 1.2")
    shutil.rmtree("build", ignore_errors=True)  # setuptools would pack modules that a former build has left there
    session.run("python", "-m", "build", "--wheel", "--outdir", str(temporary / "dist"))
    newest = max((temporary / "dist").glob("*.whl"), key=lambda path: path.stat().st_mtime)
    session.install("--force-reinstall", str(newest))
    session.chdir(temporary)
    session.run("providers", "demo")


@nox.session
@nox.parametrize("script", BENCHMARKS, ids=[Path(script).stem for script in BENCHMARKS])
def benchmarks(session: nox.Session, script: str) -> None:
    """Run the benchmarks one after the other; each prints what it measured."""
    session.install("-e", ".")
    session.run("python", script, *session.posargs)


@nox.session
def speed(session: nox.Session) -> None:
    """Measure the speed beside other clients; ``nox -s speed -- --write`` renews the documentation."""
    session.install("-e", ".[bench]")
    session.run("python", "-m", "benchmarks", *session.posargs)
