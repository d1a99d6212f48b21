"""Tools as values: the schemas that callers give, and the tool calls in an assistant's turn. Checked and normalised."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from providers_sdk._model.chunks import ToolCall
from providers_sdk._redact import snippet
from providers_sdk.errors import InvalidArgument, InvalidMessages

__all__ = ["ToolSchema", "check_unique", "parse_tool", "parse_tool_calls", "parse_tools", "require_sequence"]

ToolSchema = Mapping[str, Any]
"""A tool as a plain mapping: ``name``, ``description``, ``parameters`` (a JSON Schema), and maybe ``strict``."""

_NAME = r"[A-Za-z0-9_-]{1,64}"  # OpenAI's rule, and Anthropic's
_NO_PARAMETERS: Mapping[str, Any] = {"type": "object", "properties": {}}


def parse_tools(tools: object) -> tuple[ToolSchema, ...]:
    """Return tools, given as mappings, in the one inner shape.

    :raises InvalidArgument: one of them is no tool, or two have one name.
    """
    return check_unique(map(parse_tool, require_sequence(tools)))


def require_sequence(tools: object) -> Sequence[object]:
    """Return ``tools`` if it is a list or another sequence.

    :raises InvalidArgument: it is not.
    """
    if isinstance(tools, Sequence) and not isinstance(tools, (str, bytes)):
        return tools
    raise InvalidArgument(f"tools must be a list of functions or schemas, not {type(tools).__name__}")


def check_unique(tools: Iterable[ToolSchema]) -> tuple[ToolSchema, ...]:
    """Return ``tools`` if no two have one name.

    :raises InvalidArgument: two have.
    """
    found: dict[str, ToolSchema] = {}
    for tool in tools:
        if tool["name"] in found:
            raise InvalidArgument(f"two tools have the name {tool['name']!r}; rename one")
        found[tool["name"]] = tool
    return tuple(found.values())


def parse_tool(tool: object) -> ToolSchema:
    """Return a tool in the inner shape: bare, or wrapped as OpenAI's API has it (``{"type": "function", ...}``).

    :raises InvalidArgument: it is neither.
    """
    inner = tool.get("function") if isinstance(tool, Mapping) and tool.get("type") == "function" else tool
    if not isinstance(inner, Mapping):
        raise InvalidArgument(
            f"a tool is a function or a mapping with 'name', 'description' and 'parameters', not {type(inner).__name__}"
        )
    name, description = inner.get("name"), inner.get("description") or ""
    if not isinstance(name, str) or not re.fullmatch(_NAME, name):
        raise InvalidArgument(
            f"a tool has the name {snippet(repr(name), 80)}; a name is 1 to 64 letters, digits, '_' and '-'"
        )
    parameters = inner.get("parameters") or _NO_PARAMETERS
    if not isinstance(description, str) or not isinstance(parameters, Mapping):
        raise InvalidArgument(f"the tool {name!r} needs text as 'description' and a JSON Schema as 'parameters'")
    strict = {"strict": inner["strict"]} if isinstance(inner.get("strict"), bool) else {}
    return {"name": name, "description": description, "parameters": dict(parameters), **strict}


def parse_tool_calls(calls: object, where: str) -> tuple[ToolCall, ...]:
    """Return the tool calls of an assistant's turn: ``ToolCall`` values, or mappings as OpenAI's API has them.

    :raises InvalidMessages: one is none; the message names it.
    """
    if calls is None:
        return ()
    if not isinstance(calls, Sequence) or isinstance(calls, (str, bytes)):
        raise InvalidMessages(f"{where} has tool_calls of type {type(calls).__name__}; give a list")
    return tuple(_parse_call(call, f"{where}, tool call {index}") for index, call in enumerate(calls))


def _parse_call(call: object, where: str) -> ToolCall:
    if isinstance(call, ToolCall):
        fields: Mapping[str, Any] = {"name": call.name, "arguments": call.arguments}
        given: object = call.id
    elif isinstance(call, Mapping):
        inner = call.get("function", call)
        fields, given = inner if isinstance(inner, Mapping) else {}, call.get("id") or ""
    else:
        raise InvalidMessages(
            f"{where} is {type(call).__name__}; give a ToolCall or a mapping with 'id' and 'function'"
        )
    name = fields.get("name")
    if not isinstance(given, str) or not isinstance(name, str) or not name:
        raise InvalidMessages(f"{where} needs text as 'id' and as 'name'")
    return ToolCall(given, name, _parse_arguments(fields.get("arguments"), where))


def _parse_arguments(arguments: object, where: str) -> Mapping[str, Any]:
    """Return the arguments, a mapping or its JSON text; none are an empty object."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments) if arguments.strip() else {}
        except (ValueError, RecursionError):
            raise InvalidMessages(f"{where} has arguments that are no JSON: {snippet(str(arguments), 80)!r}") from None
    if not isinstance(arguments, (Mapping, type(None))):
        raise InvalidMessages(f"{where} has arguments of type {type(arguments).__name__}; give a JSON object")
    return dict(arguments or {})
