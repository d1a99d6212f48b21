"""The journal: one record an outcome, whole after any interruption."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from providers_sdk import Attempt, Outcome, Usage, errors, read_journal
from providers_sdk._engine.batch.journal import Journal
from providers_sdk._engine.batch.keys import Keys
from providers_sdk.errors import JournalError, PromptRejected, RateLimited, Refused
from tests.engine.batch.service import limit_files_to

QUESTION: dict[str, Any] = {"provider": ["acme"], "model": None, "system": None, "options": {}}
KEYS = Keys(QUESTION)
ATTEMPTS = (
    Attempt("acme", "m", "RateLimited", "too many", 429, 0.5, None, 0.25, 300),
    Attempt("acme", "m", "answered", "", 200, 1.5, 0.1, 0.75, 900),
)


def outcome(index: int, text: str = "yes", **more: object) -> Outcome:
    return Outcome(index, None, f"prompt {index}", text, **more)  # type: ignore[arg-type]


def write(path: Path, *outcomes: Outcome) -> None:
    with closing(Journal(path, QUESTION)) as journal:
        for one in outcomes:
            key, done = journal.meet(KEYS.make(str(one.prompt), one.id))
            if not done:
                journal.append(key, one)


def is_done(path: Path, *prompts: str, **arguments: bool) -> list[bool]:
    with closing(Journal(path, QUESTION, **arguments)) as journal:
        return [journal.meet(KEYS.make(prompt, None))[1] for prompt in prompts]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def test_an_outcome_comes_back_as_it_was(path: Path) -> None:
    one = Outcome(
        index=7,
        id="row-7",
        prompt="line\u2028separator \x85 and 🍕\n",
        text='a "quoted"\u2028 answer\r\n',
        attempts=ATTEMPTS,
        usage=Usage(21, 42),
        finish_reason="stop",
        seconds=1.0,
    )
    write(path, one)
    assert list(read_journal(path)) == [one]
    assert one.provider == "acme"


@pytest.mark.parametrize("name", errors.__all__)
def test_an_error_comes_back_with_its_class_and_fields(path: Path, name: str) -> None:
    error = getattr(errors, name)("it failed")
    fields = {"provider": "acme", "model": "m", "url": "https://a.example", "status": 500, "retry_after": 2.5}
    for field, value in {**fields, "partial": "Marg", "finish_reason": "stop"}.items():
        setattr(error, field, value)
    error.attempts, error.usage = ATTEMPTS, Usage(1, None)
    write(path, outcome(0, "", error=error, attempts=ATTEMPTS, usage=Usage(1, None)))
    [found] = read_journal(path)
    assert type(found.error) is type(error)
    assert found.error is not None
    assert error is not None
    assert {**vars(found.error), "args": found.error.args} == {**vars(error), "args": error.args}


def test_each_line_is_json_and_ends_with_a_line_feed_alone(path: Path) -> None:
    write(path, outcome(0, "one\u2028two\x85three\ntwo"), outcome(1, "\ud800 alone"))
    lines = path.read_bytes().split(b"\n")
    assert lines[-1] == b""
    header, *records = map(json.loads, lines[:-1])
    assert (header["journal"], header["question"]) == ("providers-sdk", QUESTION)
    assert [record["text"] for record in records] == ["one\u2028two\x85three\ntwo", "\ud800 alone"]
    assert [record["done"] for record in records] == [True, True]


def test_messages_are_kept_as_role_and_content(path: Path) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    with closing(Journal(path, QUESTION)) as journal:
        journal.append(KEYS.make(messages, None), Outcome(0, None, messages, "Hello"))
    [found] = read_journal(path)
    assert found.prompt == messages


def test_what_is_answered_or_refused_for_good_is_done(path: Path) -> None:
    failures = [
        RateLimited("x"),
        PromptRejected("x"),
        Refused("the model refuses", finish_reason="stop"),
        Refused("a limit"),
    ]
    write(path, *(outcome(index, "", error=error) for index, error in enumerate(failures)), outcome(4))
    prompts = [f"prompt {index}" for index in range(6)]
    assert is_done(path, *prompts) == [False, True, True, False, True, False]
    assert is_done(path, *prompts, retry_failed=False) == [True, True, True, True, True, False]


def test_intended_duplicates_stay_two(path: Path) -> None:
    assert is_done(path, "prompt 0", "prompt 0") == [False, False]
    write(path, outcome(0), outcome(0))
    assert len(list(read_journal(path))) == 2
    assert is_done(path, "prompt 0", "prompt 0", "prompt 0") == [True, True, False]


def test_the_last_outcome_of_a_prompt_counts(path: Path) -> None:
    write(path, outcome(0, "", error=RateLimited("x")), outcome(1))
    write(path, outcome(0, "now"), outcome(2))
    assert [one.text for one in read_journal(path)] == ["yes", "now", "yes"]


def test_another_question_gets_a_header_of_its_own_and_the_same_one_does_not(path: Path) -> None:
    write(path, outcome(0))
    write(path, outcome(1))
    other = {**QUESTION, "model": "large"}
    Journal(path, other).close()
    headers = [json.loads(line) for line in path.read_text().splitlines() if line.startswith('{"journal"')]
    assert [header["question"] for header in headers] == [QUESTION, other]


def test_a_journal_that_another_program_has_formatted_is_read(path: Path) -> None:
    write(path, outcome(0), outcome(1, "", error=RateLimited("x")))
    header, *records = path.read_text().splitlines()
    path.write_text("\n".join([header, *(json.dumps(json.loads(line)) for line in records)]) + "\n")
    assert [one.index for one in read_journal(path)] == [0, 1]
    assert is_done(path, "prompt 0", "prompt 1") == [True, False]


# Interruptions


def test_a_journal_cut_at_any_byte_of_its_last_two_records_is_resumed_rightly(path: Path) -> None:
    write(path, outcome(0), outcome(1, "zwei 🍕\u2028"), outcome(2, "three"))
    whole = path.read_bytes()
    ends = [index + 1 for index, byte in enumerate(whole) if byte == 10]
    for cut in range(ends[1], len(whole) + 1):
        path.write_bytes(whole[:cut])
        kept = sum(cut >= end - 1 for end in ends[1:])  # whole without its line end is whole
        assert len(list(read_journal(path))) == kept
        write(path, outcome(0), outcome(1, "zwei 🍕\u2028"), outcome(2, "three"))
        assert path.read_bytes() == whole, cut


def test_a_journal_cut_in_its_header_begins_anew(path: Path) -> None:
    write(path, outcome(0))
    whole = path.read_bytes()
    for cut in range(whole.index(b"\n") + 1):
        path.write_bytes(whole[:cut])
        assert is_done(path, "prompt 0") == [False]
        assert path.read_bytes().count(b"\n") == 1


@pytest.mark.parametrize("content", [b"my,precious,table\n", b"no line end", b'{"key":"00"}\n', b"\n"])
def test_a_file_that_is_no_journal_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(JournalError, match="is no journal of this library; name another file"):
        Journal(path, QUESTION)
    with pytest.raises(JournalError, match="is no journal"):
        list(read_journal(path))
    assert path.read_bytes() == content


def test_a_damaged_line_in_the_middle_is_an_error_and_stays(path: Path) -> None:
    write(path, outcome(0), outcome(1))
    lines = path.read_bytes().split(b"\n")
    damaged = b"\n".join([lines[0], lines[1][:50], *lines[2:]])
    path.write_bytes(damaged)
    with pytest.raises(JournalError, match="is damaged: a line is no record"):
        Journal(path, QUESTION)
    assert path.read_bytes() == damaged
    with pytest.raises(JournalError, match="is damaged"):
        list(read_journal(path))


def test_a_journal_of_a_later_version_is_refused(path: Path) -> None:
    path.write_text('{"journal":"providers-sdk","version":2,"question":{}}\n')
    with pytest.raises(JournalError, match="is of version 2"):
        Journal(path, QUESTION)


def test_a_second_writer_gets_a_sentence(path: Path) -> None:
    with closing(Journal(path, QUESTION)):
        with pytest.raises(JournalError, match="is in use by another run"):
            Journal(path, QUESTION)
        code = (
            f"from providers_sdk._engine.batch.journal import Journal; from pathlib import Path; "
            f"Journal(Path({str(path)!r}), {{}})"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert "JournalError" in done.stderr
        assert "is in use by another run" in done.stderr
    Journal(path, QUESTION).close()


def test_a_missing_folder_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be opened: No such file or directory"):
        Journal(tmp_path / "nowhere" / "journal", QUESTION)
    with pytest.raises(JournalError, match="cannot be read"):
        list(read_journal(tmp_path / "nowhere"))


def test_a_record_that_does_not_fit_is_taken_back_and_nothing_follows_it(path: Path) -> None:
    write(path, outcome(0))
    size = path.stat().st_size
    with closing(Journal(path, QUESTION)) as journal:
        key, _ = journal.meet(KEYS.make("prompt 1", None))
        with limit_files_to(size + 100), pytest.raises(JournalError, match=r"cannot be written: .*make room"):
            journal.append(key, outcome(1, "x" * 5000))
        with pytest.raises(JournalError, match="cannot be written"):
            journal.append(key, outcome(1))
    assert path.stat().st_size == size
    assert is_done(path, "prompt 0", "prompt 1") == [True, False]


def test_durable_syncs_each_record(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with closing(Journal(path, QUESTION, durable=True)) as journal:
        for index in range(3):
            journal.append(KEYS.make(str(index), None), outcome(index))
    assert len(synced) == 4  # the header, too


@pytest.mark.parametrize(
    "line", [b"[" * 100_000, b'{"key": "ab", "done": true}', b'{"key": "%s", "done": true}' % (b"ab" * 40)]
)
def test_a_line_that_no_run_has_written_is_one_sentence(path: Path, line: bytes) -> None:
    write(path, outcome(0))
    damaged = path.read_bytes() + line + b"\n"
    path.write_bytes(damaged)
    with pytest.raises(JournalError, match="is damaged"):
        Journal(path, QUESTION)
    with pytest.raises(JournalError, match="is damaged"):
        list(read_journal(path))
    assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("seconds", "a while", "'seconds' is str"),
        ("index", None, "'index' is NoneType"),
        ("text", ["yes"], "'text' is list"),
        ("id", {}, "'id' is dict"),
        ("usage", {"prompt_tokens": "many"}, "'prompt_tokens' is str"),
        ("attempts", [{"provider": ["acme"], "model": "m", "outcome": "answered"}], "'provider' is list"),
    ],
)
def test_a_record_whose_field_has_another_type_is_one_sentence(
    path: Path, field: str, value: object, named: str
) -> None:
    write(path, outcome(0, attempts=ATTEMPTS, usage=Usage(1, 2), seconds=1.0))
    header, record = path.read_text().splitlines()
    path.write_text(f"{header}\n{json.dumps({**json.loads(record), field: value})}\n")
    with pytest.raises(JournalError, match=f"is damaged: .*{named}"):
        list(read_journal(path))


@pytest.mark.parametrize(
    "field", ["index", "id", "prompt", "text", "usage", "error", "attempts", "finish_reason", "seconds"]
)
def test_a_record_that_lacks_a_field_names_it(path: Path, field: str) -> None:
    write(path, outcome(0))
    header, line = path.read_text().splitlines()
    record = json.loads(line)
    del record[field]
    path.write_text(f"{header}\n{json.dumps(record)}\n")
    with pytest.raises(JournalError, match=f"is damaged: a record lacks the field '{field}'"):
        list(read_journal(path))


def test_whole_seconds_are_seconds(path: Path) -> None:
    write(path, outcome(0, seconds=1.0))
    path.write_text(path.read_text().replace('"seconds":1.0', '"seconds":1'))
    assert [one.seconds for one in read_journal(path)] == [1]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_refused_and_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(JournalError, match=r"journal\.jsonl is no ordinary file, and a journal is read again"):
        Journal(path, QUESTION)
    with pytest.raises(JournalError, match="is no ordinary file"):
        list(read_journal(path))
