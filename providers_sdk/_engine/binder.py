"""Makes the providers of one client from everything that says how: settings, environment, configuration, keys."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from providers_sdk._config.keys import find_stored_keys
from providers_sdk._config.sources import KeySource
from providers_sdk._config.values import ConfigValue
from providers_sdk._engine.services import Service, Services
from providers_sdk._environment import redact_environment
from providers_sdk._fork import renew_after_fork
from providers_sdk._model.settings import Found, check_required, trace_settings
from providers_sdk._plugins.registry import Registry
from providers_sdk._provider.binding import run_plugin_code
from providers_sdk._provider.creation import Created, create_provider
from providers_sdk._provider.provider import Provider
from providers_sdk.errors import InvalidCall, KeyUnavailable

__all__ = ["Binder"]


class Binder:
    """Turns a name into a provider with its settings as they are now.

    A key that a command or the keyring holds is read once, when its service is first asked.

    :param registry: the installed providers.
    :param services: the client's settings.
    :param find_stored: returns the settings that ``providers keys set`` has stored for a name.
    """

    def __init__(
        self,
        registry: Registry,
        services: Services,
        find_stored: Callable[[str], Mapping[str, ConfigValue]] = find_stored_keys,
    ) -> None:
        self._registry, self._services, self._find_stored = registry, services, find_stored
        self._keys = _KeyCache()
        self._created: dict[str, Created[Provider]] = {}

    def all_names(self) -> list[str]:
        """Return the names of the installed providers and of this client's instances, sorted."""
        return self._services.all_names(self._registry.names())

    def trusted_names(self) -> list[str]:
        """Return the names that may be chosen where nobody named one: no third-party plugin's."""
        return sorted({*self._registry.trusted_names(), *self._services.instances})

    def list_instances(self) -> list[str]:
        """Return the names of this client's instances, sorted."""
        return sorted(self._services.instances)

    def get_kind(self, name: str, *, warn: bool = True) -> type[Provider]:
        """Return the class of the provider, or of what ``name`` is an instance of.

        :param warn: as for ``Registry.get``.
        :raises UnknownProvider: there is none.
        :raises PluginError: its plugin is faulty.
        """
        return self._registry.get(self._services.find(name).kind, warn=warn)

    def get_installed_name(self, name: str) -> str:
        """Return the name of the installed provider that ``name`` is an instance of; ``""`` where it is none."""
        return self._services.find(name).kind if name in self._services.instances else ""

    def create(self, name: str, seconds: float | None = None) -> Provider:
        """Return the provider; that of the call before, where all that it is made of is still the same.

        :param seconds: what is left for reading its key; ``None`` for no limit.
        :raises InvalidCall: a setting is unknown, missing or unusable, or its key cannot be read.
        :raises PluginError: its plugin is faulty.
        """
        names = self.all_names()
        service = self._services.find(name)
        kind = self._registry.get(service.kind)
        until = None if seconds is None else time.monotonic() + seconds
        try:
            configured = {
                setting: Found(self._get_value(service.name, setting, row, until), row.source)
                for setting, row in self._find_configured(service, kind).items()
            }
            before = self._created.get(name)
            created = create_provider(
                kind, service.given, service.name, names=names, configured=configured, before=before
            )
            self._created[name] = created
            return created.provider
        except InvalidCall as error:
            failure = error
        failure.provider = failure.provider or service.name
        raise failure.with_traceback(None)  # the frames below hold the settings as local variables

    def trace(self, name: str, *, complete: bool = False) -> Mapping[str, Found]:
        """Return the value of each setting that has one, and where it comes from; keys are not read.

        :param complete: raise where a required setting has no value.
        :raises InvalidCall: a setting is unknown or unusable.
        :raises PluginError: its plugin is faulty.
        """
        service = self._services.find(name)
        kind = self._registry.get(service.kind, warn=False)
        known = run_plugin_code(kind.all_settings, service.name, redact_environment)
        configured = {
            setting: Found(_show(row.value, secret=setting in known and known[setting].secret), row.source)
            for setting, row in self._find_configured(service, kind).items()
        }
        found = trace_settings(service.name, known, service.given, configured=configured)
        if complete:
            check_required(service.name, known, found)
        return found

    def is_slow(self, name: str) -> bool:
        """Whether its key has to be waited for: a command or the keyring holds it, and it was not read yet."""
        service = self._services.find(name)
        rows = {**self._list_stored(service), **service.configured}
        return any(
            isinstance(row.value, KeySource) and self._keys.must_wait(service.name, setting, row.value)
            for setting, row in rows.items()
        )

    def _find_configured(self, service: Service, kind: type[Provider]) -> Mapping[str, ConfigValue]:
        """Return what the configuration has for the service, what ``providers keys set`` stored among it."""
        stored = self._list_stored(service)
        known = run_plugin_code(kind.all_settings, service.name, redact_environment) if stored else {}
        return {**{name: row for name, row in stored.items() if name in known}, **service.configured}

    def _list_stored(self, service: Service) -> Mapping[str, ConfigValue]:
        """Return what ``providers keys set`` stored for the service; what is stored for a taken name is another's."""
        return {} if service.shadowed else self._find_stored(service.name)

    def _get_value(self, name: str, setting: str, row: ConfigValue, until: float | None) -> Any:
        return self._keys.get(name, setting, row.value, until) if isinstance(row.value, KeySource) else row.value


def _show(value: Any, *, secret: bool) -> Any:
    """Return a configured value; of a key only where it is, and of what would have to be waited for, too."""
    if not isinstance(value, KeySource):
        return value
    return repr(value) if secret or value.is_slow else value.read(seconds=None)


class _KeyCache:
    """Keeps what a slow source gave; of several threads that want one key one reads, the others wait in their time."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], str] = {}
        self._renew()
        renew_after_fork(self)

    def _renew(self) -> None:
        """Make the lock anew, in a forked child."""
        self._reading = threading.Lock()

    def must_wait(self, name: str, setting: str, source: KeySource) -> bool:
        """Whether :meth:`get` may take long."""
        return source.is_slow and (name, setting) not in self._read

    def get(self, name: str, setting: str, source: KeySource, until: float | None) -> str:
        """Return the key.

        :param until: when it must be there, on the monotonic clock; ``None`` for no limit.
        :raises KeyUnavailable: it cannot be read, or not in time.
        """
        if not source.is_slow:
            return source.read(seconds=_time_left(until))
        if not self._reading.acquire(timeout=-1 if until is None else max(until - time.monotonic(), 0.0)):
            raise KeyUnavailable(f"setting {setting!r}: another thread still reads a key", provider=name)
        try:
            if (name, setting) not in self._read:
                self._read[name, setting] = source.read(seconds=_time_left(until))
            return self._read[name, setting]
        finally:
            self._reading.release()


def _time_left(until: float | None) -> float | None:
    return None if until is None else until - time.monotonic()
