"""What a provider's name means in one client: an installed provider, or an instance of one with settings of its own.

An instance is a name whose settings hold ``provider``: the same protocol at another address. It hides a plugin of its
name in its client, so that installing a package never changes which service a script asks; ``distribution:name``
still means the plugin.
"""

from collections.abc import Collection, Mapping
from typing import Any

from providers_sdk._config.values import ConfigValue
from providers_sdk._model.names import short_name
from providers_sdk._model.settings import RESERVED
from providers_sdk._suggest import find_nearest
from providers_sdk.errors import InvalidArgument, UnknownProvider

__all__ = ["Service", "Services"]


class Service:
    """What one name means.

    :param name: the name that replies, errors and variables carry, without a distribution.
    :param kind: the installed provider, as the registry knows it.
    :param given: settings of the argument.
    :param configured: settings of the configuration.
    :param shadowed: whether it is a plugin whose name an instance has taken: what is stored for the name is not its.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        given: Mapping[str, Any],
        configured: Mapping[str, ConfigValue],
        *,
        shadowed: bool = False,
    ) -> None:
        self.name, self.kind, self.given, self.configured, self.shadowed = name, kind, given, configured, shadowed

    def __repr__(self) -> str:  # tracebacks with local variables show it
        return f"Service(name={self.name!r}, kind={self.kind!r})"


class Services:
    """The settings of one client, by the name of the service.

    :param given: the argument ``settings``.
    :param configured: the services of the configuration.
    :raises InvalidArgument: the argument is no mapping of mappings, or an instance is of no provider.
    """

    def __init__(self, given: object, configured: Mapping[str, Mapping[str, ConfigValue]]) -> None:
        self._given, self._configured = _check(given), configured
        self._instances = {name: self._check_instance(name) for name in (*configured, *self._given) if self._kind(name)}

    @property
    def instances(self) -> Collection[str]:
        """The names of the instances."""
        return self._instances

    def all_names(self, installed: Collection[str]) -> list[str]:
        """Return the names of the installed providers and of the instances, sorted.

        :raises UnknownProvider: the argument has settings for a name that is neither.
        """
        names = {*installed, *self._instances}
        for unknown in self._given.keys() - names:
            raise UnknownProvider(_describe_unknown(unknown, names))
        return sorted(names)

    def find(self, name: str) -> Service:
        """Return what ``name`` means; ``distribution:name`` never means an instance."""
        short = short_name(name)
        if short not in self._instances:
            return Service(short, name, self._given.get(short, {}), self._configured.get(short, {}))
        if name != short:
            return Service(short, name, {}, {}, shadowed=True)
        return Service(
            short, self._instances[short], _drop(self._given.get(short, {})), _drop(self._configured.get(short, {}))
        )

    def _kind(self, name: str) -> Any:
        row = self._configured.get(name, {})
        return self._given.get(name, {}).get(RESERVED) or (row[RESERVED].value if RESERVED in row else None)

    def _check_instance(self, name: str) -> str:
        kind, where = self._kind(name), self._configured.get(name, {}).get(RESERVED)
        source = f" ({where.source})" if where and RESERVED not in self._given.get(name, {}) else ""
        if not isinstance(kind, str) or "/" in kind:
            raise InvalidArgument(
                f"{RESERVED!r} of {name!r}{source} must be the name of an installed provider, without a model; "
                "the setting 'model' names that"
            )
        if kind != name and self._kind(kind):
            raise InvalidArgument(
                f"{name!r}{source} is an instance of {kind!r}, which is itself an instance; name the provider that "
                f"{kind!r} is an instance of"
            )
        return kind


def _drop(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != RESERVED}


def _check(settings: object) -> dict[str, dict[str, Any]]:
    if not isinstance(settings, Mapping) or not all(isinstance(row, Mapping) for row in settings.values()):
        raise InvalidArgument("settings must map providers to their settings: {'<provider>': {'<setting>': '...'}}")
    return {name: dict(row) for name, row in settings.items()}


def _describe_unknown(name: object, names: Collection[str]) -> str:
    near = find_nearest(str(name), names)
    meant = f"did you mean {near!r}? For" if near else "for"
    return (
        f"settings are given for {name!r}, but there is no provider of that name; {meant} an instance, add "
        f"{RESERVED!r}: '<installed provider>'"
    )
