"""``providers chat``: one question and its answer, or on a terminal a conversation."""

import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import click

from providers_sdk._engine.client import Client
from providers_sdk._model.limits import MAX_SECONDS
from providers_sdk._model.messages import Message
from providers_sdk.cli._answer import print_reply
from providers_sdk.cli._choice import choose_for_command_line
from providers_sdk.cli._exit_codes import Run, traceback_option
from providers_sdk.cli._placeholder import run_fakes_of_placeholders
from providers_sdk.cli._repl import run_repl
from providers_sdk.cli._stdin import read_standard_input
from providers_sdk.cli._terminal import say, say_dim
from providers_sdk.errors import DeadlineExceeded
from providers_sdk.plugin import ModelReplaced, PluginShadowed, PromptAltered

__all__ = ["command"]

_OWN_WARNINGS = (ModelReplaced, PluginShadowed, PromptAltered)


@click.command("chat", short_help="Ask a provider, and print the answer as it arrives.")
@click.option(
    "-p",
    "--provider",
    "providers",
    metavar="NAME",
    multiple=True,
    help="The provider to ask; repeat it to name others in case that one fails. DIST:NAME picks one distribution's.",
)
@click.option("-m", "--model", metavar="MODEL", help="The model to ask for.")
@click.option("--profile", metavar="NAME", help="The profile of the configuration file.")
@click.option("--system", metavar="TEXT", help="A system message.")
@click.option("--deadline", metavar="SECONDS", type=float, help="Seconds for everything (600).")
@click.option("--no-stdin", is_flag=True, help="Ask TEXT alone; standard input is not read.")
@click.option("--no-stream", is_flag=True, help="Ask the service for the whole answer at once.")
@click.option("--proxy", metavar="URL", help="Such as http://user:password@host:port; '' for none.")
@traceback_option
@click.argument("texts", metavar="[TEXT]", nargs=-1)
@click.pass_context
def command(
    ctx: click.Context,
    providers: tuple[str, ...],
    model: str | None,
    profile: str | None,
    system: str | None,
    deadline: float | None,
    no_stdin: bool,
    no_stream: bool,
    proxy: str | None,
    texts: tuple[str, ...],
) -> None:
    """Ask TEXT and what comes on standard input, and print the answer as it arrives.

    Where both are given, both are sent, TEXT first: cat report.txt | providers chat "Summarise this". "-" as TEXT means
    standard input alone. In a loop that reads standard input itself, give --no-stdin, or the rest of it is asked at
    once. Without either, on a terminal, it is a conversation: Ctrl-C ends an answer, Ctrl-D the conversation.

    Answers go to standard output, all else to standard error. Exit codes: 0 answered, 1 the provider failed, 2 usage
    error.
    """
    text = _decode_argument(_require_one_text(ctx, texts, no_stdin=no_stdin)) if texts or no_stdin else None
    limits: Mapping[str, Any] = {} if deadline is None else {"deadline": deadline}
    with (
        _show_warnings_as_lines(),
        run_fakes_of_placeholders(providers, profile=profile) as arguments,
        Client(
            list(providers) or None, model=model, profile=profile, **{"proxy": proxy, **arguments}, **limits
        ) as client,
    ):
        chosen = list(map(str, choose_for_command_line(client, named=bool(providers)).names))
        if text is None and sys.stdin.isatty():
            conversation = client.conversation(system=system, stream=not no_stream, provider=chosen)
            run_repl(client, conversation, chosen, ctx.ensure_object(Run))
            return
        question = _Question(text, no_stdin, client.limits.deadline)
        prompt = question.read()
        messages = [Message("system", _decode_argument(system)), Message("user", prompt)] if system else prompt
        print_reply(
            lambda: client.chat(messages, provider=chosen, stream=not no_stream, deadline=question.seconds_left)
        )


def _require_one_text(ctx: click.Context, texts: tuple[str, ...], *, no_stdin: bool) -> str:
    if len(texts) > 1:
        raise click.UsageError("TEXT is one argument; put it in quotes", ctx)
    if no_stdin and texts in ((), ("-",)):
        raise click.UsageError("--no-stdin needs a TEXT to ask", ctx)
    return texts[0]


@dataclass(slots=True)
class _Question:
    """The question, and how much of the deadline is left once it was read.

    :param text: the argument; ``None`` where there is none.
    :param seconds_left: of the deadline.
    """

    text: str | None
    no_stdin: bool
    seconds_left: float | None

    def read(self) -> str:
        """Return the argument, then what standard input holds."""
        if self.text in (None, "-"):
            return self._read_standard_input(optional=False)
        if self.no_stdin or sys.stdin.isatty():
            return self.text or ""
        piped = self._read_pipe()
        if not piped.strip():
            return self.text or ""
        say_dim(f"{len(piped):,} characters of standard input are sent behind the text")
        return f"{self.text}\n\n{piped}"

    def _read_pipe(self) -> str:
        try:
            return self._read_standard_input(optional=True)
        except DeadlineExceeded:
            raise
        except OSError as error:  # such as one that is open for writing only
            say_dim(f"standard input is not sent: it cannot be read ({error})")
            return ""

    def _read_standard_input(self, *, optional: bool) -> str:
        started, seconds = monotonic(), self.seconds_left or MAX_SECONDS
        text = read_standard_input(seconds, optional=optional)
        self.seconds_left = max(round(seconds - (monotonic() - started), 3), 0.001)
        return text


def _decode_argument(text: str) -> str:
    """Return an argument read as UTF-8, whatever the locale made of it."""
    try:
        return os.fsencode(text).decode()
    except UnicodeError:
        return text


@contextmanager
def _show_warnings_as_lines() -> Iterator[None]:
    """Show each of this library's own warnings once, as one line on stderr."""
    with warnings.catch_warnings():
        for category in _OWN_WARNINGS:
            warnings.simplefilter("default", category)
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, _OWN_WARNINGS):
                say(f"Warning: {message}")
            else:
                usual(message, category, *where, **more)

        warnings.showwarning = show
        yield
