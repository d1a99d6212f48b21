"""Calls the hooks of extensions: one that fails is logged once for each of its hooks, and ends nothing."""

import logging
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pluggy

from providers_sdk._environment import redact_environment
from providers_sdk._fork import renew_after_fork
from providers_sdk._plugins.loading import Loaded
from providers_sdk._plugins.validation import error_text
from providers_sdk.errors import PluginError, PluginLoadError

__all__ = ["LOGGER", "ExtensionHost"]

LOGGER = "providers_sdk.extensions"
"""The log of extensions that fail; the command line shows its warnings."""

_log = logging.getLogger(LOGGER)


class ExtensionHost:
    """The extensions of one registry. Threads may share it.

    :param load: loads those that are installed and not switched off.
    """

    def __init__(self, load: Callable[[], Sequence[Loaded]]) -> None:
        self._load = load
        self._managers: list[pluggy.PluginManager] | None = None
        self._failures: dict[tuple[pluggy.PluginManager, str], PluginError] = {}
        self._renew()
        renew_after_fork(self)

    def _renew(self) -> None:
        """Make the lock anew, in a forked child."""
        self._lock = threading.RLock()

    def get_managers(self) -> list[pluggy.PluginManager]:
        """Return a hook host for each healthy extension, loading them first; a bad one is logged and left out."""
        if self._managers is None:
            with self._lock:
                if self._managers is None:
                    self._managers = self._load_healthy()
        return self._managers

    def call(self, hook: str, describe: Callable[[], Mapping[str, Any]]) -> None:
        """Call a hook of every healthy extension.

        :param describe: returns the hook's arguments; it is called only where there is an extension.
        """
        if managers := self.get_managers():
            arguments = describe()
            for manager in managers:
                self._call_one(manager, hook, arguments)

    def try_hook(self, manager: pluggy.PluginManager, hook: str, arguments: Mapping[str, Any]) -> None:
        """Call a hook of one extension, and remember why it fails without logging it."""
        self._call_one(manager, hook, arguments, level=logging.DEBUG)

    def find_failure(self, manager: pluggy.PluginManager | None) -> PluginError | None:
        """Return why a hook of the extension failed first, where one did."""
        return next((error for (failed, _), error in self._failures.items() if failed is manager), None)

    def _load_healthy(self) -> list[pluggy.PluginManager]:
        found = self._load()
        for loaded in found:
            if loaded.error is not None:
                name = loaded.offer.entry.name
                _log.warning("extension %s: %s; %s", name, loaded.reason, loaded.remedy)
        return [loaded.manager for loaded in found if loaded.manager is not None]

    def _call_one(
        self, manager: pluggy.PluginManager, hook: str, arguments: Mapping[str, Any], level: int = logging.WARNING
    ) -> None:
        try:
            getattr(manager.hook, hook)(**arguments)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001  foreign code, SystemExit included; the call goes on
            self._note_failure(manager, hook, error, level)

    def _note_failure(self, manager: pluggy.PluginManager, hook: str, error: BaseException, level: int) -> None:
        redact = redact_environment()
        failure = PluginLoadError(redact(f"its {hook} hook raised {error_text(error)}"))
        name = ", ".join(name for name, _ in manager.list_name_plugin())
        first = self._failures.setdefault((manager, hook), failure) is failure
        _log.log(level if first else logging.DEBUG, "extension %s: %s; the call goes on", name, failure.message)
        _log.debug("%s", redact("".join(traceback.format_exception(error))))
