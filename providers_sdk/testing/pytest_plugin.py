"""The pytest plugin: one test for each claim of the contract."""

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run ``ProviderContract.test_claim`` once for each claim."""
    if "contract_claim" in metafunc.fixturenames:
        from providers_sdk.testing.contract import CLAIMS

        metafunc.parametrize("contract_claim", CLAIMS.values(), ids=CLAIMS.keys())
