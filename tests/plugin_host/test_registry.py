"""The registry: plugins of strangers, well and not, and what each of them does to the others (nothing)."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from providers_sdk import Client, PluginError, PluginReport, ProviderError, Registry
from providers_sdk._plugins.loading import _USUAL_RANGES
from providers_sdk.errors import NoProviderChosen, PluginLoadError, UnknownProvider
from providers_sdk.plugin import CONTRACT, Chunk, FinishReason, Http, Provider, Request
from tests.plugin_host.shelf import GOOD, Shelf

META = """
class Meta(type):
    @property
    def {attribute}(cls):
        raise {error}
"""


def with_attribute_that_raises(attribute: str, error: str) -> str:
    """A plugin whose class raises ``error`` when somebody reads ``attribute`` of it."""
    meta = META.replace("{attribute}", attribute).replace("{error}", error)
    return meta + GOOD.replace("(Provider)", "(Provider, metaclass=Meta)")


BROKEN = {  # what is wrong with it: the module, the state, words of the reason
    "raises-at-import": ("raise ValueError('no good')", "failed", "ValueError: no good"),
    "lacks-a-dependency": ("import a_module_that_nobody_has", "failed", "a_module_that_nobody_has"),
    "exits-at-import": ("import sys; sys.exit(3)", "failed", "SystemExit: 3"),
    "is-no-python": ("def broken(:", "failed", "SyntaxError"),
    "misspells-the-hook": (GOOD.replace("def register_providers", "def register_provider"), "failed", "unknown hook"),
    "wants-another-argument": (GOOD.replace("(register):", "(register, colour):"), "failed", "colour"),
    "has-no-hook": ("'nothing here'", "failed", "it registered nothing"),
    "raises-in-the-hook": (
        GOOD.replace('    register("{name}", Stranger)', "    1 / 0"),
        "failed",
        "ZeroDivisionError: division by zero",
    ),
    "exits-in-the-hook": (
        GOOD.replace('    register("{name}", Stranger)', "    raise SystemExit"),
        "failed",
        "SystemExit",
    ),
    "registers-another-name": (GOOD.replace("{name}", "somebody"), "failed", "it registered somebody"),
    "registers-a-dict": (GOOD.replace(", Stranger)", ", dict)"), "failed", "no subclass of Provider"),
    "has-no-complete": (GOOD.replace("def complete", "def completely"), "failed", "no complete() of its own"),
    "is-too-new": (
        GOOD.replace("offline = True", "requires_contract = '>=2'"),
        "incompatible",
        "it needs plugin contract >=2; this library has 1.0",
    ),
    "asks-for-rubbish": (GOOD.replace("offline = True", "requires_contract = 'new'"), "failed", "'new' is no range"),
    "working-raises": (with_attribute_that_raises("working", "ValueError('no')"), "failed", "reading 'working'"),
    "working-exits": (with_attribute_that_raises("working", "SystemExit(0)"), "failed", "raised SystemExit: 0"),
    "models-raise": (with_attribute_that_raises("models", "GeneratorExit"), "failed", "reading 'models'"),
    "contract-raises": (with_attribute_that_raises("requires_contract", "OSError"), "failed", "'requires_contract'"),
    "settings-raise": (with_attribute_that_raises("known_settings", "OSError"), "failed", "'known_settings'"),
    "settings-exit": (
        GOOD.replace("offline = True", "all_settings = classmethod(lambda cls: exit(0))"),
        "failed",
        "known_settings",
    ),
    "name-raises": (with_attribute_that_raises("__name__", "OSError"), "failed", "reading '__name__'"),
    "complete-raises": (with_attribute_that_raises("complete", "OSError"), "failed", "reading 'complete'"),
    "mro-raises": (
        "class Odd:\n    @property\n    def __class__(self): raise OSError('odd')\n"
        + GOOD.replace(", Stranger)", ", Odd())"),
        "failed",
        "OSError: odd",
    ),
    "url-is-none": (GOOD.replace("offline = True", "url = None"), "failed", "whose url must be a string, not NoneType"),
    "url-is-a-property": (GOOD.replace("offline = True", "url = property(str)"), "failed", "not property"),
    "model-is-a-number": (GOOD.replace('(default_model,) = ("m",)', "(default_model,) = (3,)"), "failed", "not int"),
    "makes-something-else": (
        GOOD.replace("offline = True", "def __new__(cls, *args, **kwargs): return 'something else'"),
        "failed",
        "whose __new__ returns str, not an instance of it",
    ),
    "has-wild-settings": (GOOD.replace("offline = True", "known_settings = {'a': 'b'}"), "failed", "known_settings"),
}


def rows(registry: Registry) -> dict[str, PluginReport]:
    """Return every row but that of the bundled extension."""
    return {row.name: row for row in registry.report(load=True) if row.name != "attempt-log"}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_told_and_hurts_only_itself(name: str, shelf: Shelf, bundled: list[str]) -> None:
    source, state, words = BROKEN[name]
    shelf.put(name, source)
    registry = Registry()
    report = rows(registry)

    assert set(report) == {*bundled, name}
    assert {report[other].state for other in bundled} == {"loaded"}
    assert report[name].state == state
    assert words in report[name].reason
    assert "\n" not in report[name].reason
    assert report[name].distribution == f"dist-{name}"
    assert f"dist-{name}" in report[name].remedy
    assert not report[name].healthy


@pytest.mark.parametrize("name", BROKEN)
def test_who_asks_for_a_broken_plugin_is_told_the_same(name: str, shelf: Shelf) -> None:
    source, _, words = BROKEN[name]
    shelf.put(name, source)
    with Client(name) as client:
        for _ in range(2):
            with pytest.raises(PluginLoadError) as raised:
                client.chat("Hi")
            assert raised.value.provider == name
            assert words in raised.value.message
        assert client.chat("Hi", provider="echo").text == "Hi"


def test_all_broken_plugins_at_once_hurt_nobody_else(shelf: Shelf, bundled: list[str]) -> None:
    for name, (source, _, _) in BROKEN.items():
        shelf.put(name, source)
    shelf.put("well")
    report = rows(Registry())
    assert set(report) == {*bundled, *BROKEN, "well"}
    assert {name for name, row in report.items() if row.state == "loaded"} == {*bundled, "well"}


def test_a_plugin_that_is_well_answers(shelf: Shelf) -> None:
    shelf.put("well")
    with Client("well") as client:
        assert client.chat("Hi").text == "the stranger says Hi"
    row = rows(Registry())["well"]
    assert (row.state, row.reason, row.remedy, row.healthy) == ("loaded", "", "", True)
    assert (row.distribution, row.version, row.entry_point) == ("dist-well", "1.0", "stranger_well")
    assert row.hooks == ("register_providers",)
    assert row.import_seconds is not None


def test_reading_names_and_states_imports_no_plugin(shelf: Shelf) -> None:
    shelf.put("well")
    registry = Registry()
    before = {name for name in sys.modules if name.startswith(("stranger_", "providers_sdk_plugins."))}
    assert "well" in registry.names()
    [row] = [row for row in registry.report() if row.name == "well"]
    assert (row.state, row.import_seconds) == ("available", None)
    assert {name for name in sys.modules if name.startswith(("stranger_", "providers_sdk_plugins."))} == before
    assert "stranger_well" not in sys.modules


def test_asking_for_one_plugin_imports_no_other(shelf: Shelf) -> None:
    shelf.put("well")
    shelf.put("other")
    Registry().get("well")
    assert "stranger_well" in sys.modules
    assert "stranger_other" not in sys.modules


def test_a_disabled_plugin_is_listed_and_not_imported(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.put("well")
    monkeypatch.setenv("PROVIDERS_SDK_DISABLE", " well , gizai")
    registry = Registry()
    report = rows(registry)
    assert (report["well"].state, report["gizai"].state, report["echo"].state) == ("disabled", "disabled", "loaded")
    assert report["well"].healthy
    assert "stranger_well" not in sys.modules
    with pytest.raises(PluginLoadError, match="PROVIDERS_SDK_DISABLE"):
        registry.get("well")


@pytest.mark.parametrize("content", [b"[providers_sdk]\n\xff\xfe = x\n", b"[providers_sdk]\nno equals sign\n"])
def test_entry_points_that_cannot_be_read_hide_no_others(content: bytes, shelf: Shelf, bundled: list[str]) -> None:
    shelf.metadata("dist-garbled", content)
    shelf.put("well")
    report = rows(Registry())
    assert {name for name, row in report.items() if row.state == "loaded"} == {*bundled, "well"}
    [garbled] = [row for row in report.values() if row.state == "failed"]
    assert garbled.distribution == "dist_garbled"
    assert "cannot be read" in garbled.reason


@pytest.mark.parametrize("value", ["not a module", ":", "stranger.."])
def test_an_entry_point_that_names_no_module_fails_alone(value: str, shelf: Shelf, bundled: list[str]) -> None:
    shelf.metadata("dist-odd", f"[providers_sdk]\nodd = {value}\n".encode())
    report = rows(Registry())
    assert report["odd"].state == "failed"
    assert {report[name].state for name in bundled} == {"loaded"}


def test_threads_that_ask_at_once_share_one_import(shelf: Shelf) -> None:
    shelf.put("well", "calls = []\n" + GOOD.replace("    register(", "    calls.append(1)\n    register("))
    registry, barrier, found = Registry(), threading.Barrier(32), []

    def get() -> None:
        barrier.wait(10)
        found.append(registry.get("well"))

    threads = [threading.Thread(target=get) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 32
    assert len(set(found)) == 1
    assert sys.modules["stranger_well"].calls == [1]


class Own(Provider):
    models = (default_model,) = ("own",)

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield f"own: {request.prompt}"
        yield FinishReason("stop")


def test_a_provider_can_be_registered_at_run_time() -> None:
    registry = Registry()
    registry.register("own", Own)
    registry.register("echo", Own)
    with Client(registry=registry) as client:
        assert client.chat("Hi", provider="own").text == "own: Hi"
        assert client.chat("Hi", provider="echo").text == "own: Hi"
    assert "own" in registry.names()
    assert "own" in {row.name for row in registry.report()}
    assert "own" not in Registry().names()


@pytest.mark.parametrize("name", ["", "two words", "a/b", "../up", "x" * 65, "-dash", "line\n", "dist:name", 3, None])
def test_a_name_that_cannot_be_is_refused(name: Any) -> None:
    with pytest.raises(PluginLoadError, match="no name for a provider"):
        Registry().register(name, Own)


@pytest.mark.parametrize("kind", [dict, Own(), None, Provider, "Own"])
def test_a_class_that_is_no_provider_is_refused(kind: Any) -> None:
    with pytest.raises(PluginLoadError, match="is registered with"):
        Registry().register("own", kind)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("chatgptfre", "chatgptfree"), ("ekho", "echo"), ("pizzzagpt", "pizzagpt"), ("providers-sdk:ekho", "echo")],
)
def test_an_unknown_provider_is_answered_with_the_nearest(asked: str, meant: str) -> None:
    with pytest.raises(UnknownProvider, match=f"there is no provider '{asked}'; did you mean '{meant}'\\?"):
        Registry().get(asked)


def test_a_name_like_none_is_answered_with_all(bundled: list[str]) -> None:
    with pytest.raises(UnknownProvider) as raised:
        Registry().get("zzzzzz")
    assert all(name in raised.value.message for name in bundled)


@pytest.mark.parametrize("name", ["dist-nobody:echo", "providers-sdk:nothing", ":", "x" * 10_000, 3, b"echo"])
def test_whatever_is_no_name_is_an_unknown_provider(name: Any) -> None:
    with pytest.raises(UnknownProvider) as raised:
        Registry().get(name)
    assert len(raised.value.message) < 500


def test_a_failed_plugin_fails_for_every_thread_with_an_error_of_its_own(shelf: Shelf) -> None:
    shelf.put("bad", "raise ValueError('no good')")
    registry = Registry()
    errors: list[PluginError] = []
    for _ in range(2):
        with pytest.raises(PluginError) as raised:
            registry.get("bad")
        errors.append(raised.value)
    assert errors[0] is not errors[1]
    assert isinstance(errors[1].__cause__, ValueError)


WATCHER = """
from providers_sdk.plugin import hookimpl
seen = []

