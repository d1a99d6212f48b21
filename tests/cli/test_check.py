"""``providers check``: the contract from the command line."""

import json
import platform
import re
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from providers_sdk.cli import main
from providers_sdk.cli.check import command
from providers_sdk.errors import InvalidArgument
from providers_sdk.testing import CLAIMS, FakeService, RawServer, Received, Response, json_response
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite

_PROVIDER = """
from providers_sdk.plugin import FinishReason, Provider, hookimpl

class {name}(Provider):
    offline = True
    default_model = "x"
    models = ("x",)

    def complete(self, request, http):
        yield {answer}
        yield FinishReason("stop")

@hookimpl
def register_providers(register):
    register("{name}", {name})
"""


def check(*words: str) -> Result:
    return CliRunner().invoke(command, words)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one sound provider, named by its setup.cfg."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shop_plugin", raising=False)
    (tmp_path / "shop_plugin.py").write_text(_PROVIDER.format(name="Shop", answer="request.prompt"))
    (tmp_path / "setup.cfg").write_text("[options.entry_points]\nproviders_sdk =\n    shop = shop_plugin\n")
    return tmp_path


def test_an_installed_provider_is_checked_against_its_fake() -> None:
    done = check("pizzagpt")
    assert done.exit_code == 0, done.output
    assert "pizzagpt passes the contract tests, against its fake service" in done.output


def test_json_tells_every_claim() -> None:
    report = json.loads(CliRunner().invoke(command, ["echo", "--json"]).stdout)[0]
    assert [row["claim"] for row in report["claims"]] == list(CLAIMS)
    assert report["passed"] is True


def test_a_folder_is_checked_by_the_entry_points_of_its_setup_cfg(project: Path) -> None:
    done = check(str(project))
    assert done.exit_code == 0, done.output
    assert "shop passes the contract tests, against nothing (offline)" in done.output


PYPROJECT = '[project.entry-points.providers_sdk]\nshop = "shop_plugin:hooks"\n'


def test_a_folder_is_checked_by_the_entry_points_of_its_pyproject(project: Path) -> None:
    (project / "setup.cfg").unlink()
    (project / "pyproject.toml").write_text(PYPROJECT)
    (project / "other.py").write_text("1 / 0")
    done = check(str(project))
    assert done.exit_code == 0, done.output
    assert "shop passes the contract tests" in done.output


def test_what_both_files_offer_is_checked_once(project: Path) -> None:
    (project / "pyproject.toml").write_text(PYPROJECT)
    assert check(str(project)).output.count("shop passes the contract tests") == 1


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.cfg"])
def test_metadata_that_cannot_be_read_are_one_sentence(name: str, project: Path) -> None:
    (project / name).write_text("[project\nname = ")
    done = check(str(project))
    assert isinstance(done.exception, InvalidArgument)
    assert f"{name}' cannot be read: " in str(done.exception)


@pytest.mark.parametrize("text", ["", "project = 3", "[project]\nentry-points = []", "[build-system]\n"])
def test_a_pyproject_without_entry_points_leaves_the_modules_of_the_folder(text: str, project: Path) -> None:
    (project / "setup.cfg").unlink()
    (project / "pyproject.toml").write_text(text)
    assert check(str(project)).exit_code == 0


def test_a_file_is_checked(project: Path) -> None:
    assert check(str(project / "shop_plugin.py")).exit_code == 0


def test_a_module_is_checked(project: Path) -> None:
    assert check("shop_plugin").exit_code == 0


def test_a_broken_provider_ends_with_exit_code_1_and_names_the_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "mill_plugin.py").write_text(_PROVIDER.format(name="Mill", answer="request.prompt.encode()"))
    done = check("mill_plugin")
    assert done.exit_code == 1
    assert "yields_chunks" in done.output
    assert "mill fails the contract tests" in done.output


def test_a_crash_is_shown_at_the_authors_line_with_the_text_of_the_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kiln_plugin.py").write_text(_PROVIDER.format(name="Kiln", answer="{}['text']"))
    done = check("kiln_plugin")
    assert "complete() raised KeyError: 'text' (kiln_plugin.py:10, in complete)" in done.output
    assert CLAIMS["does_not_raise"].text in done.output
    assert "docs/" not in done.output


def test_the_page_is_whole_and_asks_for_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert check("openai", "--html", str(page)).exit_code == 0
    text = page.read_text(encoding="utf-8")
    found = _Page(text)
    assert {"html", "svg", "table"} <= found.tags
    assert found.addresses == []
    assert all(name in text for name in CLAIMS)
    assert "@import" not in text
    assert "url(" not in text


