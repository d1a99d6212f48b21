"""``providers chat``: one question and its answer, or on a terminal a conversation."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import click

from providers_sdk._engine.client import Client
from providers_sdk._engine.conversation import Conversation
from providers_sdk._model.names import ProviderName
from providers_sdk._model.parts import Image
from providers_sdk.cli._answer import note_failed_providers, print_reply
from providers_sdk.cli._chat_json import ChatCommand, describe_reply, write_json
from providers_sdk.cli._chat_options import ChatOptions, chat_options
from providers_sdk.cli._choice import choose_for_command_line
from providers_sdk.cli._conversations import find_conversation, find_last_conversation, make_unnamed
from providers_sdk.cli._exit_codes import Run, traceback_option
from providers_sdk.cli._output import open_output
from providers_sdk.cli._placeholder import run_fakes_of_placeholders
from providers_sdk.cli._question import Question, decode_argument
from providers_sdk.cli._talk import Content, Talk, find_last_provider
from providers_sdk.cli._terminal import say, say_dim
from providers_sdk.plugin import ModelReplaced, PluginShadowed, PromptAltered

__all__ = ["command"]

_OWN_WARNINGS = (ModelReplaced, PluginShadowed, PromptAltered)


@click.command("chat", cls=ChatCommand, short_help="Ask a provider, and print the answer as it arrives.")
@chat_options
@traceback_option
@click.pass_context
def command(ctx: click.Context, /, **values: Any) -> None:
    """Ask TEXT and what comes on standard input, and print the answer as it arrives.

    Where both are given, both are sent, TEXT first: cat report.txt | providers chat "Summarise this". "-" as TEXT means
    standard input alone. In a loop that reads standard input itself, give --no-stdin, or the rest of it is asked at
    once. Without either, on a terminal, it is a conversation: Ctrl-C ends an answer, Ctrl-D the conversation, and /help
    shows its commands.

    A question asked on a terminal and its answer are kept, so that -c can go on with them.

    Answers go to standard output, all else to standard error. Exit codes: 0 answered, 1 the provider failed, 2 usage
    error.
    """
    options = ChatOptions(**values)
    is_conversation = not options.texts and sys.stdin.isatty()
    options.check(ctx, is_conversation=is_conversation)
    with (
        _show_warnings_as_lines(),
        run_fakes_of_placeholders(options.providers, profile=options.profile) as arguments,
        Client(
            list(options.providers) or None,
            profile=options.profile,
            **{"proxy": options.proxy, **arguments},
            **options.limits,
        ) as client,
    ):
        talk = _begin(client, options, keep_partial=is_conversation)
        if is_conversation:
            from providers_sdk.cli._repl import run_repl

            run_repl(talk, ctx.ensure_object(Run))
        else:
            _ask_once(talk, options)


def _begin(client: Client, options: ChatOptions, *, keep_partial: bool) -> Talk:
    """Return the conversation that the options name, with its turns so far."""
    file = _find_file(options)
    conversation = client.conversation(keep_partial=keep_partial)
    if file is not None and file.exists():
        conversation.load(file)
    if options.system:
        conversation.system = decode_argument(options.system)
    names, model = _choose(client, options, conversation, file)
    schema = {} if options.schema is None else {"schema": options.schema}
    arguments = {**options.options, **schema, "stream": not options.no_stream}
    return Talk(client, conversation, names, options.model or model, arguments, file)


def _find_file(options: ChatOptions) -> Path | None:
    """Return where the conversation is kept; what a program asks without naming one is kept nowhere."""
    if options.resume:
        return find_last_conversation()
    if options.conversation is not None:
        return find_conversation(options.conversation)
    return make_unnamed() if sys.stdout.isatty() and sys.stderr.isatty() else None


def _choose(
    client: Client, options: ChatOptions, conversation: Conversation, file: Path | None
) -> tuple[tuple[ProviderName, ...], str | None]:
    """Return the providers to ask and the model: a conversation stays with its provider unless another is named."""
    names, model = find_last_provider(conversation)
    if options.providers or not names or file is None:
        return choose_for_command_line(client, named=bool(options.providers)).names, None
    say_dim(f"asking {names[0]}: the conversation {file.stem} is with it")
    return names, model


def _ask_once(talk: Talk, options: ChatOptions) -> None:
    text = decode_argument(options.texts[0]) if options.texts else None
    question = Question(text, options.no_stdin, talk.client.limits.deadline)
    with open_output(options.output) as stream:
        prompt = question.read()
        content: Content = [prompt, *(Image(Path(path)) for path in options.images)] if options.images else prompt
        if options.as_json or options.schema is not None:
            found = _ask_for_data(talk, content, question.seconds_left, has_schema=options.schema is not None)
            stream.write(f"{write_json(found if options.as_json else found['data'])}\n")
        else:
            print_reply(lambda: talk.ask(content, deadline=question.seconds_left), stream)
    talk.save()


def _ask_for_data(talk: Talk, content: Content, seconds: float | None, *, has_schema: bool) -> dict[str, Any]:
    started = monotonic()
    with talk.ask(content, deadline=seconds) as reply:
        first = monotonic()
        note_failed_providers(reply)
        reply.text  # noqa: B018  reads to the end
        data = reply.data if has_schema else None
        return describe_reply(reply, data, first_token=first - started, total=monotonic() - started)


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
