"""The client: connections, limits and settings that many calls share."""

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from providers_sdk._attempts import Attempt
from providers_sdk._engine.call import CallRunner, CallSpec
from providers_sdk._engine.conversation import Conversation
from providers_sdk._engine.reply import Reply
from providers_sdk._engine.retry import RetryPolicy
from providers_sdk._environment import PROVIDER, read_names
from providers_sdk._fork import renew_after_fork
from providers_sdk._http.session import SessionCache, check_proxy, check_session
from providers_sdk._model.limits import Limits
from providers_sdk._model.messages import Messages, parse_messages
from providers_sdk._plugins.registry import Registry
from providers_sdk._provider.binding import BoundProvider, bind, create_provider, run_plugin_code
from providers_sdk._redact import Redactor
from providers_sdk.errors import (
    Closed,
    InvalidArgument,
    InvalidCall,
    NoProviderChosen,
    PluginError,
    UnknownProvider,
)

if TYPE_CHECKING:
    import requests

__all__ = ["UNSET", "Client", "Unset"]

_log = logging.getLogger("providers_sdk")


class Unset:
    """The type of :data:`UNSET`: an argument that was not given, where ``None`` means "no limit"."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()
Seconds = float | None | Unset


class Client:
    """Asks providers; owns their connections. Threads may share one; close it, or use it as a context manager.

    :param provider: a provider's name, or names in the order in which they are asked until one answers. Without it
        ``PROVIDERS_SDK_PROVIDER`` decides, else the one installed provider that is known to work.
    :param model: the model to ask for where a call names none.
    :param connect: seconds for a connection.
    :param first_token: seconds until the first piece of an answer, 60 where it is not given; a provider may raise that
        default.
    :param idle: seconds between pieces; keep-alive comments are none.
    :param deadline: seconds for everything together, the consumer's own time included. ``None`` switches a limit off.
    :param retries: how often a provider is asked again when nothing had come and a repeat can help.
    :param proxy: ``"http://user:password@host:port"``; ``None`` for the environment's, ``""`` for none.
    :param settings: provider → setting → value, before the environment's ``PROVIDERS_SDK_<PROVIDER>_<SETTING>``.
    :param session: a ``requests.Session`` to borrow headers, auth, certificates and adapters from; never changed.
    :param strict: refuse a model that the provider does not know instead of replacing it by its default.
    :param registry: where providers come from; the installed plugins where it is not given.
    :raises InvalidArgument: a limit, the proxy, ``retries`` or the settings cannot be used.
    """

    def __init__(
        self,
        provider: str | Sequence[str] | None = None,
        *,
        model: str | None = None,
        connect: float | None = 10.0,
        first_token: "Seconds" = UNSET,
        idle: float | None = 30.0,
        deadline: float | None = 600.0,
        retries: int = 2,
        proxy: str | None = None,
        settings: Mapping[str, Mapping[str, str]] | None = None,
        session: "requests.Session | None" = None,
        strict: bool = False,
        registry: Registry | None = None,
    ) -> None:
        self._limits = Limits(connect=connect, idle=idle, deadline=deadline).with_(
            **_drop_unset(first_token=first_token)
        )
        self._first_is_default = isinstance(first_token, Unset)
        self._policy = RetryPolicy(retries=retries)
        self._provider, self._model, self._strict = provider, model, strict
        self._proxy, self._session = check_proxy(proxy), check_session(session)
        self._settings = _check_settings(settings or {})
        self._registry = registry or Registry()
        self._bound: SessionCache[BoundProvider] = SessionCache(lambda bound: bound.session.retire())
        self._renew()
        renew_after_fork(self)
        self._closed = False

    def _renew(self) -> None:
        """Make the lock anew, in a forked child."""
        self._lock = threading.Lock()

    @property
    def registry(self) -> Registry:
        """Where this client's providers come from."""
        return self._registry

    def chat(
        self,
        messages: Messages,
        *,
        provider: str | Sequence[str] | None = None,
        model: str | None = None,
        stream: bool = True,
        connect: Seconds = UNSET,
        first_token: Seconds = UNSET,
        idle: Seconds = UNSET,
        deadline: Seconds = UNSET,
        max_chars: int | None = None,
        allow_empty: bool = False,
        **options: Any,
    ) -> Reply:
        """Ask, and return the reply once its first piece is here.

        :param messages: a prompt, or a sequence of ``{"role", "content"}`` mappings or ``Message`` values.
        :param provider: instead of the client's.
        :param model: instead of the client's.
        :param stream: ``False`` asks the service for the whole answer at once, where it has both ways.
        :param connect: instead of the client's limit, as are ``first_token``, ``idle`` and ``deadline``.
        :param max_chars: characters of text after which the answer is broken off with :class:`TooLarge`.
        :param allow_empty: whether an answer without text is accepted, as after a stop sequence at the first token.
        :param options: such as ``temperature``; a provider refuses what it does not know.
        :raises InvalidCall: the call is wrong; nothing was sent.
        :raises ProviderError: there was no answer; ``attempts`` lists every attempt.
        """
        self._check_open()
        spec = CallSpec(
            providers=self.chosen(provider),
            messages=parse_messages(messages),
            model=model or self._model,
            stream=stream,
            strict=self._strict,
            max_chars=_check_max_chars(max_chars),
            allow_empty=allow_empty,
            options=options,
            limits=self._limits.with_(
                **_drop_unset(connect=connect, first_token=first_token, idle=idle, deadline=deadline)
            ),
            first_token_is_default=self._first_is_default and isinstance(first_token, Unset),
            policy=self._policy,
        )
        return Reply(CallRunner(spec, bind=self._bind, notify=self._notify).start())

    def chosen(self, provider: str | Sequence[str] | None = None) -> Sequence[str]:
        """Return the names of the providers that a call would ask, in order.

        :param provider: as for :meth:`chat`.
        :raises NoProviderChosen: none is named or configured.
        """
        chosen = provider or self._provider or read_names(PROVIDER) or default_provider(self._registry, self._settings)
        return _list_names(chosen)

    def conversation(self, *, system: str | None = None, **defaults: Any) -> Conversation:
        """Return a conversation, which keeps its history.

        :param system: the system message, if any.
        :param defaults: arguments for each of its calls of :meth:`chat`.
        """
        return Conversation(self.chat, system=system, defaults=defaults)

    def close(self) -> None:
        """Close the connections; closing twice is a no-op. Replies that are still read lose nothing."""
        with self._lock:
            self._closed = True
        for bound in self._bound.clear():
            bound.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client provider={self._provider!r}{', closed' if self._closed else ''}>"

    def _bind(self, name: str) -> BoundProvider:
        """Return the provider ``name`` with its settings as they are now, and its connections."""
        names = self._registry.names()
        for unknown in set(self._settings) - set(names):
            raise UnknownProvider(f"settings are given for {unknown!r}, but there is no provider of that name")
        kind, short = self._registry.get(name), name.rpartition(":")[2]
        provider = create_provider(kind, self._settings.get(short, {}), short, names=names)
        settings = frozenset(provider.settings.items())
        with self._lock:
            self._check_open()
            return self._bound.get(name, settings, lambda: bind(provider, proxy=self._proxy, session=self._session))

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("this client is closed; make a new one")

    def _notify(self, hook: str, attempt: Attempt) -> None:
        for manager in self._registry.extensions():
            try:
                getattr(manager.hook, hook)(attempt=attempt)
            except (KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException:  # noqa: BLE001  foreign code: its error is logged, SystemExit included
                _log.exception("an extension failed in %s; the call goes on", hook)


def default_provider(registry: Registry, settings: Mapping[str, Mapping[str, str]]) -> str:
    """Return the one installed provider that is declared working, needs a network, and has the settings that it needs.

    :raises NoProviderChosen: there is none, or more than one; the message explains how to choose.
    """
    names = registry.names()
    working = [name for name in names if _is_working(registry, name, settings.get(name), names)]
    if len(working) == 1:
        return working[0]
    found = f"several are known to work: {', '.join(working)}" if working else "none that works has its settings"
    raise NoProviderChosen(
        f"no provider was chosen, and {found}; name one with provider= (providers chat -p NAME) or set "
        "PROVIDERS_SDK_PROVIDER; 'providers list' shows all, and 'echo' works offline"
    )


def _is_working(registry: Registry, name: str, settings: Mapping[str, str] | None, names: Sequence[str]) -> bool:
    try:
        provider = create_provider(registry.get(name, warn=False), settings or {}, name, names=names)
        return run_plugin_code(lambda: provider.working and not provider.offline, name, Redactor)
    except (PluginError, InvalidCall):
        return False


def _check_max_chars(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise InvalidArgument(f"max_chars must be a positive whole number, or None for no limit, not {value!r}")


def _drop_unset(**limits: "Seconds") -> dict[str, float | None]:
    """Return the limits that were given."""
    return {name: value for name, value in limits.items() if not isinstance(value, Unset)}


def _list_names(chosen: object) -> Sequence[str]:
    names = [chosen] if isinstance(chosen, str) else list(chosen) if isinstance(chosen, Sequence) else None
    if not names or not all(isinstance(name, str) for name in names):
        raise InvalidArgument(f"provider must be a name or a list of names, not {chosen!r}")
    return names


def _check_settings(settings: object) -> dict[str, dict[str, str]]:
    if not isinstance(settings, Mapping) or not all(isinstance(row, Mapping) for row in settings.values()):
        raise InvalidArgument("settings must map providers to their settings: {'<provider>': {'<setting>': '...'}}")
    return {name: dict(row) for name, row in settings.items()}


for _public in (Client, Unset):
    _public.__module__ = "providers_sdk"
