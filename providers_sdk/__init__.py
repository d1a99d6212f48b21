"""Ask any chat provider from a plain, blocking script.

>>> from providers_sdk import chat
>>> for text in chat("Name three pizzas", provider="echo"):
...     print(text, end="", flush=True)
Name three pizzas

Names are imported on first access (PEP 562). All errors are in :mod:`providers_sdk.errors`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from providers_sdk._attempts import Attempt
    from providers_sdk._engine.api import chat
    from providers_sdk._engine.batch.journal import read_journal
    from providers_sdk._engine.batch.outcome import Outcome
    from providers_sdk._engine.client import Client
    from providers_sdk._engine.conversation import Conversation
    from providers_sdk._engine.reply import Reply
    from providers_sdk._engine.run import RunReply, ToolResult
    from providers_sdk._engine.unset import UNSET
    from providers_sdk._model.chunks import Chunk, FinishReason, Reasoning, ServedModel, ToolCall, Usage
    from providers_sdk._model.limits import Limits
    from providers_sdk._model.messages import Message
    from providers_sdk._model.parts import File, Image
    from providers_sdk._plugins.registry import Registry
    from providers_sdk._plugins.report import PluginReport
    from providers_sdk._version import __version__
    from providers_sdk.errors import (
        AllProvidersFailed,
        InvalidCall,
        PluginError,
        ProviderError,
        RateLimited,
        Refused,
        ResponseError,
        StreamTruncated,
        TimeLimitExceeded,
        TransportError,
    )

__all__ = [
    "UNSET",
    "AllProvidersFailed",
    "Attempt",
    "Chunk",
    "Client",
    "Conversation",
    "File",
    "FinishReason",
    "Image",
    "InvalidCall",
    "Limits",
    "Message",
    "Outcome",
    "PluginError",
    "PluginReport",
    "ProviderError",
    "RateLimited",
    "Reasoning",
    "Refused",
    "Registry",
    "Reply",
    "ResponseError",
    "RunReply",
    "ServedModel",
    "StreamTruncated",
    "TimeLimitExceeded",
    "ToolCall",
    "ToolResult",
    "TransportError",
    "Usage",
    "__version__",
    "chat",
    "read_journal",
]

_NAMES = {
    "_engine.api": "chat",
    "_engine.batch.journal": "read_journal",
    "_engine.batch.outcome": "Outcome",
    "_engine.conversation": "Conversation",
    "_model.limits": "Limits",
    "_plugins.report": "PluginReport",
    "_plugins.registry": "Registry",
    "_engine.reply": "Reply",
    "_version": "__version__",
    "_attempts": "Attempt",
    "_model.chunks": "Chunk FinishReason Reasoning ServedModel ToolCall Usage",
    "_engine.client": "Client",
    "_engine.unset": "UNSET",
    "errors": """
        AllProvidersFailed
        InvalidCall
        PluginError
        ProviderError
        RateLimited
        Refused
        ResponseError
        StreamTruncated
        TimeLimitExceeded
        TransportError
    """,
    "_engine.run": "RunReply ToolResult",
    "_model.messages": "Message",
    "_model.parts": "File Image",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'providers_sdk' has no attribute {name!r}")
    from providers_sdk._garbage import load

    value = getattr(load(f"providers_sdk.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
