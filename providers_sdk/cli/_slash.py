"""The commands of a conversation on a terminal: lines that begin with a slash, which are never sent."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from providers_sdk._config.places import shorten
from providers_sdk._engine.client import get_binder
from providers_sdk._engine.conversation import get_turns
from providers_sdk._environment import redact_environment
from providers_sdk._model.names import ProviderName, parse_names
from providers_sdk._provider.binding import run_plugin_code
from providers_sdk._suggest import suggest_name
from providers_sdk.cli._conversations import find_conversation
from providers_sdk.cli._talk import Talk
from providers_sdk.cli._terminal import say, say_lines
from providers_sdk.errors import InvalidArgument

__all__ = ["SLASH_COMMANDS", "Action", "find_action"]


class Action(NamedTuple):
    """What a line asks for.

    :param text: a question; ``None`` for a command that has been run.
    """

    text: str | None = None
    retry: bool = False
    leave: bool = False


def find_action(talk: Talk, line: str) -> Action:
    """Run the command that ``line`` holds; a line that is none is a question, without the first of two slashes.

    :raises InvalidCall: there is no such command, or it cannot be run; nothing has changed.
    """
    if not line.startswith("/"):
        return Action(line)
    if line.startswith("//"):
        return Action(line[1:])
    name, _, argument = line.partition(" ") if " " in line.split("\n", 1)[0] else line.partition("\n")
    command = SLASH_COMMANDS.get(name.strip())
    if command is None:
        raise InvalidArgument(
            f"nothing was sent: there is no command {name.strip()!r:.64} ('//' at the beginning sends a line with one "
            f"slash); {suggest_name(name.strip(), list(SLASH_COMMANDS))}"
        )
    return command.run(talk, argument.strip()) or Action()


def _show_help(talk: Talk, argument: str) -> None:
    rows = [(f"{name} {command.argument}".strip(), command.help) for name, command in SLASH_COMMANDS.items()]
    rows += [("//TEXT", "send a line that begins with a slash"), ("Ctrl-C", "end an answer; what came is kept")]
    rows += [("Ctrl-D", "end the conversation")]
    say_lines("\n".join(f"  {left:19}  {right}" for left, right in rows))


def _change_model(talk: Talk, argument: str) -> None:
    name = talk.names[0]
    kind = get_binder(talk.client).get_kind(name.name)
    if not argument:
        known = ", ".join(map(str, kind.models)) or f"see 'providers models -p {name.name}'"
        say(f"The model is {talk.describe()}. Known: {known}")
        return
    run_plugin_code(lambda: kind.get_model(argument, strict=True), name.name, redact_environment)
    talk.names = (ProviderName(name.name, argument), *talk.names[1:])
    say(f"The next question is for {talk.describe()}")


def _change_provider(talk: Talk, argument: str) -> None:
    if argument:
        names = parse_names(argument.replace(",", " ").split())
        for name in names:
            get_binder(talk.client).get_kind(name.name)
        talk.names, talk.model = names, None
    say(f"The next question is for {', or else '.join(map(str, talk.names))}; the history goes with it")


def _change_system(talk: Talk, argument: str) -> None:
    if argument:
        talk.conversation.system = None if argument == "-" else argument
    system = talk.conversation.system
    say_lines(f"The system message is: {system}" if system else "There is no system message")


def _retry(talk: Talk, argument: str) -> Action:
    if talk.unanswered is None and not get_turns(talk.conversation):
        raise InvalidArgument("there is no question to ask again; ask one first")
    return Action(retry=True)


def _save(talk: Talk, argument: str) -> None:
    if not get_turns(talk.conversation):
        raise InvalidArgument("there is nothing to save yet; ask a question first")
    is_path = "/" in argument or "\\" in argument or argument.endswith(".json")
    file = _find_file(talk, argument, is_path=is_path)
    if argument and file.exists() and file != talk.file:
        raise InvalidArgument(f"{shorten(file)} is there already; choose another name")
    talk.conversation.save(file)
    talk.file = file
    again = "" if is_path else f"; go on with it: providers chat --conversation {file.stem}"
    say(f"Saved in {shorten(file)}, and from now on after each answer{again}")


def _find_file(talk: Talk, argument: str, *, is_path: bool) -> Path:
    if is_path:
        return Path(argument).expanduser()
    if argument:
        return find_conversation(argument)
    if talk.file is None:
        raise InvalidArgument("this conversation has no file; write /save NAME or /save FILE.json")
    return talk.file


def _quit(talk: Talk, argument: str) -> Action:
    return Action(leave=True)


class SlashCommand(NamedTuple):
    """A command.

    :param argument: its argument, for the help.
    """

    run: Callable[[Talk, str], Action | None]
    argument: str
    help: str


SLASH_COMMANDS = {
    "/help": SlashCommand(_show_help, "", "show this"),
    "/model": SlashCommand(_change_model, "[NAME]", "show the model, or ask another from now on"),
    "/provider": SlashCommand(_change_provider, "[NAME]...", "show the provider, or ask another from now on"),
    "/system": SlashCommand(_change_system, "[TEXT]", "show the system message, or replace it; '-' removes it"),
    "/retry": SlashCommand(_retry, "", "ask the last question again, for a new answer"),
    "/save": SlashCommand(_save, "[NAME]", "keep the conversation under a name, or in a FILE.json"),
    "/quit": SlashCommand(_quit, "", "end the conversation"),
}
"""Name → command, in the order of the help."""
