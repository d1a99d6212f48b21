"""What a caller gets for a plugin that cannot be loaded: whose it is, what failed, and where to read more."""

import traceback

import pytest

from providers_sdk import Client, Registry
from providers_sdk.errors import PluginLoadError
from tests.plugin_host.shelf import GOOD, Shelf


def test_the_message_names_distribution_version_and_doctor(shelf: Shelf) -> None:
    shelf.put("acme", "raise ValueError('no good')")
    with Client("acme") as client, pytest.raises(PluginLoadError) as raised:
        client.chat("Hi")
    assert str(raised.value) == (
        "acme: importing 'stranger_acme' raised ValueError: no good (dist-acme 1.0; see 'providers doctor acme')"
    )


def test_neither_the_error_nor_its_cause_nor_the_report_holds_a_secret(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_ACME_KEY", "sk-very-secret")
    shelf.put("acme", "import os; raise ValueError(os.environ['PROVIDERS_SDK_ACME_KEY'])")
    registry = Registry()
    with pytest.raises(PluginLoadError) as raised:
        registry.get("acme")
    assert "ValueError: [hidden]" in raised.value.message
    assert "very-secret" not in "".join(traceback.format_exception(raised.value)).replace("os.environ", "")
    assert "very-secret" not in repr(registry.report("acme"))
    assert [row.reason for row in registry.report("acme")] == ["importing 'stranger_acme' raised ValueError: [hidden]"]


def test_no_field_of_the_report_holds_a_secret(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_ACME_KEY", "sk-very-secret")
    contract = "requires_contract = __import__('os').environ['PROVIDERS_SDK_ACME_KEY']"
    shelf.put("acme", GOOD.replace("offline = True", contract))
    [row] = Registry().report("acme", load=True)
    assert (row.state, row.requires_contract) == ("failed", "[hidden]")
    assert "very-secret" not in repr(row)
