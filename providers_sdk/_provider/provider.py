"""What a provider is: its description, and one method that turns a request into chunks."""

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from providers_sdk._http.client import Http, Pool
from providers_sdk._http.clock import Clock
from providers_sdk._http.exceptions import scrub
from providers_sdk._model.chunks import Chunk, FinishReason, Reasoning
from providers_sdk._model.limits import Limits
from providers_sdk._model.messages import Message, Messages, parse_messages
from providers_sdk._model.request import Request
from providers_sdk._model.settings import Setting, resolve_settings
from providers_sdk._protocol.validation import checked, crash
from providers_sdk._redact import Redactor, snippet, userinfo_secrets
from providers_sdk.errors import PluginCrashed, ProviderError, UnknownModel, UnsupportedOption

__all__ = ["ModelReplaced", "Provider", "crashed_by"]

_T = TypeVar("_T")


def _callers_level() -> int:
    """The stack level of the first line outside this package, which is whose choice the model was."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("providers_sdk."):
        level, frame = level + 1, frame.f_back
    return level


class ModelReplaced(UserWarning):
    """The provider does not know the model that was named; its default answers in its place."""


def crashed_by(error: Exception, provider: str, secrets: Iterable[str]) -> PluginCrashed:
    """Return what the caller gets for a plugin's own ``error``, which is its cause; ``secrets`` are in neither."""
    redact, crashed = Redactor.of(secrets), crash(error)
    crashed.provider, crashed.__cause__ = provider, error
    crashed.args = (redact(crashed.message),)
    scrub(crashed, redact)
    return crashed


