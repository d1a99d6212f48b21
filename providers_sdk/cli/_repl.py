"""A conversation on the terminal: the prompt and notes on stderr, the answers on stdout, with a history."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic

from providers_sdk._engine.client import Client, get_binder
from providers_sdk._engine.conversation import get_turns
from providers_sdk._engine.reply import Reply
from providers_sdk._model.names import ProviderName
from providers_sdk.cli._answer import describe_answer, print_reply
from providers_sdk.cli._exit_codes import Run, explain
from providers_sdk.cli._prompt import make_reader
from providers_sdk.cli._slash import find_action
from providers_sdk.cli._talk import Talk
from providers_sdk.cli._terminal import say, say_dim
from providers_sdk.errors import PluginError, ProviderError

__all__ = ["run_repl"]


def run_repl(talk: Talk, run: Run) -> None:
    """Ask line after line until the end of the input.

    :raises InvalidCall: the providers that were named cannot be asked at all.
    :raises KeyboardInterrupt: Ctrl-C at the prompt.
    """
    names = _describe_providers(talk.client, talk.names)
    say(f"You talk to {names}. Ctrl-C ends an answer, Ctrl-D the conversation.")
    say("/help shows the commands; a line that begins with a slash is never sent.")
    for line in iter(make_reader(talk.describe), None):
        if line.strip() and not _take_line(talk, line, run):
            return


def _describe_providers(client: Client, names: Sequence[ProviderName]) -> str:
    for name in names:
        with suppress(PluginError):  # a broken one among several is skipped
            get_binder(client).get_kind(name.name)
    return ", or else ".join(map(str, names))


def _take_line(talk: Talk, line: str, run: Run) -> bool:
    """Ask the question or run the command; return whether the conversation goes on."""
    try:
        action = find_action(talk, line)
    except (ProviderError, OSError) as error:
        explain(error, with_traceback=run.traceback)
        return True
    if action.retry:
        _take_turn(talk, talk.retry, run)
    elif action.text is not None:
        question = action.text
        _take_turn(talk, lambda: talk.ask(question), run)
    return not action.leave


def _take_turn(talk: Talk, ask: Callable[[], Reply], run: Run) -> None:
    started, before = monotonic(), get_turns(talk.conversation)
    try:
        reply = print_reply(ask)
    except KeyboardInterrupt:
        kept = get_turns(talk.conversation) != before
        say_dim("ended by Ctrl-C; what came is kept" if kept else "ended by Ctrl-C; /retry asks again")
    except ProviderError as error:
        explain(error, with_traceback=run.traceback)
        return
    else:
        say_dim(describe_answer(reply, monotonic() - started))
    _save(talk)


def _save(talk: Talk) -> None:
    try:
        talk.save()
    except (OSError, ProviderError) as error:
        say(f"Warning: this turn is not saved: {error}")
