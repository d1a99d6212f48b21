"""All that a plugin's tests import."""

from providers_sdk.testing.server import Connection, RawServer, Received
from providers_sdk.testing.standin import Fault, Response, StandIn, deltas, event, html, json_response, sse

__all__ = [
    "Connection",
    "Fault",
    "RawServer",
    "Received",
    "Response",
    "StandIn",
    "deltas",
    "event",
    "html",
    "json_response",
    "sse",
]
