"""``providers batch``: files in, files out, and resuming."""

import csv
import io
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from providers_sdk._engine.batch.schedule import Progress
from providers_sdk.cli._progress import Tracker, format_seconds
from tests.engine.batch.service import BatchService, hang, refuse

Cli = Callable[..., Any]


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchService]:
    with BatchService() as running:
        monkeypatch.setenv("PROVIDERS_SDK_OPENAI_URL", running.url)
        monkeypatch.setenv("PROVIDERS_SDK_OPENAI_KEY", "fake-key")
        yield running


def write(name: str, text: str) -> str:
    Path(name).write_bytes(text.encode())
    return name


def read_rows(name: str) -> list[dict[str, Any]]:
    text = Path(name).read_bytes().decode()
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in text.split("\n")[:-1]]
    with Path(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if name.endswith(".tsv") else ","))


# Formats


@pytest.mark.parametrize(
    ("name", "text", "prompts"),
    [
        ("in.txt", "one\n\ntwo\r\nthree", ["one", "two", "three"]),
        ("in.txt", "\ufeffa\u2028b\x85c\n", ["a\u2028b\x85c"]),
        ("in.jsonl", '{"prompt": "one", "n": 1}\n"two"\n\n{"prompt": "three"}\n', ["one", "two", "three"]),
        ("in.csv", 'prompt,x\n"a ""quoted"", cell\nof two lines",1\nb,2\n', ['a "quoted", cell\nof two lines', "b"]),
        ("in.csv", "\ufeffprompt\r\none\r\ntwo\r\n", ["one", "two"]),
        ("in.tsv", "prompt\tx\na, b\t1\n", ["a, b"]),
        ("in.csv", "question\none\n", ["one"]),
    ],
)
def test_each_format_is_read(cli: Cli, name: str, text: str, prompts: list[str]) -> None:
    outcome = cli("batch", write(name, text), "--output", "out.jsonl", "-p", "echo")
    assert outcome.code == 0, outcome.err
    assert [row["answer"] for row in read_rows("out.jsonl")] == prompts


@pytest.mark.parametrize("output", ["out.csv", "out.tsv", "out.jsonl"])
def test_the_output_keeps_the_rows_in_order_and_their_columns(cli: Cli, site: BatchService, output: str) -> None:
    rows = "".join(f'{index},"text, {index}"\n' for index in range(30))
    arguments = ("batch", write("in.csv", "id,text\n" + rows), "--output", output, "-p", "openai")
    outcome = cli(*arguments, "--template", "Say {text}!", "--id-column", "id")
    assert outcome.code == 0, outcome.err
    found = read_rows(output)
    assert [(row["id"], row["text"], row["answer"]) for row in found] == [
        (str(index), f"text, {index}", f"yes: Say text, {index}!") for index in range(30)
    ]
    assert list(found[0]) == [
        "id",
        "text",
        *("answer", "error", "finish_reason", "provider", "prompt_tokens", "completion_tokens", "seconds"),
    ]
    assert (found[0]["provider"], str(found[0]["completion_tokens"])) == ("openai", "2")
    assert not Path(f"{output}.part").exists()


def test_a_column_that_is_there_already_is_kept_and_the_new_one_gets_a_number(cli: Cli) -> None:
    cli("batch", write("in.csv", "prompt,answer\na,old\n"), "--output", "out.csv", "-p", "echo")
    [row] = read_rows("out.csv")
    assert (row["answer"], row["answer_2"]) == ("old", "a")


def test_cells_of_ten_megabytes_are_read_and_written(cli: Cli) -> None:
    text = "x" * 5_000_000 + '"\n' + "y" * 5_000_000
    cell = text.replace('"', '""')
    outcome = cli(
        "batch", write("in.csv", f'id,prompt\n1,"{cell}"\n'), "--output", "out.csv", "-p", "echo", "--limit", "0"
    )
    assert outcome.code == 0, outcome.err
    outcome = cli("batch", write("in.csv", f'id,prompt,note\n1,short,"{cell}"\n'), "--output", "out.csv", "-p", "echo")
    assert outcome.code == 0, outcome.err
    csv.field_size_limit(2**31 - 1)
    assert read_rows("out.csv")[0]["note"] == text


def test_standard_input_is_lines_or_json(cli: Cli) -> None:
    assert cli("batch", "-", "--output", "a.jsonl", "-p", "echo", stdin=b"one\ntwo\n").code == 0
    assert cli("batch", "-", "--output", "b.jsonl", "-p", "echo", stdin=b'{"prompt": "one"}\n').code == 0
    assert cli("batch", "-", "--output", "c.csv", "--format", "csv", "-p", "echo", stdin=b"prompt\none\n").code == 0
    answers = [[row["answer"] for row in read_rows(name)] for name in ("a.jsonl", "b.jsonl", "c.csv")]
    assert answers == [["one", "two"], ["one"], ["one"]]


