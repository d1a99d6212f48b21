"""Options with a type: what is accepted, and the sentence about what is not."""

from collections.abc import Iterator
from typing import Any

import pytest

from providers_sdk import Client
from providers_sdk._model.options import find_wrong_option
from providers_sdk._plugins.registry import Registry
from providers_sdk.errors import InvalidArgument
from providers_sdk.plugin import Chunk, FinishReason, Http, Option, Provider, Request

KNOWN = {
    "temperature": Option(float, 0.2),
    "max_tokens": Option(int, 100),
    "stop": Option((str, list), ["\n"]),
    "search": Option(bool, True),
    "user": Option((str, type(None)), "me"),
}


@pytest.mark.parametrize(
    "options",
    [{"temperature": 1}, {"max_tokens": 5}, {"stop": "."}, {"stop": ["."]}, {"search": False}, {"user": None}, {}],
)
def test_a_value_of_the_type_is_accepted(options: dict[str, Any]) -> None:
    assert find_wrong_option(KNOWN, options) == ""


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"temperature": "hot"}, "takes float for the option temperature, such as 0.2; it was given str"),
        ({"temperature": True}, "takes float for the option temperature, such as 0.2; it was given bool"),
        ({"max_tokens": 1.5}, "takes int for the option max_tokens, such as 100; it was given float"),
        ({"stop": 3}, "takes str or list for the option stop, such as ['\\n']; it was given int"),
        ({"search": 1}, "takes bool for the option search, such as True; it was given int"),
        ({"temperature": None}, "takes float for the option temperature, such as 0.2; it was given None"),
        ({"user": 7}, "takes str or None for the option user, such as 'me'; it was given int"),
    ],
)
def test_a_value_of_another_type_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    assert find_wrong_option(KNOWN, options) == sentence


def test_names_without_types_accept_everything() -> None:
    assert find_wrong_option(("temperature",), {"temperature": "hot"}) == ""


def test_a_sample_of_another_type_is_the_plugins_mistake() -> None:
    with pytest.raises(TypeError, match="the sample of an Option is of its type: 'hot' is no float"):
        Option(float, "hot")


class Typed(Provider):
    offline = True
    default_model = "typed"
    known_options = KNOWN

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield repr(sorted(request.options.items()))
        yield FinishReason("stop")


def test_a_call_with_a_wrong_type_is_refused_before_anything_is_sent() -> None:
    registry = Registry()
    registry.register("typed", Typed)
    with Client("typed", registry=registry) as client:
        assert client.chat("Hi", temperature=1).text == "[('temperature', 1)]"
        with pytest.raises(InvalidArgument, match=r"typed: takes float for the option temperature, such as 0.2"):
            client.chat("Hi", temperature="hot")
