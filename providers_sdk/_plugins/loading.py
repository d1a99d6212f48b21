"""Loads one plugin at a time, so that a broken one affects only itself."""

import time

import pluggy

from providers_sdk._environment import redact_environment
from providers_sdk._plugins.entry_points import PROVIDERS, PluginEntry
from providers_sdk._plugins.hookspecs import CONTRACT, ExtensionHooks, ProviderHooks, new_manager
from providers_sdk._plugins.metadata import EntryPoint
from providers_sdk._plugins.validation import blame_plugin, check_class, check_name
from providers_sdk._provider.provider import Provider
from providers_sdk._redact import Redactor, snippet
from providers_sdk.errors import PluginConflict, PluginError, PluginLoadError

__all__ = ["Loaded", "conflict", "load"]

_USUAL_RANGES = ("", ">=1", ">=1,<2", ">=1.0", ">=1.0,<2", ">=1.0,<2.0")  # those that hold CONTRACT, without packaging


class Loaded:
    """What loading one entry point found, as far as it came.

    :ivar state: ``loaded``, ``failed`` or ``incompatible``, as in the report.
    :ivar provider: the class, of a provider that can be used.
    :ivar manager: the hook host, of a plugin that can be used.
    :ivar reason: why it cannot be used, else empty.
    :ivar remedy: what to do about it then.
    :ivar error: what a caller gets then.
    """

    state = "loaded"
    import_seconds: float | None = None
    hooks: tuple[str, ...] = ()
    requires_contract: str = ""
    provider: type[Provider] | None = None
    manager: pluggy.PluginManager | None = None
    reason: str = ""
    remedy: str = ""
    error: PluginLoadError | None = None

    def __init__(self, offer: PluginEntry) -> None:
        self.offer = offer


def load(offer: PluginEntry) -> Loaded:
    """Import ``offer`` and validate its hooks; errors are in the result, nothing is raised."""
    loaded = Loaded(offer)
    try:
        _load_into(loaded)
    except PluginError as error:
        _note_failure(loaded, error)
    return loaded


def _load_into(loaded: Loaded) -> None:
    entry, started = loaded.offer.entry, time.perf_counter()
    try:
        plugin = _import(entry)
    finally:
        loaded.import_seconds = time.perf_counter() - started
    manager = _register(entry, plugin)
    loaded.hooks = _list_hooks(manager, plugin)
    provider = _call_hook(manager, entry.name) if entry.group == PROVIDERS else None
    loaded.requires_contract = _read_contract(provider or plugin)
    _check_contract(loaded.requires_contract)
    loaded.provider, loaded.manager = provider, manager


def _note_failure(loaded: Loaded, error: PluginError) -> None:
    """Keep why the plugin cannot be used, without the secrets in what its code raised."""
    from providers_sdk._plugins.remedies import find_remedy

    redact = redact_environment()
    loaded.state = "incompatible" if isinstance(error, _Incompatible) else "failed"
    loaded.reason = redact(error.message)
    loaded.remedy = redact(find_remedy(loaded.offer, error, loaded.state))  # the error's cause is replaced below
    loaded.error = _make_load_error(loaded, error.__cause__, redact)


def _make_load_error(loaded: Loaded, cause: BaseException | None, redact: Redactor) -> PluginLoadError:
    """Return what a caller gets: the reason, whose plugin it is, and where to read more."""
    from providers_sdk._http.exceptions import redact_chain

    (distribution, version), name = loaded.offer.distribution, loaded.offer.entry.name
    source = f"{distribution} {version}; " if distribution else ""
    error = PluginLoadError(f"{loaded.reason} ({source}see 'providers doctor {name}')", provider=name)
    error.__cause__ = cause
    redact_chain(error, redact)
    return error


class _Incompatible(PluginLoadError):
    pass


def _import(entry: EntryPoint) -> object:
    if not entry.is_sound:
        raise PluginLoadError(f"its entry point {entry.value!r} is not of the form 'package.module'")
    with blame_plugin(f"importing {entry.value!r}"):
        return entry.load()


def _register(entry: EntryPoint, plugin: object) -> pluggy.PluginManager:
    hooks = ProviderHooks if entry.group == PROVIDERS else ExtensionHooks
    manager = new_manager(hooks)
    with blame_plugin("looking for its hooks"):
        try:
            manager.register(plugin, name=entry.name)
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            from providers_sdk._plugins.remedies import hint_at_misspelt_hook

            hint = hint_at_misspelt_hook(plugin, hooks)
            raise PluginLoadError(f"its hooks are not valid: {snippet(str(error), 500)}{hint}") from error
    return manager


def _list_hooks(manager: pluggy.PluginManager, plugin: object) -> tuple[str, ...]:
    return tuple(sorted(caller.name for caller in manager.get_hookcallers(plugin) or ()))


def _call_hook(manager: pluggy.PluginManager, name: str) -> type[Provider]:
    found: dict[str, type[Provider]] = {}

    def register(offered: str, provider: type[Provider]) -> None:
        # a module may register every row of a table for each of its entry points: only the wanted one is checked
        found[check_name(offered)] = check_class(offered, provider) if offered == name else provider

    with blame_plugin("its register_providers hook"):
        manager.hook.register_providers(register=register)
    if name not in found:
        offered = f"it registered {', '.join(sorted(found))}" if found else _explain_nothing_registered(manager, name)
        raise PluginLoadError(f"its entry point is named {name!r}, but {offered}")
    return found[name]


def _explain_nothing_registered(manager: pluggy.PluginManager, name: str) -> str:
    from providers_sdk._plugins.remedies import hint_at_missing_mark

    plugin, hook = manager.get_plugin(name), "register_providers"
    return "it registered nothing" + (
        "" if hook in _list_hooks(manager, plugin) else hint_at_missing_mark(plugin, hook)
    )


def _read_contract(plugin: object) -> str:
    with blame_plugin("reading its requires_contract"):
        wanted = getattr(plugin, "requires_contract", "")
    if not isinstance(wanted, str):
        raise PluginLoadError(f"its requires_contract must be a string such as '>=1,<2', not {type(wanted).__name__}")
    return wanted


def _check_contract(wanted: str) -> None:
    if "".join(wanted.split()) in _USUAL_RANGES:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        fits = SpecifierSet(wanted).contains(CONTRACT)
    except InvalidSpecifier as error:
        raise PluginLoadError(f"its requires_contract {snippet(wanted)!r} is no range of versions") from error
    if not fits:
        raise _Incompatible(f"it needs plugin contract {wanted}; this library has {CONTRACT}")


def conflict(name: str, offers: list[PluginEntry]) -> PluginConflict:
    """Return the error for a ``name`` that several distributions offer."""
    picks = " or ".join(repr(offer.qualified_name) for offer in offers)
    return PluginConflict(f"is offered by {len(offers)} distributions; choose one by {picks}", provider=name)