def test_of_endless_input_only_the_limit_is_read(launch: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = launch("batch", "-", "--output", "out.jsonl", "-p", "echo", "--limit", "5", "--workers", "2")
    assert process.stdin is not None
    process.stdin.write(b"".join(b"%d\n" % number for number in range(5)))
    process.stdin.flush()  # and no end of the input
    assert process.wait(30) == 0
    assert len(read_rows("out.jsonl")) == 5


def test_messages_system_and_options_are_sent(cli: Cli, site: BatchService) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    row = json.dumps({"prompt": messages})
    arguments = ("batch", write("in.jsonl", row), "--output", "out.jsonl", "-p", "openai", "--system", "Be brief.")
    assert cli(*arguments, "-o", "temperature=0.5", "-o", 'stop=["x"]', "-m", "large").code == 0
    body = site.requests[0].json()
    assert isinstance(body, dict)
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, *messages]
    assert (body["temperature"], body["stop"], body["model"]) == (0.5, ["x"], "large")


# Mistakes: before anything is asked


@pytest.mark.parametrize(
    ("name", "text", "arguments", "message"),
    [
        ("in.csv", "id,text\n1,a\n", (), "which column is the prompt? Name it with --prompt-column, or give a --t"),
        ("in.csv", "id,text\n1,a\n", ("--prompt-column", "txt"), "has no column 'txt'; it has id, text; did you mean"),
        ("in.csv", "id,text\n1,a\n", ("--template", "{txt}"), "has no column 'txt'"),
        ("in.csv", "id,text\n1,a\n", ("--template", "{text"), "the template has a lone '{'"),
        ("in.csv", "id,text\n1,a\n", ("--template", "{text}", "--id-column", "key"), "has no column 'key'"),
        ("in.csv", "id,text\n1,a\n", ("--template", "{text}", "--prompt-column", "text"), "not both"),
        ("in.csv", "prompt\na\n \n", (), "line 3 of in.csv has an empty prompt"),
        ("in.csv", "prompt,prompt\na,b\n", (), "has two columns 'prompt'"),
        ("in.csv", "prompt,x\na,b,c\n", (), "line 2 of in.csv has 3 cells, its first line 2"),
        ("in.csv", 'prompt\n"a', (), "line 2 of in.csv cannot be read: unexpected end of data"),
        (
            "in.jsonl",
            '{"prompt": "a"}\n{"text": "b"}\n',
            (),
            "line 2 of in.jsonl: there is no 'prompt'; the row",
        ),
        ("in.jsonl", '{"prompt": "a"}\n[1]\n', (), "line 2 of in.jsonl is no JSON object: [1]"),
        ("in.txt", "a\n", ("-o", "temperature"), "-o takes KEY=VALUE"),
        ("in.txt", "a\n", ("--max-failures", "few"), "--max-failures takes a count or a share"),
        ("in.txt", "a\n", ("--workers", "0"), "workers must be a whole number from 1"),
        ("in.txt", "a\n", ("--executor", "local"), "the executor must be an address such as dask://"),
    ],
)
def test_a_mistake_is_a_sentence_and_nothing_is_asked(
    cli: Cli, site: BatchService, name: str, text: str, arguments: tuple[str, ...], message: str
) -> None:
    outcome = cli("batch", write(name, text), "--output", "out.csv", "-p", "openai", *arguments)
    assert outcome.code == 2
    assert message in outcome.error
    assert site.requests == []


def test_a_byte_that_is_no_utf_8_is_named_with_its_line(cli: Cli) -> None:
    Path("in.txt").write_bytes(b"one\n\xfftwo\n")
    outcome = cli("batch", "in.txt", "--output", "out.csv", "-p", "echo")
    assert outcome.code == 2
    assert "line 2 of in.txt is not UTF-8: byte 0xff" in outcome.error


