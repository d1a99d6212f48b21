import socket
import sys
from typing import Any

import pytest
import urllib3.util.connection

from providers_sdk._http.client import HttpSession
from providers_sdk.errors import ConnectFailed
from providers_sdk.testing import Connection, Received
from tests.http.steps import OK, OpenHttp, Serve, run_steps, send

audited: list[tuple[str, int]] = []


def note_connect(event: str, args: tuple[Any, ...]) -> None:
    if event == "http.client.connect":
        audited.append((args[1], args[2]))


sys.addaudithook(note_connect)  # a hook cannot be taken away again


def test_connecting_raises_the_audit_event_of_http_client(serve: Serve, open_http: OpenHttp) -> None:
    site = serve(run_steps(send(OK)))
    http = open_http(site.url)
    audited.clear()  # an earlier test's server may have had the same port
    assert [http.get("/").json(), http.get("/").json()] == [{}, {}]
    assert [it for it in audited if it == site.address] == [site.address]


def test_a_source_address_is_bound_to(serve: Serve, open_http: OpenHttp) -> None:
    peers: list[Any] = []

    def script(connection: Connection, _: Received) -> None:
        peers.append(connection.sock.getpeername())
        connection.send(OK)

    site, pool = serve(script), HttpSession(proxy="")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        ours = free.getsockname()
    adapter: Any = pool.session().get_adapter(site.url)
    adapter.poolmanager.connection_pool_kw["source_address"] = ours
    assert open_http(site.url, pool=pool).get("/").json() == {}
    assert peers == [ours]
    pool.close()


@pytest.mark.parametrize(("has_ipv6", "family"), [(True, socket.AF_UNSPEC), (False, socket.AF_INET)])
def test_names_are_resolved_in_the_family_that_urllib3_allows(
    has_ipv6: bool, family: int, open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def resolve(host: str, port: int, family: int, *_: Any) -> Any:
        asked.append(family)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(urllib3.util.connection, "HAS_IPV6", has_ipv6)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(ConnectFailed):
        open_http("http://some.example").get("/")
    assert asked == [family]
