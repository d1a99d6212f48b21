"""``providers chat``: one question and its answer, or on a terminal a conversation."""

import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from providers_sdk._engine.client import Client
from providers_sdk._model.messages import MAX_CHARACTERS, Message
from providers_sdk.cli._answer import print_reply
from providers_sdk.cli._exit_codes import Run, traceback_option
from providers_sdk.cli._placeholder import stand_ins_of_drafts
from providers_sdk.cli._repl import talk
from providers_sdk.cli._terminal import say
from providers_sdk.errors import InvalidMessages
from providers_sdk.plugin import ModelReplaced, PluginShadowed

__all__ = ["command"]

_OWN_WARNINGS = (ModelReplaced, PluginShadowed)
_MOST_BYTES = 4 * MAX_CHARACTERS  # whatever is longer need not be read to be refused


@click.command("chat", short_help="Ask a provider, and print the answer as it arrives.")
@click.option(
    "-p",
    "--provider",
    "providers",
    metavar="NAME",
    multiple=True,
    help="Whom to ask; repeat it to name others in case that one fails. DIST:NAME picks one distribution's.",
)
@click.option("-m", "--model", metavar="MODEL", help="The model to ask for.")
@click.option("--system", metavar="TEXT", help="A system message.")
@click.option("--deadline", metavar="SECONDS", type=float, help="Seconds for everything (600).")
@click.option("--no-stream", is_flag=True, help="Ask the service for the whole answer at once.")
@click.option("--proxy", metavar="URL", help="Such as http://user:password@host:port; '' for none.")
@traceback_option
@click.argument("texts", metavar="[TEXT]", nargs=-1)
@click.pass_context
def command(
    ctx: click.Context,
    providers: tuple[str, ...],
    model: str | None,
    system: str | None,
    deadline: float | None,
    no_stream: bool,
    proxy: str | None,
    texts: tuple[str, ...],
) -> None:
    """Ask TEXT, or what comes on standard input, and print the answer as it arrives.

    Without either, on a terminal, it is a conversation: Ctrl-C ends an answer, Ctrl-D the conversation.

    Answers go to standard output, all else to standard error. Exit codes: 0 answered, 1 the provider failed, 2 asked
    wrongly.
    """
    if len(texts) > 1:
        raise click.UsageError("TEXT is one argument; put it in quotes", ctx)
    limits: Mapping[str, Any] = {} if deadline is None else {"deadline": deadline}
    with (
        _warnings_as_lines(),
        stand_ins_of_drafts(providers) as draft,
        Client(list(providers) or None, model=model, **{"proxy": proxy, **draft}, **limits) as client,
    ):
        if texts or not sys.stdin.isatty():
            prompt = _typed(texts[0]) if texts else _standard_input()
            messages = [Message("system", _typed(system)), Message("user", prompt)] if system else prompt
            print_reply(lambda: client.chat(messages, stream=not no_stream))
        else:
            talk(client, client.conversation(system=system, stream=not no_stream), ctx.ensure_object(Run))


def _typed(words: str) -> str:
    """Return an argument read as UTF-8, whatever the locale took it for."""
    try:
        return os.fsencode(words).decode()
    except UnicodeError:
        return words


def _standard_input() -> str:
    data = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise InvalidMessages(f"standard input is too long; at most {MAX_CHARACTERS} characters can be sent")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidMessages(
            f"standard input is not UTF-8: byte 0x{data[error.start]:02x} at position {error.start}; convert it first"
        ) from None


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
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
