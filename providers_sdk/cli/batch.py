"""``providers batch``: a file of prompts in, a file of answers out, with a journal between them."""

import json
import shlex
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from providers_sdk import read_journal
from providers_sdk._engine.batch.batch import Batch
from providers_sdk._engine.batch.dask_executor import open_dask
from providers_sdk._engine.batch.items import BatchOptions
from providers_sdk._engine.batch.keys import KEY_SIZE
from providers_sdk._engine.batch.outcome import Outcome
from providers_sdk._engine.client import Client
from providers_sdk._redact import Redactor, userinfo_secrets
from providers_sdk.cli._batch_input import FORMATS, RowSource
from providers_sdk.cli._batch_output import check_output, journal_path, write_output
from providers_sdk.cli._batch_prompts import PromptMaker, check_rows, iter_prompts
from providers_sdk.cli._batch_report import format_report, make_report
from providers_sdk.cli._choice import choose_for_command_line
from providers_sdk.cli._exit_codes import FAILED, traceback_option
from providers_sdk.cli._placeholder import run_fakes_of_placeholders
from providers_sdk.cli._progress import Tracker, format_seconds, show_progress
from providers_sdk.cli._terminal import say
from providers_sdk.errors import ProviderError

__all__ = ["command"]

_GIVEN = "providers_sdk.batch"
_EXAMPLES = 3


class _BatchCommand(click.Command):
    """``batch IN ...`` runs; ``batch report JOURNAL`` reports."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of the run or the report that ``args`` mean."""
        if args[:1] == ["report"]:
            return report.make_context(f"{info_name} report", args[1:], parent, **extra)
        given = list(args)
        context = super().make_context(info_name, args, parent, **extra)
        context.meta[_GIVEN] = given
        return context


