"""The contract names the fault of each broken provider, and passes a sound one."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import indent
from types import ModuleType

import pytest

from providers_sdk.plugin import Chunk, FinishReason, Http, Provider, Request
from providers_sdk.testing import Connection, ProviderContract, Received, Response, deltas, sse
from providers_sdk.testing.contract import (
    CLAIMS,
    SUITES,
    Claim,
    ContractRunner,
    Harness,
    Result,
    answers,
    behaviour,
    failures,
    judge,
    secrets,
    settings,
    streaming,
)
from providers_sdk.testing.contract.page import contract_page
from providers_sdk_plugins.fakes.openai import OpenAISite
from tests.testing.broken_answers import (
    RaisesStopIteration,
    ReturnsNone,
    Sound,
    make_body,
)
from tests.testing.broken_failures import SwallowsErrors

_REFUSALS = [claim.name for claim in failures.REFUSALS]


def _results(kind: type[Provider], claims: Iterable[str]) -> dict[str, Result]:
    """Check ``claims`` and what they need; who does not come back is waited for 3 s."""
    runner = ContractRunner(Harness(kind, OpenAISite, patience=3.0))
    return {name: runner.run(CLAIMS[name]) for name in claims}


def test_a_sound_provider_fails_no_claim() -> None:
    assert [result for result in judge(Sound, OpenAISite) if not result.passes] == []


_STOPPED = """
import os, signal, subprocess
subprocess.Popen(["/bin/sh", "-c", f"sleep 1.2; kill -CONT {os.getpid()}"])
os.kill(os.getpid(), signal.SIGSTOP)
"""
"""For more than a second the machine gives this process no CPU."""


@pytest.mark.parametrize(
    ("code", "claims"),
    [
        ("import time; time.sleep(1.2)", {"imports_quickly"}),
        ("import time\nend = time.process_time() + 1.3\nwhile time.process_time() < end: pass", {"imports_quickly"}),
        ("import socket; socket.create_server(('127.0.0.1', 0)).close()", {"touches_no_network_at_import"}),
        (_STOPPED, set()),
    ],
    ids=["sleeps", "computes", "opens a socket", "is stopped by the machine"],
)
def test_what_a_module_does_at_import_is_named(
    code: str, claims: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    name = f"rash_{request.node.callspec.id.replace(' ', '_')}"
    only_there = f"import sys\nif 'pytest' not in sys.modules:\n{indent(code.strip(), '    ')}\n"
    source = f"from providers_sdk_plugins.echo import Echo\n{only_there}\nclass Rash(Echo):\n    pass\n"
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    runner = ContractRunner(Harness(importlib.import_module(name).Rash, None))
    results = [runner.run(CLAIMS[claim]) for claim in ("imports_quickly", "touches_no_network_at_import")]
    assert {result.claim.name for result in results if result.state == "fails"} == claims


def test_a_provider_whose_first_event_is_text_is_read_until_its_fake_has_paused() -> None:
    class TextFirst(OpenAISite):
        def respond(self, received: Received) -> Response:
            self.after_write = self.give_time
            return sse(self.paced(deltas(self.reply_pieces, role_first=False)))

        def give_time(self, connection: Connection, piece: bytes) -> None:
            if b'"0 "' in piece:
                connection.wait_closed(0.3)  # time for a client to leave before the next piece

    CLAIMS["delivers_at_once"].check(Harness(Sound, TextFirst))


def test_every_failure_says_what_was_expected_and_what_happened() -> None:
    failed = [result for result in _results(SwallowsErrors, _REFUSALS).values() if result.state == "fails"]
    assert failed
    for result in failed:
        assert result.detail.startswith("expected ")
        assert "; " in result.detail
        assert "docs/" not in result.detail  # which no wheel holds


class TestsACrash(ProviderContract):
    """What pytest shows is what this class fails with."""

    __test__ = False
    provider = RaisesStopIteration
    fake_service = OpenAISite


def test_pytest_shows_the_text_of_the_claim_that_fails_and_the_authors_line() -> None:
    with pytest.raises(pytest.fail.Exception) as caught:
        TestsACrash().test_claim(CLAIMS["does_not_raise"])
    text, detail = str(caught.value).splitlines()
    assert text == CLAIMS["does_not_raise"].text
    assert detail.endswith(f"{_place_in(RaisesStopIteration)}, in complete)")


def _place_in(kind: type[Provider], line: int = 1) -> str:
    """The place of the line that is ``line`` lines below the ``def`` of ``complete``, as failures write it."""
    code = kind.complete.__code__
    return f"({Path(code.co_filename).relative_to(Path.cwd())}:{code.co_firstlineno + line}"


class CrashesAtAPage(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        text = http.post("/chat/completions", headers=self._make_headers(), json=make_body(request)).text()
        yield json.loads(text)["choices"][0]["message"]["content"]
        yield FinishReason("stop")


def test_a_crash_inside_the_library_is_shown_at_the_authors_line() -> None:
    [result] = _results(CrashesAtAPage, ["rejects_an_html_page"]).values()
    assert "got PluginCrashed" in result.detail
    assert f"{_place_in(CrashesAtAPage, 2)}, in complete)" in result.detail


def test_a_failure_that_is_nobodys_crash_shows_no_line() -> None:
    [result] = _results(SwallowsErrors, ["reports_a_bot_wall"]).values()
    assert ".py:" not in result.detail


def test_a_claim_that_does_not_apply_names_the_declaration() -> None:
    class Quiet(Sound):
        supports_stream = False

    [result] = _results(Quiet, ["delivers_at_once"]).values()
    assert (result.state, result.detail) == ("does not apply", "the provider declares: supports_stream = False")


def test_claims_that_need_a_failed_one_are_not_reached_and_say_so() -> None:
    [result] = _results(ReturnsNone, ["rejects_an_html_page"]).values()
    assert (result.state, result.detail) == ("not reached", "it cannot be judged before these hold: answers")


def test_the_contract_makes_no_warning_of_its_own() -> None:
    code = (
        "from providers_sdk.testing.contract import judge\n"
        "from providers_sdk_plugins.pizzagpt import Pizzagpt\n"
        "from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite\n"
        "assert all(result.state in ('holds', 'does not apply') for result in judge(Pizzagpt, PizzagptSite))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "module",
    [answers, streaming, settings, secrets, behaviour, failures],
    ids=lambda module: module.__name__.rpartition(".")[2],
)
def test_every_claim_of_a_module_is_in_one_suite(module: ModuleType) -> None:
    suites = [getattr(module, name) for name in module.__all__]
    assert all(suite in SUITES for suite in suites)
    listed = [claim.name for suite in suites for claim in suite]
    assert sorted(listed) == sorted(name for name, value in vars(module).items() if isinstance(value, Claim))


def test_a_suite_is_one_section_and_every_need_is_checked_before_the_claim_that_names_it() -> None:
    assert [len({claim.section for claim in suite}) for suite in SUITES] == [1] * len(SUITES)
    names = list(CLAIMS)
    assert len(names) == sum(map(len, SUITES))
    assert [
        claim.name for claim in CLAIMS.values() for need in claim.needs if need not in names[: names.index(claim.name)]
    ] == []


def test_the_contract_page_is_the_claims_own() -> None:
    page = Path(__file__).parents[2] / "docs" / "contract.md"
    remedy = "python -m providers_sdk.testing.contract.page > docs/contract.md"
    assert page.read_text(encoding="utf-8") == contract_page(), remedy
