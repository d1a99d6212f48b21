"""Suggests how to fix a plugin that failed, for its user and its author."""

from contextlib import suppress

from providers_sdk._plugins.entry_points import PluginEntry
from providers_sdk._plugins.hookspecs import PROJECT
from providers_sdk._plugins.metadata import EntryPoint
from providers_sdk._suggest import find_nearest

__all__ = ["find_remedy", "hint_at_missing_mark", "hint_at_misspelt_hook"]


def find_remedy(offer: PluginEntry, error: BaseException, state: str = "failed") -> str:
    """Return what to do about a plugin that cannot be used.

    :param error: why; its cause is what the plugin's code raised.
    :param state: ``failed`` or ``incompatible``, as in the report.
    """
    entry = offer.entry
    source, folder = offer.distribution[0] or entry.value, _find_editable_folder(entry)
    missing = _guess_package(entry, error.__cause__)
    if state == "incompatible":
        return f"correct it in {folder}" if folder else f"pip install --upgrade {source} providers-sdk"
    if missing:
        fix = f"pip install {missing} (needed by {source}; the distribution may have another name)"
    else:
        fix = f"correct it in {folder}" if folder else f"pip install --upgrade {source}"
    return f"{fix}, or switch it off: PROVIDERS_SDK_DISABLE={entry.name}"


def _guess_package(entry: EntryPoint, cause: BaseException | None) -> str:
    """What pip may call the module that an import lacks; ``""`` where it is a part of an installed package."""
    if not isinstance(cause, ModuleNotFoundError) or not isinstance(cause.name, str):
        return ""
    top = cause.name.partition(".")[0]
    if top == entry.value.partition(":")[0].partition(".")[0]:
        return ""
    from importlib.util import find_spec

    with suppress(Exception):  # finders may be foreign, too
        spec = find_spec(top)
        if spec is not None:  # a namespace package has no file: each of its parts is a distribution
            return cause.name.replace(".", "-") if spec.origin is None else ""
    return top


def _find_editable_folder(entry: EntryPoint) -> str:
    """The project's folder, where it is installed in editable mode (PEP 610); else ``""``."""
    import json
    from urllib.parse import urlsplit
    from urllib.request import url2pathname  # with it come http.client and ssl

    try:
        facts = json.loads((entry.dist and entry.dist.read_text("direct_url.json")) or "{}")
        return url2pathname(urlsplit(facts["url"]).path) if facts["dir_info"]["editable"] else ""
    except Exception:  # noqa: BLE001  a foreign file
        return ""


def hint_at_misspelt_hook(plugin: object, hooks: type) -> str:
    """Return the end of a sentence on a marked function of ``plugin`` that is no hook; ``""`` where all are."""
    known = [name for name in vars(hooks) if not name.startswith("_")]
    with suppress(Exception):  # foreign objects
        marked = [name for name, value in vars(plugin).items() if hasattr(value, f"{PROJECT}_impl")]
        for name in marked:
            if name not in known and (near := find_nearest(name, known)):
                return f"; did you mean {near!r}?"
    return ""


def hint_at_missing_mark(plugin: object, hook: str) -> str:
    """Return the end of a sentence on a function of ``plugin`` that is like ``hook`` and not marked as one."""
    with suppress(Exception):  # foreign objects
        functions = [name for name, value in vars(plugin).items() if callable(value)]
        if near := find_nearest(hook, functions, likeness=0.8):
            renamed = "" if near == hook else f", and is its name {hook!r}"
            return f"; does {near}() lack @hookimpl{renamed}?"
    return ""