class Provider:
    """Base class of providers: describe the service, and write :meth:`complete`.

    An instance holds its settings and nothing else: it is shared by threads and keeps nothing between calls.

    :param settings: values for :attr:`known_settings`; the environment and the defaults fill the rest.
    :param name: the name it is registered under.
    :param environ: the environment, the process's where it is not given.
    :raises RequestError: a setting is unknown, missing or unusable.
    """

    url: str = ""
    """The service's address, before every path; the setting ``url`` replaces it."""
    api_endpoint: str = ""
    """The path or address that questions go to; for people, and for ``complete`` to use."""
    working: bool = True
    """Whether plain clients are known to be answered; a provider asked for by name is tried all the same."""
    offline: bool = False
    """Whether it answers without a network."""
    needs_auth: bool = False
    """Whether a key is needed: the setting ``key`` then is required and secret."""
    supports_stream: bool = False
    supports_system_message: bool = True
    supports_message_history: bool = True
    default_model: str = ""
    models: tuple[str, ...] = ()
    """Known models in the service's own words; empty where any name may be asked for."""
    model_aliases: ClassVar[Mapping[str, str]] = {}
    """Public name → the service's own name."""
    known_settings: ClassVar[Mapping[str, Setting]] = {}
    """Settings besides ``url``, and ``key`` where :attr:`needs_auth`."""
    known_options: ClassVar[tuple[str, ...]] = ()
    """Options of a call that ``complete`` honours, such as ``temperature``."""
    requires_contract: str = ""
    """Versions of the plugin contract that it was written for, such as ``">=1,<2"``."""
    stand_in: str = ""
    """Where the stand-in of its service is, as ``"package.module:Class"``; empty for none."""

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        *,
        name: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name or type(self).__name__.lower()
        known = self.all_settings()
        environ = os.environ if environ is None else environ
        self.settings: Mapping[str, str] = resolve_settings(self.name, known, settings or {}, environ)
        self.url = self.settings.get("url", self.url)

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Ask the service; yield text, :class:`Reasoning`, :class:`Usage`, then exactly one :class:`FinishReason`.

        :param request: the question.
        :param http: ready to use; closes what it opened, keeps the limits, translates errors.
        :raises ProviderError: the service gave no answer; raise :class:`Refused` for its own no.
        """
        raise TypeError(f"{type(self).__name__} has no complete(request, http) method")

    @classmethod
    def all_settings(cls) -> dict[str, Setting]:
        """Return every setting of the provider by name, ``url`` and ``key`` included."""
        key = {"key": Setting(secret=True, required=True, help="the service's key")} if cls.needs_auth else {}
        url = Setting(default=cls.url or None, help="the service's address")
        return {"url": url, **key, **cls.known_settings}

    @classmethod
    def get_model(cls, model: str | None = None, *, strict: bool = False) -> str:
        """Return the service's own name for ``model``; the default for none.

        A model that is not known is replaced by the default, with a :class:`ModelReplaced` warning.

        :raises UnknownModel: it is not known and ``strict`` is set.
        """
        if not model:
            return cls.default_model
        if not isinstance(model, str):
            raise UnknownModel(f"a model is named by a string, not {type(model).__name__}")
        if model in cls.models or not cls.models:
            return cls.model_aliases.get(model, model) if not cls.models else model
        if model in cls.model_aliases:
            return cls.model_aliases[model]
        sentence = (
            f"the model {snippet(model, 80)!r} is not known; known are {', '.join([*cls.models, *cls.model_aliases])}"
        )
        if strict:
            raise UnknownModel(sentence)
        warnings.warn(
            f"{cls.__name__}: {sentence}; {cls.default_model!r} answers instead",
            ModelReplaced,
            stacklevel=_callers_level(),
        )
        return cls.default_model

    def create_completion(
        self,
        model: str | None,
        messages: Messages,
        proxy: str | None = None,
        *,
        stream: bool = True,
        limits: Limits | None = None,
        strict: bool = False,
        **options: Any,
    ) -> Iterator[Chunk]:
        """Ask this provider directly: a blocking iterator of chunks, checked as everywhere, without retries.

        :param model: a name for :meth:`get_model`.
        :param messages: as for ``chat``.
        :param proxy: as for ``Client``.
        :param limits: time limits, the usual ones where not given.
        :raises ProviderError: anything of its tree; wrong requests at once, the rest on iteration.
        """
        parsed = parse_messages(messages)
        self.check_options(parsed, options)
        request = self.request(model, parsed, stream=stream, strict=strict, options=options)
        return self._direct(request, self.pool(proxy=proxy), limits or Limits())

    def request(
        self,
        model: str | None,
        messages: tuple[Message, ...],
        *,
        stream: bool = True,
        strict: bool = False,
        options: Mapping[str, Any] | None = None,
    ) -> Request:
        """Return the question as this provider understands it.

        :raises UnknownModel: see :meth:`get_model`.
        """
        found = self.guarded(lambda: self.get_model(model, strict=strict))
        return Request(messages, found, stream, dict(options or {}))

    def guarded(self, call: Callable[[], _T]) -> _T:
        """Return what ``call`` returns, a method that a plugin may have written anew.

        :raises PluginCrashed: it raised an error of its own, whose secrets are hidden.
        """
        try:
            return call()
        except ProviderError as error:
            error.provider = error.provider or self.name
            raise
        except Warning:
            raise  # the caller made warnings errors
        except Exception as error:  # noqa: BLE001  a plugin may raise anything
            crashed = crashed_by(error, self.name, self.secrets())
        raise crashed

    def check_options(self, messages: tuple[Message, ...], options: Mapping[str, Any]) -> None:
        """Refuse what this provider cannot honour.

        :raises UnsupportedOption: an option that it does not know, or a system message or history that it cannot take.
        """
        unknown = sorted(set(options) - set(self.known_options))
        roles = {message.role for message in messages}
        if unknown:
            known = ", ".join(self.known_options) or "none"
            raise UnsupportedOption(
                f"does not know the option {', '.join(unknown)}; known: {known}", provider=self.name
            )
        if not self.supports_system_message and roles & {"system", "developer"}:
            raise UnsupportedOption("takes no system message", provider=self.name)
        if not self.supports_message_history and "assistant" in roles:
            raise UnsupportedOption("takes no message history", provider=self.name)

    def pool(self, *, proxy: str | None = None, session: Any = None) -> Pool:
        """Return connections to this provider's service, which hide its secret settings.

        :param session: a ``requests.Session`` to borrow from.
        """
        return Pool(proxy=proxy, session=session, secrets=self.secrets())

    def secrets(self) -> frozenset[str]:
        """Return the secret values that the user has set."""
        known = self.all_settings()
        rows = ((self.settings.get(name), known[name]) for name in known)
        set_by_user = {value for value, setting in rows if value and setting.secret and value != setting.default}
        return frozenset(set_by_user | set(userinfo_secrets(self.url)) - {""})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} provider {self.name!r}>"

    def _direct(self, request: Request, pool: Pool, limits: Limits) -> Iterator[Chunk]:
        http = Http(pool, Clock(limits), self.url)
        delivered: list[str] = []
        try:
            chunks = checked(self._answer(request, http))
            for chunk in chunks:
                if isinstance(chunk, FinishReason):
                    yield from chunks  # the grammar raises if anything follows: then it was no finish
                if isinstance(chunk, (str, Reasoning)):
                    http.clock.piece_arrived()
                if isinstance(chunk, str):
                    delivered.append(chunk)
                http.clock.pause()
                yield chunk
                http.clock.resume()
        except ProviderError as error:
            error.partial = error.partial or "".join(delivered)
            self.sign(error, request, pool)
            raise
        finally:
            http.close()
            pool.close()

    def _answer(self, request: Request, http: Http) -> object:
        try:
            return self.complete(request, http)
        except ProviderError:
            raise
        except Exception as error:
            raise crash(error) from error

    def sign(self, error: ProviderError, request: Request, pool: Pool) -> ProviderError:
        """Write who failed into ``error``, hide secrets in it and in what it was raised from, and return it."""
        error.provider = error.provider or self.name
        error.model = error.model or request.model
        error.args = (pool.redact(error.message),)
        error.url = error.url and pool.redact(error.url)
        scrub(error, pool.redact)
        return error


ModelReplaced.__module__ = Provider.__module__ = "providers_sdk.plugin"
