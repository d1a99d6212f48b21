"""The base class of providers: a description, and one method that turns a request into chunks."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from providers_sdk._callers import find_callers_level
from providers_sdk._http.client import Http
from providers_sdk._model.chunks import Chunk
from providers_sdk._model.limits import Limits
from providers_sdk._model.messages import Messages, parse_messages
from providers_sdk._model.options import Option
from providers_sdk._model.request import Request
from providers_sdk._model.settings import Setting, resolve_settings
from providers_sdk._model.tools import ToolSchema, parse_tools
from providers_sdk._provider.binding import bind
from providers_sdk._provider.direct import iter_attempt
from providers_sdk._redact import snippet
from providers_sdk.errors import UnknownModel

__all__ = ["ModelReplaced", "Provider"]

_KEY = Setting(secret=True, required=True, help="the service's key")
_MODEL = Setting(help="the model to ask for where the call names none")
_HEADERS = Setting(secret=True, help="headers for every request to the service, a mapping")
_RPM = Setting(help="calls a minute that a batch makes at the most")
_EXTRA_BODY = Setting(help="fields for the body of every request that asks, a mapping")


class ModelReplaced(UserWarning):
    """The provider does not know the model that was named; its default answers instead."""


class Provider:
    """Base class of providers: describe the service, and write :meth:`complete`.

    An instance holds its settings and nothing else: threads share it, and it keeps nothing between calls. Every name
    that is not listed here, public or private, is the author's to use.

    :param settings: values for :attr:`known_settings`; the environment and the defaults fill the rest.
    :param name: the name it is registered under.
    :param environ: the environment, the process's where it is not given.
    :raises InvalidCall: a setting is unknown, missing or unusable.
    """

    url: str = ""
    """The service's address, before every path; the setting ``url`` replaces it."""
    api_endpoint: str = ""
    """The path or address that questions are sent to; for readers, and for ``complete`` to use."""
    working: bool = True
    """Whether plain clients are known to get answers; a provider that is asked for by name is tried anyway."""
    offline: bool = False
    """Whether it works without a network."""
    needs_auth: bool = False
    """Whether a key is needed: the setting ``key`` then is required and secret."""
    supports_stream: bool = False
    """Whether the service can send the answer in pieces; otherwise only ``connect`` and ``deadline`` bound it."""
    supports_system_message: bool = True
    """Whether messages of the roles system and developer are accepted; otherwise they are refused."""
    supports_message_history: bool = True
    """Whether earlier turns of the assistant are accepted; otherwise they are refused."""
    supports_images: bool = False
    """Whether ``complete`` sends the images of messages; otherwise they are refused."""
    supports_files: bool = False
    """Whether ``complete`` sends the files of messages; otherwise they are refused."""
    supports_tools: bool = False
    """Whether ``complete`` sends ``request.tools`` and turns of tools; otherwise both are refused."""
    supports_schema: bool = False
    """Whether ``complete`` sends ``request.schema`` in a form that the service understands; otherwise it is refused."""
    sends_model: bool = True
    """Whether the service is sent a model; where it chooses, none is needed and ``reply.model`` is ``None``."""
    first_token: float | None = None
    """Seconds to which the default of the limit ``first_token`` is raised, for models that are silent for minutes."""
    default_model: str = ""
    """The model where the caller names none, by the service's own name."""
    models: tuple[str, ...] = ()
    """Known models by the service's own names; empty where any name may be asked for."""
    model_aliases: ClassVar[Mapping[str, str]] = {}
    """Public name → the service's own name."""
    known_settings: ClassVar[Mapping[str, Setting]] = {}
    """Settings besides those that :meth:`all_settings` adds; one of the same name takes its place."""
    known_options: ClassVar[Mapping[str, Option] | tuple[str, ...]] = ()
    """Options of a call that ``complete`` honours, such as ``temperature``; with ``extra_body`` also a setting.

    Names, or a mapping of names to :class:`Option`: then a value of a wrong type is refused.
    """
    requires_contract: str = ""
    """Versions of the plugin contract that it was written for, such as ``">=1,<2"``."""
    fake_service: str = ""
    """Where the fake service of its service is, as ``"package.module:Class"``; empty for none."""

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        *,
        name: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name or type(self).__name__.lower()
        known = self.all_settings()
        self.settings: Mapping[str, str] = resolve_settings(self.name, known, settings or {}, environ)
        self.url = self.settings.get("url", self.url)

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Ask the service; yield text, :class:`Reasoning`, :class:`ToolCall` and :class:`Usage`, in the end exactly one
        :class:`FinishReason`.

        :param request: the question.
        :param http: the HTTP client; it keeps the limits, maps errors and closes its connections at the end.
        :raises ProviderError: the service gave no answer; raise :class:`Refused` where it refuses.
        """
        raise TypeError(f"{type(self).__name__} has no complete(request, http) method")

    def list_models(self, http: Http) -> Iterator[str]:
        """Yield the names of the models that the service lists; nothing where it has no list, as here.

        :param http: as for :meth:`complete`.
        :raises ProviderError: the service did not answer.
        """
        yield from ()

    @classmethod
    def all_settings(cls) -> dict[str, Setting]:
        """Return every setting of the provider by name.

        They are ``url``, ``headers``, ``rpm``, ``model`` where the service is sent one, ``extra_body`` where that is an
        option, none of these of an :attr:`offline` provider; ``key`` where :attr:`needs_auth`; and
        :attr:`known_settings`.
        """
        online = not cls.offline
        usual = {
            "url": Setting(default=cls.url or None, help="the service's address") if online else None,
            "key": _KEY if cls.needs_auth else None,
            "model": _MODEL if online and cls.sends_model else None,
            "headers": _HEADERS if online else None,
            "rpm": _RPM if online else None,
            "extra_body": _EXTRA_BODY if online and "extra_body" in cls.known_options else None,
        }
        return {**{name: setting for name, setting in usual.items() if setting is not None}, **cls.known_settings}

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
            stacklevel=find_callers_level(),
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
        allow_empty: bool = False,
        tools: Sequence[ToolSchema] = (),
        schema: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Iterator[Chunk]:
        """Ask this provider directly: a blocking iterator of chunks, validated as everywhere, without retries.

        :param model: a name for :meth:`get_model`.
        :param messages: as for ``chat``.
        :param proxy: as for ``Client``.
        :param limits: time limits, the usual ones where not given.
        :param allow_empty: whether an answer without text is accepted.
        :param tools: as mappings, and ``schema`` as a JSON Schema; for functions and types ask through a ``Client``.
        :raises ProviderError: any of its tree; a mistake of the caller at once, the rest on iteration.
        """
        parsed, bound, plain = parse_messages(messages), bind(self, proxy=proxy), parse_tools(tools)
        bound.check_options(parsed, options, plain, schema)
        request = bound.create_request(
            model, parsed, stream=stream, strict=strict, options=options, tools=plain, schema=schema
        )
        return iter_attempt(bound, request, limits, allow_empty=allow_empty)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} provider {self.name!r}>"


ModelReplaced.__module__ = Provider.__module__ = "providers_sdk.plugin"
