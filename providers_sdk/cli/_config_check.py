"""Finds mistakes of the configuration in its settings: imports the plugins that the file names, and no others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from providers_sdk._config.file import DEFAULT_PLACE, find_problems, read_configuration
from providers_sdk._config.keys import KeySource
from providers_sdk._config.values import Configuration, ConfigValue
from providers_sdk._model.names import parse_names
from providers_sdk._model.settings import RESERVED, Found, Setting, collect_given
from providers_sdk._plugins.registry import Registry
from providers_sdk._suggest import find_nearest
from providers_sdk.errors import InvalidCall, KeyUnavailable, ProviderError, UnknownProvider

__all__ = ["Mistake", "find_mistakes"]

_PLACEHOLDER = "a value that is read later"


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, in one sentence.

    :param of_user: whether the file must be changed; else a plugin is at fault.
    """

    sentence: str
    of_user: bool = True


def find_mistakes(registry: Registry) -> list[Mistake]:
    """Return every mistake of the configuration file, of its top level and of each profile."""
    problems = find_problems()
    if problems:
        return [Mistake(problem) for problem in problems]
    first = read_configuration(DEFAULT_PLACE)
    every = [first, *(read_configuration(profile=profile) for profile in first.profiles)]
    return list(dict.fromkeys(mistake for one in every for mistake in _check(one, registry)))


def _check(configuration: Configuration, registry: Registry) -> Iterator[Mistake]:
    for provider in parse_names(configuration.providers) if configuration.providers else ():
        if provider.name not in configuration.services:
            yield from _check_installed(provider.name, configuration.sources["provider"], configuration, registry)
    for name, settings in configuration.services.items():
        yield from _check_service(name, settings, configuration, registry)


def _check_installed(name: str, source: str, configuration: Configuration, registry: Registry) -> Iterator[Mistake]:
    try:
        registry.get(name, warn=False)
    except UnknownProvider as error:
        near = find_nearest(name, [*configuration.services, *registry.names()])
        service = f"there is no provider {name!r}; did you mean {near!r}, a service of this file?"
        yield Mistake(f"{source}: {service if near in configuration.services and near != name else error}")
    except ProviderError as error:
        yield Mistake(f"{source}: {error}", of_user=False)


def _check_service(
    name: str, settings: Mapping[str, ConfigValue], configuration: Configuration, registry: Registry
) -> Iterator[Mistake]:
    if not settings:
        return
    base = settings.get(RESERVED)
    installed, source = (str(base.value), base.source) if base else (name, next(iter(settings.values())).source)
    if base and RESERVED in configuration.services.get(installed, {}):
        yield Mistake(f"{source}: {installed!r} is itself an instance; name the installed provider")
        return
    mistakes = list(_check_installed(installed, source, configuration, registry))
    yield from mistakes
    if not mistakes:
        known = registry.get(installed, warn=False).all_settings()
        for setting, value in settings.items():
            if setting != RESERVED:
                yield from _check_setting(name, setting, value, known)


def _check_setting(name: str, setting: str, value: ConfigValue, known: Mapping[str, Setting]) -> Iterator[Mistake]:
    """Check one setting as a call would; a source that starts a process is not read."""
    found = value.value
    try:
        if isinstance(found, KeySource):
            found = _PLACEHOLDER if found.is_slow or setting not in known else found.read(seconds=None)
        if found != _PLACEHOLDER or setting not in known:
            collect_given(name, known, {}, configured={setting: Found(found, value.source)}, environ={})
    except KeyUnavailable as error:
        yield Mistake(f"{name}: {error.message}")
    except InvalidCall as error:
        yield Mistake(str(error))
