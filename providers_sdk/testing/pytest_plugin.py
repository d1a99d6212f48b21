"""The pytest plugin: one test for each claim of the contract, and fixtures whose names collide with nobody's."""

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from providers_sdk.testing.fake_service import StandIn

_LOOPBACK = ("127.", "::1", "localhost")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give ``ProviderContract.test_claim`` one run a claim."""
    if "contract_claim" in metafunc.fixturenames:
        from providers_sdk.testing.contract import CLAIMS

        metafunc.parametrize("contract_claim", CLAIMS.values(), ids=CLAIMS.keys())


@pytest.fixture
def providers_sdk_stand_in(request: pytest.FixtureRequest) -> "Iterator[StandIn]":
    """A running stand-in: of the class's ``stand_in``, or of the marker ``providers_sdk_stand_in(Class)``."""
    marker = request.node.get_closest_marker("providers_sdk_stand_in")
    kind = marker.args[0] if marker else request.cls.stand_in
    with kind() as site:
        yield site


@pytest.fixture
def providers_sdk_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections to anything but this machine."""
    connect = socket.socket.connect

    def only_loopback(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if isinstance(address, tuple) and not str(host).startswith(_LOOPBACK):
            raise OSError(f"this test may not connect to {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", only_loopback)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "providers_sdk_stand_in(Class): the stand-in that the fixture of that name runs")
