"""``providers doctor``, as it is typed, beside distributions as pip would install them."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import providers_sdk
from benchmarks.many_plugins import BROKEN, GOOD, NOISY, WELL, Kind, install, providers
from providers_sdk import __version__
from providers_sdk._environment import GENERAL
from providers_sdk.cli._diagnosis import Package
from providers_sdk.cli.doctor import describe_extra
from providers_sdk_plugins.services import ROWS as SERVICE_ROWS

BUNDLED = {"aipower", "anthropic", "chatgptfree", "chatgptt", "echo", "gizai", "ollama", "pizzagpt", *SERVICE_ROWS}
NAMES = {kind: f"fake{number:02d}" for number, kind in enumerate(BROKEN)}


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return providers(folder, *words, **variables)[0]


def examined(folder: Path, *names: str, **variables: str) -> dict[str, Any]:
    done = run(folder, "doctor", "--json", *names, **variables)
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["healthy"] else 1), done.stderr
    return found


def plugin(folder: Path, name: str, **variables: str) -> dict[str, Any]:
    found: dict[str, Any]
    [found] = [row for row in examined(folder, **variables)["plugins"] if row["name"] == name]
    return found


def leaving_a_mark(folder: Path) -> Kind:
    """A plugin that is well; whoever imports it finds a file there afterwards."""
    return replace(WELL, module=f"open({str(folder / 'imported')!r}, 'w').close()\n{GOOD}")


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one plugin broken in each way, and one that is well."""
    folder = tmp_path_factory.mktemp("ward")
    for kind, name in NAMES.items():
        install(folder, name, BROKEN[kind])
    install(folder, "well")
    return folder


@pytest.fixture(scope="module")
def patients(ward: Path) -> Iterator[dict[str, dict[str, Any]]]:
    found = examined(ward)
    assert not found["healthy"]
    return {row["name"].removeprefix("stranger_"): row for row in found["plugins"]}  # type: ignore[return-value]


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_told_with_its_fault_and_a_cure(kind: str, patients: dict[str, dict[str, Any]]) -> None:
    row, name = patients[NAMES[kind]], NAMES[kind]
    assert (row["state"], row["healthy"]) == (BROKEN[kind].state, False)
    assert BROKEN[kind].words in row["reason"]
    assert row["distribution"].startswith(f"stranger_{name}")
    assert row["version"] == "1.0"
    assert row["distribution"] in row["remedy"]


def test_those_that_are_well_stay_well_beside_the_broken(patients: dict[str, dict[str, Any]]) -> None:
    assert {name for name, row in patients.items() if row["state"] == "loaded"} == {*BUNDLED, "well"}
    assert all(patients[name]["healthy"] for name in BUNDLED)


def test_what_is_known_of_a_plugin_that_is_well(patients: dict[str, dict[str, Any]]) -> None:
    row = dict(patients["well"])
    assert row.pop("import_seconds") > 0
    assert row == {
        "name": "well",
        "kind": "provider",
        "group": "providers_sdk",
        "state": "loaded",
        "healthy": True,
        "reason": "",
        "remedy": "",
        "distribution": "stranger_well",
        "version": "1.0",
        "entry_point": "stranger_well",
        "hooks": ["register_providers"],
        "requires_contract": "",
        "settings": {"given": [], "missing": [], "unusable": []},
        "advice": [],
    }


def test_list_and_chat_work_beside_the_broken(ward: Path) -> None:
    chat = run(ward, "chat", "-p", "echo", "hi")
    assert (chat.returncode, chat.stdout, chat.stderr) == (0, "hi\n", "")
    listed = run(ward, "list")
    assert listed.returncode == 0
    assert all(name in listed.stdout for name in [*NAMES.values(), *BUNDLED, "well"])


def test_the_page_tells_reasons_and_cures_and_ends_with_who_is_not_well(ward: Path) -> None:
    done = run(ward, "doctor")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    at = lines.index(next(line for line in lines if line.startswith(NAMES["raises at import"])))
    name = f"stranger_{NAMES['raises at import']}"
    assert lines[at].split()[:4] == [NAMES["raises at import"], "failed", name, "1.0"]
    assert f"    importing '{name}' raised RuntimeError: no good" in lines[at:]
    assert any(line.startswith(f"    fix: pip install --upgrade {name}") for line in lines[at:])
    assert lines[-1].partition("; ")[2].startswith("unhealthy: fake00, fake01, ")


