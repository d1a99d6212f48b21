"""Names and files of a new provider's project, made from its name and from templates."""

import builtins
import keyword
import re
from dataclasses import asdict, dataclass

import click

import providers_sdk.plugin
from providers_sdk._environment import variable_name
from providers_sdk._plugins.validation import check_name
from providers_sdk.errors import PluginLoadError

__all__ = ["KINDS", "Project", "Refused", "render"]

KINDS = {
    "sse": "a POST that is answered with server-sent events",
    "json": "a POST that is answered with one JSON object",
    "scrape": "a page with tokens, then a POST that needs them",
    "openai": "the OpenAI protocol, with a key",
    "ndjson": "a POST that is answered with newline-delimited JSON",
    "job": "a POST that starts a job, which is polled until it is done",
    "tools": "the OpenAI protocol with tools and images",
}
"""Kind of project → what its service does."""

_FILES = {
    "pyproject.toml": "pyproject.toml.jinja",
    "README.md": "README.md.jinja",
    "LICENSE": "LICENSE.jinja",
    ".gitignore": "gitignore.jinja",
    ".github/workflows/ci.yml": "ci.yml.jinja",
    "{module}/__init__.py": "init.py.jinja",
    "{module}/provider.py": "{kind}/provider.py.jinja",
    "{module}/fake.py": "{kind}/fake.py.jinja",
    "{module}/py.typed": "py.typed.jinja",
    "tests/test_{identifier}.py": "test.py.jinja",
}
"""File of a project → its template."""

_CLASS_LENGTH = 24  # lines of the generated modules then fit whatever the formatter's width leaves
_TAKEN = {"plugins"}  # providers_sdk_plugins is the package of the bundled providers
_IMPORTED = {
    *providers_sdk.plugin.__all__,
    *dir(builtins),
    "Any",
    "Client",
    "Iterator",
    "PAGE",
    "ProviderContract",
    "Registry",
}
"""Names that the generated modules use themselves."""


class Refused(click.ClickException):
    """The project cannot be written with these arguments; nothing was written."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Project:
    """The names of one project, all made from the provider's.

    :raises Refused: the name cannot be a provider's, a module's and a class's.
    """

    name: str
    kind: str = "sse"

    def __post_init__(self) -> None:
        if proposal := _propose_name(self.name):
            raise Refused(f"{self.name!r} has capitals or spaces; did you mean {proposal!r}?")
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
        """The name as a Python identifier."""
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
        """The provider's class: the name's parts, capitalised, cut where it is long."""
        words = "".join(word[:1].upper() + word[1:] for word in re.split(r"[-._]+", self.name))[:_CLASS_LENGTH]
        return f"{words}Provider" if words in _IMPORTED and not keyword.iskeyword(words) else words

    @property
    def environment(self) -> str:
        """The start of its settings' variables."""
        return variable_name(self.name, "").rstrip("_")


def _propose_name(name: str) -> str:
    """Return ``name`` in small letters, with dashes for spaces; empty where it is so already or that helps nothing."""
    right = re.sub(r"\s+", "-", name.strip()).lower()
    try:
        return Project(right).name if right != name else ""
    except Refused:
        return ""


def render(project: Project) -> dict[str, str]:
    """Return the files of ``project``: path below its folder → text."""
    import jinja2

    engine = jinja2.Environment(  # noqa: S701  what it writes is code
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
