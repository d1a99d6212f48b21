"""Every private name of a fake service and of a server is its author's."""

import re
from typing import Any

import pytest
import requests

from providers_sdk.testing import FakeService, ProxyServer, RawServer, Received, Response, TLSServer, html

BASES: tuple[type[RawServer], ...] = (RawServer, FakeService, ProxyServer, TLSServer)
COLLIDED = ("_lock", "_idle", "_open", "_threads", "_address", "_listener", "_acceptor", "_accept", "_serve", "_send")
"""Names that broke the server while it used them itself."""


@pytest.mark.parametrize("base", BASES)
def test_a_base_class_has_no_private_name_that_is_not_mangled(base: type[RawServer]) -> None:
    own = re.compile("_(" + "|".join(kind.__name__.lstrip("_") for kind in base.__mro__) + ")__")
    names = {name for name in {*dir(base), *vars(base())} if name.startswith("_") and not name.startswith("__")}
    assert {name for name in names if not own.match(name)} == set()


class Named(FakeService):
    """Has names of its own in the instance."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in (*COLLIDED, "_has_fault", "_context", "_folder"):
            setattr(self, name, 7)

    def respond(self, received: Received) -> Response:
        """Return a page."""
        return html("Hello")


class NamedInTheClass(Named):
    """Has them in the class, too, and counts its connections itself."""

    connections = 0
    _lock = _idle = _open = _threads = _address = _listener = _acceptor = _accept = _serve = _send = 7


@pytest.mark.parametrize("kind", [Named, NamedInTheClass])
def test_a_fake_service_with_names_of_its_own_responds_and_closes(kind: type[Named]) -> None:
    with kind() as site:
        assert requests.get(site.url, timeout=5).text == "Hello"
        assert site.wait_idle(5)


def test_who_replaces_the_count_of_connections_is_told_where() -> None:
    with pytest.raises(AttributeError, match="connections"):
        FakeService().connections = []  # type: ignore[misc, assignment]
