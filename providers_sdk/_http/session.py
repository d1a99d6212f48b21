"""The HTTP session of one client and provider: connections, proxy, certificates, secrets and scraped tokens.

requests is imported when the caller passes in a session or the first request is sent (``_http/requests_session.py``).
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakSet

from providers_sdk._environment import read_proxies, read_variable
from providers_sdk._fork import renew_after_fork
from providers_sdk._garbage import load
from providers_sdk._http.proxies import add_scheme, check_proxy
from providers_sdk._redact import Redactor, userinfo_secrets
from providers_sdk.errors import InvalidArgument

if TYPE_CHECKING:
    import requests

    from providers_sdk._http.requests_session import SendingSession
    from providers_sdk._http.tokens import TokenStore

__all__ = ["HttpSession", "SessionCache", "check_proxy", "check_session"]

_MOST_LEARNED = 32
_MOST_SESSIONS = 16
_T = TypeVar("_T")


def check_session(session: object) -> "requests.Session | None":
    """Return ``session`` if it can be borrowed from.

    :raises InvalidArgument: it is no ``requests.Session``.
    """
    if session is None:
        return None
    import requests

    if not isinstance(session, requests.Session):
        raise InvalidArgument(f"session must be a requests.Session, not {type(session).__name__}")
    return session


class HttpSession:
    """The connections of one client to one provider.

    :param proxy: see :func:`check_proxy`.
    :param session: a session lent by the caller: its headers, params, cookies, auth, certificates, proxies and own
        adapters are used; nothing is written to it and it is never closed.
    :param secrets: values to hide in messages and logs; those of the lent session and of proxies are added.
    :param headers: sent with every request to the provider's own host, before those of the provider's code.
    """

    def __init__(
        self,
        *,
        proxy: str | None = None,
        session: "requests.Session | None" = None,
        secrets: Iterable[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.proxy = check_proxy(proxy)
        self.headers = dict(headers or {})
        self.lent = session
        self._tokens: TokenStore | None = None
        self.site_state: dict[str, Any] = {}
        self._secrets = frozenset([*secrets, *_find_lent_secrets(session)])
        self._learned: tuple[str, ...] = ()
        self._users: WeakSet[object] = WeakSet()
        self._retired = False
        self._renew()
        renew_after_fork(self)

    def _renew(self) -> None:
        """Make new connections in a forked child; those of its parent are left alone."""
        self._lock = threading.RLock()
        self._session: SendingSession | None = None

    @property
    def redact(self) -> Redactor:
        """Hides the secrets as they are now: the environment's proxies may have changed since the last call."""
        return _make_redactor(self._secrets.union(self._learned, self._find_proxy_secrets()))

    @property
    def tokens(self) -> "TokenStore":
        """The scraped tokens; most services need none."""
        from providers_sdk._http.tokens import TokenStore

        with self._lock:
            self._tokens = self._tokens or TokenStore()
            return self._tokens

    def session(self) -> "SendingSession":
        """Return the session of this process: a forked child gets its own and leaves its parent's sockets alone.

        :raises InvalidArgument: the lent session's ``cert`` names a file that cannot be read.
        """
        self._check_certificate()
        with self._lock:
            if self._session is None:
                self._session = self._open()
            return self._session

    def proxies(self, url: str) -> dict[str, str]:
        """Return the proxies for ``url``: the argument's, the lent session's, or the environment's."""
        if self.proxy is not None:
            return {"http": self.proxy, "https": self.proxy} if self.proxy else {}
        if self.lent is not None and self.lent.proxies:
            return dict(self.lent.proxies)
        if not _may_have_proxies():
            return {}
        from requests.utils import get_environ_proxies, select_proxy

        # requests takes the user of user:password@host for a scheme
        found = {name: add_scheme(proxy) for name, proxy in get_environ_proxies(url).items()}
        try:
            check_proxy(select_proxy(url, found))  # only this one: NO_PROXY is among them, and no address
        except InvalidArgument as error:
            raise InvalidArgument(f"{error.message}; look at HTTP_PROXY, HTTPS_PROXY and ALL_PROXY") from None
        return found

    def verify(self) -> bool | str:
        """Return what certificates are checked against.

        :raises InvalidArgument: it names a file or folder that cannot be read.
        """
        if self.lent is not None and self.lent.verify is not True:
            _check_readable(self.lent.verify, "session.verify")
            return self.lent.verify
        for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            bundle = read_variable(variable)
            if bundle:
                _check_readable(bundle, variable)
                return bundle
        return True

    def attach(self, user: object) -> None:
        """Note that ``user`` sends through this session until it is detached or gone."""
        with self._lock:
            self._users.add(user)

    def detach(self, user: object) -> None:
        """Note that ``user`` sends no more; the last one of a retired session closes it."""
        with self._lock:
            self._users.discard(user)
            self._close_if_unused()

    def retire(self) -> None:
        """Close the connections as soon as nobody uses them: now, or when the last user is detached."""
        with self._lock:
            self._retired = True
            self._close_if_unused()

    def close(self) -> None:
        """Close the connections, but for those of adapters that were lent."""
        with self._lock:
            if self._session is not None:
                from providers_sdk._http.requests_session import close_session

                close_session(self._session)

    def _close_if_unused(self) -> None:
        if self._retired and not self._users:
            self.close()

    def _open(self) -> "SendingSession":
        load("providers_sdk._http.requests_session")
        from providers_sdk._http.requests_session import open_session

        self._secrets = self._secrets.union(_find_lent_secrets(self.lent))  # it may have changed since it was lent
        return open_session(self.lent, redact=lambda: self.redact, learn=self._remember)

    def _remember(self, secrets: Iterable[str]) -> None:
        """Keep the last few: what signs each request anew would grow without end."""
        with self._lock:
            self._learned = tuple(dict.fromkeys([*secrets, *self._learned]))[:_MOST_LEARNED]

    def _check_certificate(self) -> None:
        cert = self.lent.cert if self.lent is not None else None
        for path in cert if isinstance(cert, tuple) else (cert,):
            _check_readable(path, "session.cert")

    def _find_proxy_secrets(self) -> Iterator[str]:
        lent = self.lent.proxies.values() if self.lent is not None else ()
        for proxy in (self.proxy, *lent, *read_proxies()):
            yield from userinfo_secrets(proxy or "")


