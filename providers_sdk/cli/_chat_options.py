"""The options of ``providers chat``."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click
from click.shell_completion import CompletionItem

__all__ = ["ChatOptions", "chat_options", "complete_provider", "parse_option"]

_F = TypeVar("_F", bound=Callable[..., Any])
_WITH_OPTION_OF_ITS_OWN = {
    "provider": "-p",
    "model": "-m",
    "deadline": "--deadline",
    "stream": "--no-stream",
    "proxy": "--proxy",
    "system": "--system",
    "schema": "--schema",
}
_NO_OPTIONS = ("self", "content", "messages", "tools")


class ChatOptions(NamedTuple):
    """What the command line says.

    :param options: by name, for the provider.
    :param images: paths of images that go with the question.
    :param schema: what the answer is to look like, as a JSON Schema.
    :param as_json: whether the answer is printed as a JSON object.
    :param output: the file that the answer is written to; ``None`` for standard output.
    :param resume: whether the last conversation goes on.
    :param conversation: the name of the conversation that goes on or begins.
    """

    providers: tuple[str, ...]
    model: str | None
    options: Mapping[str, Any]
    profile: str | None
    system: str | None
    deadline: float | None
    resume: bool
    conversation: str | None
    images: tuple[str, ...]
    schema: Mapping[str, Any] | None
    as_json: bool
    output: str | None
    no_stdin: bool
    no_stream: bool
    proxy: str | None
    texts: tuple[str, ...]

    @property
    def limits(self) -> Mapping[str, Any]:
        """The limits as arguments of the client."""
        return {} if self.deadline is None else {"deadline": self.deadline}

    def check(self, ctx: click.Context, *, is_conversation: bool) -> None:
        """Refuse what does not go together.

        :param is_conversation: whether the user talks on a terminal.
        """
        if len(self.texts) > 1:
            raise click.UsageError("TEXT is one argument; put it in quotes", ctx)
        if self.no_stdin and self.texts in ((), ("-",)):
            raise click.UsageError("--no-stdin needs a TEXT to ask", ctx)
        if self.resume and self.conversation is not None:
            raise click.UsageError("-c means the last conversation; leave it out where --conversation names one", ctx)
        if is_conversation and (given := self._list_for_one_answer()):
            raise click.UsageError(f"{given[0]} is for one answer; give a TEXT to ask", ctx)

    def _list_for_one_answer(self) -> list[str]:
        """Return the given options that make no sense in a conversation on a terminal."""
        given = {
            "--json": self.as_json,
            "--output": self.output is not None,
            "--image": bool(self.images),
            "--schema": self.schema is not None,
        }
        return [option for option, is_given in given.items() if is_given]


def parse_option(text: str) -> tuple[str, Any]:
    """Return name and value of ``name=value``; the value is what it is as JSON, else a string.

    :raises click.BadParameter: it is none, or it has an option of its own.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise click.BadParameter(f"{text!r} is no option of the provider; write NAME=VALUE, such as temperature=0.2")
    name = name.strip()
    if name in _NO_OPTIONS:
        raise click.BadParameter(f"{name!r} is no option of a provider")
    if name in _WITH_OPTION_OF_ITS_OWN:
        raise click.BadParameter(f"{name!r} has an option of its own: {_WITH_OPTION_OF_ITS_OWN[name]}")
    return name, _parse_value(value)


def _parse_value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _parse_options(ctx: click.Context, parameter: click.Parameter, values: Sequence[str]) -> dict[str, Any]:
    return dict(map(parse_option, values))


def _read_schema(ctx: click.Context, parameter: click.Parameter, path: str | None) -> Mapping[str, Any] | None:
    if path is None:
        return None
    try:
        found = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise click.BadParameter(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        raise click.BadParameter(f"{path} holds no JSON") from None
    if not isinstance(found, dict):
        raise click.BadParameter(f"{path} holds no JSON Schema, which is an object")
    return found


def complete_provider(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names of providers that begin with ``incomplete``; no plugin is imported."""
    from providers_sdk._plugins.registry import Registry

    return [CompletionItem(name) for name in Registry().names() if name.startswith(incomplete)]


_OPTIONS = (
    click.option(
        "-p",
        "--provider",
        "providers",
        metavar="NAME",
        multiple=True,
        shell_complete=complete_provider,
        help="The provider to ask; repeat it to name others in case that one fails. NAME/MODEL picks its model, "
        "DIST:NAME one distribution's.",
    ),
    click.option("-m", "--model", metavar="MODEL", help="The model to ask for."),
    click.option(
        "-o",
        "--option",
        "options",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_parse_options,
        help="An option of the provider, such as temperature=0.2; the value is JSON, else a string.",
    ),
    click.option("--profile", metavar="NAME", help="The profile of the configuration file."),
    click.option("--system", metavar="TEXT", help="A system message."),
    click.option("--deadline", metavar="SECONDS", type=float, help="Seconds for everything (600)."),
    click.option("-c", "--continue", "resume", is_flag=True, help="Go on with the last conversation."),
    click.option("--conversation", metavar="NAME", help="Go on with the conversation NAME, or begin it."),
    click.option("--image", "images", metavar="FILE", multiple=True, help="An image to send; may be repeated."),
    click.option(
        "--schema",
        metavar="FILE",
        callback=_read_schema,
        help="A JSON Schema: the answer is JSON that fits it, or an error.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object; errors are one, too."),
    click.option("--output", metavar="FILE", help="Write the answer to FILE, which it replaces once it is complete."),
    click.option("--no-stdin", is_flag=True, help="Ask TEXT alone; standard input is not read."),
    click.option("--no-stream", is_flag=True, help="Ask the service for the whole answer at once."),
    click.option("--proxy", metavar="URL", help="Such as http://user:password@host:port; '' for none."),
    click.argument("texts", metavar="[TEXT]", nargs=-1),
)


def chat_options(command: _F) -> _F:
    """Add the options and the argument; the command gets the fields of :class:`ChatOptions`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
