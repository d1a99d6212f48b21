"""The requests session that sends for a client and provider."""

from http.cookiejar import Cookie, DefaultCookiePolicy
from urllib.request import Request

import requests
from requests.__version__ import __version__ as requests_version
from requests.adapters import HTTPAdapter

from providers_sdk._http.adapter import DeadlineAdapter, Session
from providers_sdk._version import __version__

__all__ = ["USER_AGENT", "close_session", "open_session"]

USER_AGENT = f"providers-sdk/{__version__} (python-requests/{requests_version})"
_CONNECTIONS = 64


def open_session(lent: requests.Session | None) -> Session:
    """Return a new session.

    :param lent: a session lent by the caller, whose values are copied; it is not written to.
    """
    session = Session()
    session.trust_env = False  # a .netrc entry would silently replace an Authorization header
    session.headers["user-agent"] = USER_AGENT
    adapter = DeadlineAdapter(pool_connections=_CONNECTIONS, pool_maxsize=_CONNECTIONS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    if lent is not None:
        _borrow(session, lent)
    session.cookies.set_policy(_KeepNothing())
    return session


def close_session(session: requests.Session) -> None:
    """Close the connections of ``session``, but for those of adapters that were lent."""
    for adapter in session.adapters.values():
        if isinstance(adapter, DeadlineAdapter):
            adapter.close()


class _KeepNothing(DefaultCookiePolicy):
    """Nothing that a service sets is kept between calls; cookies of a lent session are sent."""

    def set_ok(self, cookie: Cookie, request: Request) -> bool:
        return False


def _borrow(ours: Session, lent: requests.Session) -> None:
    theirs = {name: value for name, value in lent.headers.items() if name.lower() != "user-agent" or _chosen(value)}
    ours.headers.update(theirs)
    ours.auth, ours.cert, ours.params = lent.auth, lent.cert, lent.params
    ours.cookies.update(lent.cookies)
    for prefix, adapter in lent.adapters.items():
        if type(adapter) is not HTTPAdapter:
            ours.mount(prefix, adapter)


def _chosen(user_agent: str | bytes) -> bool:
    return not str(user_agent).startswith("python-requests/")
