"""The client: connections, limits and settings that many calls share."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from providers_sdk._engine.batch.mapping import BatchMethods
from providers_sdk._engine.binder import Binder
from providers_sdk._engine.call import CallRunner, CallSpec
from providers_sdk._engine.choice import Choice, choose_by_key
from providers_sdk._engine.frames import drop_frames
from providers_sdk._engine.reply import Reply
from providers_sdk._engine.services import Services
from providers_sdk._engine.spec import CallDefaults, make_spec
from providers_sdk._engine.structured import repeat_until_valid
from providers_sdk._engine.unset import UNSET, Seconds, Unset, drop_unset
from providers_sdk._engine.user_files import read_user_files
from providers_sdk._environment import PROVIDER, read_names
from providers_sdk._fork import renew_after_fork
from providers_sdk._http.session import SessionCache, check_proxy, check_session
from providers_sdk._model.limits import Limits
from providers_sdk._model.messages import Message, Messages
from providers_sdk._model.names import parse_names
from providers_sdk._plugins.registry import Registry
from providers_sdk._provider.attempt import AttemptRun
from providers_sdk._provider.binding import BoundProvider, bind
from providers_sdk._provider.models import list_served_models
from providers_sdk.errors import Closed

if TYPE_CHECKING:
    from os import PathLike

    import requests

    from providers_sdk._engine.conversation import Conversation
    from providers_sdk._engine.functions import Functions, Tools
    from providers_sdk._engine.run import RunReply

__all__ = ["Client", "get_binder"]


class Client(BatchMethods):
    """Asks providers; owns their connections. Threads may share one; close it, or use it as a context manager.

    What is not given here comes from the configuration file, which is read once.

    :param provider: a provider's name, or names in the order in which they are asked until one answers, each with its
        model where written ``"name/model"``. Without it ``PROVIDERS_SDK_PROVIDER`` decides, then the configuration,
        else the one service that has its key.
    :param model: the model to ask for where neither the call nor the provider's name has one.
    :param connect: seconds for a connection, 10 where it is not given.
    :param first_token: seconds until the first piece of an answer, 60 where it is not given; a provider may raise that
        default.
    :param idle: seconds between pieces, 30 where it is not given; keep-alive comments are none.
    :param deadline: seconds for everything together, the consumer's own time included, 600 where it is not given.
        ``None`` switches a limit off.
    :param retries: how often a provider is asked again when nothing had come and a repeat can help; 2 if not given.
    :param proxy: ``"http://user:password@host:port"``; ``None`` for the configuration's or the environment's, ``""``
        for none.
    :param settings: provider → setting → value, before the environment's ``PROVIDERS_SDK_<PROVIDER>_<SETTING>``. A
        name with ``"provider": "<installed provider>"`` among its settings is an instance of that one.
    :param session: a ``requests.Session`` to borrow headers, auth, certificates and adapters from; never changed.
    :param strict: refuse a model that the provider does not know instead of replacing it by its default.
    :param registry: where providers come from; the installed plugins where it is not given.
    :param config: the path of a configuration file, by default the user's; ``None`` for neither a file nor stored keys.
    :param profile: the profile of the configuration, instead of ``PROVIDERS_SDK_PROFILE``.
    :raises InvalidArgument: a limit, the proxy, ``retries`` or the settings cannot be used.
    :raises InvalidConfiguration: the configuration file cannot be used.
    """

    @drop_frames
    def __init__(
        self,
        provider: str | Sequence[str] | None = None,
        *,
        model: str | None = None,
        connect: "Seconds" = UNSET,
        first_token: "Seconds" = UNSET,
        idle: "Seconds" = UNSET,
        deadline: "Seconds" = UNSET,
        retries: int | Unset = UNSET,
        proxy: str | None = None,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        session: "requests.Session | None" = None,
        strict: bool | Unset = UNSET,
        registry: Registry | None = None,
        config: "str | PathLike[str] | Unset | None" = UNSET,
        profile: str | None = None,
    ) -> None:
        self._provider, self._closed = provider, False  # first: a traceback shows a client that was refused
        self._config, find_stored = read_user_files(config, profile)
        given = drop_unset(connect=connect, first_token=first_token, idle=idle, deadline=deadline, retries=retries)
        chosen = {**self._config.arguments, **given, **drop_unset(strict=strict, model=model or UNSET)}
        self._defaults = CallDefaults(chosen)
        self._proxy = check_proxy(chosen.get("proxy") if proxy is None else proxy)
        self._session = check_session(session)
        self._registry = registry or Registry()
        self._binder = Binder(self._registry, Services(settings or {}, self._config.services), find_stored)
        self._bound: SessionCache[BoundProvider] = SessionCache(lambda bound: bound.session.retire())
        self._renew()
        renew_after_fork(self)

    def _renew(self) -> None:
        """Make the lock anew, in a forked child."""
        self._lock = threading.Lock()

    @property
    def registry(self) -> Registry:
        """Where this client's providers come from."""
        return self._registry

    @property
    def limits(self) -> Limits:
        """The time limits of a call that names none."""
        return self._defaults.limits

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
        tools: "Tools | None" = None,
        schema: object = None,
        schema_retries: int = 0,
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
        :param tools: functions, or schemas as mappings, that the model may ask to be called: see ``reply.tool_calls``.
        :param schema: what the answer is to look like, as a JSON Schema or a type: see ``reply.data``.
        :param schema_retries: how often to ask again, with the error told, where the answer does not fit; the answer
            then is read to its end before it is returned.
        :param options: such as ``temperature``; a provider refuses what it does not know.
        :raises InvalidCall: the call is wrong; nothing was sent.
        :raises ProviderError: there was no answer; ``attempts`` lists every attempt.
        """
        spec = self._make_spec(
            messages,
            provider=provider,
            model=model,
            stream=stream,
            connect=connect,
            first_token=first_token,
            idle=idle,
            deadline=deadline,
            max_chars=max_chars,
            allow_empty=allow_empty,
            tools=tools,
            schema=schema,
            schema_retries=schema_retries,
            **options,
        )
        return self._start_call(spec)

    def _make_spec(
        self, messages: Messages, *, provider: str | Sequence[str] | None = None, **arguments: Any
    ) -> CallSpec:
        """Return what a call asks; the parameters are those of :meth:`chat`."""
        self._check_open()
        return make_spec(self._defaults, self.choose_providers(provider).names, messages, **arguments)

    def _start_call(
        self,
        spec: CallSpec,
        *,
        sleep: Callable[[float], None] = time.sleep,
        observe: Callable[[AttemptRun], None] | None = None,
    ) -> Reply:
        """Return the reply once its first piece is here."""
        is_slow = self._binder.is_slow
        runner = CallRunner(spec, bind=self._bind, is_slow=is_slow, notify=self._notify, sleep=sleep, observe=observe)
        return repeat_until_valid(Reply(runner.start(), runner), spec.schema_retries)

    def run(self, messages: Messages, *, tools: "Functions", max_rounds: int = 8, **arguments: Any) -> "RunReply":
        """Ask, call the tools that the model asks for, ask again with their results, and return the answer.

        :param tools: Python functions with annotations; they are called one after another in this thread.
        :param max_rounds: how many questions are asked at the most.
        :param arguments: as for :meth:`chat`; the limit ``deadline`` is for all rounds together, the tools' own time
            included.
        :raises TooManyRounds: the model still asks for tools in the last round.
        :raises ProviderError: as for :meth:`chat`; ``messages`` holds the turns so far, to go on from.
        """
        from providers_sdk._engine.run import start_run

        return start_run(self.chat, messages, tools=tools, max_rounds=max_rounds, arguments=arguments)

    def choose_providers(self, provider: str | Sequence[str] | None = None) -> Choice:
        """Return the providers that a call would ask, in order, and why these.

        :param provider: as for :meth:`chat`.
        :raises NoProviderChosen: none is named or configured, and not exactly one service has its key.
        """
        if (given := self._provider if provider is None else provider) is not None:
            return Choice(parse_names(given))
        if named := read_names(PROVIDER):
            return Choice(parse_names(named), f"set by {PROVIDER}")
        if self._config.providers:
            return Choice(parse_names(self._config.providers), f"set in {self._config.sources['provider']}")
        return choose_by_key(self._binder.trusted_names(), lambda name: self._binder.trace(name, complete=True))

    def list_models(self, provider: str | None = None) -> list[str]:
        """Return the names of a provider's models, as its service lists them; those it declares where it lists none.

        :param provider: instead of the client's; of several the first is asked.
        :raises ProviderError: see :meth:`chat`.
        """
        self._check_open()
        name = self.choose_providers(provider).names[0].name
        bound = self._bind(name, self.limits.deadline)
        return list_served_models(bound, self.limits) or list(self._binder.get_kind(name).models)

    def conversation(
        self,
        *,
        system: str | None = None,
        history: Sequence[Mapping[str, Any] | Message] = (),
        max_messages: int | None = None,
        max_chars: int | None = None,
        keep_partial: bool = False,
        **defaults: Any,
    ) -> "Conversation":
        """Return a conversation, which keeps its history.

        :param system: as for :class:`Conversation`, as are ``history``, ``max_messages``, ``max_chars`` (of all that is
            sent, where that of :meth:`chat` is of the answer) and ``keep_partial``.
        :param defaults: arguments for each of its calls of :meth:`chat`.
        :raises InvalidCall: one of the first five cannot be used.
        """
        from providers_sdk._engine.conversation import Conversation

        return Conversation(
            self.chat,
            system=system,
            history=history,
            max_messages=max_messages,
            max_chars=max_chars,
            keep_partial=keep_partial,
            defaults=defaults,
        )

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

    def _bind(self, name: str, seconds: float | None = None) -> BoundProvider:
        """Return the provider ``name`` with its settings as they are now, and its connections.

        :param seconds: what is left for reading its key; ``None`` for no limit.
        """
        provider = self._binder.create(name, seconds)
        settings = frozenset(provider.settings.items())
        with self._lock:
            self._check_open()
            return self._bound.get(
                provider.name, settings, lambda: bind(provider, proxy=self._proxy, session=self._session)
            )

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("this client is closed; make a new one")

    def _notify(self, hook: str, describe: Callable[[], Mapping[str, Any]]) -> None:
        self._registry.extension_host.call(hook, describe)


def get_binder(client: Client) -> Binder:
    """Return what makes the client's providers, for the command line to look at their settings."""
    return client._binder


Client.__module__ = "providers_sdk"
