"""The service's own text, wherever services put it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers_sdk._protocol.error_body import error_text, json_error_text

FAULT = {"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": {"message": "no credit", "code": 402}}, "no credit"),
        ({"error": "no credit"}, "no credit"),
        ({"error": True, "message": "no credit"}, "no credit"),
        ({"errors": [{"message": "no credit"}, {"message": "no time"}]}, "no credit; no time"),
        ([{"error": {"code": 400, "message": "no credit", "status": "INVALID_ARGUMENT"}}], "no credit"),
        ({"detail": "no credit"}, "no credit"),
        ({"detail": {"error": "no credit"}}, "no credit"),
        ({"detail": [FAULT]}, "body.stream_options: Extra inputs are not permitted"),
        ({"object": "error", "message": {"detail": [FAULT]}}, "body.stream_options: Extra inputs are not permitted"),
        ({"status": "success", "msg": "Something went wrong"}, ""),
        ({"choices": [{"message": {"content": "an answer"}}]}, ""),
        ({"message": {"content": "an answer"}}, ""),
        ("no credit", ""),
        ([7], ""),
        ({}, ""),
        (None, ""),
    ],
    ids=repr,
)
def test_the_message_of_an_error_is_found_where_services_put_it(body: Any, text: str) -> None:
    assert error_text(body) == text
    assert json_error_text(json.dumps(body)) == text


def test_a_list_of_faults_is_cut() -> None:
    assert len(error_text({"detail": [FAULT] * 1000})) <= 200


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        ('{"error": {"message": "no credit", "code": 4', "no credit"),
        ('{"error": {"message": "no \\"credit\\" \\u00e9', 'no "credit" é'),
        ('{"error": {"message": "no credit\\', "no credit"),
        ('{"error": {"message": "line\nend"}}', "line end"),
        ('{"error": {"message": "first"}}{"error": {"message": "second"}}', "first"),
        ('{"status": "success", "msg": "Something went wrong", "data": "an ans', ""),
        ('<script>{"message": "no error"}</script>', ""),
        ('{"choices": [', ""),
        ("{", ""),
        ("", ""),
    ],
    ids=repr,
)
def test_of_broken_json_the_message_is_read_not_the_raw_text(broken: str, text: str) -> None:
    assert json_error_text(broken) == text


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["error", "message", "detail", "loc", "msg"]), inner)
        ),
    )
)
def test_whatever_an_error_holds_its_text_is_one_line(body: Any) -> None:
    text = error_text(body)
    assert len(text) <= 200
    assert len(text.splitlines()) <= 1
