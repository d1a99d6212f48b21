"""Binds a provider to one client: checks its description, and adds connections and secrets.

A plugin's class may be anything: its constructor, its attributes and its methods may raise whatever they like.
Everything that this library reads of it goes through :func:`run_plugin_code`, so that a fault of the plugin is a
:class:`PluginError` that names it.
"""

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from providers_sdk._environment import redact_environment
from providers_sdk._http.client import Http
from providers_sdk._http.session import HttpSession
from providers_sdk._model.chunks import Chunk
from providers_sdk._model.limits import Limits
from providers_sdk._model.mappings import check_extra_body, load_mapping
from providers_sdk._model.messages import Message
from providers_sdk._model.options import find_wrong_option
from providers_sdk._model.request import Request
from providers_sdk._model.settings import Setting
from providers_sdk._model.tools import ToolSchema
from providers_sdk._provider.capabilities import Capable, check_capabilities
from providers_sdk._provider.finish_error import finish_error
from providers_sdk._redact import Redactor, userinfo_secrets
from providers_sdk._suggest import OPTION_ADVICE, find_nearest
from providers_sdk.errors import InvalidArgument, UnsupportedOption

__all__ = ["BoundProvider", "Described", "bind", "run_plugin_code"]

_T = TypeVar("_T")


class Described(Capable, Protocol):
    """The part of :class:`Provider` that a binding uses."""

    def __init__(self, settings: Mapping[str, str], *, name: str) -> None: ...

    @property
    def name(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def settings(self) -> Mapping[str, str]: ...

    @property
    def supports_stream(self) -> bool: ...

    @property
    def supports_system_message(self) -> bool: ...

    @property
    def supports_message_history(self) -> bool: ...

    @property
    def sends_model(self) -> bool: ...

    @property
    def first_token(self) -> float | None: ...

    @property
    def known_options(self) -> Collection[str]: ...

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Yield the chunks of an answer."""

    def list_models(self, http: Http) -> Iterator[str]:
        """Yield the names of the service's models."""

    @classmethod
    def all_settings(cls) -> dict[str, Setting]:
        """Return every setting by name."""

    @classmethod
    def get_model(cls, model: str | None = None, *, strict: bool = False) -> str:
        """Return the service's own name for ``model``."""


def run_plugin_code(call: Callable[[], _T], name: str, redact: Callable[[], Redactor]) -> _T:
    """Return what ``call`` returns, which runs code that a plugin may have written.

    :param redact: returns what hides the secrets in an error.
    :raises PluginCrashed: it raised an error of its own, ``SystemExit`` included.
    """
    before = sys.exception()
    try:
        return call()
    except (KeyboardInterrupt, GeneratorExit, Warning):
        raise  # a Warning: the caller made warnings errors
    except BaseException as error:  # noqa: BLE001  a plugin may raise anything
        failure = finish_error(error, redact(), provider=name, before=before)
    raise failure


class BoundProvider:
    """A provider of one client, with its connections.

    :param provider: the instance, which holds nothing but its settings.
    :param session: its connections.
    """

    __slots__ = ("provider", "session")

    def __init__(self, provider: Described, session: HttpSession) -> None:
        self.provider, self.session = provider, session

    @property
    def name(self) -> str:
        """The name that it is registered under."""
        return self.provider.name

    def create_request(
        self,
        model: str | None,
        messages: tuple[Message, ...],
        *,
        stream: bool = True,
        strict: bool = False,
        exact_model: bool = False,
        options: Mapping[str, Any] | None = None,
        tools: tuple[ToolSchema, ...] = (),
        schema: Mapping[str, Any] | None = None,
    ) -> Request:
        """Return the question as this provider understands it.

        :param model: the setting ``model`` counts where it is empty, then the provider's default.
        :param exact_model: whether a model that is not known is refused instead of replaced, as ``strict`` does.
        :raises UnknownModel: the model is not known, and ``strict`` or ``exact_model`` is set.
        :raises PluginCrashed: the plugin's own ``get_model`` failed.
        """
        wanted = model or self.provider.settings.get("model")
        found = self._run(lambda: self.provider.get_model(wanted, strict=strict or exact_model))
        completed = self._complete_options(options or {})
        return Request(messages, found, stream, completed, strict=strict, tools=tools, schema=schema)

    def _complete_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options with the fields of the setting ``extra_body`` below those of the argument."""
        body = load_mapping(self.provider.settings.get("extra_body"))
        return {**options, "extra_body": {**body, **options.get("extra_body", {})}} if body else dict(options)

    def check_options(
        self,
        messages: tuple[Message, ...],
        options: Mapping[str, Any],
        tools: tuple[ToolSchema, ...] = (),
        schema: Mapping[str, Any] | None = None,
    ) -> None:
        """Refuse what this provider cannot honour.

        :raises UnsupportedOption: an option that it does not know, or a message, tools or a schema that it cannot take.
        """
        self._run(lambda: _check_options(self.provider, messages, options))
        self._run(lambda: check_capabilities(self.provider, messages, tools, schema))

    def attempt_limits(self, limits: Limits, *, stream: bool, first_token_is_default: bool) -> Limits:
        """Return the limits of one attempt.

        A whole answer has no first piece: only ``connect`` and ``deadline`` bound it. A provider whose models are slow
        by nature may raise the default of ``first_token``.
        """
        if not (stream and self._run(lambda: self.provider.supports_stream)):
            return limits.with_(first_token=None, idle=None)
        slow = self._run(lambda: self.provider.first_token)
        if slow and first_token_is_default and limits.first_token is not None:
            return limits.with_(first_token=max(slow, limits.first_token))
        return limits

    def close(self) -> None:
        """Close its connections."""
        self.session.close()

    def _run(self, call: Callable[[], _T]) -> _T:
        return run_plugin_code(call, self.name, lambda: self.session.redact)


def bind(provider: Described, *, proxy: str | None = None, session: Any = None) -> BoundProvider:
    """Return ``provider`` with connections of its own, which hide its secret settings.

    :param session: a ``requests.Session`` to borrow from.
    """
    headers = load_mapping(provider.settings.get("headers"))
    secrets = run_plugin_code(lambda: _find_secrets(provider), provider.name, redact_environment)
    secrets = secrets.union(headers.values())
    return BoundProvider(provider, HttpSession(proxy=proxy, session=session, secrets=secrets, headers=headers))


def _find_secrets(provider: Described) -> frozenset[str]:
    """Return the secret values that the user has set, but for those of ``headers``."""
    known = provider.all_settings()
    rows = ((provider.settings.get(name), setting) for name, setting in known.items() if name != "headers")
    set_by_user = {value for value, setting in rows if value and setting.secret and value != setting.default}
    return frozenset(set_by_user | set(userinfo_secrets(provider.url)) - {""})


def _check_options(provider: Described, messages: tuple[Message, ...], options: Mapping[str, Any]) -> None:
    unknown = sorted(set(options) - set(provider.known_options))
    roles = {message.role for message in messages}
    if unknown:
        raise UnsupportedOption(_describe_unknown(unknown, provider.known_options), provider=provider.name)
    if wrong := find_wrong_option(provider.known_options, options):
        raise InvalidArgument(wrong, provider=provider.name)
    if reason := check_extra_body(options.get("extra_body", {})):
        raise InvalidArgument(f"extra_body {reason}", provider=provider.name)
    if not provider.supports_system_message and roles & {"system", "developer"}:
        raise UnsupportedOption("takes no system message", provider=provider.name)
    if not provider.supports_message_history and "assistant" in roles:
        raise UnsupportedOption("takes no message history", provider=provider.name)


def _describe_unknown(unknown: list[str], known: Collection[str]) -> str:
    hints = [f"for {name}, {OPTION_ADVICE[name]}" for name in unknown if name in OPTION_ADVICE]
    near = {name: find_nearest(name, known) for name in unknown if name not in OPTION_ADVICE}
    hints += [f"for {name}, did you mean {meant!r}?" for name, meant in near.items() if meant]
    return "; ".join([f"does not know the option {', '.join(unknown)}", *hints, f"known: {', '.join(known) or 'none'}"])