def test_the_picture_shows_each_piece_sent_and_each_chunk_arrived(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    check("openai", "--html", str(page))
    report = json.loads(CliRunner().invoke(command, ["openai", "--json"]).stdout)[0]
    timeline = report["timeline"]
    assert page.read_text(encoding="utf-8").count("<circle") == len(timeline["sent"]) + len(timeline["arrived"])
    assert len(timeline["arrived"]) == 6  # four texts, the usage, the finish
    assert timeline["arrived"][0] < timeline["sent"][-1]


def test_the_points_are_labelled_with_their_text_and_no_label_hides_another(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    check("openai", "--report", str(page))
    text = page.read_text(encoding="utf-8")
    points = re.findall(r'<text x="(\d+)" y="([\d.]+)"[^>]*>(.*?)</text>', text)
    for column, order in (("176", r"(.*?) <tspan.*"), ("244", r".*</tspan> (.*)")):
        rows = [(float(y), re.sub(order, r"\1", label)) for x, y, label in points if x == column]
        assert [label for _, label in rows if label[0].isupper() and label != "Usage"] == [
            "Margherita,",
            "Funghi",
            "Diavola.",
        ]
        assert all(below - above >= 19 for (above, _), (below, _) in pairwise(rows))


def test_the_page_shows_failures_first_then_counts_by_section_and_against_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "oven_plugin.py").write_text(_PROVIDER.format(name="Oven", answer="request.prompt; print('hot')"))
    assert check("oven_plugin", "--report", str(tmp_path / "report.html")).exit_code == 1
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    marks = ["What is wrong", "prints_nothing", "Claims by section", "The description", "describes_itself"]
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)
    assert f"Python {platform.python_version()}" in text
    assert re.search(r"<time[^>]*>\d{4}-\d\d-\d\d \d\d:\d\d UTC</time>", text)
    assert check("pizzagpt", "--report", str(tmp_path / "report.html")).exit_code == 0
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "providers_sdk_plugins.fakes.pizzagpt:PizzagptSite" in text
    assert "What is wrong" not in text


def test_live_asks_the_address_in_the_settings_and_only_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    with PizzagptSite() as site:
        monkeypatch.setenv("PROVIDERS_SDK_PIZZAGPT_URL", site.url)
        done = check("pizzagpt", "--live")
        assert len(site.requests) == 2
    assert done.exit_code == 0, done.output
    assert "against the live service" in done.output


class Refusing(FakeService):
    """Answers everything with one response.

    :param response: that response.
    """

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response

    def respond(self, received: Received) -> Response:
        return self.response


WALL = b"<html><head><title>Just a moment...</title></head><body>cf-chl-bypass</body></html>"
REFUSALS = {
    "RateLimited": Response(429, {"Retry-After": "60"}, b""),
    "AuthenticationFailed": Response(401, {}, b""),
    "Blocked": Response(403, {"Content-Type": "text/html", "cf-mitigated": "challenge", "Server": "cloudflare"}, WALL),
    "HTTPStatusError": Response(503, {}, b""),
    "PromptRejected": json_response({"answer": {"content": "Misuse detected. Please get in touch with us."}}),
}


@pytest.mark.parametrize("error", REFUSALS)
def test_a_live_service_that_refuses_could_not_be_checked_and_is_asked_once(
    error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Refusing(REFUSALS[error]) as site:
        monkeypatch.setenv("PROVIDERS_SDK_PIZZAGPT_URL", site.url)
        done = check("pizzagpt", "--live")
        assert len(site.requests) == 1
    assert done.exit_code == 1
    assert f"it could not be checked: {error}: " in " ".join(done.output.split())
    assert "pizzagpt could not be checked, against the live service: not reached: 2" in done.output
    assert "fails the contract tests" not in done.output


def test_a_live_service_without_a_network_could_not_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer() as server:
        monkeypatch.setenv("PROVIDERS_SDK_PIZZAGPT_URL", server.url)
    done = check("pizzagpt", "--live", "--json")
    report = json.loads(done.stdout)[0]
    assert done.exit_code == 1
    assert [row["state"] for row in report["claims"]] == ["not reached", "not reached"]
    assert report["unchecked"].startswith("pizzagpt: no connection could be made")


def test_a_missing_setting_is_a_usage_error_and_no_broken_contract() -> None:
    done = check("openai", "--live")
    assert done.exit_code == 2
    assert "needs the setting 'key'" in " ".join(done.output.split())
    assert "openai could not be checked, against the live service" in done.output


@pytest.mark.parametrize("case", ["empty", "list"])
def test_a_live_answer_that_the_provider_cannot_read_breaks_the_contract(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PizzagptSite(case) as site:
        monkeypatch.setenv("PROVIDERS_SDK_PIZZAGPT_URL", site.url)
        done = check("pizzagpt", "--live")
        assert len(site.requests) == 1
    assert done.exit_code == 1
    summary = " ".join(done.output.split())  # folded at the width of the screen
    assert "pizzagpt fails the contract tests, against the live service: fails: 1, not reached: 1" in summary


def test_what_a_provider_prints_is_no_part_of_the_report(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = _PROVIDER.format(name="Shop", answer="request.prompt")
    (project / "shop_plugin.py").write_text(f"import os\nprint('at import')\nos.system('echo child')\n{source}")
    assert main(["check", str(project), "--json"]) == 0
    captured = capfd.readouterr()
    assert json.loads(captured.out)[0]["passed"] is True
    assert {"at import", "child"} <= set(captured.err.splitlines())


def test_a_traceback_is_shown_to_those_who_ask_for_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "shop_plugin.py").write_text("raise LookupError('no shop')")
    assert main(["check", "shop_plugin", "--traceback"]) == 2
    assert "raise LookupError('no shop')" in capsys.readouterr().err


def test_what_a_provider_raises_cannot_write_escape_sequences(project: Path) -> None:
    source = _PROVIDER.format(name="Shop", answer="request.prompt").replace(
        "yield request", "raise OSError('\\x1b[31m'); yield request"
    )
    (project / "shop_plugin.py").write_text(source)
    done = check("shop_plugin")
    assert done.exit_code == 1
    assert "\x1b" not in done.output


@pytest.mark.parametrize("target", ["no_such_thing", "../../etc", "a b", ""])
def test_a_target_that_is_nothing_is_one_sentence(target: str) -> None:
    done = check(target)
    assert done.exit_code != 0
    assert str(done.exception) or done.output


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str | None] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "data", "action")]
