"""What the report advises: for whoever installed a plugin, and for whoever writes it."""

import json

import pytest

from providers_sdk import PluginReport, Registry
from tests.plugin_host.shelf import GOOD, Shelf

OFF = ", or switch it off: PROVIDERS_SDK_DISABLE=acme"


def report(shelf: Shelf, source: str, *, editable: bool = False) -> PluginReport:
    """Install the plugin ``acme`` and return its row."""
    shelf.put("acme", source)
    if editable:
        facts = {"url": "file:///home/me/my%20acme", "dir_info": {"editable": True}}
        (shelf.folder / "dist_acme-1.0.dist-info" / "direct_url.json").write_text(json.dumps(facts))
    [row] = Registry().report("acme", load=True)
    return row


@pytest.mark.parametrize("module", ["nobody_has_this", "nobody_has_this.inside"])
@pytest.mark.parametrize("editable", [False, True])
def test_a_missing_module_is_to_be_installed(module: str, editable: bool, shelf: Shelf) -> None:
    remedy = report(shelf, f"import {module}", editable=editable).remedy
    assert remedy.startswith("pip install nobody_has_this (needed by dist-acme; ")
    assert remedy.endswith(OFF)


def test_a_missing_module_is_named_though_its_cause_had_to_be_replaced(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    source = "import os\ntry: raise ValueError(os.environ['OPENAI_API_KEY'])\nexcept ValueError: import nobody_has_this"
    assert report(shelf, source).remedy.startswith("pip install nobody_has_this (needed by dist-acme; ")


def test_a_missing_part_of_a_namespace_package_is_named_in_full(shelf: Shelf) -> None:
    (shelf.folder / "stranger_space" / "cloud").mkdir(parents=True)
    remedy = report(shelf, "import stranger_space.cloud\nimport stranger_space.storage").remedy
    assert remedy.startswith("pip install stranger_space-storage (needed by dist-acme")


@pytest.mark.parametrize(
    "source", ["raise ValueError", "import xml.nothing", "import stranger_acme.nothing", "raise ModuleNotFoundError"]
)
def test_whatever_else_is_wrong_with_a_released_plugin_asks_for_another_release(source: str, shelf: Shelf) -> None:
    assert report(shelf, source).remedy == f"pip install --upgrade dist-acme{OFF}"


def test_an_editable_project_is_to_be_corrected_where_it_is(shelf: Shelf) -> None:
    assert report(shelf, "raise ValueError", editable=True).remedy == f"correct it in /home/me/my acme{OFF}"


def test_a_contract_that_does_not_fit_an_editable_project_is_corrected_there(shelf: Shelf) -> None:
    row = report(shelf, GOOD.replace("offline", "requires_contract = '>=9'; offline"), editable=True)
    assert (row.state, row.remedy) == ("incompatible", "correct it in /home/me/my acme")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": 3, "dir_info": {"editable": true}}'])
def test_a_record_of_the_install_that_cannot_be_read_is_ignored(content: str, shelf: Shelf) -> None:
    shelf.put("acme", "raise ValueError")
    (shelf.folder / "dist_acme-1.0.dist-info" / "direct_url.json").write_text(content)
    [row] = Registry().report("acme", load=True)
    assert row.remedy == f"pip install --upgrade dist-acme{OFF}"


def test_a_misspelt_hook_is_answered_with_the_nearest(shelf: Shelf) -> None:
    reason = report(shelf, GOOD.replace("def register_providers", "def register_provider")).reason
    assert "unknown hook 'register_provider'" in reason
    assert reason.endswith("; did you mean 'register_providers'?")


def test_a_forgotten_mark_is_noticed(shelf: Shelf) -> None:
    reason = report(shelf, GOOD.replace("@hookimpl\n", "")).reason
    assert reason.endswith("but it registered nothing; does register_providers() lack @hookimpl?")


def test_a_forgotten_mark_of_a_misspelt_hook_is_noticed(shelf: Shelf) -> None:
    reason = report(shelf, GOOD.replace("@hookimpl\ndef register_providers", "def register_provider")).reason
    assert reason.endswith("does register_provider() lack @hookimpl, and is its name 'register_providers'?")


@pytest.mark.parametrize("source", [GOOD.replace("    register(", "    print("), "nothing = True"])
def test_a_hook_that_is_marked_or_not_there_gets_no_hint(source: str, shelf: Shelf) -> None:
    assert report(shelf, source).reason.endswith("but it registered nothing")
