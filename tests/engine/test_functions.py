"""Functions as tools: described by annotations and docstring, called with checked arguments, or refused."""

import datetime
import functools
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

import pytest

from providers_sdk import ToolCall
from providers_sdk._engine.functions import describe_tools, make_function_tools
from providers_sdk.errors import InvalidArgument


class Size(Enum):
    SMALL = "small"


@dataclass
class Topping:
    name: str


def order(
    pizza: str, size: Size, toppings: list[Topping], day: datetime.date, *, pieces: int = 1, to: Literal["a"] = "a"
) -> str:
    """Order a pizza.

    It is delivered.

    :param pizza: its name
    :param pieces: how many
    """
    return f"{pizza} {size.name} {toppings[0].name} {day.year} {pieces} {to}"


def test_a_schema_is_that_of_annotations_and_docstring() -> None:
    [tool] = describe_tools([order])
    assert (tool["name"], tool["description"]) == ("order", "Order a pizza.\n\nIt is delivered.")
    parameters = tool["parameters"]
    assert parameters["required"] == ["pizza", "size", "toppings", "day"]
    assert parameters["additionalProperties"] is False
    assert parameters["properties"]["pizza"] == {"title": "Pizza", "type": "string", "description": "its name"}
    assert parameters["properties"]["pieces"]["description"] == "how many"
    assert parameters["properties"]["day"]["format"] == "date"


@pytest.mark.parametrize(
    "docstring", ["Say.\n\nArgs:\n    word: what", "Say.\n\nParameters\n----------\nword : str\n    what"]
)
def test_google_and_numpy_docstrings_are_read_too(docstring: str) -> None:
    def say(word: str) -> None: ...

    say.__doc__ = docstring
    [tool] = describe_tools([say])
    assert (tool["description"], tool["parameters"]["properties"]["word"]["description"]) == ("Say.", "what")


def test_a_function_without_parameters_and_docstring_is_a_tool() -> None:
    def ping() -> str:
        return "pong"

    [tool] = describe_tools([ping])
    assert tool == {
        "name": "ping",
        "description": "",
        "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
    }
    assert make_function_tools([ping])["ping"].call(ToolCall("", "ping", {})) == "pong"


ARGUMENTS: dict[str, Any] = {"pizza": "Funghi", "size": "small", "toppings": [{"name": "oil"}], "day": "2026-01-02"}


def test_arguments_arrive_as_the_types_of_the_annotations() -> None:
    tool = make_function_tools([order])["order"]
    assert tool.call(ToolCall("", "order", {**ARGUMENTS, "pieces": 2})) == "Funghi SMALL oil 2026 2 a"


@pytest.mark.parametrize(
    "wrong", [{"pieces": "2"}, {"pieces": True}, {"pieces": 1.5}, {"size": "SMALL"}, {"toppings": ["oil"]}, {"x": 1}]
)
def test_arguments_are_not_coerced(wrong: dict[str, Any]) -> None:
    tool = make_function_tools([order])["order"]
    with pytest.raises(ValueError, match="1 validation error for order"):
        tool.call(ToolCall("", "order", {**ARGUMENTS, **wrong}))


def no_annotation(city) -> str:  # type: ignore[no-untyped-def]
    return str(city)


def many(*cities: str) -> None: ...


def anything(**cities: str) -> None: ...


def by_position(city: str, /) -> None: ...


async def later(city: str) -> None: ...


def unknown_type(city: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821


def indescribable(city: object()) -> None: ...  # type: ignore[valid-type]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            no_annotation,
            "the parameter 'city' of the tool 'no_annotation' has no annotation, so the model cannot be told",
        ),
        (many, "takes '*cities: str'; a tool's parameters are given by name"),
        (anything, "takes '**cities: str'"),
        (by_position, "takes 'city: str'"),
        (later, "is a coroutine function; this library is synchronous"),
        (unknown_type, "the signature of the tool 'unknown_type' cannot be read: name 'Nowhere' is not defined"),
        (indescribable, "the parameters of the tool 'indescribable' cannot be described"),
        (lambda: None, "has no name; write it as a function with def"),
        (functools.partial(order), "has no name"),
    ],
)
def test_what_cannot_be_described_is_refused(function: Any, words: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        describe_tools([function])
    assert words in caught.value.message
    assert len(caught.value.message) < 400


def test_functions_and_schemas_may_be_mixed_where_nothing_is_called() -> None:
    def ping() -> None: ...

    assert [tool["name"] for tool in describe_tools([ping, {"name": "pong"}])] == ["ping", "pong"]
    assert describe_tools(None) == ()


def test_a_method_is_a_tool_without_its_self() -> None:
    class Kitchen:
        def cook(self, dish: str) -> str:
            return dish

    [tool] = describe_tools([Kitchen().cook])
    assert list(tool["parameters"]["properties"]) == ["dish"]


@pytest.mark.parametrize(
    ("missing", "statement", "words"),
    [
        ("pydantic", "client.run('Hi', tools=[ping])", "pip install 'providers-sdk[tools]'"),
        ("docstring_parser", "client.run('Hi', tools=[ping])", "pip install 'providers-sdk[tools]'"),
        ("pydantic", "client.chat('Hi', schema=int)", "pip install 'providers-sdk[schema]'"),
        ("jsonschema", "client.chat('Hi', schema={})", "pip install 'providers-sdk[schema]'"),
    ],
)
def test_a_missing_extra_is_named(missing: str, statement: str, words: str) -> None:
    code = f"""
import sys
sys.modules[{missing!r}] = None
from providers_sdk import Client
from providers_sdk.errors import InvalidArgument
def ping() -> None: ...
client = Client("echo")
assert client.chat("Hi", allow_empty=True).text == "Hi"
try:
    {statement}
except InvalidArgument as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert words in done.stdout, done.stderr
