"""Python functions as tools: their schema from annotations and docstring, and calling them with checked arguments.

The schema and the check are pydantic's: a function's parameters become a ``TypedDict``, for which ``TypeAdapter``
writes a JSON Schema and reads arguments without coercion (``"3"`` is no ``int``; a date is an ISO string, as JSON has
none). The descriptions come from the docstring, in the styles that docstring_parser reads. Both packages are imported
when first used.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from providers_sdk._model.chunks import ToolCall
from providers_sdk._model.tools import ToolSchema, check_unique, parse_tool, parse_tools, require_sequence
from providers_sdk._redact import snippet
from providers_sdk.errors import InvalidArgument

__all__ = ["FunctionTool", "Functions", "Tools", "describe_tools", "make_function_tools"]

Functions = Sequence[Callable[..., Any]]
"""What ``Client.run`` takes."""
Tools = Sequence[Callable[..., Any] | ToolSchema]
"""What ``chat`` takes: functions, or schemas as mappings."""

_NEEDS_EXTRA = "Python functions as tools need the extra 'tools': pip install 'providers-sdk[tools]'"


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A function that a model may ask to be called.

    :param schema: what the model is told.
    :param adapter: pydantic's ``TypeAdapter`` for the arguments.
    """

    function: Callable[..., Any]
    schema: ToolSchema
    adapter: Any

    def call(self, call: ToolCall) -> str:
        """Return the function's result as the model reads it: text as it is, anything else as JSON.

        :raises pydantic.ValidationError: the arguments do not fit; the function was not called.

        What the function raises passes through.
        """
        from pydantic_core import to_json

        arguments = self.adapter.validate_json(call.arguments_json, strict=True)
        result = self.function(**arguments)
        return result if isinstance(result, str) else to_json(result).decode()


def describe_tools(tools: Tools | None) -> tuple[ToolSchema, ...]:
    """Return the plain schemas of ``tools``: functions, or schemas as mappings.

    :raises InvalidArgument: one of them is neither, or a function cannot be described.
    """
    if tools is None:
        return ()
    given = require_sequence(tools)
    return check_unique(_describe_function(tool).schema if callable(tool) else parse_tool(tool) for tool in given)


def make_function_tools(tools: Functions) -> Mapping[str, FunctionTool]:
    """Return tools that can be called, by their names.

    :raises InvalidArgument: there are none, one is no function, or it cannot be described.
    """
    given = require_sequence(tools)
    if not given:
        raise InvalidArgument("there are no tools to run; give functions as tools=[...], or ask with client.chat")
    made = [_describe_function(tool) for tool in given if callable(tool)]
    if len(made) < len(given):
        raise InvalidArgument(
            "client.run calls its tools, so each is a function; with schemas, use client.chat and call them yourself"
        )
    check_unique(tool.schema for tool in made)
    return {tool.schema["name"]: tool for tool in made}


def _describe_function(function: Callable[..., Any]) -> FunctionTool:
    name = getattr(function, "__name__", "")
    if not name.isidentifier():
        raise InvalidArgument(f"the tool {snippet(repr(function), 80)} has no name; write it as a function with def")
    if inspect.iscoroutinefunction(function):
        raise InvalidArgument(f"the tool {name!r} is a coroutine function; this library is synchronous, write def")
    try:
        import docstring_parser
    except ImportError as error:
        raise InvalidArgument(_NEEDS_EXTRA) from error
    text = docstring_parser.parse(inspect.getdoc(function) or "")
    told = {param.arg_name: param.description for param in text.params if param.description}
    adapter = _make_adapter(name, _read_parameters(function, name), told)
    parameters = {key: value for key, value in adapter.json_schema().items() if key != "title"}
    described = "\n\n".join(filter(None, (text.short_description, text.long_description)))
    schema = {"name": name, "description": described, "parameters": {"properties": {}, **parameters}}
    return FunctionTool(function, parse_tools([schema])[0], adapter)


def _read_parameters(function: Callable[..., Any], name: str) -> Sequence[inspect.Parameter]:
    try:
        parameters = inspect.signature(function, eval_str=True).parameters.values()
    except (ValueError, TypeError, NameError) as error:
        raise InvalidArgument(f"the signature of the tool {name!r} cannot be read: {error}") from error
    for parameter in parameters:
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise InvalidArgument(f"the tool {name!r} takes {str(parameter)!r}; a tool's parameters are given by name")
        if parameter.annotation is parameter.empty:
            raise InvalidArgument(
                f"the parameter {parameter.name!r} of the tool {name!r} has no annotation, so the model cannot be told "
                f"its type; write it, such as {parameter.name}: str"
            )
    return list(parameters)


def _make_adapter(name: str, parameters: Sequence[inspect.Parameter], told: Mapping[str, str]) -> Any:
    try:
        from typing import NotRequired

        from pydantic import ConfigDict, Field, TypeAdapter, with_config
        from pydantic.errors import PydanticUserError
        from typing_extensions import TypedDict
    except ImportError as error:
        raise InvalidArgument(_NEEDS_EXTRA) from error
    fields: dict[str, Any] = {}
    for one in parameters:
        kind = Annotated[one.annotation, Field(description=told[one.name])] if one.name in told else one.annotation
        fields[one.name] = kind if one.default is one.empty else NotRequired[kind]
    arguments = with_config(ConfigDict(extra="forbid"))(TypedDict(name, fields))  # type: ignore[operator]
    try:
        return TypeAdapter(arguments)
    except PydanticUserError as error:
        why = snippet(error.message, 200)
        raise InvalidArgument(f"the parameters of the tool {name!r} cannot be described: {why}") from error
