"""requests' adapter whose every blocking call is bounded by the clock of the attempt that makes it.

How it works. requests has no total deadline, and its read timeout starts anew at every ``recv``. So each request sets
``current_exchange`` around ``Session.send``, and the connection applies the time that is left to its socket before each
blocking call: connect, handshake, send, and, in the response's raw file, every ``recv``. Status line, headers, body and
trailers end in time, over TLS and through proxies too, without a thread. Name resolution cannot be interrupted; the
clock is asked right after it. TLS within the TLS of an https proxy is bounded for each ``recv`` only.

Why subclasses. urllib3 has no public place for this: its timeouts are fixed when a request starts. The classes are
mixed before urllib3's own, so that TLS, tunnels and SOCKS stay its business.

What it assumes of urllib3, requests and http.client, private or undocumented; ``tests/http/test_assumptions.py`` has a
test for each row:

====================================================  ==============================================================
name                                                  assumption
====================================================  ==============================================================
``PoolManager.pool_classes_by_scheme``                an instance may replace it; the pools are made from it
``PoolManager.pools``                                 ``keys()`` and ``get()`` reach every pool of the manager
``HTTPConnectionPool.ConnectionCls``                  the class of the pool's connections
``HTTPConnectionPool.pool``                           ``None`` once the pool was closed
``HTTPConnectionPool._put_conn(conn)``                every connection that is returned passes it
``HTTPConnection._new_conn()``                        opens the socket; ``connect()`` calls it
``HTTPConnection._tunnel()``                          ``connect()`` calls it before the TLS handshake
``HTTPConnection._dns_host``                          the name to resolve, a final dot included
``HTTPConnection.is_connected``                       the pool asks it before it reuses a connection
``HTTPConnection.has_connected_to_proxy``             decides whether a failure is the proxy's
``HTTPConnection.response_class(sock, method=)``      called for the response, and for a tunnel's
``util.connection.allowed_gai_family()``              the address family that urllib3 resolves names in
``HTTPResponse._pool``                                without it the response does not return its connection
``HTTPResponse.release_conn()``, ``shutdown()``       act on the connection while it was not returned
``HTTPResponse.closed``                               true once the body's end was read
errors of ``send()``                                  ``EPIPE`` and ``ECONNRESET`` lead to a read of the response
``http.client.HTTPResponse.fp``                       a ``BufferedReader``; it can be replaced
``http.client.HTTPResponse._read_status()``           reads one status line; ``begin()`` and ``_tunnel()`` call it
``http.client.HTTPResponse._read_next_chunk_size()``  raises ``ValueError`` for what is no size
``http.client.HTTPResponse.chunk_left``               0 once a chunk was read, and its CRLF is still to be read
``http.client.HTTPResponse._close_conn()``            called once, at the end or at ``close()``, while ``fp`` is open
``http.client.HTTPResponse.will_close``               if set by ``begin()``, the connection is not kept
``http.client.HTTPResponse.msg``                      keeps lines that are no headers as defects and payload
====================================================  ==============================================================
"""

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool

from providers_sdk._http.connect import DirectConnection
from providers_sdk._http.connection import DeadlineConnection

__all__ = ["DeadlineAdapter", "Session"]


class _DeadlinePool(HTTPConnectionPool):
    """Mixed before urllib3's pool classes: keeps a connection only if nothing is left over from its response."""

    def _put_conn(self, conn: Any) -> None:
        if conn is not None and not conn.is_reusable:
            conn.close()
        super()._put_conn(conn)


def _make_timed_pool(pool: type[HTTPConnectionPool], mixin: type[DeadlineConnection]) -> type[HTTPConnectionPool]:
    connection = type("Deadline" + pool.ConnectionCls.__name__, (mixin, pool.ConnectionCls), {})
    return type("Deadline" + pool.__name__, (_DeadlinePool, pool), {"ConnectionCls": connection})


class _PlainResponse(requests.Response):
    """requests' response without the cookie jar and the headers that its constructor makes only to be replaced."""

    def __init__(self) -> None:
        self._content = self._content_consumed = False
        self.encoding, self.history = None, []


class DeadlineAdapter(HTTPAdapter):
    """requests' adapter with every pool's connections put on the clock; retries are off: the engine retries."""

    plain = False
    """Whether nobody reads requests' own cookies of a response: no hook and no jar of a lent session."""
    _last_pool: tuple[Any, Any] = (None, None)
    """What the last pool is for, and that pool: to find it again takes longer than to take a connection from it."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Put the connections of the direct pools on the clock."""
        super().init_poolmanager(*args, **kwargs)
        _use_timed_pools(self.poolmanager, DirectConnection)

    def build_response(self, req: Any, resp: Any) -> requests.Response:
        """Return the response; of a plain session without requests' cookies: ``_http/cookies.py`` finds them anew."""
        if not self.plain:
            return super().build_response(req, resp)
        response = _PlainResponse()
        response.status_code, response.reason, response.url = resp.status, resp.reason, req.url
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw, response.request = resp, req
        return response

    def request_url(self, request: Any, proxies: Any) -> str:
        """Return the target of the request line; without a proxy no address is parsed to look for one."""
        if proxies:
            return str(super().request_url(request, proxies))
        path = str(request.path_url)
        return f"/{path.lstrip('/')}" if path.startswith("//") else path  # it would pass for an address

    def get_connection_with_tls_context(self, request: Any, verify: Any, proxies: Any = None, cert: Any = None) -> Any:
        """Return the pool; without a proxy that of the request before, where it is for the same."""
        if proxies:
            return super().get_connection_with_tls_context(request, verify, proxies, cert)
        parts = urlsplit(request.url)
        wanted = (parts.scheme, parts.netloc, verify, cert)
        known, pool = self._last_pool
        if known != wanted or pool.pool is None:  # urllib3 closes those that it drops
            host, tls = self.build_connection_pool_key_attributes(request, verify, cert)
            pool = self.poolmanager.connection_from_host(**host, pool_kwargs=tls)
            self._last_pool = wanted, pool
        return pool

    def close(self) -> None:
        """Close the idle connections now: urllib3 would wait until nobody refers to their pool any more."""
        self._last_pool = None, None
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118  the container refuses iteration, being shared by threads
                pool = manager.pools.get(key)
                if pool is not None:
                    pool.close()
        super().close()

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Put the connections of the proxy's pools on the clock."""
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            _use_timed_pools(manager, DeadlineConnection if proxy.lower().startswith("socks") else DirectConnection)
        return manager


def _use_timed_pools(manager: Any, mixin: type[DeadlineConnection]) -> None:
    classes = manager.pool_classes_by_scheme.items()
    manager.pool_classes_by_scheme = {scheme: _make_timed_pool(pool, mixin) for scheme, pool in classes}


class Session(requests.Session):
    """A session that never looks at a redirect: requests would read its whole body into memory."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return ``None``: redirects are this library's business."""
        return None
