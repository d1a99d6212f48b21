"""Makes what a call asks of the call's arguments and its client's defaults."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from providers_sdk._engine.call import CallSpec
from providers_sdk._engine.retry import RetryPolicy
from providers_sdk._engine.structured import check_schema_retries
from providers_sdk._engine.unset import drop_unset
from providers_sdk._model.limits import LIMITS, Limits
from providers_sdk._model.messages import Messages, parse_messages
from providers_sdk._model.names import ProviderName
from providers_sdk.errors import InvalidArgument

if TYPE_CHECKING:
    from providers_sdk._engine.functions import Tools
    from providers_sdk._engine.schema import AnswerSchema
    from providers_sdk._model.tools import ToolSchema

__all__ = ["CallDefaults", "make_spec"]


class CallDefaults:
    """What a client's calls ask where they name nothing else; see :class:`Client`.

    :param chosen: the arguments of the client, those of its configuration included.
    """

    def __init__(self, chosen: Mapping[str, Any]) -> None:
        self.model: str | None = chosen.get("model")
        self.strict: bool = chosen.get("strict", False)
        self.limits = Limits(**{name: chosen[name] for name in LIMITS if name in chosen})
        self.first_token_is_default = "first_token" not in chosen
        self.policy = RetryPolicy.of(chosen["retries"]) if "retries" in chosen else RetryPolicy()


def make_spec(
    defaults: CallDefaults,
    providers: Sequence[ProviderName],
    messages: Messages,
    *,
    model: str | None = None,
    stream: bool = True,
    max_chars: int | None = None,
    allow_empty: bool = False,
    tools: "Tools | None" = None,
    schema: object = None,
    schema_retries: int = 0,
    **given: Any,
) -> CallSpec:
    """Return what a call asks.

    :param given: limits and options; the other parameters are those of :meth:`Client.chat`.
    :raises InvalidCall: one of them cannot be used.
    """
    limits = drop_unset(**{name: given.pop(name) for name in LIMITS if name in given})
    return CallSpec(
        providers=providers,
        messages=parse_messages(messages),
        model=model or defaults.model,
        stream=stream,
        strict=defaults.strict,
        max_chars=_check_max_chars(max_chars),
        allow_empty=allow_empty,
        options=given,
        limits=defaults.limits.with_(**limits),
        first_token_is_default=defaults.first_token_is_default and "first_token" not in limits,
        policy=defaults.policy,
        tools=_describe_tools(tools),
        schema=_read_schema(schema),
        schema_retries=check_schema_retries(schema_retries, schema),
    )


def _describe_tools(tools: "Tools | None") -> "tuple[ToolSchema, ...]":
    if tools is None:
        return ()
    from providers_sdk._engine.functions import describe_tools

    return describe_tools(tools)


def _read_schema(schema: object) -> "AnswerSchema | None":
    if schema is None:
        return None
    from providers_sdk._engine.schema import read_schema

    return read_schema(schema)


def _check_max_chars(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise InvalidArgument(f"max_chars must be a positive whole number, or None for no limit, not {value!r}")
