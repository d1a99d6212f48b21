"""``providers chat``: options of the provider, files, JSON."""

import json
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from providers_sdk.cli._chat_options import parse_option
from providers_sdk.testing import FakeService, Received, Response, json_response
from providers_sdk_plugins.fakes.openai import OpenAISite

Cli = Callable[..., Any]
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "chat-json.md"
SCHEMA = json.loads(PAGE.read_text(encoding="utf-8").partition("```json\n")[2].partition("```")[0])


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAISite]:
    """A fake service that ``-p openai`` asks."""
    with OpenAISite() as running:
        monkeypatch.setenv("PROVIDERS_SDK_OPENAI_URL", running.url)
        monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "fake-key")
        yield running


# Options of the provider


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x=0.2", 0.2),
        ("x=3", 3),
        ("x=true", True),
        ("x=null", None),
        ('x=["a", "b"]', ["a", "b"]),
        ('x="3"', "3"),
        ("x=a=b", "a=b"),
        ("x=", ""),
        ("x=NaN", "NaN"),
        ("x=-Infinity", "-Infinity"),
        ("x=[1", "[1"),
        ("x=" + "[" * 100_000, "[" * 100_000),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_value_is_what_it_is_as_json_else_a_string(text: str, value: object) -> None:
    assert parse_option(text) == ("x", value)


def test_options_reach_the_service(cli: Cli, site: OpenAISite) -> None:
    outcome = cli("chat", "-p", "openai", "-o", "temperature=0.5", "--option", 'stop=["END"]', "-o", "seed=7", "Hi")
    assert (outcome.code, outcome.err) == (0, "")
    body = site.requests[0].json()
    assert isinstance(body, dict)
    assert (body["temperature"], body["stop"], body["seed"]) == (0.5, ["END"], 7)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("temperature", "'temperature' is no option of the provider; write NAME=VALUE"),
        ("=3", "'=3' is no option"),
        ("model=gpt", "'model' has an option of its own: -m"),
        ("deadline=3", "'deadline' has an option of its own: --deadline"),
        ("messages=[]", "'messages' is no option of a provider"),
        ("content=x", "'content' is no option of a provider"),
        ("temprature=1", "temprature"),
        ("first_token=soon", "first_token must be a positive number"),
    ],
)
def test_an_option_that_is_none_is_one_line_and_exit_code_2(
    cli: Cli, site: OpenAISite, option: str, words: str
) -> None:
    outcome = cli("chat", "-p", "openai", "-o", option, "Hi")
    assert (outcome.code, outcome.out, site.requests) == (2, "", [])
    assert words in outcome.error


# A file


def test_the_answer_goes_to_a_file_and_nothing_to_stdout(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("chat", "-p", "echo", "--output", str(tmp_path / "answer.txt"), "naïve\r\n🍕")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert (tmp_path / "answer.txt").read_bytes() == "naïve\r\n🍕\n".encode()
    assert list(tmp_path.iterdir()) == [tmp_path / "answer.txt"]


def test_a_file_that_was_there_keeps_its_mode_and_a_failure_leaves_it(
    cli: Cli, tmp_path: Path, site: OpenAISite
) -> None:
    file = tmp_path / "answer.txt"
    file.write_text("old")
    file.chmod(0o604)
    site.case = "cut"
    assert cli("chat", "-p", "openai", "--output", str(file), "Hi").code == 1
    assert file.read_text() == "old"
    site.case = ""
    assert cli("chat", "-p", "openai", "--output", str(file), "Hi").code == 0
    assert file.read_text() == f"{site.text}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o604
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_made_is_refused_before_anything_is_sent(
    cli: Cli, tmp_path: Path, site: OpenAISite
) -> None:
    for path in (tmp_path / "none" / "answer.txt", tmp_path):
        outcome = cli("chat", "-p", "openai", "--output", str(path), "Hi")
        assert (outcome.code, site.requests) == (2, [])
        assert f"--output {path}: the file cannot be made: " in outcome.error


def test_a_device_is_written_to_as_it_is(cli: Cli) -> None:
    assert cli("chat", "-p", "echo", "--output", "/dev/null", "Hi").code == 0
    assert Path("/dev/null").is_char_device()


# JSON


def read_json(outcome: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(outcome.out)
    jsonschema.validate(found, SCHEMA)
    return found


def test_an_answer_is_one_object(cli: Cli, site: OpenAISite) -> None:
    outcome = cli("chat", "-p", "openai", "-m", "gpt-4o", "--json", "Hi")
    found = read_json(outcome)
    assert (outcome.code, outcome.err) == (0, "")
    assert (found["text"], found["provider"], found["model"]) == (site.text, "openai", "gpt-4o")
    assert found["finish_reason"] == "stop"
    assert found["usage"]["total_tokens"] == found["usage"]["prompt_tokens"] + found["usage"]["completion_tokens"]
    assert [attempt["outcome"] for attempt in found["attempts"]] == ["answered"]
    assert 0 <= found["seconds"]["first_token"] <= found["seconds"]["total"]
    assert found["error"] is None


def test_the_object_can_go_to_a_file(cli: Cli, tmp_path: Path) -> None:
    assert cli("chat", "-p", "echo", "--json", "--output", str(tmp_path / "a.json"), "Hi").out == ""
    assert json.loads((tmp_path / "a.json").read_text())["text"] == "Hi"


class Refusing(FakeService):
    """Refuses every question."""

    def respond(self, received: Received) -> Response:
        return json_response({"error": {"message": "You exceeded your quota", "type": "x"}}, status=429)


def test_a_refusal_is_an_object_and_a_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with Refusing() as site:
        monkeypatch.setenv("PROVIDERS_SDK_OPENAI_URL", site.url)
        monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "fake-key")
        outcome = cli("chat", "-p", "openai", "--deadline", "1", "--json", "Hi")
    found = read_json(outcome)
    assert outcome.code == found["error"]["exit_code"] == 1
    assert (found["error"]["type"], found["error"]["status"], found["provider"]) == ("RateLimited", 429, "openai")
    assert outcome.error == f"Error: {found['error']['message']}"
    assert "quota" in found["error"]["message"]


def test_a_time_out_is_an_object_with_what_had_come(cli: Cli, site: OpenAISite) -> None:
    gate = threading.Semaphore(2)
    site.before_next_piece = lambda: gate.acquire(timeout=30)
    outcome = cli("chat", "-p", "openai", "-o", "idle=0.3", "--json", "Hi")
    gate.release(100)
    found = read_json(outcome)
    assert outcome.code == found["error"]["exit_code"] == 1
    assert found["error"]["type"] == "IdleTimeout"
    assert site.text.startswith(found["text"])


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["-p", "echo", "--modle", "x", "Hi"], "NoSuchOption"),
        (["-p", "echo", "--deadline", "soon", "Hi"], "BadParameter"),
        (["-p", "echo", "two", "texts"], "UsageError"),
        (["-p", "ekho", "Hi"], "UnknownProvider"),
        (["-p", "echo", ""], "InvalidMessages"),
        (["-p", "echo", "-o", "temperature=1", "Hi"], "UnsupportedOption"),
    ],
)
def test_a_usage_error_is_an_object_and_a_line(cli: Cli, arguments: list[str], kind: str) -> None:
    outcome = cli("chat", "--json", *arguments)
    found = read_json(outcome)
    assert outcome.code == found["error"]["exit_code"] == 2
    assert (found["error"]["type"], found["text"]) == (kind, "")
    assert outcome.error == f"Error: {found['error']['message']}"