class SessionCache(Generic[_T]):
    """The sessions that a client keeps, at most ``most`` a provider; the one that was not used for longest goes first.

    A provider's settings may change with every call, as a rotating key does: without a bound each of them would keep
    its session and its sockets.

    :param retire: called with a session that is no longer kept, which may still be in use.
    :param most: sessions of one provider.
    """

    def __init__(self, retire: Callable[[_T], None], *, most: int = _MOST_SESSIONS) -> None:
        self._retire, self._most = retire, most
        self._kept: dict[str, OrderedDict[Hashable, _T]] = {}
        self._renew()
        renew_after_fork(self)

    def _renew(self) -> None:
        """Make the lock anew, in a forked child."""
        self._lock = threading.Lock()

    def get(self, provider: str, settings: Hashable, create: Callable[[], _T]) -> _T:
        """Return the session of ``provider`` for these settings, a new one where none is kept."""
        with self._lock:
            kept = self._kept.setdefault(provider, OrderedDict())
            if settings not in kept:
                kept[settings] = create()
            kept.move_to_end(settings)
            session = kept[settings]
            dropped = kept.popitem(last=False)[1] if len(kept) > self._most else None
        if dropped is not None:
            self._retire(dropped)
        return session

    def clear(self) -> list[_T]:
        """Forget all sessions and return them; closing them is the caller's business."""
        with self._lock:
            kept, self._kept = self._kept, {}
        return [session for sessions in kept.values() for session in sessions.values()]


@lru_cache(maxsize=64)
def _make_redactor(secrets: frozenset[str]) -> Redactor:
    return Redactor.of(secrets)


def _find_lent_secrets(lent: "requests.Session | None") -> Iterable[str]:
    if lent is None:  # as nearly always
        return ()
    from providers_sdk._http.lent_secrets import find_lent_secrets

    return find_lent_secrets(lent)


def _may_have_proxies() -> bool:
    """Whether requests can find a proxy: asking it reads the whole environment four times."""
    from urllib.request import getproxies, getproxies_environment

    return bool(read_proxies()) or getproxies is not getproxies_environment  # some systems have settings of their own


def _check_readable(path: object, what: str) -> None:
    if isinstance(path, (str, os.PathLike)) and not os.access(path, os.R_OK):
        raise InvalidArgument(f"{what} names a file or folder that is not there or cannot be read; correct or unset it")
