"""Ask any chat provider from a plain, blocking script.

>>> from providers_sdk import chat
>>> for text in chat("Name three pizzas", provider="echo"):
...     print(text, end="", flush=True)
Name three pizzas

This page is a list: a name is loaded when it is first touched.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from providers_sdk._attempts import Attempt
    from providers_sdk._engine.api import chat
    from providers_sdk._engine.client import UNSET, Client
    from providers_sdk._engine.conversation import Conversation
    from providers_sdk._engine.reply import Reply
    from providers_sdk._model.chunks import Chunk, FinishReason, Reasoning, ServedModel, Usage
    from providers_sdk._model.limits import Limits
    from providers_sdk._model.messages import Message, format_prompt
    from providers_sdk._plugins.registry import Registry
    from providers_sdk._plugins.report import PluginReport
    from providers_sdk._version import __version__
    from providers_sdk.errors import (
        AllProvidersFailed,
        AuthenticationFailed,
        Blocked,
        Closed,
        ConnectFailed,
        ConnectionLost,
        ConnectTimeout,
        DeadlineExceeded,
        EmptyAnswer,
        FirstTokenTimeout,
        HTTPStatusError,
        IdleTimeout,
        InvalidAnswer,
        InvalidArgument,
        InvalidCall,
        InvalidMessages,
        MissingSetting,
        NoProviderChosen,
        PluginConflict,
        PluginContractError,
        PluginCrashed,
        PluginError,
        PluginLoadError,
        PromptRejected,
        ProviderError,
        ProxyFailed,
        RateLimited,
        Refused,
        ResponseError,
        StreamTruncated,
        TimeLimitExceeded,
        TLSFailed,
        TokenPageFailed,
        TokensNotFound,
        TooLarge,
        TransportError,
        UnknownModel,
        UnknownProvider,
        UnknownSetting,
        UnsupportedOption,
    )

__all__ = [
    "UNSET",
    "AllProvidersFailed",
    "Attempt",
    "AuthenticationFailed",
    "Blocked",
    "Chunk",
    "Client",
    "Closed",
    "ConnectFailed",
    "ConnectTimeout",
    "ConnectionLost",
    "Conversation",
    "DeadlineExceeded",
    "EmptyAnswer",
    "FinishReason",
    "FirstTokenTimeout",
    "HTTPStatusError",
    "IdleTimeout",
    "InvalidAnswer",
    "InvalidArgument",
    "InvalidCall",
    "InvalidMessages",
    "Limits",
    "Message",
    "MissingSetting",
    "NoProviderChosen",
    "PluginConflict",
    "PluginContractError",
    "PluginCrashed",
    "PluginError",
    "PluginLoadError",
    "PluginReport",
    "PromptRejected",
    "ProviderError",
    "ProxyFailed",
    "RateLimited",
    "Reasoning",
    "Refused",
    "Registry",
    "Reply",
    "ResponseError",
    "ServedModel",
    "StreamTruncated",
    "TLSFailed",
    "TimeLimitExceeded",
    "TokenPageFailed",
    "TokensNotFound",
    "TooLarge",
    "TransportError",
    "UnknownModel",
    "UnknownProvider",
    "UnknownSetting",
    "UnsupportedOption",
    "Usage",
    "__version__",
    "chat",
    "format_prompt",
]

_ROOMS = {
    "_engine.api": "chat",
    "_engine.conversation": "Conversation",
    "_model.limits": "Limits",
    "_plugins.report": "PluginReport",
    "_plugins.registry": "Registry",
    "_engine.reply": "Reply",
    "_version": "__version__",
    "_attempts": "Attempt",
    "_model.chunks": "Chunk FinishReason Reasoning ServedModel Usage",
    "_engine.client": "Client UNSET",
    "errors": """
        AllProvidersFailed
        AuthenticationFailed
        Blocked
        Closed
        ConnectFailed
        ConnectTimeout
        ConnectionLost
        DeadlineExceeded
        EmptyAnswer
        FirstTokenTimeout
        HTTPStatusError
        IdleTimeout
        InvalidAnswer
        InvalidArgument
        InvalidMessages
        MissingSetting
        NoProviderChosen
        PluginConflict
        PluginContractError
        PluginCrashed
        PluginError
        PluginLoadError
        PromptRejected
        ProviderError
        ProxyFailed
        RateLimited
        Refused
        InvalidCall
        ResponseError
        StreamTruncated
        TLSFailed
        TimeLimitExceeded
        TokenPageFailed
        TokensNotFound
        TooLarge
        TransportError
        UnknownModel
        UnknownProvider
        UnknownSetting
        UnsupportedOption
    """,
    "_model.messages": "Message format_prompt",
}
_WHERE = {name: room for room, names in _ROOMS.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'providers_sdk' has no attribute {name!r}")
    value = getattr(import_module(f"providers_sdk.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
