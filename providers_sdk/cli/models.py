"""``providers models``: the models of a service, as it lists them itself."""

import json
from typing import Any

import click

from providers_sdk._engine.client import Client, get_binder
from providers_sdk._redact import printable
from providers_sdk.cli._choice import choose_for_command_line
from providers_sdk.cli._day_cache import read_fact, write_fact
from providers_sdk.cli._exit_codes import traceback_option
from providers_sdk.cli._outcomes import find_address
from providers_sdk.cli._placeholder import run_fakes_of_placeholders
from providers_sdk.cli._stdout_redirect import redirect_stdout_to_stderr
from providers_sdk.cli._terminal import say_dim

__all__ = ["command"]

_SECONDS = 30.0


@click.command("models", short_help="Show the models of a service.")
@click.option("-p", "--provider", metavar="NAME", help="The provider to ask.")
@click.option("--profile", metavar="NAME", help="The profile of the configuration file.")
@click.option("--refresh", is_flag=True, help="Ask the service, even if it was asked within the last day.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@traceback_option
def command(provider: str | None, profile: str | None, refresh: bool, as_json: bool) -> None:
    """Show the models of a service, one a line, as the service lists them.

    The list is kept for a day. "*" marks the model that is asked for where none is named. A provider whose service has
    no list shows the models that it declares.
    """
    with (
        redirect_stdout_to_stderr(),
        run_fakes_of_placeholders([provider] if provider else [], profile=profile) as arguments,
        Client(provider, profile=profile, deadline=_SECONDS, **arguments) as client,
    ):
        name = choose_for_command_line(client, named=provider is not None).names[0].name
        found = _find_models(client, name, refresh=refresh)
    if as_json:
        click.echo(json.dumps({"provider": name, **found}, indent=2))
        return
    for model in found["models"]:
        click.echo(printable(f"{'*' if model == found['default'] else ' '} {model}"))
    if not found["models"]:
        say_dim(f"{name} lists no models" + (f"; its default is {found['default']}" if found["default"] else ""))
    elif found["default"] not in ("", *found["models"]):
        say_dim(f"the default of {name} is {found['default']}, which the service does not list")


def _find_models(client: Client, name: str, *, refresh: bool) -> dict[str, Any]:
    """Return ``models`` and ``default``."""
    binder = get_binder(client)
    settings, address = binder.trace(name), find_address(binder, name)
    models = None if refresh else read_fact("models", name, address)
    if models is None:
        models = client.list_models(name)
        write_fact("models", name, address, models)
    default = settings["model"].value if "model" in settings else binder.get_kind(name).default_model
    return {"default": str(default), "models": [str(model) for model in models]}