def test_a_terminal_of_80_columns_is_enough_and_commands_are_not_broken(ward: Path) -> None:
    done = run(ward, "doctor", COLUMNS="80", FORCE_COLOR="1", NO_COLOR="1", TERM="xterm")
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in done.stdout.splitlines()]
    assert [line for line in lines if len(line) > 80 and not line.startswith("    fix: ")] == []
    assert any(len(line) > 80 for line in lines)
    assert "" in lines


def test_healthy_plugins_have_one_line_each_and_exit_code_0(tmp_path: Path) -> None:
    install(tmp_path, "well")
    done = run(tmp_path, "doctor", COLUMNS="80", PROVIDERS_SDK_DISABLE="gizai")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()[4:]
    assert [line.split()[0] for line in lines if line[:1].strip()][:-1] == [*sorted([*BUNDLED, "well"]), "attempt-log"]
    width = max(map(len, BUNDLED))
    for name, expected in {
        "aipower": f"loaded    providers-sdk {__version__}  needs PROVIDERS_SDK_AIPOWER_URL",
        "echo": f"loaded    providers-sdk {__version__}",
        "gizai": f"disabled  providers-sdk {__version__}  PROVIDERS_SDK_DISABLE names it",
        "openai": f"loaded    providers-sdk {__version__}  needs PROVIDERS_SDK_OPENAI_KEY",
        "well": "loaded    stranger_well 1.0",
    }.items():
        assert f"{name:{width}}  {expected}" in lines
    assert lines[-2:] == ["", f"{len(BUNDLED) + 2} plugins: 2 disabled, {len(BUNDLED)} loaded"]


def test_a_plugin_that_is_named_is_shown_in_full(tmp_path: Path) -> None:
    lines = run(tmp_path, "doctor", "openai", PROVIDERS_SDK_OPENAI_URL="http://127.0.0.1:9").stdout.splitlines()
    assert lines[4] == f"openai  loaded  providers-sdk {__version__}"
    assert lines[5] == "    providers_sdk_plugins.services, hooks: register_providers, contract >=1,<2"
    assert re.fullmatch(r"    import: [0-9.]+ ms", lines[6])
    assert lines[7:9] == ["    set: PROVIDERS_SDK_OPENAI_URL", "    needs PROVIDERS_SDK_OPENAI_KEY"]


@pytest.mark.parametrize(
    ("source", "advice"),
    [
        (GOOD.replace("models = (default_model,) = ", "models = "), ["it has no default_model: every call must"]),
        (GOOD.replace("    offline = True\n", ""), ["it has neither a url nor offline = True"]),
        (GOOD.replace('("m",)', '"m"'), ["models = 'm' is one string, not a tuple of names: write models = ('m',)"]),
        (GOOD.replace("offline", "known_options = 'temperature'; offline"), ["known_options = 'temperature' is one"]),
        (GOOD.replace("    offline = True\n", "    url = 'http://127.0.0.1:9'\n"), []),
    ],
    ids=["no model", "no address", "models", "options", "nothing"],
)
def test_a_doubtful_description_is_healthy_and_gets_advice(source: str, advice: list[str], tmp_path: Path) -> None:
    install(tmp_path, "odd", replace(WELL, module=source))
    found = plugin(tmp_path, "odd")
    assert found["healthy"]
    assert len(found["advice"]) == len(advice)
    assert all(map(str.startswith, found["advice"], advice))
    assert all(words in run(tmp_path, "doctor").stdout for words in advice)


def test_an_extension_without_a_hook_gets_advice(tmp_path: Path) -> None:
    module = "def attempt_started(attempt): pass"
    install(tmp_path, "deaf", replace(WELL, module=module), group="providers_sdk.extensions")
    assert plugin(tmp_path, "deaf")["advice"] == ["it implements no hook; does a function lack @hookimpl?"]


def test_a_stranger_with_a_bundled_name_is_shown_with_its_own(tmp_path: Path) -> None:
    install(tmp_path, "echo")
    lines = run(tmp_path, "doctor", COLUMNS="100").stdout.splitlines()
    name = "echo".ljust(max(map(len, BUNDLED)))
    at = lines.index(f"{name}  loaded    stranger_echo 1.0  'echo' alone means the bundled provider")
    assert lines[at + 1] == "    fix: ask for stranger_echo:echo, or PROVIDERS_SDK_DISABLE=providers-sdk:echo"


