"""Calls the hooks of extensions once, so that ``providers doctor`` knows which of them fail."""

from collections import defaultdict
from typing import Any

from providers_sdk._attempts import Attempt
from providers_sdk._model.messages import Message
from providers_sdk._model.request import Request
from providers_sdk._plugins.registry import Registry
from providers_sdk.cli._extensions import find_commands
from providers_sdk.cli._group import COMMANDS

__all__ = ["try_extensions"]

_NAME = "providers-doctor"


def try_extensions(registry: Registry) -> dict[str, list[str]]:
    """Call the hooks of the extensions that are imported; the registry then reports those that raise something.

    :return: extension → what is wrong with its commands otherwise.
    """
    host, managers = registry.extension_host, registry.loaded_extensions()
    for manager in managers:
        for hook, arguments in _make_arguments().items():
            host.try_hook(manager, hook, arguments)
    problems: dict[str, list[str]] = defaultdict(list)
    for problem in find_commands(managers, taken=COMMANDS)[1]:
        if not problem.fails:
            problems[problem.extension].append(problem.sentence)
    return problems


def _make_arguments() -> dict[str, dict[str, Any]]:
    """Return hook → arguments, as for an attempt that was answered."""
    request = Request((Message("user", _NAME),), model=_NAME)
    started, finished = (Attempt(_NAME, _NAME, outcome) for outcome in ("streaming", "answered"))
    return {
        "attempt_started": {"attempt": started, "request": request},
        "attempt_finished": {"attempt": finished, "request": request, "text": _NAME, "error": None},
        "register_commands": {"add": lambda command: None},
    }
