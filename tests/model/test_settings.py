from collections.abc import Mapping
from typing import Any

import pytest

from providers_sdk._environment import variable_name
from providers_sdk._model.settings import resolve_settings
from providers_sdk.errors import InvalidArgument, MissingSetting, UnknownSetting
from providers_sdk.plugin import Setting

KNOWN = {
    "url": Setting(default="https://acme.example"),
    "secret": Setting(default="Marinara", secret=True),
    "key": Setting(secret=True, required=True),
    "note": Setting(),
}
KEY = {"key": "k-1"}


def resolve(given: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> dict[str, str]:
    return resolve_settings("acme", KNOWN, given, environ or {})


def test_defaults_fill_what_is_not_given_and_nothing_fills_the_rest() -> None:
    assert resolve(KEY) == {"url": "https://acme.example", "secret": "Marinara", "key": "k-1"}


def test_the_argument_wins_over_the_environment_over_the_default() -> None:
    environ = {"PROVIDERS_SDK_ACME_SECRET": "Funghi", "PROVIDERS_SDK_ACME_KEY": "k-2", "PROVIDERS_SDK_OTHER_NOTE": "x"}
    assert resolve({}, environ) == {"url": "https://acme.example", "secret": "Funghi", "key": "k-2"}
    assert resolve({"secret": "Diavola", **KEY}, environ)["secret"] == "Diavola"


def test_an_empty_value_counts_as_none() -> None:
    assert resolve({"secret": "", **KEY}, {"PROVIDERS_SDK_ACME_SECRET": ""})["secret"] == "Marinara"
    with pytest.raises(MissingSetting):
        resolve({"key": ""}, {"PROVIDERS_SDK_ACME_KEY": ""})


def test_nothing_handed_in_is_written_to() -> None:
    given, environ = dict(KEY), {"PROVIDERS_SDK_ACME_SECRET": "Funghi"}
    resolve(given, environ)
    assert (given, environ) == (KEY, {"PROVIDERS_SDK_ACME_SECRET": "Funghi"})


@pytest.mark.parametrize(
    ("provider", "setting", "variable"),
    [
        ("chatgptfree", "url", "PROVIDERS_SDK_CHATGPTFREE_URL"),
        ("my-site", "api.key", "PROVIDERS_SDK_MY_SITE_API_KEY"),
        ("dist:name", "key", "PROVIDERS_SDK_DIST_NAME_KEY"),
        ("café", "key", "PROVIDERS_SDK_CAF__KEY"),
    ],
)
def test_a_variable_is_named_after_provider_and_setting(provider: str, setting: str, variable: str) -> None:
    assert variable_name(provider, setting) == variable


def test_an_unknown_setting_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownSetting, match="no setting 'sekret'; it has key, note, secret, url") as caught:
        resolve({"sekret": "x", **KEY})
    assert caught.value.provider == "acme"


def test_a_missing_setting_is_refused_saying_both_ways_to_give_it() -> None:
    with pytest.raises(MissingSetting) as caught:
        resolve({})
    assert "settings={'acme': {'key': ...}}" in str(caught.value)
    assert "PROVIDERS_SDK_ACME_KEY" in str(caught.value)
    assert caught.value.provider == "acme"


@pytest.mark.parametrize("value", [7, 0, False, True, b"k-1", ["k-1"], [], {}, 0.0], ids=repr)
def test_a_value_that_is_no_string_is_refused_without_showing_it(value: Any) -> None:
    with pytest.raises(InvalidArgument, match="setting 'key' must be a string") as caught:
        resolve({"key": value})
    assert repr(value) not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://acme.example", "https://acme.example"),
        ("https://acme.example/", "https://acme.example"),
        ("http://127.0.0.1:8088/wp///", "http://127.0.0.1:8088/wp"),
        ("HTTPS://acme.example", "HTTPS://acme.example"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("https://user:pass@acme.example/a%20b", "https://user:pass@acme.example/a%20b"),
    ],
)
def test_an_address_is_taken_without_its_last_slash(url: str, expected: str) -> None:
    assert resolve({"url": url, **KEY})["url"] == expected
    assert resolve(KEY, {"PROVIDERS_SDK_ACME_URL": url})["url"] == expected


@pytest.mark.parametrize(
    "url",
    [
        *("acme.example", "acme.example:443/x", "//acme.example", "ftp://acme.example", "file:///etc/passwd"),
        *(
            "javascript:alert(1)",
            "https://",
            "https:///path",
            "https://acme.example:port",
            "https://acme.example:99999",
        ),
        *("https://acme.example:0", "http://[::1", "https://acme .example", "https://acme.example\r\nx: y"),
        *("https://acme.example/\t", " https://acme.example", "https://acme.example/a b", "https://acme.example/\x00"),
        *("https://acme.example/?key=1", "https://acme.example/?", "https://acme.example/#top"),
        *("https://other.example\\@acme.example", "https://acme.example\\path"),
    ],
)
def test_what_is_no_address_is_refused_in_one_sentence_without_showing_it(url: str) -> None:
    with pytest.raises(InvalidArgument, match="setting 'url' must be an address such as") as caught:
        resolve({"url": url, **KEY})
    assert caught.value.provider == "acme"
    assert "acme." not in caught.value.message
    assert "\n" not in str(caught.value)


def test_all_missing_settings_are_named_at_once() -> None:
    known = {"key": Setting(required=True), "url": Setting(), "region": Setting(required=True)}
    with pytest.raises(MissingSetting) as caught:
        resolve_settings("acme", known, {}, {})
    assert str(caught.value) == (
        "acme: needs the settings 'key' and 'region': give settings={'acme': {'key': ..., 'region': ...}} "
        "or set PROVIDERS_SDK_ACME_KEY and PROVIDERS_SDK_ACME_REGION"
    )