def test_what_plugins_print_at_import_is_no_part_of_the_output(tmp_path: Path) -> None:
    install(tmp_path, "noisy", NOISY)
    done = run(tmp_path, "doctor", "--json")
    assert json.loads(done.stdout)["healthy"]
    assert done.stderr.count("noise") == 3


def test_no_secret_is_shown_even_where_a_plugin_says_it(tmp_path: Path) -> None:
    told = "import os; raise ValueError(os.environ['PROVIDERS_SDK_TELLTALE_KEY'] + os.environ['http_proxy'])"
    install(tmp_path, "telltale", Kind("failed", module=told))
    secrets = {
        "PROVIDERS_SDK_TELLTALE_KEY": "sk-hidden-1",
        "PROVIDERS_SDK_OPENAI_KEY": "sk-hidden-2",
        "PROVIDERS_SDK_OPENAI_KEEY": "sk-hidden-3",
        "http_proxy": "http://user:hidden-4@proxy.example:3128",
        "https_proxy": "http://us/er:hidden-5@proxy.example:3128",
        "all_proxy": "hidden-6:hidden-7@proxy.example",
    }
    for words in (["doctor"], ["doctor", "--json"]):
        done = run(tmp_path, *words, **secrets)
        assert done.returncode == 1
        assert "ValueError: [hidden]" in done.stdout
        assert "hidden-" not in done.stdout + done.stderr


def test_proxies_are_shown_by_host(tmp_path: Path) -> None:
    found = examined(
        tmp_path,
        "echo",
        http_proxy="user:password@proxy.example:3128",
        https_proxy="gopher://proxy.example",
        no_proxy="localhost",
    )["proxies"]
    shown = {proxy["scheme"]: proxy["address"] for proxy in found}
    assert shown == {"http": "http://proxy.example:3128", "https": "not shown", "no": "localhost"}
    assert [proxy["scheme"] for proxy in found if proxy["problem"]] == ["https"]


def test_a_variable_that_no_provider_knows_is_told_with_what_was_meant(tmp_path: Path) -> None:
    install(tmp_path, "absent", BROKEN["lacks a dependency"])
    found = examined(
        tmp_path,
        PROVIDERS_SDK_OPENAI_KEEY="x",
        PROVIDERS_SDK_DISABEL="x",
        PROVIDERS_SDK_OPENAI_KEY="x",
        PROVIDERS_SDK_ABSENT_KEY="x",
        PROVIDERS_SDK_PROVIDER="ekho",
        PROVIDERS_SDK_DISABLE="echo, pizagpt",
    )
    assert {(note["variable"], note["near"]) for note in found["notes"]} == {
        ("PROVIDERS_SDK_OPENAI_KEEY", "PROVIDERS_SDK_OPENAI_KEY"),
        ("PROVIDERS_SDK_DISABEL", "PROVIDERS_SDK_DISABLE"),
        ("PROVIDERS_SDK_PROVIDER", "echo"),
        ("PROVIDERS_SDK_DISABLE", "pizzagpt"),
    }


def test_every_variable_that_the_library_reads_is_known_to_the_doctor() -> None:
    house = Path(providers_sdk.__file__).parent
    source = "".join(path.read_text("utf-8") for path in house.rglob("*.py"))
    assert set(re.findall(r'"(PROVIDERS_SDK_[A-Z_]*[A-Z])"', source)) == set(GENERAL)


def test_missing_and_unusable_settings_are_told_and_are_no_illness(tmp_path: Path) -> None:
    variables = {"PROVIDERS_SDK_AIPOWER_URL": "blog.example", "PROVIDERS_SDK_ECHO_URL": ""}
    found = examined(tmp_path, **variables)
    assert found["healthy"]
    settings = {row["name"]: row["settings"] for row in found["plugins"]}
    given = ["PROVIDERS_SDK_AIPOWER_URL"]
    assert settings["aipower"] == {"given": given, "missing": [], "unusable": given}
    assert settings["openai"] == {"given": [], "missing": ["PROVIDERS_SDK_OPENAI_KEY"], "unusable": []}
    assert settings["echo"] == {"given": [], "missing": [], "unusable": []}


def test_a_disabled_plugin_is_well_and_not_imported(tmp_path: Path) -> None:
    install(tmp_path, "marked", leaving_a_mark(tmp_path))
    install(tmp_path, "watcher", leaving_a_mark(tmp_path), group="providers_sdk.extensions")
    found = examined(tmp_path, PROVIDERS_SDK_DISABLE="marked, watcher,gizai")
    assert {row["name"] for row in found["plugins"] if row["state"] == "disabled"} == {
        *("attempt-log", "gizai", "marked", "watcher")
    }
    assert found["healthy"]
    assert not (tmp_path / "imported").exists()
    refused = run(tmp_path, "chat", "-p", "marked", "hi", PROVIDERS_SDK_DISABLE="marked")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "PROVIDERS_SDK_DISABLE" in refused.stderr


