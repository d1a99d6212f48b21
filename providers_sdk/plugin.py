"""Everything that a plugin imports.

A provider is a class with a description and one method, and a hook that registers it::

    from providers_sdk.plugin import FinishReason, Http, Provider, Request, hookimpl

    class Acme(Provider):
        url = "https://acme.example"

        def complete(self, request: Request, http: Http):
            response = http.post("/ask", json={"question": request.prompt})
            yield response.json()["text"]
            yield FinishReason(None)  # this service names no reason; never invent one

    @hookimpl
    def register_providers(register):
        register("acme", Acme)

Names are imported on first access (PEP 562): a plugin loads what it uses.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from providers_sdk._attempts import Attempt
    from providers_sdk._http.client import Http
    from providers_sdk._http.response import HttpResponse
    from providers_sdk._http.tokens import Tokens
    from providers_sdk._model.chunks import (
        TOOL_CALL_PIECE,
        Chunk,
        FinishReason,
        Reasoning,
        ServedModel,
        ToolCall,
        Usage,
    )
    from providers_sdk._model.messages import Message, format_prompt
    from providers_sdk._model.options import Option
    from providers_sdk._model.parts import File, Image
    from providers_sdk._model.request import PromptAltered, Request
    from providers_sdk._model.settings import Setting
    from providers_sdk._plugins.hookspecs import CONTRACT, Register, hookimpl
    from providers_sdk._plugins.registry import PluginShadowed
    from providers_sdk._protocol.html import Page
    from providers_sdk._protocol.objects import as_object
    from providers_sdk._protocol.openai import iter_completion, iter_deltas
    from providers_sdk._protocol.openai_request import make_openai_body
    from providers_sdk._protocol.openai_tools import ToolCallBuilder
    from providers_sdk._protocol.selectors import (
        Attr,
        CookieValue,
        ElementText,
        Meta,
        ScriptJson,
        ScriptMatch,
        ScriptValue,
        Selector,
    )
    from providers_sdk._protocol.sse import Event, iter_events
    from providers_sdk._protocol.token_page import TokenPage
    from providers_sdk._provider.provider import ModelReplaced, Provider
    from providers_sdk._redact import snippet
    from providers_sdk.errors import (
        AuthenticationFailed,
        Blocked,
        EmptyAnswer,
        HTTPStatusError,
        InvalidAnswer,
        InvalidArgument,
        MissingSetting,
        PromptRejected,
        ProviderError,
        RateLimited,
        Refused,
        StreamTruncated,
        TokensNotFound,
        UnsupportedOption,
    )

__all__ = [
    "CONTRACT",
    "TOOL_CALL_PIECE",
    "Attempt",
    "Attr",
    "AuthenticationFailed",
    "Blocked",
    "Chunk",
    "CookieValue",
    "ElementText",
    "EmptyAnswer",
    "Event",
    "File",
    "FinishReason",
    "HTTPStatusError",
    "Http",
    "HttpResponse",
    "Image",
    "InvalidAnswer",
    "InvalidArgument",
    "Message",
    "Meta",
    "MissingSetting",
    "ModelReplaced",
    "Option",
    "Page",
    "PluginShadowed",
    "PromptAltered",
    "PromptRejected",
    "Provider",
    "ProviderError",
    "RateLimited",
    "Reasoning",
    "Refused",
    "Register",
    "Request",
    "ScriptJson",
    "ScriptMatch",
    "ScriptValue",
    "Selector",
    "ServedModel",
    "Setting",
    "StreamTruncated",
    "TokenPage",
    "Tokens",
    "TokensNotFound",
    "ToolCall",
    "ToolCallBuilder",
    "UnsupportedOption",
    "Usage",
    "as_object",
    "format_prompt",
    "hookimpl",
    "iter_completion",
    "iter_deltas",
    "iter_events",
    "make_openai_body",
    "snippet",
]

_NAMES = {
    "_attempts": "Attempt",
    "_http.client": "Http",
    "_http.response": "HttpResponse",
    "_http.tokens": "Tokens",
    "_model.chunks": "TOOL_CALL_PIECE Chunk FinishReason Reasoning ServedModel ToolCall Usage",
    "_model.messages": "Message format_prompt",
    "_model.options": "Option",
    "_model.parts": "File Image",
    "_model.request": "PromptAltered Request",
    "_model.settings": "Setting",
    "_plugins.hookspecs": "CONTRACT Register hookimpl",
    "_plugins.registry": "PluginShadowed",
    "_protocol.html": "Page",
    "_protocol.objects": "as_object",
    "_protocol.openai": "iter_completion iter_deltas",
    "_protocol.openai_request": "make_openai_body",
    "_protocol.openai_tools": "ToolCallBuilder",
    "_protocol.selectors": "Attr CookieValue ElementText Meta ScriptJson ScriptMatch ScriptValue Selector",
    "_protocol.sse": "Event iter_events",
    "_protocol.token_page": "TokenPage",
    "_provider.provider": "ModelReplaced Provider",
    "_redact": "snippet",
    "errors": """
        AuthenticationFailed
        Blocked
        EmptyAnswer
        HTTPStatusError
        InvalidAnswer
        InvalidArgument
        MissingSetting
        PromptRejected
        ProviderError
        RateLimited
        Refused
        StreamTruncated
        TokensNotFound
        UnsupportedOption
    """,
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'providers_sdk.plugin' has no attribute {name!r}")
    value = getattr(import_module(f"providers_sdk.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
