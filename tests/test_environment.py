"""The environment is read as it is now, however Python keeps it."""

import os
from collections.abc import Iterator, MutableMapping

import pytest

from providers_sdk._environment import is_set, read_proxies, read_variable, unknown_variables


class Plain(MutableMapping[str, str]):
    """An environment that keeps text and nothing else."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@pytest.fixture(params=["as Python keeps it", "as text"])
def environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> MutableMapping[str, str]:
    if request.param == "as text":
        monkeypatch.setattr(os, "environ", Plain({"HOME": "/home/me"}))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    return os.environ


def test_a_variable_that_comes_changes_or_goes_is_seen_at_once(environment: MutableMapping[str, str]) -> None:
    name = "PROVIDERS_SDK_ACME_KEY"
    assert (is_set(name), read_variable(name)) == (False, "")
    environment[name] = "one"
    assert (is_set(name), read_variable(name)) == (True, "one")
    environment[name] = ""
    assert (is_set(name), read_variable(name)) == (True, "")
    del environment[name]
    assert not is_set(name)


def test_a_name_that_comes_later_is_among_the_unknown_ones_and_the_proxies(
    environment: MutableMapping[str, str],
) -> None:
    assert unknown_variables("acme", ["key"], ["acme"]) == []
    assert read_proxies() == []
    environment["PROVIDERS_SDK_ACME_KEEY"] = "x"
    environment["Https_Proxy"] = "http://proxy.example"
    try:
        assert unknown_variables("acme", ["key"], ["acme"]) == ["PROVIDERS_SDK_ACME_KEEY"]
        assert read_proxies() == ["http://proxy.example"]
    finally:
        del environment["PROVIDERS_SDK_ACME_KEEY"], environment["Https_Proxy"]
    assert unknown_variables("acme", ["key"], ["acme"]) == []


def test_a_value_that_is_no_utf_8_is_read_as_python_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_ACME_KEY", "\udcff-key")
    assert read_variable("PROVIDERS_SDK_ACME_KEY") == os.environ["PROVIDERS_SDK_ACME_KEY"]