@click.command("report", short_help="What a journal holds, in numbers.")
@click.argument("journal", metavar="JOURNAL", type=click.Path(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@traceback_option
def report(journal: str, as_json: bool) -> None:
    """Show counts, errors by class, tokens, and how long the answers of JOURNAL took."""
    found = make_report(read_journal(journal))
    click.echo(json.dumps(found, indent=2) if as_json else format_report(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """The arguments of one run."""

    input: str
    output: str
    kind: str | None
    providers: tuple[str, ...]
    model: str | None
    profile: str | None
    prompt_column: str | None
    template: str | None
    id_column: str | None
    system: str | None
    options: tuple[str, ...]
    deadline: float | None
    proxy: str | None
    workers: int
    rpm: float | None
    max_failures: str | None
    limit: int | None
    retry_failed: bool
    durable: bool
    dry_run: bool
    executor: str | None


@click.command("batch", cls=_BatchCommand, short_help="Ask many prompts from a file, and resume where it stopped.")
@click.argument("input", metavar="IN")
@click.option("--output", metavar="OUT", required=True, help="The file of answers: .jsonl, .csv or .tsv.")
@click.option("--format", "kind", type=click.Choice(FORMATS), help="What IN is, where its suffix does not tell.")
@click.option("-p", "--provider", "providers", metavar="NAME", multiple=True, help="The provider; repeat it for more.")
@click.option("-m", "--model", metavar="MODEL", help="The model to ask for.")
@click.option("--profile", metavar="NAME", help="The profile of the configuration file.")
@click.option("--prompt-column", metavar="NAME", help="The column of the prompts ('prompt', or the only one).")
@click.option("--template", metavar="TEXT", help="A prompt with columns as fields: 'Summarise: {text}'.")
@click.option("--id-column", metavar="NAME", help="The column that identifies a row.")
@click.option("--system", metavar="TEXT", help="A system message before each prompt.")
@click.option("-o", "--option", "options", metavar="KEY=VALUE", multiple=True, help="Such as temperature=0.2.")
@click.option("--deadline", metavar="SECONDS", type=float, help="Seconds for each call (600).")
@click.option("--proxy", metavar="URL", help="Such as http://user:password@host:port; '' for none.")
@click.option("--workers", metavar="N", type=int, default=8, show_default=True, help="Calls in flight at the most.")
@click.option("--rpm", metavar="N", type=float, help="Calls a minute at the most, to each service.")
@click.option("--max-failures", metavar="N", help="Stop once more prompts failed: a count, or a share such as 5%.")
@click.option("--limit", metavar="N", type=click.IntRange(0), help="Only the first N prompts.")
@click.option("--retry-failed/--no-retry-failed", default=True, help="Whether a later run asks again what failed.")
@click.option("--durable", is_flag=True, help="Have each answer on the disk before the next step (fsync).")
@click.option("--dry-run", is_flag=True, help="Show three prompts and the number of calls; ask nothing.")
@click.option("--executor", metavar="ADDRESS", help="dask://HOST:PORT, where a cluster makes the calls.")
@traceback_option
@click.pass_context
def command(ctx: click.Context, /, **arguments: Any) -> None:
    """Ask a prompt for each row of IN, and write the rows with their answers to OUT.

    IN is JSON Lines, CSV, TSV or plain lines, from a file or "-". Each answer is kept in OUT.journal.jsonl as soon as
    it is there: run the same command again to resume after any interruption, or to ask again what failed. OUT is
    written at the end, its rows in the order of IN. "providers batch report JOURNAL" shows what a journal holds.

    Exit codes: 0 all answered, 1 some failed, 2 usage error, 130 interrupted.
    """
    hide = Redactor.of(userinfo_secrets(arguments["proxy"] or ""))  # a log of cron may keep what is said
    again = shlex.join(["providers", "batch", *(hide(word) for word in ctx.meta[_GIVEN])])
    asked = _Run(**arguments)
    check_output(Path(asked.output))
    with closing(RowSource(asked.input, asked.kind)) as source:
        ctx.exit(_run(asked, source, again))


def _run(asked: _Run, source: RowSource, again: str) -> int:
    maker = PromptMaker(source.columns, column=asked.prompt_column, template=asked.template, id_column=asked.id_column)
    total = check_rows(source, maker, asked.limit) if source.is_file else None
    with _open_client(asked) as (client, names):
        if asked.dry_run:
            return _show_plan(asked, source, maker, total, names)
        keys = bytearray()
        batch = _open_batch(asked, client, names, source, maker, keys)
        with closing(batch):
            return _ask(asked, batch, source, keys, total, again)


@contextmanager
def _open_client(asked: _Run) -> Iterator[tuple[Client, list[str]]]:
    limits: dict[str, Any] = {} if asked.deadline is None else {"deadline": asked.deadline}
    with (
        run_fakes_of_placeholders(asked.providers, profile=asked.profile) as arguments,
        Client(
            list(asked.providers) or None,
            model=asked.model,
            profile=asked.profile,
            **{"proxy": asked.proxy, **arguments},
            **limits,
        ) as client,
    ):
        yield client, list(map(str, choose_for_command_line(client, named=bool(asked.providers)).names))


def _open_batch(
    asked: _Run, client: Client, names: list[str], source: RowSource, maker: PromptMaker, keys: bytearray
) -> Batch:
    options = BatchOptions(
        workers=asked.workers,
        journal=journal_path(Path(asked.output)),
        id=None if asked.id_column is None else "id",
        max_failures=_parse_share(asked.max_failures),
        rpm=asked.rpm,
        executor=None if asked.executor is None else open_dask(asked.executor),
        durable=asked.durable,
        retry_failed=asked.retry_failed,
        system=asked.system,
    )
    return Batch(
        client,
        iter_prompts(source, maker, asked.limit),
        options,
        {"provider": names, **dict(map(_parse_option, asked.options))},
        open_client=Client,
        observe=lambda key, done: keys.extend(key),
    )


def _ask(asked: _Run, batch: Batch, source: RowSource, keys: bytearray, total: int | None, again: str) -> int:
    started, errors = time.monotonic(), Counter[str]()
    try:
        with show_progress(Tracker(lambda: batch.progress, total, started)):
            for outcome in batch:
                if outcome.error is not None:
                    errors[type(outcome.error).__name__] += 1
    except (KeyboardInterrupt, ProviderError):
        batch.close()
        _say_summary(batch, errors, time.monotonic() - started)
        say(f"It stopped before its end; resume with: {again}")
        raise
    write_output(Path(asked.output), source.columns, source.rows(), _iter_outcomes(batch, keys))
    failed = _say_summary(batch, errors, time.monotonic() - started)
    if failed:
        say(f"Ask again what failed with: {again}")
    return FAILED if failed else 0


def _iter_outcomes(batch: Batch, keys: bytearray) -> Iterator[Outcome | None]:
    journal = batch.journal
    for start in range(0, len(keys), KEY_SIZE):
        yield journal.read(bytes(keys[start : start + KEY_SIZE])) if journal is not None else None


def _say_summary(batch: Batch, errors: Counter[str], seconds: float) -> int:
    progress = batch.progress
    kinds = ", ".join(f"{count:,} {name}" for name, count in errors.most_common())
    skipped = f", {progress.skipped:,} finished before" if progress.skipped else ""
    say(
        f"{progress.answered:,} answered, {progress.failed:,} failed{f' ({kinds})' if kinds else ''}{skipped}, "
        f"in {format_seconds(seconds)}"
    )
    return progress.failed


def _show_plan(asked: _Run, source: RowSource, maker: PromptMaker, total: int | None, names: list[str]) -> int:
    examples: list[Any] = []
    count = 0
    for row in iter_prompts(source, maker, asked.limit):
        count += 1
        if len(examples) < _EXAMPLES:
            examples.append(row["prompt"])
        elif total is not None:
            break
    for number, prompt in enumerate(examples, 1):
        click.echo(f"--- prompt {number}\n{prompt if isinstance(prompt, str) else json.dumps(prompt)}")
    click.echo(f"--- {total if total is not None else count:,} calls to {', '.join(names)}")
    return 0


def _parse_option(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.UsageError(f"-o takes KEY=VALUE, such as temperature=0.2, not {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _parse_share(text: str | None) -> float | None:
    try:
        if text is None:
            return None
        return float(text.removesuffix("%")) / 100 if text.endswith("%") else int(text)
    except ValueError:
        raise click.UsageError(f"--max-failures takes a count or a share such as 5%, not {text!r}") from None
