"""``providers chat`` with one question: the answer, the errors, the exit codes."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from providers_sdk.cli._exit_codes import spell_options
from providers_sdk.testing import FakeService, RawServer, Received, Response
from providers_sdk_plugins.fakes.aipower import AIPowerSite
from providers_sdk_plugins.fakes.gizai import GizAISite

Cli = Callable[..., Any]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[AIPowerSite]:
    """A fake service that ``-p chatgptfree`` asks."""
    with AIPowerSite() as running:
        monkeypatch.setenv("PROVIDERS_SDK_CHATGPTFREE_URL", running.url)
        yield running


@pytest.fixture
def dead_url() -> str:
    """An address where nobody listens."""
    with RawServer() as server:
        return server.url


# The answer


def test_the_answer_goes_to_stdout_with_its_last_line_ended(cli: Cli) -> None:
    outcome = cli("chat", "-p", "echo", "Name three pizzas")

    assert (outcome.code, outcome.out, outcome.err) == (0, "Name three pizzas\n", "")


def test_a_line_end_of_the_answer_is_not_doubled(cli: Cli) -> None:
    assert cli("chat", "-p", "echo", "one\ntwo\n").out == "one\ntwo\n"


def test_without_a_text_standard_input_is_asked(cli: Cli) -> None:
    outcome = cli("chat", "-p", "echo", stdin="naïve 🍕\n".encode())

    assert (outcome.out, outcome.err) == ("naïve 🍕\n", "")


def test_each_piece_is_written_before_the_next_one_is_sent(
    site: AIPowerSite, launch: Callable[..., subprocess.Popen[bytes]]
) -> None:
    gate = threading.Semaphore(1)  # the role goes by itself; this lets one piece of text out
    site.before_next_piece = lambda: gate.acquire(timeout=30)
    process = launch(
        "chat", "-p", "chatgptfree", "--no-stdin", "hello", env={"PROVIDERS_SDK_CHATGPTFREE_URL": site.url}
    )
    assert process.stdout is not None

    for piece in site.reply_pieces:
        assert os.read(process.stdout.fileno(), 1000).decode() == piece
        gate.release()
    gate.release(10)

    assert process.communicate(timeout=30) == (b"\n", b"")
    assert process.returncode == 0


def test_a_pipe_gets_control_characters_as_they_are(cli: Cli) -> None:
    text = "\x1b[31mred\x1b[0m\r\n\x07 \u202e"

    assert cli("chat", "-p", "echo", text).out == text + "\n"


def test_a_terminal_is_shown_escape_sequences_and_does_not_obey_them(terminal: Callable[..., Any]) -> None:
    screen = terminal("chat", "-p", "echo", "\x1b]0;owned\x07 \x1b[2J\x9b31m \u202e plain")

    assert screen.end() == 0
    assert screen.screen == "\\x1b]0;owned\\x07 \\x1b[2J\\x9b31m \\u202e plain\n"


def test_output_is_utf8_whatever_the_locale(run: Cli) -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}

    assert run("chat", "-p", "echo", stdin="é 🍕".encode(), env=ascii_only).out == "é 🍕\n"
    assert run("chat", "-p", "echo", "é 🍕".encode(), env=ascii_only).out == "é 🍕\n"


def test_a_prompt_of_7_megabytes_comes_back_whole(run: Cli) -> None:
    prompt = b"x" * 6_999_999 + b"\n"

    outcome = run("chat", "-p", "echo", stdin=prompt)

    assert outcome.code == 0
    assert outcome.out.encode() == prompt


# What is asked


def test_model_system_and_no_stream_reach_the_service(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with GizAISite() as site:
        monkeypatch.setenv("PROVIDERS_SDK_GIZAI_URL", site.url)
        outcome = cli(
            "chat", "-p", "gizai", "-m", "gemini-1.5-flash", "--system", "Be brief.", "--no-stream", "--proxy", "", "Hi"
        )

    assert outcome.out == f"{site.text}\n"
    assert site.requests[0].json() == {
        "model": "chat-gemini-flash",
        "input": {"messages": [{"content": "Be brief."}, {"type": "human", "content": "Hi"}], "mode": "plan"},
        "noStream": True,
    }


def test_a_replaced_model_is_told_once_in_one_line(cli: Cli) -> None:
    outcome = cli("chat", "-p", "echo", "-m", "gpt-9", "hello")

    assert (outcome.code, outcome.out) == (0, "hello\n")
    assert outcome.err == "Warning: Echo: the model 'gpt-9' is not known; known are echo; 'echo' answers instead\n"


def test_a_prompt_that_the_site_will_change_is_told_once_in_one_line(cli: Cli, site: AIPowerSite) -> None:
    outcome = cli("chat", "-p", "chatgptfree", "--no-stdin", "if a<b: <i>x</i>")

    assert (outcome.code, outcome.out) == (0, f"{site.text}\n")
    assert outcome.err.startswith("Warning: ")
    assert outcome.err.count("\n") == 1


def test_a_bundled_name_that_another_distribution_offers_is_told_in_one_line(
    cli: Cli, plugin: Callable[..., Any]
) -> None:
    plugin("echo", CRASHING.replace('"crashing"', '"echo"'), distribution="dist-rival")

    outcome = cli("chat", "-p", "echo", "hello")

    assert (outcome.code, outcome.out) == (0, "hello\n")
    assert outcome.err.startswith("Warning: 'echo' means the bundled provider 'providers-sdk:echo'; ")
    assert "'dist-rival:echo'" in outcome.err
    assert outcome.err.count("\n") == 1


def test_the_next_provider_answers_and_the_failure_before_is_told(cli: Cli, site: AIPowerSite) -> None:
    site.case = "plugin_off"

    outcome = cli("chat", "-p", "chatgptfree", "-p", "echo", "hello")

    assert (outcome.code, outcome.out) == (0, "hello\n")
    assert outcome.err.startswith("Note: chatgptfree gave no answer (")
    assert outcome.err.endswith("; echo answers\n")
    assert outcome.err.count("\n") == 1


def test_a_distribution_can_be_named_with_the_provider(cli: Cli) -> None:
    assert cli("chat", "-p", "providers-sdk:echo", "hello").out == "hello\n"
    assert cli("chat", "-p", "another:echo", "hello").code == 2


def test_the_variable_names_the_provider_where_the_command_line_does_not(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_PROVIDER", "echo")

    assert cli("chat", "hello").out == "hello\n"


# Asked wrongly: 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["hello"], "no provider was chosen"),
        (["-p", "ekho", "hello"], "there is no provider 'ekho'; did you mean 'echo'?"),
        (["-p", "ekko", "hello"], "there is no provider 'ekko'; did you mean 'echo'?"),
        (["-p", "OpenAI", "hello"], "there is no provider 'OpenAI'; did you mean 'openai'?"),
        (["-p", "chatgpt", "hello"], "there is no provider 'chatgpt'; there are aipower, alibaba, anthropic, azure, "),
        (["-p", "", "hello"], "'' names no provider"),
        (["-p", "ec\x1bho\n", "hello"], r"there is no provider 'ec\x1bho\n'"),
        (["-p", "echo", ""], "the prompt is empty"),
        (["-p", "echo", " \n\t "], "the prompt is empty"),
        (["-p", "echo", "a\udcff"], "lone surrogate"),
        (["-p", "\udcff", "hello"], r"there is no provider '\udcff'"),
        (["-p", "echo", "--deadline", "0", "hello"], "deadline must be a positive number"),
        (["-p", "echo", "--deadline", "nan", "hello"], "deadline must be a positive number"),
        (["-p", "echo", "--deadline", "soon", "hello"], "'soon' is not a valid float (see 'providers chat --help')"),
        (["-p", "echo", "--proxy", "nonsense", "hello"], "proxy must be an address"),
        (["-p", "echo", "--modle", "x", "hello"], "No such option"),
        (["-p", "echo", "three", "words", "here"], "TEXT is one argument; put it in quotes"),
        (["-p", "echo", "--no-stdin"], "--no-stdin needs a TEXT to ask"),
        (["-p", "echo", "--no-stdin", "-"], "--no-stdin needs a TEXT to ask"),
        (["-p"], "requires an argument"),
        (["-p", "aipower", "hello"], "needs the setting 'url'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(cli: Cli, arguments: list[str], words: str) -> None:
    outcome = cli("chat", *arguments)

    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.error


def test_a_real_process_prints_no_traceback_for_bytes_in_arguments(run: Cli) -> None:
    outcome = run("chat", "-p", "echo", b"\xff")

    assert outcome.code == 2
    assert "lone surrogate" in outcome.error


# The provider failed: 1


def test_a_dead_server_is_one_line_and_exit_code_1(cli: Cli, dead_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_GIZAI_URL", dead_url)

    outcome = cli("chat", "-p", "gizai", "hello")

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.error.startswith("Error: gizai: no connection could be made")


@pytest.mark.parametrize("more", [[], ["-p", "echo"]], ids=["one provider", "two"])
def test_a_deadline_is_spelt_as_on_the_command_line(cli: Cli, site: AIPowerSite, more: list[str]) -> None:
    gate = threading.Semaphore(0)
    site.before_next_piece = lambda: gate.acquire(timeout=30)

    outcome = cli("chat", "-p", "chatgptfree", *more, "--deadline", "0.3", "--no-stdin", "hello")
    gate.release(10)

    assert outcome.code == 1
    assert "within 0.3 s (limit --deadline 0.3, " in outcome.err
    assert "; raise --deadline if the service needs longer" in outcome.err
    assert "deadline=" not in outcome.err


@pytest.mark.parametrize(
    ("message", "spelt"),
    [
        ("raise deadline= if", "raise --deadline if"),
        ("(limit deadline=.5, 1 s)", "(limit --deadline .5, 1 s)"),
        (
            "none within 60 s (limit first_token=60); raise first_token= if",
            "none within 60 s (limit first_token=60); a script can raise first_token= if",
        ),
        ("the service said: deadline=tomorrow", "the service said: deadline=tomorrow"),
    ],
)
def test_only_what_the_command_line_has_is_spelt_in_its_way(message: str, spelt: str) -> None:
    assert spell_options(message) == spelt


def test_a_cut_answer_is_printed_and_then_the_error(cli: Cli, site: AIPowerSite) -> None:
    site.case = "cut"

    outcome = cli("chat", "-p", "chatgptfree", "hello")

    assert (outcome.code, outcome.out) == (1, f"{site.text}\n")
    assert "it was cut off" in outcome.error


def test_two_failures_are_told_in_a_line_each(cli: Cli, site: AIPowerSite) -> None:
    site.case = "plugin_off"

    outcome = cli("chat", "-p", "chatgptfree", "-p", "chatgptfree", "hello")

    assert outcome.code == 1
    assert outcome.err.startswith("Error: none of the 2 providers answered:\n  chatgptfree: ")
    assert outcome.err.count("\n") == 3


class Flood(FakeService):
    """Answers with a page of 50 MB."""

    def respond(self, received: Received) -> Response:
        page = (b"<p>much too much</p>" * 50_000 for _ in range(50))
        return Response(200, {"Content-Type": "text/html"}, page)


@pytest.mark.parametrize("provider", ["chatgptfree", "gizai"])
def test_a_page_of_50_megabytes_is_one_line(cli: Cli, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Flood() as site:
        monkeypatch.setenv(f"PROVIDERS_SDK_{provider.upper()}_URL", site.url)
        outcome = cli("chat", "-p", provider, "hello")

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.error.startswith(f"Error: {provider}: ")


def test_the_words_of_a_service_cannot_write_a_second_line_or_colours(cli: Cli, site: AIPowerSite) -> None:
    site.respond = lambda received: Response(  # type: ignore[method-assign]
        200, {"Content-Type": "text/html"}, b"<title>a\nb\x1b[31m</title>"
    )

    outcome = cli("chat", "-p", "chatgptfree", "hello")

    assert outcome.code == 1
    assert "\x1b" not in outcome.error


CRASHING = """
from providers_sdk.plugin import FinishReason, Provider, hookimpl

