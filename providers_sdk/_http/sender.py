"""Sends the requests of one attempt within its limits, and closes their responses at its end."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from providers_sdk import errors
from providers_sdk._http.clock import Clock
from providers_sdk._http.cookies import AttemptSecrets, Cookies, CookieSnapshot, names_cookie
from providers_sdk._http.exceptions import translate
from providers_sdk._http.exchange import Exchange, current_exchange
from providers_sdk._http.header_values import check_headers
from providers_sdk._http.redirects import is_own_host
from providers_sdk._http.session import HttpSession
from providers_sdk._redact import bare_url

if TYPE_CHECKING:
    import requests

    from providers_sdk._http.response import HttpResponse

__all__ = ["Sender"]

_log = logging.getLogger("providers_sdk")
_CLOSED_MEANWHILE = "the reply was closed while its request was being sent"


class Sender:
    """Sends through ``pool``, within the time of ``clock``.

    :param base: the provider's address; the headers that the user has set go to its host only.
    """

    def __init__(self, pool: HttpSession, clock: Clock, base: str) -> None:
        self._pool, self._clock, self._base = pool, clock, base
        self.responses: list[HttpResponse] = []
        """Those that are open, oldest first, and the last one, whether open or closed."""
        self.visited: dict[str, None] = {}
        """The addresses that have responded."""
        self.secrets = AttemptSecrets(lambda: pool.redact)
        self.cookies = Cookies(self.secrets)
        self._exchanges: list[Exchange] = []
        self._closed = False
        self._waiting: Exchange | None = None

    @property
    def received(self) -> int:
        """Bytes received so far, headers included."""
        return sum(exchange.received for exchange in self._exchanges)

    def use_cookies(self, *cookies: CookieSnapshot) -> None:
        """Send ``cookies`` from now on, the later ones in the place of earlier ones, and those that come."""
        self.cookies = Cookies(self.secrets)
        for some in cookies:
            self.cookies.adopt(some)

    @contextmanager
    def without_cookies(self) -> Iterator[None]:
        """Begin the block without cookies, and forget at its end those that have come."""
        before, self.cookies = self.cookies, Cookies(self.secrets)
        try:
            yield
        finally:
            self.cookies = before

    def close(self) -> None:
        """Close every response that is still open; from now on nothing is sent."""
        self._closed = True
        waiting = self._waiting
        if waiting is not None:  # its thread has yet to look at _closed, so it reuses no connection
            waiting.interrupt()
        for response in list(self.responses):
            response.close()

    def send(self, method: str, url: str, headers: Mapping[str, str] | None, **body: Any) -> "HttpResponse":
        """Send one request, once more only where no server can have it; return its response."""
        exchange = Exchange(self._clock, self.secrets.redactor)
        try:
            return self._exchange(exchange, method, url, headers, body)
        except errors.ConnectionLost:
            # RFC 9110 section 9.2.2: what a server may have processed is never repeated without being counted
            if not exchange.is_repeatable:
                raise
            return self._exchange(Exchange(self._clock, self.secrets.redactor), method, url, headers, body)

    def _exchange(
        self,
        exchange: Exchange,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: dict[str, Any],
    ) -> "HttpResponse":
        from providers_sdk._http.response import HttpResponse  # what asks no service needs none of it

        if self._closed:
            raise errors.Closed("the reply was closed; nothing more is sent")
        self._clock.check()
        check_headers({**(headers or {}), **self._pool.headers})
        started = self._clock.now()
        raw = self._send_prepared(exchange, method, url, headers or {}, body)
        cookies = self.cookies.keep(raw.url or "", raw.raw)
        response = HttpResponse(raw, exchange, redact=self.secrets.redactor, started=started, cookies=cookies)
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s %s -> %d (%.3f s)", method, response.url, response.status, response.seconds)
        self._note(response)
        if self._closed:  # close() sets it before it looks at the responses: one of the two closes this one
            response.close()
            raise errors.Closed(_CLOSED_MEANWHILE)
        return response

    def _note(self, response: "HttpResponse") -> None:
        """Keep ``response`` for :meth:`close`; those that are closed already are let go: polling makes thousands."""
        self.responses = [*(kept for kept in self.responses if not kept.closed), response]
        self.visited[response.location] = None

    def _add_users_headers(self, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the provider's headers with those that the user has set for its host, which win."""
        own = self._pool.headers if is_own_host(self._base, url) else {}
        names = {name.lower() for name in own}
        return {**{name: value for name, value in headers.items() if name.lower() not in names}, **own}

    def _send_prepared(
        self, exchange: Exchange, method: str, url: str, headers: Mapping[str, str], body: dict[str, Any]
    ) -> "requests.Response":
        self._exchanges.append(exchange)
        self._waiting = exchange
        before, since = sys.exception(), self._clock.now()
        token = current_exchange.set(exchange)
        try:
            session = self._pool.session()
            given = self._add_users_headers(url, headers)
            prepared = session.prepare(method, url, given, body)
            if not names_cookie(headers):
                self.cookies.add_header(prepared.url or "", prepared.headers)
            return session.send(
                prepared,
                stream=True,
                allow_redirects=False,
                timeout=(_limit_to_positive(self._clock.connect_timeout()), _limit_to_positive(self._clock.left())),
                proxies=self._pool.proxies(url),
                verify=self._pool.verify(),
                cert=session.cert,
            )
        except errors.ProviderError:
            raise
        except Exception as failure:  # noqa: BLE001  translate() decides what it means
            redact = self.secrets.redactor()
            bare = redact(bare_url(url))
            error = translate(failure, clock=self._clock, url=bare, redact=redact, before=before, since=since)
            if self._closed:
                error = errors.Closed(_CLOSED_MEANWHILE)
        finally:
            self._waiting = None
            current_exchange.reset(token)
        _log.debug("%s %s failed: %s", method, bare, type(error).__name__)
        raise error


def _limit_to_positive(seconds: float | None) -> float | None:
    return None if seconds is None else max(seconds, 0.001)
