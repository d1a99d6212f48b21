"""A command that is a group of others, such as ``providers keys``."""

import click

from providers_sdk._suggest import suggest_name

__all__ = ["Subcommands"]


class Subcommands(click.Group):
    """Shows its help where no command is named, and suggests the one that was probably meant."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Show the help where no command is named."""
        if not args:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that ``args`` name."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            name = f"{ctx.command_path} {args[0][:64]}"
            raise click.UsageError(f"there is no command {name!r}; {suggest_name(args[0], self.commands)}", ctx)
        return super().resolve_command(ctx, args)