def test_a_name_limits_the_imports_to_one_plugin(tmp_path: Path) -> None:
    install(tmp_path, "marked", leaving_a_mark(tmp_path))
    install(tmp_path, "bad", BROKEN["raises at import"])
    assert [row["name"] for row in examined(tmp_path, "echo", "echo")["plugins"]] == ["echo"]
    assert not (tmp_path / "imported").exists()
    assert [row["state"] for row in examined(tmp_path, "marked", "bad")["plugins"]] == ["loaded", "failed"]


def test_an_unknown_name_is_exit_code_2_with_the_nearest(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", "echo", "pizagpt")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'pizzagpt'?" in done.stderr


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("twins")
    install(folder, "twin", BROKEN["has a twin"])
    return folder


def test_a_name_that_two_offer_is_refused_with_both_picks(twins: Path) -> None:
    done = run(twins, "chat", "-p", "twin", "hi")
    assert (done.returncode, done.stdout) == (1, "")
    assert "'stranger_twin_a:twin' or 'stranger_twin_b:twin'" in done.stderr


@pytest.mark.parametrize("pick", ["stranger_twin_a:twin", "Stranger-Twin.B:twin"])
def test_a_pick_settles_the_conflict(pick: str, twins: Path) -> None:
    done = run(twins, "chat", "-p", pick, "hi")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hi\n", "")
    [row] = examined(twins, pick)["plugins"]
    assert (row["state"], row["distribution"]) == ("loaded", f"stranger_twin_{pick[-6].lower()}")


def test_switching_off_one_twin_settles_it_for_good(twins: Path) -> None:
    off = {"PROVIDERS_SDK_DISABLE": "stranger_twin_b:twin"}
    assert run(twins, "chat", "-p", "twin", "hi", **off).stdout == "hi\n"
    rows = [row for row in examined(twins, **off)["plugins"] if row["name"] == "twin"]
    assert [row["state"] for row in rows] == ["loaded", "disabled"]


def test_a_contract_that_does_not_fit_is_said_by_doctor_and_chat(tmp_path: Path) -> None:
    install(tmp_path, "future", BROKEN["wants a newer contract"])
    sentence = "it needs plugin contract >=99; this library has 1.0"
    row = plugin(tmp_path, "future")
    assert (row["state"], row["reason"], row["requires_contract"]) == ("incompatible", sentence, ">=99")
    assert row["remedy"] == "pip install --upgrade stranger_future providers-sdk"
    done = run(tmp_path, "chat", "-p", "future", "hi")
    assert (done.returncode, done.stdout) == (1, "")
    assert sentence in done.stderr


@pytest.mark.parametrize("wanted", [">=1,<2", "~=1.0", "==1.*"])
def test_a_contract_that_fits_is_no_obstacle(wanted: str, tmp_path: Path) -> None:
    install(
        tmp_path, "careful", replace(WELL, module=GOOD.replace("offline", f"requires_contract = '{wanted}'; offline"))
    )
    assert examined(tmp_path, "careful")["plugins"][0]["requires_contract"] == wanted


@pytest.mark.parametrize(
    ("source", "state"), [("raise SystemExit", "failed"), ("requires_contract = '<1'", "incompatible")]
)
def test_an_extension_that_is_not_well_is_told(source: str, state: str, tmp_path: Path) -> None:
    install(tmp_path, "watcher", Kind(state, module=source), group="providers_sdk.extensions")
    row = plugin(tmp_path, "watcher")
    assert (row["kind"], row["state"], row["healthy"]) == ("extension", state, False)
    assert "extension, stranger_watcher" in run(tmp_path, "doctor", "watcher").stdout


@pytest.mark.parametrize("content", [b"\xff\xfe", b"Metadata-Version: 2.1\n"])
def test_a_distribution_whose_metadata_tells_nothing_is_named_by_its_folder(content: bytes, tmp_path: Path) -> None:
    install(tmp_path, "mute", replace(WELL, metadata=content))
    row = plugin(tmp_path, "mute")
    assert (row["state"], row["distribution"], row["version"]) == ("loaded", "stranger_mute", "1.0")


def test_a_distribution_that_cannot_be_read_is_named_by_its_path(tmp_path: Path) -> None:
    install(tmp_path, "garbled", BROKEN["has entry points in no encoding"])
    [row] = examined(tmp_path, "stranger_garbled")["plugins"]
    assert str(tmp_path / "stranger_garbled-1.0.dist-info") in row["reason"]


def test_what_the_library_stands_on_is_held_against_its_floors(tmp_path: Path) -> None:
    (tmp_path / "urllib3-1.26.dist-info").mkdir()
    (tmp_path / "urllib3-1.26.dist-info" / "METADATA").write_text("Name: urllib3\nVersion: 1.26\n")
    packages = {package["name"]: package for package in examined(tmp_path, "echo")["packages"]}
    assert (packages["requests"]["needs"], packages["requests"]["fits"]) == (">=2.32.4", True)
    assert packages["urllib3"] == {"name": "urllib3", "version": "1.26", "needs": ">=2.7", "extra": "", "fits": False}
    assert {package["extra"] for package in packages.values()} >= {"fast", "socks"}
    assert "urllib3 1.26 (needs >=2.7): pip install --upgrade urllib3" in run(tmp_path, "doctor", "echo").stdout


DOCUMENT = (Path(__file__).parents[2] / "docs" / "plugins-states.md").read_text("utf-8")


def shape(value: Any) -> Any:
    """Keys and kinds of a JSON value; of a list, of its first row."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value[:1]] if isinstance(value, list) else type(value)


def test_the_document_shows_the_json_as_it_is(tmp_path: Path) -> None:
    install(tmp_path, "acme", BROKEN["wants a newer contract"])
    told = json.loads(re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)[0])
    variables = {"https_proxy": "http://proxy.example:3128", "PROVIDERS_SDK_OPENAI_KEEY": "x"}
    found = examined(tmp_path, **variables)
    found["plugins"] = [row for row in found["plugins"] if row["name"] == "acme"]
    assert shape(found) == shape(told)
    assert (found["notes"], found["proxies"]) == (told["notes"], told["proxies"])


def test_the_document_has_every_state(patients: dict[str, dict[str, Any]]) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (yes|no) \|", DOCUMENT, re.MULTILINE))
    assert set(rows) == {"available", "loaded", "disabled", "failed", "conflict", "incompatible"}
    assert {(row["state"], "yes" if row["healthy"] else "no") for row in patients.values()} <= set(rows.items())


_HEARING_CTRL_C = """
import signal
from providers_sdk.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what runs in its background ignore Ctrl-C
raise SystemExit(main())
"""


def test_on_a_terminal_a_plugin_that_hangs_is_known_by_name(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="a terminal needs the standard library's pty, which Windows lacks")
    install(tmp_path, "sleeper", replace(WELL, module="import threading\nthreading.Event().wait(60)"))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", _HEARING_CTRL_C, "doctor", "sleeper"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(command, env=environment, cwd=tmp_path.parent, stdout=theirs, stderr=theirs) as doctor:
        os.close(theirs)
        shown = b""
        while b"sleeper" not in shown:
            shown += os.read(ours, 1000)
        doctor.send_signal(signal.SIGINT)
        assert doctor.wait(30) == 130
    assert b"importing the plugin sleeper" in shown
    os.close(ours)


def test_each_extra_is_shown_once_with_its_packages(tmp_path: Path) -> None:
    [line] = [line for line in run(tmp_path, "doctor").stdout.splitlines() if line.startswith("  extras: ")]
    shown = line.removeprefix("  extras: ")
    names = re.sub(r" \([^)]*\)", "", shown).split(", ")
    assert [name.removeprefix("no ") for name in names] == [
        "fast",
        "socks",
        "keyring",
        "chat",
        "schema",
        "tools",
        "dask",
    ]
    assert re.search(r"schema \(jsonschema [\d.]+, pydantic [\d.]+\)", shown)


def test_an_extra_that_is_installed_in_part_says_what_is_missing() -> None:
    there = Package("jsonschema", "4.26.0", ">=4.23", "schema", fits=True)
    old = Package("pydantic", "2.0", ">=2.11", "schema", fits=False)
    missing = replace(old, version="")
    assert describe_extra("schema", [there, old]) == "schema (jsonschema 4.26.0, pydantic 2.0, needs >=2.11)"
    assert describe_extra("schema", [there, missing]) == "schema (jsonschema 4.26.0, pydantic is missing)"
    assert describe_extra("schema", [missing, missing]) == "no schema"
