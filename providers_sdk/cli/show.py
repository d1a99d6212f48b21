"""``providers show``: everything about one provider, and where each of its settings comes from."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.text import Text

from providers_sdk._engine.client import Client, get_binder
from providers_sdk._environment import redact_environment, variable_name
from providers_sdk._model.names import short_name
from providers_sdk._model.settings import Found, Setting
from providers_sdk._plugins.registry import Registry
from providers_sdk._provider.binding import run_plugin_code
from providers_sdk._provider.provider import Provider
from providers_sdk._redact import bare_url, printable
from providers_sdk.cli._console import screen
from providers_sdk.cli._exit_codes import traceback_option
from providers_sdk.cli._stdout_redirect import redirect_stdout_to_stderr

__all__ = ["command"]

_FEATURES = ("stream", "system_message", "message_history", "images", "files", "tools", "schema")


@click.command("show", short_help="Show one provider: settings and where they come from, options, models.")
@click.option("--profile", metavar="NAME", help="The profile of the configuration file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@traceback_option
@click.argument("name", metavar="NAME")
def command(name: str, profile: str | None, as_json: bool) -> None:
    """Show what a provider supports, its options and models, and each setting with the place that its value comes from.

    NAME is an installed provider or an instance of the configuration file. Values that may be secret are not shown.
    Nothing is asked of the service.
    """
    with redirect_stdout_to_stderr(), Client(profile=profile) as client:
        described = _describe(client, name)
    if as_json:
        click.echo(json.dumps(described, indent=2))
    else:
        _print(described)


def _describe(client: Client, name: str) -> dict[str, Any]:
    binder = get_binder(client)
    kind, found, short = binder.get_kind(name), binder.trace(name), short_name(name)

    def read() -> dict[str, Any]:
        return {
            **_read_facts(kind),
            "settings": [_describe_setting(short, *row, found) for row in kind.all_settings().items()],
        }

    installed = binder.get_installed_name(name)
    source = _find_source(client.registry, installed or name)
    return {"name": short, "instance_of": installed, **source, **run_plugin_code(read, short, redact_environment)}


def _read_facts(kind: type[Provider]) -> dict[str, Any]:
    return {
        "working": bool(kind.working),
        "offline": bool(kind.offline),
        "supports": [name for name in _FEATURES if getattr(kind, f"supports_{name}", False)],
        "default_model": str(kind.default_model),
        "models": [str(model) for model in kind.models],
        "model_aliases": {str(alias): str(model) for alias, model in kind.model_aliases.items()},
        "options": sorted(map(str, kind.known_options)),
    }


def _find_source(registry: Registry, name: str) -> dict[str, str]:
    """Return the distribution that brings the provider, and its version; empty for one registered at run time."""
    rows = registry.report(name)
    row = next((row for row in rows if not row.reason), rows[0])
    return {"distribution": row.distribution, "version": row.version}


def _describe_setting(provider: str, name: str, setting: Setting, found: Mapping[str, Found]) -> dict[str, Any]:
    row = found.get(name)
    return {
        "name": name,
        "value": _make_presentable(name, setting, row),
        "source": row.source if row is not None else "",
        "required": setting.required,
        "help": setting.help,
        "variables": [variable_name(provider, name), *setting.vendor_variables],
    }


def _make_presentable(name: str, setting: Setting, row: Found | None) -> str | None:
    if row is None:
        return None
    if setting.secret and row.source != "the default":
        return "(set)"
    return bare_url(row.value) if name == "url" else str(row.value)


def _print(described: Mapping[str, Any]) -> None:
    show = screen(wide=True)
    for line in _make_lines(described):
        show.print(Text(printable(line)))
    show.print()
    width = max((len(row["name"]) for row in described["settings"]), default=0)
    for row in described["settings"]:
        style = "" if row["value"] else "dim"
        show.print(Text(printable(f"{row['name']:{width}}  {_describe_value(row)}"), style=style))
        if row["help"]:
            show.print(Text(printable(f"{'':{width}}  {row['help']}"), style="dim"))


def _make_lines(described: Mapping[str, Any]) -> Sequence[str]:
    instance = f", an instance of {described['instance_of']}" if described["instance_of"] else ""
    source = f" ({described['distribution']} {described['version']})" if described["distribution"] else ""
    aliases = [f"{alias} = {model}" for alias, model in described["model_aliases"].items()]
    models = described["models"] or ["any; 'providers models' asks the service"]
    return [
        f"{described['name']}{instance}{source}" + ("" if described["working"] else ": unverified"),
        f"supports: {', '.join(described['supports']).replace('_', ' ') or 'neither streams nor histories'}",
        f"options: {', '.join(described['options']) or 'none'}",
        f"models: {', '.join(models)}; default {described['default_model'] or 'none'}",
        *([f"aliases: {', '.join(aliases)}"] if aliases else []),
        "settings:" if described["settings"] else "settings: none",
    ]


def _describe_value(row: Mapping[str, Any]) -> str:
    if row["value"] is not None:
        source = row["source"] if row["source"].startswith(("the ", "stored ")) else f"from {row['source']}"
        return f"{row['value']}  ({source})"
    need = "required, " if row["required"] else ""
    return f"not set; {need}{' or '.join(row['variables'][:2])}"
