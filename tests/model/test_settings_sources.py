"""Where a setting's value comes from: every pair in the order of precedence, and the source that is named for it."""

from itertools import combinations
from typing import Any

import pytest

from providers_sdk._model.settings import Found, collect_given, resolve_settings, trace_settings
from providers_sdk.errors import InvalidArgument, UnknownSetting
from providers_sdk.plugin import Setting

VENDORS = "https://api.acme.example/v1"
KNOWN = {
    "url": Setting(default=VENDORS, vendor_variables=("ACME_BASE_URL",)),
    "key": Setting(default="from the default", secret=True, vendor_variables=("ACME_API_KEY",)),
    "headers": Setting(),
    "extra_body": Setting(),
}
ORDER = ("the argument", "PROVIDERS_SDK_ACME_KEY", "config.toml, line 3", "ACME_API_KEY", "the default")
"""The sources of ``key``, first wins."""


def trace_key(sources: tuple[str, ...]) -> Found:
    """Return the key that is found where each of ``sources`` has one of its own, and no other."""
    known = {**KNOWN, "key": Setting(default="the default" if "the default" in sources else None,
                                     vendor_variables=("ACME_API_KEY",))}  # fmt: skip
    given = {"key": "the argument"} if "the argument" in sources else {}
    environ = {name: name for name in sources if name.isupper()}
    configured = {"key": Found(ORDER[2], ORDER[2])} if ORDER[2] in sources else {}
    return trace_settings("acme", known, given, configured=configured, environ=environ)["key"]


@pytest.mark.parametrize(("first", "second"), list(combinations(ORDER, 2)))
def test_of_two_places_the_earlier_one_counts_and_is_named(first: str, second: str) -> None:
    assert trace_key((first, second)) == trace_key((second, first)) == Found(first, first)


def test_with_all_of_them_the_argument_counts() -> None:
    assert trace_key(ORDER) == Found("the argument", "the argument")


def test_what_was_given_leaves_out_the_vendors_variable_and_the_default() -> None:
    assert collect_given("acme", KNOWN, {}, environ={"ACME_API_KEY": "k", "ACME_BASE_URL": VENDORS}) == {}


def test_an_unknown_name_in_the_configuration_is_refused_with_its_place_and_the_nearest_name() -> None:
    with pytest.raises(UnknownSetting) as raised:
        trace_settings("acme", KNOWN, {}, configured={"kee": Found("k", "config.toml, line 3")}, environ={})
    assert raised.value.message == (
        "has no setting 'kee' (config.toml, line 3); it has extra_body, headers, key, url; did you mean 'key'?"
    )


@pytest.mark.parametrize(("name", "meant"), [("base_url", "url"), ("api_key", "key"), ("heders", "headers")])
def test_another_words_setting_is_suggested(name: str, meant: str) -> None:
    with pytest.raises(UnknownSetting, match=rf"; did you mean '{meant}'\?$"):
        resolve_settings("acme", KNOWN, {name: "x"}, {})


def test_a_wrong_value_in_the_configuration_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidArgument, match=r"setting 'url' \(config.toml, line 3\) must be an address"):
        trace_settings("acme", KNOWN, {}, configured={"url": Found("acme", "config.toml, line 3")}, environ={})


def test_mappings_are_kept_as_json_whatever_way_they_are_given() -> None:
    given = {"headers": {"b": "2", "a": "1"}}
    environ = {"PROVIDERS_SDK_ACME_EXTRA_BODY": '{"top_k": 40, "nested": {"a": [1]}}'}
    found = resolve_settings("acme", KNOWN, given, environ)
    assert found["headers"] == '{"a": "1", "b": "2"}'
    assert found["extra_body"] == '{"nested": {"a": [1]}, "top_k": 40}'


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("extra_body", {"model": "x", "stream": True}, "must not hold 'model' or 'stream': this library fills that in"),
        ("extra_body", {"messages": []}, "must not hold 'messages'"),
        ("extra_body", {"n": 2}, "must not hold 'n'"),
        ("extra_body", {"x": {1, 2}}, "cannot be written as JSON"),
        ("extra_body", 7, "must be a mapping"),
        ("headers", "[]", "must be a mapping"),
    ],
)
def test_a_mapping_that_cannot_be_sent_is_refused(name: str, value: Any, reason: str) -> None:
    with pytest.raises(InvalidArgument, match=rf"setting '{name}' {reason}"):
        resolve_settings("acme", KNOWN, {name: value}, {})


def test_a_vendors_variable_that_is_no_address_is_made_one_before_it_is_compared() -> None:
    url = Setting(default="http://localhost:9", vendor_variables=("ACME_HOST",), vendor_address="http://{}".format)
    known = {"url": url, "key": Setting(vendor_variables=("ACME_API_KEY",))}
    environ = {"ACME_HOST": "box:9", "ACME_API_KEY": "k"}
    assert trace_settings("acme", known, {}, environ=environ) == {
        "url": Found("http://box:9", "ACME_HOST"),
        "key": Found("k", "ACME_API_KEY"),
    }
    own = trace_settings("acme", known, {"url": "http://box:9/below"}, environ=environ)
    assert own["key"] == Found("k", "ACME_API_KEY")
    assert "key" not in trace_settings("acme", known, {"url": "http://other:9"}, environ=environ)
