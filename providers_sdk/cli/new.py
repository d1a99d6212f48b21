"""``providers new``: write a small, complete project for a provider of one's own."""

import shlex
import shutil
import sys
from pathlib import Path

import click

from providers_sdk._plugins.entry_points import BUNDLED, same_distribution
from providers_sdk._plugins.registry import Registry
from providers_sdk.cli._exit_codes import traceback_option
from providers_sdk.cli._project import KINDS, Project, Refused, render
from providers_sdk.cli._terminal import say

__all__ = ["command"]


@click.command("new")
@click.option(
    "--kind",
    type=click.Choice(list(KINDS)),
    default="sse",
    show_default=True,
    help="; ".join(f"{kind}: {about}" for kind, about in KINDS.items()) + ".",
)
@click.option(
    "--directory", metavar="DIR", type=click.Path(path_type=Path), help="Where to; providers-sdk-NAME if not."
)
@click.option("--force", is_flag=True, help="Write into a folder that is not empty, over files of the same names.")
@traceback_option
@click.argument("name")
def command(name: str, kind: str, directory: Path | None, force: bool) -> None:
    """Write a small project for a provider of your own.

    NAME is the provider's name. The project holds its module, a fake of its service, and tests that pass; two
    functions are then yours to edit: the one that asks, and the one that reads the answer.

    Exit codes: 0 written, 1 a file could not be written, 2 usage error, nothing was written.
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
    click.echo("\n".join(f"  {line}" for line in _list_next_steps(project, target)))


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
        raise Refused(f"{str(target)!r} is not empty (it holds {_find_existing(held)}); {loss}")


def _find_existing(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _warn_of_namesake(project: Project) -> None:
    rows = [row for row in Registry().report() if row.name == project.name]
    others = sorted({row.distribution for row in rows if not same_distribution(row.distribution, project.distribution)})
    if others:
        effect = "means that one" if BUNDLED in others else "is refused"
        say(
            f"Warning: {', '.join(others)} has a provider {project.name!r} already; with both installed the name alone "
            f"{effect}, and yours is '-p {project.distribution}:{project.name}'"
        )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise click.ClickException(f"{str(path)!r} cannot be written: {error.strerror}") from None


def _list_next_steps(project: Project, target: Path) -> list[str]:
    enter = [] if target.resolve() == Path.cwd() else [f"cd {shlex.quote(str(target))}"]
    return [
        *enter,
        f"{_find_tool('pip')} install -e '.[test]'",
        _find_tool("pytest"),
        f"{_find_tool('providers')} chat -p {project.name} hello",
    ]


def _find_tool(name: str) -> str:
    """Return how to type the command ``name`` of this Python, whether or not its environment is activated."""
    beside = Path(sys.executable).with_name(name)
    found = shutil.which("python")
    active = found is not None and Path(found).parent == beside.parent
    return name if active else shlex.quote(str(beside))
