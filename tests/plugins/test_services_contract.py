"""Every service of OpenAI's dialect keeps the whole contract, against a fake that behaves as its row says.

One test is one service: the claims share what they have found out, and a service takes about two seconds.
"""

import pytest

from providers_sdk.testing import CLAIMS, judge
from providers_sdk_plugins.fakes.openai import SITES
from providers_sdk_plugins.services import SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_keeps_the_contract(name: str) -> None:
    results = list(judge(SERVICES[name], SITES[name]))
    assert [f"{result.claim.name} {result.state}: {result.detail}" for result in results if not result.passes] == []
    assert len(results) == len(CLAIMS)
