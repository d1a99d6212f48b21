"""``providers completion``: the script that lets a shell complete commands, options and names of providers."""

import click
from click.shell_completion import get_completion_class

from providers_sdk.cli._exit_codes import traceback_option

__all__ = ["command"]


@click.command("completion", short_help="Print the script that completes commands in a shell.")
@traceback_option
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script for bash, zsh or fish.

    \b
    bash, in ~/.bashrc:       eval "$(providers completion bash)"
    zsh, in ~/.zshrc:         eval "$(providers completion zsh)"
    fish:  providers completion fish > ~/.config/fish/completions/providers.fish
    """
    kind = get_completion_class(shell)
    if kind is not None:
        click.echo(kind(ctx.find_root().command, {}, "providers", "_PROVIDERS_COMPLETE").source())
