"""Every service of OpenAI's dialect that is a row of ``_hosted.py`` or ``_local.py``, each a provider of its own."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from providers_sdk.plugin import Register, Setting, hookimpl
from providers_sdk_plugins._hosted import HOSTED
from providers_sdk_plugins._local import LOCAL
from providers_sdk_plugins._openai import OPTIONS, OpenAICompatible
from providers_sdk_plugins._rows import Row

__all__ = ["ROWS", "SERVICES"]

ROWS: Mapping[str, Row] = MappingProxyType({**HOSTED, **LOCAL})
"""Name of the provider → its row."""


def _make_provider(name: str, row: Row) -> type[OpenAICompatible]:
    """Return the provider class of a row."""
    attributes = {
        "__doc__": f"{row.title}: {row.documentation}",
        "__module__": __name__,
        "url": row.url,
        "api_endpoint": row.endpoint,
        "needs_auth": not row.local,
        "default_model": row.default_model,
        "first_token": row.first_token or None,
        "known_settings": MappingProxyType(dict(_list_settings(row))),
        "known_options": {name: option for name, option in OPTIONS.items() if name not in row.missing_options},
        "fake_service": f"providers_sdk_plugins.fakes.openai:{name}",
        **_map_dialect(row),
    }
    return type("".join(re.findall(r"\w+", row.title)), (OpenAICompatible,), attributes)


def _map_dialect(row: Row) -> dict[str, Any]:
    """Return the attributes that the dialect has beyond those of every provider."""
    return {
        "title": row.title,
        "documentation": row.documentation,
        "local": row.local,
        "version_path": row.version_path,
        "key_header": row.key_header,
        "key_prefix": row.key_prefix,
        "fixed_headers": MappingProxyType(row.headers),
        "setting_headers": {name: setting.header for name, setting in row.settings.items() if setting.header},
        "setting_queries": {name: setting.query for name, setting in row.settings.items() if setting.query},
        "renamed_options": MappingProxyType(row.renamed_options),
        "models_endpoint": row.models_endpoint,
        "models_prefix": row.models_prefix,
        "accepts_stream_options": row.stream_options,
    }


def _list_settings(row: Row) -> Iterator[tuple[str, Setting]]:
    yield (
        "url",
        Setting(
            default=row.url or None,
            required=not row.url,
            help=row.url_help,
            vendor_variables=row.url_variables,
            vendor_hosts=row.hosts,
        ),
    )
    needed = "" if not row.local else ", where the server wants one"
    yield (
        "key",
        Setting(
            secret=True, required=not row.local, help=f"the service's key{needed}", vendor_variables=row.key_variables
        ),
    )
    for name, extra in row.settings.items():
        yield name, Setting(required=extra.required, help=extra.help, vendor_variables=extra.variables)


SERVICES: Mapping[str, type[OpenAICompatible]] = MappingProxyType(
    {name: _make_provider(name, row) for name, row in ROWS.items()}
)
"""Each provider class by its name."""


@hookimpl
def register_providers(register: Register) -> None:
    """Register every service; the host takes the one that it was asked for."""
    for name, provider in SERVICES.items():
        register(name, provider)
