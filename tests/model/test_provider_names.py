"""How a call names a provider and its model."""

from typing import Any

import pytest

from providers_sdk._model.names import ProviderName, parse_names
from providers_sdk.errors import InvalidArgument


@pytest.mark.parametrize(
    ("text", "name", "model"),
    [
        ("groq", "groq", None),
        ("groq/llama-3.3-70b-versatile", "groq", "llama-3.3-70b-versatile"),
        ("openrouter/openai/gpt-4o-mini", "openrouter", "openai/gpt-4o-mini"),
        ("ollama/qwen3:8b", "ollama", "qwen3:8b"),
        ("dist:name", "dist:name", None),
        ("dist:name/openai/o3:free", "dist:name", "openai/o3:free"),
    ],
)
def test_the_first_slash_ends_the_name(text: str, name: str, model: str | None) -> None:
    assert parse_names(text) == (ProviderName(name, model),)
    assert str(parse_names(text)[0]) == text


@pytest.mark.parametrize("text", ["/", "groq/", "/model", " /model", ":name", "dist:", "dist:/model", "a:b:c", " ", ""])
def test_an_empty_part_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        parse_names([text])
    assert raised.value.message == (
        f"{text.strip()!r} names no provider: write 'name', 'distribution:name', or either with '/model'"
    )


@pytest.mark.parametrize("chosen", [3, None, {"echo"}, [3], ["echo", None], []])
def test_what_is_no_name_is_refused(chosen: Any) -> None:
    with pytest.raises(InvalidArgument, match="provider must be a name or a list of names"):
        parse_names(chosen)
