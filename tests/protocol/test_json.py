import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers_sdk._protocol import json as _json
from providers_sdk._protocol.json import MAX_DEPTH, parse_json

PARSERS = {name: parser for name, parser in {"orjson": _json._fast, "json": None}.items() if parser or name == "json"}


@pytest.fixture(params=sorted(PARSERS), autouse=True)
def _each_parser(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_json, "_fast", PARSERS[request.param])
        yield


@pytest.mark.parametrize("value", [None, True, 0, -1.5, "é🍕\u2028", [], {}, {"a": [1, {"b": None}]}], ids=repr)
def test_json_is_parsed_from_text_and_from_bytes(value: Any) -> None:
    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only)
        assert parse_json(text) == parse_json(text.encode()) == parse_json(f" \n{text}\t") == value


def test_what_services_send_though_the_standard_forbids_it_is_parsed() -> None:
    assert parse_json(r'"\ud83d"') == "\ud83d"
    assert str(parse_json("[NaN]")) == "[nan]"
    assert parse_json('\ufeff{"a": 1}'.encode()) == {"a": 1}


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "{", "nul", "'a'", '{"a": 1,}', "[1] 2", '"a\nb"', b"\xff", b'"\xc3"', b"\0"),
        *("9" * 5000, "[" * 100_000, '{"a":' * 100_000, "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)),
    ],
    ids=lambda text: repr(text)[:20],
)
def test_whatever_makes_parsing_impossible_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="not JSON that can be read"):
        parse_json(text)


@pytest.mark.parametrize("depth", [MAX_DEPTH, *range(MAX_DEPTH + 1, 1100, 37)])
@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")])
def test_what_was_parsed_can_be_printed_and_written_again(depth: int, left: str, right: str) -> None:
    document = left * (depth - 1) + "[]" + right * (depth - 1)
    for text in (document, document.encode()):
        try:
            value = parse_json(text)
        except ValueError:
            assert depth > MAX_DEPTH
        else:
            assert depth <= MAX_DEPTH
            assert str(value)
            assert json.dumps(value)


def test_many_brackets_are_not_depth() -> None:
    assert parse_json("[" + ",".join(["[[]]"] * 10_000) + "]")[-1] == [[]]
    assert parse_json('"' + "[" * 10_000 + '"') == "[" * 10_000


@given(st.text() | st.binary())
def test_any_text_is_json_or_a_value_error(text: str | bytes) -> None:
    with contextlib.suppress(ValueError):
        parse_json(text)
