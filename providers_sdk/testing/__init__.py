"""Everything that a plugin's tests import: fake services, named faults, and the contract tests.

Names are imported on first access (PEP 562): pytest imports this package for its plugin in every run.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from providers_sdk.testing.contract import CLAIMS, ProviderContract, judge
    from providers_sdk.testing.fake_service import (
        FakeService,
        Fault,
        deltas,
        event,
        html,
        json_response,
        ndjson,
        split_prompt,
        sse,
    )
    from providers_sdk.testing.faults import FAULTS, NamedFault, ProxyServer, TLSServer, inject
    from providers_sdk.testing.multipart import Part
    from providers_sdk.testing.response import Response
    from providers_sdk.testing.server import Connection, RawServer, Received

__all__ = [
    "CLAIMS",
    "FAULTS",
    "Connection",
    "FakeService",
    "Fault",
    "NamedFault",
    "Part",
    "ProviderContract",
    "ProxyServer",
    "RawServer",
    "Received",
    "Response",
    "TLSServer",
    "deltas",
    "event",
    "html",
    "inject",
    "json_response",
    "judge",
    "ndjson",
    "split_prompt",
    "sse",
]

_NAMES = {
    "contract": "CLAIMS ProviderContract judge",
    "fake_service": "Fault FakeService deltas event html json_response ndjson split_prompt sse",
    "faults": "FAULTS NamedFault ProxyServer TLSServer inject",
    "multipart": "Part",
    "response": "Response",
    "server": "Connection RawServer Received",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