@pytest.mark.parametrize(
    ("source", "output", "message"),
    [
        ("in.txt", "out.xlsx", "must end with .jsonl, .csv or .tsv"),
        ("in.txt", "nowhere/out.csv", "the folder nowhere is not there"),
        ("nowhere.txt", "out.csv", "nowhere.txt cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(cli: Cli, source: str, output: str, message: str) -> None:
    write("in.txt", "a\n")
    outcome = cli("batch", source, "--output", output, "-p", "echo")
    assert outcome.code == 2
    assert message in outcome.error


@pytest.mark.parametrize(("name", "text"), [("in.txt", ""), ("in.jsonl", ""), ("in.csv", "prompt,x\n"), ("in.csv", "")])
def test_empty_input_is_an_empty_output(cli: Cli, name: str, text: str) -> None:
    outcome = cli("batch", write(name, text), "--output", "out.csv", "-p", "echo")
    assert outcome.code == 0
    assert outcome.err == "0 answered, 0 failed, in 0 s\n"
    assert read_rows("out.csv") == []


def test_a_dry_run_shows_three_prompts_and_the_number_of_calls(cli: Cli, site: BatchService) -> None:
    write("in.csv", "text\n" + "".join(f"t{index}\n" for index in range(10)))
    outcome = cli("batch", "in.csv", "--output", "out.csv", "-p", "openai", "--template", "{{Say}} {text}", "--dry-run")
    assert outcome.out == "".join(f"--- prompt {n + 1}\n{{Say}} t{n}\n" for n in range(3)) + "--- 10 calls to openai\n"
    assert (outcome.code, site.requests, os.listdir()) == (0, [], ["in.csv"])


# Resuming


def test_some_failures_are_exit_code_1_and_the_same_command_asks_them_again(cli: Cli, site: BatchService) -> None:
    site._behave = lambda prompt, asked: refuse(501) if prompt == "b" and asked == 1 else None
    arguments = ("batch", write("in.txt", "a\nb\nc\n"), "--output", "out.jsonl", "-p", "openai")
    first = cli(*arguments)
    assert first.code == 1
    assert "2 answered, 1 failed (1 HTTPStatusError), in 0 s" in first.err
    assert "Ask again what failed with: providers batch in.txt --output out.jsonl -p openai" in first.err
    assert [row["answer"] for row in read_rows("out.jsonl")] == ["yes: a", None, "yes: c"]
    assert read_rows("out.jsonl")[1]["error"].startswith("HTTPStatusError: openai: answered 501")
    second = cli(*arguments)
    assert second.code == 0
    assert "1 answered, 0 failed, 2 finished before, in 0 s" in second.err
    assert [row["answer"] for row in read_rows("out.jsonl")] == ["yes: a", "yes: b", "yes: c"]
    assert site.asked == {"a": 1, "b": 2, "c": 1}


def test_duplicates_and_a_new_order_keep_their_answers(cli: Cli, site: BatchService) -> None:
    cli("batch", write("in.txt", "a\nb\na\n"), "--output", "out.jsonl", "-p", "openai")
    cli("batch", write("in.txt", "c\na\nb\na\n"), "--output", "out.jsonl", "-p", "openai")
    assert [row["answer"] for row in read_rows("out.jsonl")] == ["yes: c", "yes: a", "yes: b", "yes: a"]
    assert site.asked == {"a": 2, "b": 1, "c": 1}


def test_ctrl_c_says_how_to_resume_and_keeps_what_is_finished(
    site: BatchService, launch: Callable[..., subprocess.Popen[bytes]]
) -> None:
    gate = threading.Event()
    site._wait = lambda prompt: gate.wait(30) if prompt != "p0" else None
    env = {"PROVIDERS_SDK_OPENAI_URL": site.url, "PROVIDERS_SDK_OPENAI_KEY": "fake-key"}
    write("in.txt", "".join(f"p{index}\n" for index in range(20)))
    arguments = ("batch", "in.txt", "--output", "out.jsonl", "-p", "openai", "--workers", "2")
    process = launch(*arguments, env=env)
    journal = Path("out.jsonl.journal.jsonl")
    until = time.monotonic() + 30
    while not (journal.exists() and journal.read_bytes().count(b"\n") == 2) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    threading.Timer(0.3, gate.set).start()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"It stopped before its end; resume with: providers batch in.txt --output out.jsonl" in err
    assert not Path("out.jsonl").exists()
    assert launch(*arguments, env=env).wait(60) == 0
    assert len(read_rows("out.jsonl")) == 20
    assert set(site.asked.values()) == {1}


def test_more_failures_than_allowed_stop_it_with_a_sentence(cli: Cli, site: BatchService) -> None:
    site._behave = lambda *_: refuse(501)
    write("in.txt", "".join(f"p{index}\n" for index in range(100)))
    outcome = cli("batch", "in.txt", "--output", "out.jsonl", "-p", "openai", "--max-failures", "3", "--workers", "1")
    assert outcome.code == 1
    assert "4 prompts failed, more than 3 (max_failures)" in outcome.err
    assert len(site.requests) <= 5


def test_a_run_beside_another_gets_a_sentence(site: BatchService, cli: Cli, launch: Any) -> None:
    site.fault = hang
    env = {"PROVIDERS_SDK_OPENAI_URL": site.url, "PROVIDERS_SDK_OPENAI_KEY": "fake-key"}
    arguments = ("batch", write("in.txt", "a\n"), "--output", "out.jsonl", "-p", "openai")
    launch(*arguments, env=env)
    until = time.monotonic() + 30
    while not site.requests and time.monotonic() < until:
        time.sleep(0.01)
    outcome = cli(*arguments)
    assert outcome.code == 1
    assert "is in use by another run" in outcome.err


# The report


def test_the_report_counts(cli: Cli, site: BatchService) -> None:
    site._behave = lambda prompt, _: refuse(501) if prompt == "b" else None
    cli("batch", write("in.txt", "a\nb\nc\n"), "--output", "out.jsonl", "-p", "openai")
    report = json.loads(cli("batch", "report", "out.jsonl.journal.jsonl", "--json").out)
    assert {name: report[name] for name in ("prompts", "answered", "to_be_asked_again", "refused_for_good")} == {
        "prompts": 3,
        "answered": 2,
        "to_be_asked_again": 1,
        "refused_for_good": 0,
    }
    assert (report["errors"], report["providers"]) == ({"HTTPStatusError": 1}, {"openai": 2})
    assert report["tokens"] == {"prompt": 2, "completion": 4}
    assert list(report["seconds"]) == ["p50", "p90", "p99", "max"]
    shown = cli("batch", "report", "out.jsonl.journal.jsonl").out
    assert "errors: HTTPStatusError" in shown
    assert cli("batch", "report", "nowhere").code == 1


# The progress


PROGRESS = Progress(answered=900, failed=12, skipped=300, in_flight=64, waiting=3, pauses={"groq": 4.2})


def draw(tracker: Tracker, width: int = 80) -> list[str]:
    console = Console(width=width, force_terminal=True, color_system=None, file=io.StringIO())
    with console.capture() as captured:
        console.print(tracker.render(width))
    return captured.get().rstrip("\n").split("\n")


def test_the_bar_fits_eighty_columns_and_shows_a_pause() -> None:
    tracker = Tracker(lambda: PROGRESS, 2000, time.monotonic() - 60)
    line, pause = draw(tracker)
    assert len(line.rstrip()) <= 80
    assert "1,212/2,000 done  12 failed  64 in flight  912/min  52 s left" in line
    assert pause.strip() == "groq pauses for 4 s"


def test_without_a_total_nothing_is_promised() -> None:
    [line] = draw(Tracker(lambda: Progress(answered=7, in_flight=1), None, time.monotonic() - 60))
    assert "7 done  0 failed  1 in flight  7/min" in line
    assert "left" not in line


def test_a_pipe_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Tracker(lambda: PROGRESS, 2000, time.monotonic() - 60).print_line()
    assert capsys.readouterr().err == (
        "1,212/2,000 done, 12 failed, 64 in flight, 912/min, 52 s left, groq pauses for 4 s\n"
    )


def test_a_terminal_gets_a_bar_that_goes_away(terminal: Callable[..., Any]) -> None:
    write("in.txt", "a\nb\n")
    screen = terminal("batch", "in.txt", "--output", "out.jsonl", "-p", "echo", env={"TERM": "xterm"})
    assert screen.end() == 0
    assert "2 answered, 0 failed, in 0 s" in screen.screen


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (125, "2 min 5 s"), (11520, "3 h 12 min")])
def test_durations_are_for_readers(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_how_to_resume_is_said_without_the_password_of_the_proxy(run: Callable[..., Any]) -> None:
    write("in.txt", "p0\n")
    proxy = "http://me:the-password@127.0.0.1:9"
    env = {"PROVIDERS_SDK_OPENAI_KEY": "fake-key"}
    outcome = run("batch", "in.txt", "--output", "out.jsonl", "-p", "openai", "--proxy", proxy, env=env)
    assert "--proxy 'http://[hidden]@127.0.0.1:9'" in outcome.err
    assert "the-password" not in outcome.err


def test_a_line_that_is_nested_too_deeply_is_named(run: Callable[..., Any]) -> None:
    write("in.jsonl", '{"prompt": "p0"}\n' + "[" * 100_000 + "\n")
    outcome = run("batch", "in.jsonl", "--output", "out.jsonl", "-p", "echo")
    assert outcome.code == 2
    assert "line 2 of in.jsonl" in outcome.err


def test_no_link_beside_the_output_is_written_through(run: Callable[..., Any]) -> None:
    write("in.txt", "p0\n")
    write("precious.txt", "precious")
    Path("out.csv.part").symlink_to("precious.txt")
    assert run("batch", "in.txt", "--output", "out.csv", "-p", "echo").code == 0
    assert Path("precious.txt").read_text() == "precious"
    assert not Path("out.csv").is_symlink()