class Crashing(Provider):
    offline = True
    default_model = "m"

    def complete(self, request, http):
        yield "a beginning"
        raise KeyError(request.prompt)

@hookimpl
def register_providers(register):
    register("crashing", Crashing)
"""


def test_a_plugin_that_crashes_is_one_line_without_traceback(cli: Cli, plugin: Callable[..., Any]) -> None:
    plugin("crashing", CRASHING)

    outcome = cli("chat", "-p", "crashing", "hello")

    assert (outcome.code, outcome.out) == (1, "a beginning\n")
    assert "KeyError" in outcome.error
    assert "a fault of the plugin" in outcome.error


@pytest.mark.parametrize("where", ["before", "behind", "environment"])
def test_a_traceback_is_shown_to_those_who_ask_for_it(
    cli: Cli, plugin: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    plugin("crashing", CRASHING)
    arguments = ["chat", "-p", "crashing", "hello"]
    if where == "environment":
        monkeypatch.setenv("PROVIDERS_SDK_TRACEBACK", "1")
    else:
        arguments.insert(0 if where == "before" else 4, "--traceback")

    outcome = cli(*arguments)

    assert outcome.code == 1
    assert "raise KeyError(request.prompt)" in outcome.err
    assert outcome.err.splitlines()[-1].startswith("Error: crashing: ")


def test_a_traceback_hides_keys_and_passwords(
    cli: Cli, plugin: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin("crashing", CRASHING)
    monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "sk-very-secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:pass-very-secret@127.0.0.1:9")

    outcome = cli("--traceback", "chat", "-p", "crashing", "sk-very-secret pass-very-secret")

    assert "Traceback" in outcome.err
    assert "KeyError: '[hidden] [hidden]'" in outcome.err


def test_an_error_of_our_own_is_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise LookupError("a bug,\nin two lines")

    monkeypatch.setattr("providers_sdk._engine.client.Client.chat", broken)

    outcome = cli("chat", "-p", "echo", "hello")

    assert outcome.code == 1
    assert outcome.error == "Error: internal LookupError: a bug, in two lines (--traceback shows where)"


# Expected that are nobody's fault


@pytest.mark.parametrize("stdin", [b"hello", b"line after line\n" * 100_000], ids=["short", "long"])
def test_a_reader_who_leaves_ends_it_quietly(launch: Callable[..., subprocess.Popen[bytes]], stdin: bytes) -> None:
    process = launch("chat", "-p", "echo")
    assert process.stdout is not None
    process.stdout.close()

    _, err = process.communicate(stdin, timeout=30)

    assert (process.returncode, err) == (141, b"")


def test_ctrl_c_ends_it_quietly(site: AIPowerSite, launch: Callable[..., subprocess.Popen[bytes]]) -> None:
    gate = threading.Semaphore(1)
    site.before_next_piece = lambda: gate.acquire(timeout=30)
    process = launch(
        "chat", "-p", "chatgptfree", "--no-stdin", "hello", env={"PROVIDERS_SDK_CHATGPTFREE_URL": site.url}
    )
    assert process.stdout is not None

    first = os.read(process.stdout.fileno(), 1000)
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate(timeout=30)
    gate.release(10)

    assert (process.returncode, err) == (130, b"")
    assert (first + rest).decode() == f"{site.reply_pieces[0]}\n"


def test_a_disk_that_is_full_is_one_line(launch: Callable[..., subprocess.Popen[bytes]]) -> None:
    with open("/dev/full", "wb") as full:
        _, err = (process := launch("chat", "-p", "echo", "hello", stdout=full)).communicate(timeout=30)

    assert process.returncode == 1
    assert err == b"Error: the output cannot be written: No space left on device\n"
