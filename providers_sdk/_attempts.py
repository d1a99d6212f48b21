"""The record of one attempt: plain data for ``reply.attempts``, errors and extensions."""

from dataclasses import dataclass
from typing import Protocol

from providers_sdk._value import Value

__all__ = ["Attempt", "TokenCounts"]


class TokenCounts(Protocol):
    """:class:`providers_sdk.Usage`, which errors cannot import: everything else imports them."""

    @property
    def prompt_tokens(self) -> int | None: ...
    @property
    def completion_tokens(self) -> int | None: ...


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Attempt(Value):
    """One try at one provider.

    :param provider: its name.
    :param model: the model as sent to the service.
    :param outcome: ``"answered"``, ``"streaming"``, ``"abandoned"``, ``"skipped"``, or the error's class name.
    :param reason: the error's sentence; empty for an answer.
    :param status: HTTP status of the last response, if one arrived.
    :param waited: seconds slept before this attempt.
    :param first_token: seconds until the first piece of the answer, if one arrived.
    :param total: seconds of the whole attempt.
    :param received: bytes of all responses before decoding, headers included.
    """

    provider: str
    model: str
    outcome: str
    reason: str = ""
    status: int | None = None
    waited: float = 0.0
    first_token: float | None = None
    total: float = 0.0
    received: int = 0


Attempt.__module__ = "providers_sdk"
