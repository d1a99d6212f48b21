"""What is configured of each service, whether it has its key, and what it answered last."""

import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from providers_sdk._attempts import Attempt
from providers_sdk._engine.binder import Binder
from providers_sdk._engine.client import Client, get_binder
from providers_sdk._environment import redact_environment
from providers_sdk._model.names import short_name
from providers_sdk._model.settings import Found, Setting, check_required
from providers_sdk._provider.binding import run_plugin_code
from providers_sdk.cli._outcomes import Outcome, find_address, read_outcome, record_attempts
from providers_sdk.errors import InvalidCall, NoProviderChosen, PluginError, ProviderError, UnknownProvider

__all__ = ["Status", "ask_each", "list_statuses"]

_AT_ONCE = 4
_QUESTION = "Reply with the one word OK."


@dataclass(frozen=True, slots=True)
class Status:
    """One service.

    :param configured: whether anything is set for it, or it is among the providers that are asked by default.
    :param problem: why it cannot be asked; empty where it can.
    :param key: where its key comes from; ``None`` where it needs none and has none, empty where it lacks one.
    :param last: how the last attempt within a day ended, if there was one.
    """

    name: str
    configured: bool
    problem: str
    key: str | None
    model: str
    address: str
    last: Outcome | None

    @property
    def ready(self) -> bool:
        """Whether it can be asked."""
        return not self.problem


def list_statuses(client: Client, names: Sequence[str]) -> Iterator[Status]:
    """Yield the services that ``names`` are, or all that are configured.

    :raises UnknownProvider: there is none of that name.
    """
    chosen = _list_chosen(client)
    for name in names or get_binder(client).all_names():
        status = _describe(get_binder(client), name, chosen, is_named=bool(names))
        if names or status.configured:
            yield status


def _list_chosen(client: Client) -> list[str]:
    """Return the providers that are asked where none is named."""
    try:
        return [short_name(name.name) for name in client.choose_providers().names]
    except NoProviderChosen:
        return []


def _describe(binder: Binder, name: str, chosen: Sequence[str], *, is_named: bool) -> Status:
    try:
        kind, found = binder.get_kind(name, warn=False), binder.trace(name)
        known = run_plugin_code(kind.all_settings, name, redact_environment)
        given = any(row.source != "the default" for row in found.values())
        configured = given or bool(binder.get_installed_name(name)) or short_name(name) in chosen
        model = str(found["model"].value) if "model" in found else str(kind.default_model)
        facts = (_find_key(known, found), model, find_address(binder, name), read_outcome(binder, name))
        return Status(name, configured, _find_problem(name, known, found), *facts)
    except UnknownProvider:
        raise
    except (PluginError, InvalidCall) as error:  # a plugin nobody has configured is the business of doctor
        return Status(name, is_named or isinstance(error, InvalidCall), error.message, None, "", "", None)


def _find_key(known: Mapping[str, Setting], found: Mapping[str, Found]) -> str | None:
    if "key" not in known:
        return None
    if "key" in found:
        return found["key"].source
    return "" if known["key"].required else None


def _find_problem(name: str, known: Mapping[str, Setting], found: Mapping[str, Found]) -> str:
    try:
        check_required(name, known, found)
    except InvalidCall as error:
        return error.message
    return ""


def ask_each(client: Client, names: Sequence[str], begin: Callable[[str], None]) -> None:
    """Ask each service one short question, a few at a time, and keep how it ended.

    The threads are daemons, so that Ctrl-C need not wait for the slowest service.

    :param begin: is called with the name of each before it is asked.
    """
    waiting = deque(names)

    def work() -> None:
        while waiting:
            try:
                name = waiting.popleft()
            except IndexError:  # another thread was quicker
                return
            begin(name)
            _ask(client, name)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # which model answers does not matter here
        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(_AT_ONCE, len(names)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _ask(client: Client, name: str) -> None:
    try:
        reply = client.chat(_QUESTION, provider=name)
        with reply:
            reply.text  # noqa: B018  reads to the end
        attempts = reply.attempts
    except ProviderError as error:
        attempts = error.attempts or (Attempt(name, "", type(error).__name__, error.message),)
    record_attempts(get_binder(client), attempts)
