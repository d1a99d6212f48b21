"""What a provider declares that it takes, checked before anything is sent."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from providers_sdk._model.messages import Message
from providers_sdk._model.parts import File, Image
from providers_sdk.errors import UnsupportedOption

__all__ = ["Capable", "check_capabilities"]


class Capable(Protocol):
    """The declarations of a provider."""

    @property
    def name(self) -> str: ...

    @property
    def supports_images(self) -> bool: ...

    @property
    def supports_files(self) -> bool: ...

    @property
    def supports_tools(self) -> bool: ...

    @property
    def supports_schema(self) -> bool: ...


def check_capabilities(
    provider: Capable, messages: Sequence[Message], tools: Collection[object], schema: Mapping[str, Any] | None
) -> None:
    """Refuse images, files, tools and a schema that the provider does not take.

    :raises UnsupportedOption: with the first of them.
    """
    kinds = {type(part) for message in messages for part in message.parts}
    with_calls = any(message.tool_calls or message.role == "tool" for message in messages)
    rows = (
        (Image in kinds, provider.supports_images, "takes no images; describe them in text"),
        (File in kinds, provider.supports_files, "takes no files; put their text into the message"),
        (bool(tools), provider.supports_tools, "takes no tools"),
        (with_calls, provider.supports_tools, "takes no tool calls and no messages of the role 'tool'"),
        (schema is not None, provider.supports_schema, "takes no schema; ask for JSON in the prompt"),
    )
    for wanted, supported, sentence in rows:
        if wanted and not supported:
            raise UnsupportedOption(f"{sentence}, or ask another provider", provider=provider.name)
