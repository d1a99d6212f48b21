"""Finds mistakes in plugins that work anyway."""

from collections.abc import Iterator

from providers_sdk._plugins.entry_points import EXTENSIONS
from providers_sdk._plugins.report import PluginReport
from providers_sdk._provider.provider import Provider

__all__ = ["find_advice"]


def find_advice(row: PluginReport, provider: type[Provider] | None) -> tuple[str, ...]:
    """Return a sentence on each mistake in the plugin of ``row``, for its author.

    :param provider: its class, where it is a provider that was loaded.
    """
    try:
        return tuple(_find_mistakes(row, provider))
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  a plugin's attributes are its own code
        return ()


def _find_mistakes(row: PluginReport, provider: type[Provider] | None) -> Iterator[str]:
    if row.group == EXTENSIONS and row.state == "loaded" and not row.hooks:
        yield "it implements no hook; does a function lack @hookimpl?"
    if provider is None:
        return
    if provider.models and not provider.default_model and getattr(provider, "sends_model", True):
        yield "it has no default_model: every call must name a model"
    if not provider.url and not provider.offline and not provider.all_settings()["url"].required:
        yield "it has neither a url nor offline = True"
    for name in ("models", "known_options"):
        value: object = getattr(provider, name)
        if isinstance(value, str):
            yield f"{name} = {value!r} is one string, not a tuple of names: write {name} = ({value!r},)"
