"""The nearest known name: of a provider, of an option, whatever its case."""

import subprocess
import sys

import pytest

from providers_sdk._suggest import SERVICES, find_nearest, suggest_name

PROVIDERS = ("aipower", "chatgptfree", "chatgptt", "echo", "gizai", "groq", "ollama", "openai", "pizzagpt")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ekko", "echo"),
        ("ekho", "echo"),
        ("ECHO", "echo"),
        ("OpenAI", "openai"),
        ("Open-AI", "openai"),
        ("pizzzagpt", "pizzagpt"),
        ("olama", "ollama"),
        ("chatgptfre", "chatgptfree"),
    ],
)
def test_a_misspelt_name_gets_the_one_that_was_meant(typed: str, meant: str) -> None:
    assert suggest_name(typed, PROVIDERS) == f"did you mean {meant!r}?"


@pytest.mark.parametrize("typed", [*sorted(SERVICES), "ChatGPT", "zzzzzz", "", "demo"])
def test_the_name_of_another_service_gets_the_list(typed: str) -> None:
    assert suggest_name(typed, PROVIDERS) == f"there are {', '.join(PROVIDERS)}"


def test_where_nothing_is_known_nothing_is_suggested() -> None:
    assert suggest_name("echo", ()) == "there are none"
    assert find_nearest("echo", ()) == ""


def test_a_suggestion_keeps_the_case_of_the_known_name() -> None:
    assert find_nearest("providers_sdk_acme_keey", ["PROVIDERS_SDK_ACME_KEY"]) == "PROVIDERS_SDK_ACME_KEY"


def test_a_long_name_costs_no_more_than_a_short_one() -> None:
    assert suggest_name("x" * 1_000_000, PROVIDERS).startswith("there are ")


def test_difflib_is_loaded_only_for_a_suggestion() -> None:
    code = (
        "import sys; from providers_sdk._suggest import suggest_name\n"
        "before = 'difflib' in sys.modules; suggest_name('ekko', ['echo']); print(before, 'difflib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False True\n"
