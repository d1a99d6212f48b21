"""The command ``providers``: a table of commands, each loaded when it is used, and those of extensions."""

from collections.abc import Sequence
from importlib import import_module

import click

from providers_sdk._suggest import suggest_name
from providers_sdk._version import __version__
from providers_sdk.cli._exit_codes import INTERRUPTED, Run, explain, traceback_option
from providers_sdk.cli._extensions import PrintableContext, extension_commands
from providers_sdk.cli._short_help import SHORT_HELP
from providers_sdk.cli._terminal import READER_LEFT, settle, speak_utf8

__all__ = ["Commands", "command_line", "run"]

COMMANDS = {
    "demo": "providers_sdk.cli.demo",
    "chat": "providers_sdk.cli.chat",
    "batch": "providers_sdk.cli.batch",
    "list": "providers_sdk.cli.list_",
    "show": "providers_sdk.cli.show",
    "models": "providers_sdk.cli.models",
    "status": "providers_sdk.cli.status",
    "new": "providers_sdk.cli.new",
    "check": "providers_sdk.cli.check",
    "doctor": "providers_sdk.cli.doctor",
    "completion": "providers_sdk.cli.completion",
    "config": "providers_sdk.cli.config",
    "keys": "providers_sdk.cli.keys",
}
"""Command → module that holds it as ``command``; in the order of ``--help``."""


class Commands(click.Group):
    """A group that knows its commands by name and loads one when it is asked for."""

    context_class = PrintableContext  # its help quotes that of foreign commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands: ours first, then those of extensions."""
        return [*COMMANDS, *sorted(_load_extra(ctx))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, loading its module if need be."""
        if cmd_name in COMMANDS:
            command: click.Command = import_module(COMMANDS[cmd_name]).command
            return command
        return _load_extra(ctx).get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, ours from the table."""
        extra = sorted(_load_extra(ctx).items())
        rows = [*SHORT_HELP.items(), *((name, command.get_short_help_str(200)) for name, command in extra)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that ``args`` name, or suggest the one that was probably meant."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise click.UsageError(_explain_unknown(args[0], self.list_commands(ctx)), ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> int:
        """Run the command; Ctrl-C and a reader that left end it quietly."""
        from providers_sdk.cli._extension_warnings import show_failing_extensions  # not for --help and --version

        try:
            with show_failing_extensions():
                super().invoke(ctx)
        except BrokenPipeError:
            raise click.exceptions.Exit(READER_LEFT) from None
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None
        return 0


def command_line() -> Commands:
    """Return the command ``providers``."""

    @click.pass_context
    def without_command(ctx: click.Context) -> None:
        if ctx.invoked_subcommand is None:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(2)

    options = [
        click.version_option(__version__, message="providers-sdk %(version)s"),
        traceback_option,
    ]
    for option in reversed(options):
        without_command = option(without_command)
    decorate = click.command(
        "providers",
        cls=Commands,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Ask any chat provider, and read the answer as it arrives.",
        epilog="Begin with 'providers demo': it needs no network and no key.",
    )
    return decorate(without_command)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run ``providers`` with ``arguments`` and return the exit code; every error is one line on stderr."""
    speak_utf8()
    state = Run()
    try:
        code = int(command_line().main(arguments, "providers", standalone_mode=False, obj=state))
    except BaseException as error:  # noqa: BLE001  every error is printed as one line
        code = explain(error, with_traceback=state.traceback)
    return settle(code)


def _load_extra(ctx: click.Context) -> dict[str, click.Command]:
    state = ctx.ensure_object(Run)
    if state.extra is None:
        from providers_sdk._plugins.entry_points import has_extensions  # a registry is not made where there are none

        state.extra = extension_commands(taken=COMMANDS) if has_extensions() else {}
    return state.extra


def _explain_unknown(name: str, known: list[str]) -> str:
    return f"there is no command {name[:64]!r}; {suggest_name(name, known)}"
