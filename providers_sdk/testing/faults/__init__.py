"""Named faults: failures of a service, a proxy or the network, and how a client must end.

Most faults replace a response of the fake service::

    site.fault = FAULTS["cut_chunk"]

others are set up between client and service (nobody listens, a certificate is wrong, a proxy dies)::

    with inject(FAULTS["proxy_dies"], site) as setup:
        ...  # reach the site by setup.url, setup.proxy and setup.ca

:func:`run_fault` asks a provider once and returns how that ended.
"""

from collections.abc import Mapping
from types import MappingProxyType

from providers_sdk.testing.faults.answers import ANSWER_FAULTS
from providers_sdk.testing.faults.bodies import BODY_FAULTS
from providers_sdk.testing.faults.exposed import collect_exposed_text, spellings
from providers_sdk.testing.faults.fault import Expected, FaultSetup, Kind, NamedFault, inject
from providers_sdk.testing.faults.floods import FLOOD_FAULTS
from providers_sdk.testing.faults.heads import HEAD_FAULTS
from providers_sdk.testing.faults.peers import PEER_FAULTS, ProxyServer, TLSServer
from providers_sdk.testing.faults.runner import FaultResult, run_fault

__all__ = [
    "FAULTS",
    "Expected",
    "FaultResult",
    "FaultSetup",
    "Kind",
    "NamedFault",
    "ProxyServer",
    "TLSServer",
    "collect_exposed_text",
    "inject",
    "run_fault",
    "spellings",
]

FAULTS: Mapping[str, NamedFault] = MappingProxyType(
    {fault.name: fault for fault in (*HEAD_FAULTS, *BODY_FAULTS, *FLOOD_FAULTS, *ANSWER_FAULTS, *PEER_FAULTS)}
)
"""Every fault by its name."""
