"""A conversation on the terminal: the prompt on stderr, the answers on stdout, with a history."""

import sys
from collections.abc import Sequence
from contextlib import suppress

from providers_sdk._engine.client import Client, get_binder
from providers_sdk._engine.conversation import Conversation
from providers_sdk._model.names import parse_names
from providers_sdk.cli._answer import print_reply
from providers_sdk.cli._exit_codes import Run, explain
from providers_sdk.cli._terminal import say
from providers_sdk.errors import PluginError, ProviderError

__all__ = ["run_repl"]

_PROMPT = "> "


def run_repl(client: Client, conversation: Conversation, names: Sequence[str], run: Run) -> None:
    """Ask line after line until the end of the input.

    :param names: the providers that are asked.
    :raises InvalidCall: the providers that were named cannot be asked at all.
    :raises KeyboardInterrupt: Ctrl-C at the prompt.
    """
    say(f"You talk to {_describe_providers(client, names)}. Ctrl-C ends an answer, Ctrl-D the conversation.")
    for line in iter(_read_line, None):
        if line.strip():
            _take_turn(conversation, line, run)


def _describe_providers(client: Client, names: Sequence[str]) -> str:
    for name in parse_names(names):
        with suppress(PluginError):  # a broken one among several is skipped
            get_binder(client).get_kind(name.name)
    return ", or else ".join(names)


def _take_turn(conversation: Conversation, text: str, run: Run) -> None:
    try:
        print_reply(lambda: conversation.chat(text))
    except KeyboardInterrupt:
        return
    except ProviderError as error:
        explain(error, with_traceback=run.traceback)


def _read_line() -> str | None:
    """Return the next line that the user types, ``None`` after Ctrl-D."""
    try:
        line = _read_edited_line() if _is_all_terminal() else _read_plain_line()
    except KeyboardInterrupt:
        say("")
        raise
    if line is None:
        say("")
    return line


def _is_all_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def _read_edited_line() -> str | None:
    with suppress(ImportError):
        import readline  # noqa: F401  from now on input() knows the arrow keys and remembers lines
    try:
        return input(_PROMPT)
    except EOFError:
        return None


def _read_plain_line() -> str | None:
    sys.stderr.write(_PROMPT)
    sys.stderr.flush()
    line = sys.stdin.readline()
    return line.rstrip("\r\n") if line else None
