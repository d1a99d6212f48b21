"""``providers new``: write a small, complete project for a provider of one's own."""

import builtins
import keyword
import re
import shlex
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from providers_sdk._plugins import check_name
from providers_sdk._registry import Registry
from providers_sdk.cli._failures import traceback_option
from providers_sdk.cli._terminal import say
from providers_sdk.errors import PluginLoadError
from providers_sdk.settings import environment_name

__all__ = ["KINDS", "Project", "command", "render"]

KINDS = {
    "sse": "a POST that is answered with server-sent events",
    "json": "a POST that is answered with one JSON object",
    "scrape": "a page with tokens, then a POST that needs them",
    "openai": "the OpenAI protocol, with a key",
}
"""Kind of project → what its service is like."""

_FILES = {
    "setup.cfg": "setup.cfg.jinja",
    "setup.py": "setup.py.jinja",
    "pyproject.toml": "pyproject.toml.jinja",
    "README.md": "README.md.jinja",
    ".gitignore": "gitignore.jinja",
    ".ruff.toml": "ruff.toml.jinja",
    ".github/workflows/ci.yml": "ci.yml.jinja",
    "{module}/__init__.py": "init.py.jinja",
    "{module}/provider.py": "{kind}/provider.py.jinja",
    "{module}/standin.py": "{kind}/standin.py.jinja",
    "{module}/py.typed": "py.typed.jinja",
    "tests/test_{identifier}.py": "test.py.jinja",
}
"""File of a project → its template."""

_CLASS_LENGTH = 24  # lines of the generated modules then fit whatever the formatter's width leaves
_TAKEN = {"plugins"}  # providers_sdk_plugins is the package of the bundled providers


class Refused(click.ClickException):
    """The project cannot be written as asked; nothing was."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Project:
    """The names of one project, all made from the provider's.

    :raises Refused: the name cannot be a provider's, a module's and a class's.
    """

    name: str
    kind: str = "sse"

    def __post_init__(self) -> None:
        try:
            check_name(self.name)
        except PluginLoadError as error:
            raise Refused(error.message) from None
        if not self.identifier.isidentifier():
            raise Refused(f"{self.name!r} makes no Python name: it must begin with a letter")
        if keyword.iskeyword(self.identifier) or keyword.iskeyword(self.class_name):
            raise Refused(f"{self.name!r} is a reserved word of Python; choose another name")
        if self.identifier.lower() in _TAKEN:
            raise Refused(f"{self.name!r} is taken: {self.module} is a package of providers-sdk; choose another name")

    @property
    def identifier(self) -> str:
        """The name as Python can spell it."""
        return re.sub(r"[-.]", "_", self.name)

    @property
    def module(self) -> str:
        """The package to import."""
        return f"providers_sdk_{self.identifier}"

    @property
    def distribution(self) -> str:
        """The project's own name, and its folder's."""
        return f"providers-sdk-{self.name}"

    @property
    def class_name(self) -> str:
        """The provider's class: the name's words, capitalised, cut where it is long."""
        import providers_sdk.plugin

        words = "".join(word[:1].upper() + word[1:] for word in re.split(r"[-._]+", self.name))[:_CLASS_LENGTH]
        taken = words in providers_sdk.plugin.__all__ or words == "Iterator" or hasattr(builtins, words)
        return f"{words}Provider" if taken and not keyword.iskeyword(words) else words

    @property
    def environment(self) -> str:
        """The start of its settings' variables."""
        return environment_name(self.name, "").rstrip("_")


def render(project: Project) -> dict[str, str]:
    """Return the files of ``project``: path below its folder → text."""
    import jinja2

    engine = jinja2.Environment(  # noqa: S701  it writes code, not pages
        loader=jinja2.PackageLoader("providers_sdk.cli"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    derived = ("identifier", "module", "distribution", "class_name", "environment")
    names = {**asdict(project), **{name: getattr(project, name) for name in derived}}
    return {
        path.format_map(names): engine.get_template(template.format_map(names)).render(names)
        for path, template in _FILES.items()
    }


@click.command("new")
@click.option(
    "--kind",
    type=click.Choice(list(KINDS)),
    default="sse",
    show_default=True,
    help="; ".join(f"{kind}: {about}" for kind, about in KINDS.items()) + ".",
)
@click.option("--directory", metavar="DIR", type=click.Path(path_type=Path), help="Where to; providers-sdk-NAME if not.")
@click.option("--force", is_flag=True, help="Write into a folder that is not empty, over files of the same names.")
@traceback_option
@click.argument("name")
def command(name: str, kind: str, directory: Path | None, force: bool) -> None:
    """Write a project for a provider called NAME: the module, a stand-in of its service, and tests that pass.

    Two functions are then yours to edit: the one that asks, and the one that reads the answer.
    """
    project = Project(name, kind)
    target = directory or Path(project.distribution)
    files = {target / path: text for path, text in render(project).items()}
    _refuse_overwriting(target, files, force=force)
    _warn_of_namesake(project)
    for path, text in files.items():
        _write(path, text)
    click.echo(f"{target}: {len(files)} files, {KINDS[kind]}.")
    click.echo(f"Edit ask() and read() in {target / project.module / 'provider.py'}. Next:\n")
    click.echo("\n".join(f"  {line}" for line in _next_lines(project, target)))


def _refuse_overwriting(target: Path, files: dict[Path, str], *, force: bool) -> None:
    try:
        held = sorted(path.name for path in target.iterdir()) if target.exists() else []
    except OSError as error:
        raise Refused(f"{str(target)!r} cannot be a project's folder: {error.strerror}") from None
    inside = target.resolve()
    outside = [path for path in files if not path.resolve().is_relative_to(inside)]
    if outside:
        raise Refused(f"{str(outside[0])!r} leads out of {str(target)!r}; remove that link")
    if held and not force:
        there = [str(path.relative_to(target)) for path in files if path.exists()]
        loss = f"--force would overwrite {', '.join(there)}" if there else "--force writes beside what is there"
        raise Refused(f"{str(target)!r} is not empty (it holds {_some(held)}); {loss}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _warn_of_namesake(project: Project) -> None:
    rows = [row for row in Registry().report() if row.name == project.name]
    others = sorted({row.distribution for row in rows if _folded(row.distribution) != _folded(project.distribution)})
    if others:
        say(
            f"Warning: {', '.join(others)} has a provider {project.name!r} already; with both installed the name is "
            f"refused until one is picked, as in '-p {project.distribution}:{project.name}'"
        )


def _folded(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise click.ClickException(f"{str(path)!r} cannot be written: {error.strerror}") from None


def _next_lines(project: Project, target: Path) -> list[str]:
    enter = [] if target.resolve() == Path.cwd() else [f"cd {shlex.quote(str(target))}"]
    return [
        *enter,
        f"{_tool('pip')} install -e '.[test]'",
        _tool("pytest"),
        f"{_tool('providers')} chat -p {project.name} hello",
    ]


def _tool(name: str) -> str:
    """Return how to type the command ``name`` of this Python, whether or not its environment is activated."""
    beside = Path(sys.executable).with_name(name)
    found = shutil.which("python")
    active = found is not None and Path(found).parent == beside.parent
    return name if active else shlex.quote(str(beside))