def test_an_error_goes_to_stdout_and_leaves_the_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("old")
    outcome = cli("chat", "-p", "echo", "--json", "--output", str(tmp_path / "a.json"), "")
    assert read_json(outcome)["error"]["type"] == "InvalidMessages"
    assert (tmp_path / "a.json").read_text() == "old"


def test_help_and_a_text_that_is_spelt_like_the_option_are_no_json(cli: Cli) -> None:
    assert cli("chat", "--json", "--help").out.startswith("Usage: providers chat")
    assert cli("chat", "-p", "echo", "--", "--json").out == "--json\n"
    assert cli("chat", "-p", "ekho", "--", "--json").out == ""


# Images and schemas

PNG = b"\x89PNG\r\n\x1a\n"
PIZZA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def test_images_go_with_the_question(cli: Cli, site: OpenAISite, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(PNG)
    images = ["--image", str(tmp_path / "a.png"), "--image", str(tmp_path / "b.png")]
    assert cli("chat", "-p", "openai", *images, "What is this?").out == f"{site.text}\n"
    body = site.requests[0].json()
    assert isinstance(body, dict)
    content = body["messages"][0]["content"]
    assert content[0] == {"type": "text", "text": "What is this?"}
    assert [part["image_url"]["url"][:22] for part in content[1:]] == ["data:image/png;base64,"] * 2


def test_an_image_that_is_none_is_one_line_and_exit_code_2(cli: Cli, site: OpenAISite, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no image")
    for name in ("a.png", "none.png"):
        outcome = cli("chat", "-p", "openai", "--image", str(tmp_path / name), "What is this?")
        assert (outcome.code, outcome.out, site.requests) == (2, "", [])
        assert name in outcome.error


def test_a_schema_gives_json_that_fits_it(cli: Cli, site: OpenAISite, tmp_path: Path) -> None:
    (tmp_path / "pizza.json").write_text(json.dumps(PIZZA))
    site.reply_pieces = ('{"name":', '"Funghi"}')
    arguments = ["chat", "-p", "openai", "--schema", str(tmp_path / "pizza.json"), "Name one"]
    assert json.loads(cli(*arguments).out) == {"name": "Funghi"}
    assert read_json(cli(*arguments, "--json"))["data"] == {"name": "Funghi"}
    site.reply_pieces = ('{"nam":', '"Funghi"}')
    outcome = cli(*arguments, "--json")
    found = read_json(outcome)
    assert (outcome.code, found["error"]["type"], found["data"]) == (1, "InvalidAnswer", None)
    assert found["text"] == '{"nam":"Funghi"}'


@pytest.mark.parametrize(
    ("content", "words"), [("{", "holds no JSON"), ("[]", "holds no JSON Schema, which is an object"), (None, "read")]
)
def test_a_schema_that_is_none_is_one_line_and_exit_code_2(
    cli: Cli, site: OpenAISite, tmp_path: Path, content: str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "pizza.json").write_text(content)
    outcome = cli("chat", "-p", "openai", "--schema", str(tmp_path / "pizza.json"), "Name one")
    assert (outcome.code, site.requests) == (2, [])
    assert words in outcome.error


def test_what_is_for_one_answer_is_refused_in_a_conversation(terminal: Callable[..., Any], tmp_path: Path) -> None:
    for option in (["--json"], ["--output", "x"], ["--image", "x.png"]):
        screen = terminal("chat", "-p", "echo", *option)
        assert screen.end() == 2
        assert f"Error: {option[0]} is for one answer; give a TEXT to ask" in screen.screen