@hookimpl
def attempt_started(attempt):
    seen.append(("started", attempt.provider, attempt.outcome))

@hookimpl
def attempt_finished(attempt):
    seen.append(("finished", attempt.provider, attempt.outcome))
"""
EXTENSIONS = "providers_sdk.extensions"


def loaded_by(*lines: str) -> set[str]:
    """Return what a program of ``lines`` loads of the modules that are needed only in rare cases."""
    code = "\n".join((*lines, "import sys; print(*({'difflib', 'packaging'} & set(sys.modules)))"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_a_plugin_with_a_usual_contract_loads_neither_packaging_nor_difflib() -> None:
    registry = "from providers_sdk import Registry; registry = Registry()"
    assert loaded_by("import requests, bs4") == set(), "they load it themselves: the rest of this test says nothing"
    assert loaded_by(registry, "registry.get('openai'); registry.report(load=True)") == set()
    assert loaded_by(registry, "registry.get('Providers_SDK:openai')") == {"packaging"}


@pytest.mark.parametrize("wanted", _USUAL_RANGES)
def test_the_usual_ranges_hold_the_contract(wanted: str) -> None:
    assert SpecifierSet(wanted).contains(CONTRACT)


def test_an_extension_sees_each_attempt(shelf: Shelf) -> None:
    shelf.put("watcher", WATCHER, group=EXTENSIONS)
    shelf.put("failing", GOOD.replace('yield "the stranger', 'raise OSError("down")\n        yield "'))
    with Client(["failing", "echo"]) as client:
        assert "stranger_watcher" not in sys.modules
        assert client.chat("Hi").text == "Hi"
        client.chat("Hi there", provider="echo").close()
    assert sys.modules["stranger_watcher"].seen == [
        ("started", "failing", "streaming"),
        ("finished", "failing", "PluginCrashed"),
        ("started", "echo", "streaming"),
        ("finished", "echo", "answered"),
        ("started", "echo", "streaming"),
        ("finished", "echo", "abandoned"),
    ]


def test_an_extension_sees_who_was_passed_over(shelf: Shelf) -> None:
    shelf.put("watcher", WATCHER, group=EXTENSIONS)
    shelf.put("well", GOOD.replace("offline = True", "known_options = ('temperature',)"))
    with Client(["echo", "well"]) as client:
        assert client.chat("Hi", temperature=1).provider == "well"
    assert sys.modules["stranger_watcher"].seen[0] == ("finished", "echo", "skipped")


BAD_EXTENSIONS = {
    "raises-at-import": "raise ValueError('no good')",
    "exits-at-import": "import sys; sys.exit(3)",
    "misspells-the-hook": WATCHER.replace("def attempt_started", "def attempt_startet"),
    "wants-another-argument": WATCHER.replace("attempt_started(attempt)", "attempt_started(attempt, colour)"),
    "raises-in-the-hook": WATCHER.replace("seen.append", "raise ValueError"),
}


@pytest.mark.parametrize("name", BAD_EXTENSIONS)
def test_a_broken_extension_hurts_no_call(name: str, shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    shelf.put(name, BAD_EXTENSIONS[name], group=EXTENSIONS)
    shelf.put("watcher", WATCHER, group=EXTENSIONS)
    with Client("echo") as client:
        assert client.chat("Hi").text == "Hi"
    assert [kind for kind, _, _ in sys.modules["stranger_watcher"].seen] == ["started", "finished"]
    assert "extension" in caplog.text


@pytest.mark.parametrize("name", [name for name in BAD_EXTENSIONS if name != "raises-in-the-hook"])
def test_a_broken_extension_is_reported(name: str, shelf: Shelf, bundled: list[str]) -> None:
    shelf.put(name, BAD_EXTENSIONS[name], group=EXTENSIONS)
    report = rows(Registry())
    assert (report[name].state, report[name].group) == ("failed", EXTENSIONS)
    assert {report[other].state for other in bundled} == {"loaded"}


def test_a_call_that_names_no_provider_imports_no_foreign_plugin(shelf: Shelf) -> None:
    shelf.put("moody", "raise SystemExit('imported')")
    shelf.put("well")
    with Client() as client, pytest.raises(NoProviderChosen):
        client.chat("Hi")
    assert [row.state for row in client.registry.report("moody", "well")] == ["available", "available"]


def test_a_plugin_with_a_new_of_its_own_answers(shelf: Shelf) -> None:
    own = "def __new__(cls, *args, **kwargs): return super().__new__(cls)"
    strict = "def __new__(cls, settings, name, **kwargs): settings['url']; return super().__new__(cls)"
    shelf.put("well", GOOD.replace("offline = True", own))
    shelf.put("strict", GOOD.replace("offline = True", strict))
    with Client("well") as client:
        assert client.chat("Hi").text == "the stranger says Hi"
    with Client("strict", settings={"strict": {"url": "http://127.0.0.1"}}) as client:
        assert client.chat("Hi").text == "the stranger says Hi"


def test_a_stranger_whose_constructor_fails_hurts_only_who_asks_for_it(shelf: Shelf) -> None:
    shelf.put("moody", GOOD.replace("offline = True", "def __init__(self, *a, **k): raise OSError('not today')"))
    with Client() as client:
        with pytest.raises(ProviderError, match="not today") as raised:
            client.chat("Hi", provider="moody")
        assert isinstance(raised.value, PluginError)
        with pytest.raises(ProviderError, match="no provider was chosen"):
            client.chat("Hi")
        assert client.chat("Hi", provider="echo").text == "Hi"
