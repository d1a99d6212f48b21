"""The hooks that plugins and extensions implement; the host calls them, pluggy checks their arguments."""

from collections.abc import Callable

import pluggy

from providers_sdk._attempts import Attempt
from providers_sdk._model.request import Request
from providers_sdk._provider.provider import Provider
from providers_sdk.errors import ProviderError

__all__ = ["CONTRACT", "ExtensionHooks", "ProviderHooks", "Register", "hookimpl", "new_manager"]

CONTRACT = "1.0"
"""Version of the plugin contract; a provider may set ``requires_contract = ">=1,<2"``."""

PROJECT = "providers_sdk"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

Register = Callable[[str, type[Provider]], None]
"""What ``register_providers`` is given: ``register("name", Class)``."""


class ProviderHooks:
    """Hooks of the group ``providers_sdk``: one plugin, one or more providers."""

    @hookspec
    def register_providers(self, register: Register) -> None:
        """Call ``register("name", Class)`` for the provider that the entry point names.

        .. versionadded:: 0.1
        """


class ExtensionHooks:
    """Hooks of the group ``providers_sdk.extensions``: called for each attempt, may add commands."""

    @hookspec
    def attempt_started(self, attempt: Attempt, request: Request) -> None:
        """One provider is about to be asked. An implementation may leave arguments out.

        :param attempt: what is known of it by now.
        :param request: a copy of the question. Its options are those of the call, without what settings add, and with
            secrets hidden.

        .. versionadded:: 0.1
        """

    @hookspec
    def attempt_finished(
        self, attempt: Attempt, request: Request | None, text: str, error: ProviderError | None
    ) -> None:
        """The attempt is over: answered, failed, skipped or abandoned. An implementation may leave arguments out.

        :param attempt: its record.
        :param request: as for ``attempt_started``; ``None`` for a provider that was skipped.
        :param text: the text that was delivered, with secrets hidden.
        :param error: why it failed or was skipped; ``None`` for one that was answered or abandoned.

        .. versionadded:: 0.1
        """

    @hookspec
    def register_commands(self, add: Callable[[object], None]) -> None:
        """Call ``add(command)`` with a ``click.Command`` for each command to add to ``providers``.

        .. versionadded:: 0.1
        """


def new_manager(hooks: type) -> pluggy.PluginManager:
    """Return a plugin manager that knows ``hooks``."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hooks)
    return manager
