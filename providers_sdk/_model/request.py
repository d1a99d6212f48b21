"""The request that a provider gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from providers_sdk._model.messages import Message, format_prompt
from providers_sdk._model.tools import ToolSchema
from providers_sdk._value import Value

__all__ = ["PromptAltered", "Request"]


class PromptAltered(UserWarning):
    """The service changes the prompt before its model reads it; the message names what is lost."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Request(Value):
    """One question, as a provider gets it.

    :param messages: the turns, checked, the last of them not empty.
    :param model: the service's own name of the model.
    :param stream: whether the caller wants the answer as it arrives; a service that cannot stream ignores it.
    :param options: further options by name, each of them one that the provider knows.
    :param strict: refuse, instead of warning, where the service would change the model or the prompt.
    :param tools: what the model may ask to be called; each has ``name``, ``description`` and ``parameters``, a JSON
        Schema. Only where ``supports_tools``.
    :param schema: a JSON Schema that the answer is to fit; ``None`` for free text. Only where ``supports_schema``.
    """

    messages: tuple[Message, ...]
    model: str
    stream: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    strict: bool = False
    tools: tuple[ToolSchema, ...] = ()
    schema: Mapping[str, Any] | None = None

    @property
    def prompt(self) -> str:
        """The messages as one string; see :func:`format_prompt`."""
        return format_prompt(self.messages)


PromptAltered.__module__ = Request.__module__ = "providers_sdk.plugin"
