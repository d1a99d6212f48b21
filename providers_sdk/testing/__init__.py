"""All that a plugin's tests import: stand-ins, named faults, and the contract."""

from providers_sdk.testing.contract import CLAIMS, ProviderContract, judge
from providers_sdk.testing.fake_service import Fault, StandIn, deltas, event, html, json_response, sse
from providers_sdk.testing.faults import FAULTS, NamedFault, ProxyServer, TLSServer, rigged
from providers_sdk.testing.response import Response
from providers_sdk.testing.server import Connection, RawServer, Received

__all__ = [
    "CLAIMS",
    "FAULTS",
    "Connection",
    "Fault",
    "NamedFault",
    "ProviderContract",
    "ProxyServer",
    "RawServer",
    "Received",
    "Response",
    "StandIn",
    "TLSServer",
    "deltas",
    "event",
    "html",
    "json_response",
    "judge",
    "rigged",
    "sse",
]
