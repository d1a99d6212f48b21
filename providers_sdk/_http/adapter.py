"""The wire: requests' adapter whose every blocking call is bounded by the clock of the attempt that makes it.

requests has no total deadline and its read timeout starts anew at every ``recv``. Here the response's raw file asks
the clock before each ``recv``, so that status line, headers, body and trailers all end in time, over TLS and through
proxies too, and without a thread. Name resolution cannot be bounded this way; the clock is asked right after it.
"""

from typing import Any

import requests
from requests.adapters import HTTPAdapter
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


def _timed_pool(pool: type[HTTPConnectionPool], mixin: type[DeadlineConnection]) -> type[HTTPConnectionPool]:
    connection = type("Deadline" + pool.ConnectionCls.__name__, (mixin, pool.ConnectionCls), {})
    return type("Deadline" + pool.__name__, (_DeadlinePool, pool), {"ConnectionCls": connection})


class DeadlineAdapter(HTTPAdapter):
    """requests' adapter with every pool's connections put on the clock; retries are off, that is not its business."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Put the connections of the direct pools on the clock."""
        super().init_poolmanager(*args, **kwargs)
        _use_timed_pools(self.poolmanager, DirectConnection)

    def close(self) -> None:
        """Close the idle connections now: urllib3 would wait until nobody refers to their pool any more."""
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
    manager.pool_classes_by_scheme = {scheme: _timed_pool(pool, mixin) for scheme, pool in classes}


class Session(requests.Session):
    """A session that never looks at a redirect: requests would read its whole body into memory."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return ``None``: redirects are this library's business."""
        return None
