"""All claims of the contract, in the order in which they are tested."""

from collections.abc import Mapping
from types import MappingProxyType

from providers_sdk.testing.contract._claim import Claim
from providers_sdk.testing.contract.answers import ANSWER, DESCRIPTION
from providers_sdk.testing.contract.behaviour import BEHAVIOUR
from providers_sdk.testing.contract.failures import CUT_ANSWERS, REFUSALS, TIME_LIMITS
from providers_sdk.testing.contract.secrets import SECRETS
from providers_sdk.testing.contract.settings import SENDING, SETTINGS
from providers_sdk.testing.contract.streaming import STREAMING

__all__ = ["CLAIMS", "SUITES"]

SUITES: tuple[tuple[Claim, ...], ...] = (
    DESCRIPTION,
    ANSWER,
    STREAMING,
    SETTINGS,
    SENDING,
    SECRETS,
    BEHAVIOUR,
    CUT_ANSWERS,
    TIME_LIMITS,
    REFUSALS,
)
"""A suite is a section of the contract; its claims follow one another as listed."""

CLAIMS: Mapping[str, Claim] = MappingProxyType({claim.name: claim for suite in SUITES for claim in suite})
"""Every claim by its name, in the order of :data:`SUITES`."""
