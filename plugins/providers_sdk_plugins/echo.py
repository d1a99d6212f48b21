"""Echo: returns the question, word by word. Offline and deterministic; the example to copy."""

import re
from collections.abc import Iterator

from providers_sdk.plugin import Chunk, FinishReason, Http, Provider, Register, Request, hookimpl


class Echo(Provider):
    """Answers with the last message."""

    offline = True
    supports_stream = True
    default_model = "echo"
    models = ("echo",)
    requires_contract = ">=1,<2"

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Yield the last message word by word, each with the white space after it."""
        yield from re.findall(r"\s*\S+\s*", request.messages[-1].text)
        yield FinishReason("stop")


@hookimpl
def register_providers(register: Register) -> None:
    """Register ``echo``."""
    register("echo", Echo)
