"""How Sphinx builds the documentation: ``python -m sphinx -W -n -b html docs docs/_build/html``.

Nothing on the pages comes from another address: no web font, no script, no picture. So there is no intersphinx either,
and names of other libraries are listed in ``nitpick_ignore_regex`` in its place.
"""

import re
import sys
from importlib import import_module
from types import MemberDescriptorType
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

from providers_sdk._version import __version__
from providers_sdk.errors import ProviderError

project = "providers-sdk"
author = "providers-sdk developers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = html_show_copyright = False
copybutton_selector = "div.highlight-python pre, div.highlight-sh pre"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "undoc-members": True}
autodoc_preserve_defaults = True

nitpick_ignore_regex = [
    # other libraries, the standard library among them: without intersphinx there is nothing to link to
    (r"py:.*", r"(collections|requests|pluggy|pytest|bs4|socket|threading|ssl|types|re|string|contextlib)\..*"),
    (r"py:class", r"BeautifulSoup|Cookie"),
]

PUBLIC = ("providers_sdk.errors", "providers_sdk", "providers_sdk.plugin", "providers_sdk.testing")
"""The public modules; a name that several of them export is described in the first."""


def _find_homes() -> dict[str, str]:
    """Return each public name, and the module whose page describes it."""
    homes: dict[str, str] = {}
    for module in PUBLIC:
        for name in _exported(module):
            homes.setdefault(name, module)
    return homes


def _exported(module: str) -> list[str]:
    exported: list[str] = import_module(module).__all__
    return exported


HOMES = _find_homes()
ALIASES = {
    "TokenCounts": "providers_sdk.Usage",
    "providers_sdk.Unset": "providers_sdk._engine.client.Unset",
    "Unset": "providers_sdk._engine.client.Unset",
    "PathLike": "os.PathLike",
    "Seconds": "providers_sdk._engine.client.Unset",
    "Functions": "providers_sdk._engine.functions.Functions",
    "Tools": "providers_sdk._engine.functions.Tools",
}
"""Names that stand in signatures and cannot be imported as they are written there."""


_PRIVATE_TYPE = re.compile(r"\b(HttpSession|Clock|AttemptRun|Exchange|Redactor)\b")


def _skip_elsewhere(app: Sphinx, what: str, name: str, obj: object, skip: bool, options: object) -> bool | None:
    """Describe each public name on one page only, and a field where its class lists its parameters."""
    if isinstance(obj, MemberDescriptorType):
        return True
    module = app.env.docname.rpartition("/")[2]  # a page has its module's name
    return True if what == "module" and HOMES.get(name, module) != module else None


def _shorten_signature(
    app: Sphinx, what: str, name: str, obj: object, options: object, signature: str | None, returns: str | None
) -> tuple[str, str | None] | None:
    """Show no constructor that only this library calls; every error has the same, so the root shows it."""
    is_error = isinstance(obj, type) and issubclass(obj, ProviderError) and obj is not ProviderError
    if is_error or (what == "class" and _PRIVATE_TYPE.search(signature or "")):
        return "", None
    if signature and "<factory>" in signature:  # not Python: Sphinx could not parse the annotations beside it
        return signature.replace("<factory>", "..."), returns
    return None


def _drop_docstring(app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """Leave out a module's docstring where its page puts some names first: the page has its own introduction."""
    if what == "module" and options.get("exclude-members"):
        lines.clear()


def _read_attribute_docs(app: Sphinx) -> None:
    """Describe the attributes of classes that stand in another module than the public one that they name as theirs.

    Sphinx reads such docstrings in the source of the module that a class names, so they are added to those found there.
    """
    modules = [name for name in list(sys.modules) if name.startswith("providers_sdk.")]
    found = {key: lines for name in modules for key, lines in ModuleAnalyzer.for_module(name).find_attr_docs().items()}
    for module in PUBLIC:
        analyzer = ModuleAnalyzer.for_module(module)
        own = {key: lines for key, lines in found.items() if key[0] in _exported(module)}
        analyzer.attr_docs = {**own, **analyzer.find_attr_docs()}


def _resolve_name(app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.TextElement) -> Any:
    """Link a name that is written with its private module or with another public one; a private type is plain text.

    :return: ``None`` for a name that does not exist, which makes it a warning.
    """
    target = ALIASES.get(node.get("reftarget", ""), node.get("reftarget", ""))
    name = target.rpartition(".")[2]
    if node.get("refdomain") != "py" or not _exists(target):
        return None
    if name in HOMES:
        full = f"{HOMES[name]}.{name}"
        entry = env.domains["py"].objects.get(full)
        return entry and make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, [text], full)
    return text


def _exists(target: str) -> bool:
    module, _, name = target.rpartition(".")
    if not module:
        return name in HOMES
    try:
        return hasattr(import_module(module), name)
    except ImportError:
        return False


def _check_completeness(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of public names that no page describes."""
    described = env.domains["py"].objects
    for name, module in sorted(HOMES.items()):
        if f"{module}.{name}" not in described and name != "__version__":
            logging.getLogger(__name__).warning("no reference page describes %s.%s", module, name)


def setup(app: Sphinx) -> None:
    """Connect the functions above."""
    app.connect("autodoc-skip-member", _skip_elsewhere)
    app.connect("autodoc-process-signature", _shorten_signature)
    app.connect("autodoc-process-docstring", _drop_docstring)
    app.connect("builder-inited", _read_attribute_docs)
    app.connect("missing-reference", _resolve_name)
    app.connect("env-check-consistency", _check_completeness)
