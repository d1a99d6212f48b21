"""The requests session that sends for an :class:`HttpSession <providers_sdk._http.session.HttpSession>`.

It is opened at the first request, so that requests and urllib3 are loaded only by a call that needs them.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from http.cookiejar import Cookie, DefaultCookiePolicy
from typing import Any
from urllib.request import Request

import requests
from requests.__version__ import __version__ as requests_version
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests.structures import CaseInsensitiveDict

from providers_sdk._http.adapter import DeadlineAdapter, Session
from providers_sdk._http.exchange import current_exchange
from providers_sdk._http.header_values import check_headers
from providers_sdk._http.urllib3_log import redact_urllib3_log
from providers_sdk._redact import Redactor
from providers_sdk._version import __version__

__all__ = ["USER_AGENT", "SendingSession", "close_session", "open_session"]

USER_AGENT = f"providers-sdk/{__version__} (python-requests/{requests_version})"
_CONNECTIONS = 64
_ENCODINGS = "gzip, deflate"  # what urllib3 decodes in pieces of a bounded size; brotli before 1.2 does not

Learn = Callable[[Iterable[str]], None]


def open_session(lent: requests.Session | None, *, redact: Callable[[], Redactor], learn: Learn) -> "SendingSession":
    """Return a new session.

    :param lent: a session lent by the caller, whose values are copied; it is not written to.
    :param redact: returns what hides the secrets.
    :param learn: takes secrets that are known only once a request is prepared.
    :raises InvalidArgument: the lent session has a header that cannot be sent.
    """
    session = SendingSession(redact, plain=lent is None)
    session.trust_env = False  # a .netrc entry would silently replace an Authorization header
    session.headers["user-agent"] = USER_AGENT
    session.headers["accept-encoding"] = _ENCODINGS
    adapter = DeadlineAdapter(pool_connections=_CONNECTIONS, pool_maxsize=_CONNECTIONS)
    adapter.plain = lent is None
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    if lent is not None:
        _borrow(session, lent, learn)
    session.cookies.set_policy(_KeepNothing())
    check_headers(session.headers)
    return session


def close_session(session: requests.Session) -> None:
    """Close the connections of ``session``, but for those of adapters that were lent."""
    for adapter in session.adapters.values():
        if isinstance(adapter, DeadlineAdapter):
            adapter.close()


class SendingSession(Session):
    """Hides secrets in what urllib3 logs while it sends.

    :param plain: whether the session has nothing but headers: neither cookies, params, auth nor hooks, which a lent one
        may have. requests takes as long to merge these with a request's own, to look for redirects and to call hooks as
        to do all the rest.
    """

    def __init__(self, redact: Callable[[], Redactor], *, plain: bool) -> None:
        super().__init__()
        self._redact, self._plain = redact, plain
        self._prepare_url = lru_cache(maxsize=32)(_prepare_url)

    def prepare(
        self, method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> requests.PreparedRequest:
        """Return the request as it is sent.

        :param headers: checked by ``check_headers``.
        :param body: ``params``, ``json``, ``data`` and ``files``, as for requests.
        """
        if not self._plain:
            return self.prepare_request(requests.Request(method, url, headers=headers, **body))
        prepared = requests.PreparedRequest()
        prepared.prepare_method(method)
        params = body.get("params")
        if params:
            prepared.prepare_url(url, params)
        else:
            prepared.url = self._prepare_url(url)
        given = {name: value for name, value in headers.items() if value is not None}  # None: requests' way of none
        prepared.headers = CaseInsensitiveDict({**self.headers, **given})
        prepared.prepare_body(body.get("data"), body.get("files"), body.get("json"))
        if "@" in url:
            prepared.prepare_auth(None, url)  # what user info there is in the address
        return prepared

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        exchange = current_exchange.get()
        with redact_urllib3_log(self._redact if exchange is None else exchange.redactor):
            if not self._plain:
                return super().send(request, **kwargs)
            kwargs.pop("allow_redirects", None)
            return self.get_adapter(request.url or "").send(request, **kwargs)


def _prepare_url(url: str) -> str | None:
    """Return ``url`` as requests sends it; a session asks for the same few again and again."""
    prepared = requests.PreparedRequest()
    prepared.prepare_url(url, None)
    return prepared.url


class _LearningAuth(AuthBase):
    """A lent ``auth`` may be any callable: what it adds to a request is compared and counts as secret."""

    def __init__(self, auth: Callable[[requests.PreparedRequest], requests.PreparedRequest], learn: Learn) -> None:
        self._auth, self._learn = auth, learn

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        from providers_sdk._http.lent_secrets import find_added_secrets, snapshot

        before = snapshot(prepared)
        prepared = self._auth(prepared)
        self._learn(find_added_secrets(before, snapshot(prepared)))
        return prepared


class _KeepNothing(DefaultCookiePolicy):
    """Cookies of a lent session are sent, and what services set is not kept here: see ``_http/cookies.py``."""

    def set_ok(self, cookie: Cookie, request: Request) -> bool:
        return False


def _borrow(ours: requests.Session, lent: requests.Session, learn: Learn) -> None:
    ours.headers.update({name: value for name, value in lent.headers.items() if _is_chosen(name, value)})
    ours.cert, ours.params = lent.cert, _copy_params(lent.params)
    auth = HTTPBasicAuth(*lent.auth) if isinstance(lent.auth, tuple) and len(lent.auth) == 2 else lent.auth
    ours.auth = _LearningAuth(auth, learn) if auth else None
    ours.cookies.update(lent.cookies)
    for prefix, adapter in lent.adapters.items():
        if type(adapter) is not HTTPAdapter:
            ours.mount(prefix, adapter)


def _copy_params(params: Any) -> Any:
    return params if isinstance(params, (str, bytes)) else type(params)(params) if params else {}


def _is_chosen(name: str, value: Any) -> bool:
    """Whether the caller chose this header: two of them requests sets itself, and our own values replace those."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if name.lower() == "user-agent":
        return not str(text).startswith("python-requests/")
    if name.lower() == "accept-encoding":
        return text is None or {item.strip() for item in text.lower().split(",")} <= {"gzip", "deflate", "identity"}
    return True
