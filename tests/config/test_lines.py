"""Every key of a document is found on the line where it stands, whatever TOML's syntax."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers_sdk._config.lines import locate_keys

DOCUMENT = '''# a comment = "no key"
provider = [
  "one",  # [services.no]
  "two",
]
deadline = 60

[services.groq]
key = { env = "X" }   # after
headers = { "x-a" = "1", b.c = "2" }
text = """
key = "not a key"
[services.no]
"""
"quoted.key" = 1

[services]
dotted.url = "u"
[[odd.list]]
a = 1
[[odd.list]]
b = 2
[ spaced . "na.me" ]
c = 3'''
EXPECTED = {
    ("provider",): 2,
    ("deadline",): 6,
    ("services",): 8,
    ("services", "groq"): 8,
    ("services", "groq", "key"): 9,
    ("services", "groq", "key", "env"): 9,
    ("services", "groq", "headers"): 10,
    ("services", "groq", "headers", "x-a"): 10,
    ("services", "groq", "headers", "b"): 10,
    ("services", "groq", "headers", "b", "c"): 10,
    ("services", "groq", "text"): 11,
    ("services", "groq", "quoted.key"): 15,
    ("services", "dotted"): 18,
    ("services", "dotted", "url"): 18,
    ("odd",): 19,
    ("odd", "list"): 19,
    ("odd", "list", "a"): 20,
    ("odd", "list", "b"): 22,
    ("spaced",): 23,
    ("spaced", "na.me"): 23,
    ("spaced", "na.me", "c"): 24,
}


def test_each_key_is_found_on_its_line() -> None:
    assert locate_keys(DOCUMENT) == EXPECTED


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "   \n\t\n"])
def test_a_document_without_keys_has_no_lines(text: str) -> None:
    assert locate_keys(text) == {}


def list_keys(tree: Any, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    rows = tree.items() if isinstance(tree, dict) else ()
    return {path for key, value in rows for path in ((*above, key), *list_keys(value, (*above, key)))}


LINES = st.sampled_from(
    [*DOCUMENT.splitlines(), "x = '''", "'''", "y = [", "]", "z = 1", "[services.groq.more]", 'w = "#"', "v = '='"]
)


@given(st.lists(LINES, max_size=12))
def test_all_keys_that_tomllib_finds_are_located(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = locate_keys(text)
    assert list_keys(tree) <= set(found)
    assert all(1 <= line <= len(lines) for line in found.values())
