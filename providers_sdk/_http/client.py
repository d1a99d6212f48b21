"""The HTTP client that a provider uses.

One :class:`Http` serves one attempt. It sends requests within the limits of the attempt's clock and through the
client's session, maps what requests raises, and closes every response at the attempt's end.
"""

import logging
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from providers_sdk import errors
from providers_sdk._callers import find_callers_level
from providers_sdk._http.clock import Clock
from providers_sdk._http.exceptions import translate
from providers_sdk._http.exchange import Exchange, current_exchange
from providers_sdk._http.redirects import is_own_host, is_redirect, redirect_target, with_credentials
from providers_sdk._http.response import HttpResponse
from providers_sdk._http.session import HttpSession
from providers_sdk._http.token_page import PageTokens
from providers_sdk._http.tokens import Tokens
from providers_sdk._protocol.html import Page
from providers_sdk._protocol.token_page import TokenPage
from providers_sdk._redact import bare_url

if TYPE_CHECKING:
    import requests

__all__ = ["Http", "HttpResponse", "HttpSession"]

_log = logging.getLogger("providers_sdk")
_log.addHandler(logging.NullHandler())
_HOPS = 3
_HEADER = re.compile(r"(?! )[\x20-\x7e]*(?<! )")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Http:
    """Sends a provider's HTTP requests; made for one attempt, with the caller's limits, proxy and session.

    :param pool: the connections.
    :param clock: the attempt's time.
    :param base: the provider's address, before every path.
    """

    def __init__(self, pool: HttpSession, clock: Clock, base: str) -> None:
        self._pool, self.clock, self._base = pool, clock, base.rstrip("/")
        self._responses: list[HttpResponse] = []
        self._exchanges: list[Exchange] = []
        self._closed = False
        self.refused_attempts: list[tuple[errors.ProviderError, float]] = []
        """What :meth:`note_refused_attempt` has noted: each error, and when it was, by the clock's ``now()``."""
        pool.attach(self)

    @property
    def site_state(self) -> dict[str, Any]:
        """What this client keeps of this provider's address, such as a visitor's id; its attempts and threads share it.

        ``setdefault`` is atomic: the first of several threads decides.
        """
        return self._pool.site_state

    def note_refused_attempt(self, error: errors.ProviderError) -> None:
        """Note that the service refused a request which the provider now sends again in another form.

        It becomes an attempt of its own in ``attempts`` and does not count against ``retries``.

        :param error: why the service refused it.
        """
        self.refused_attempts.append((error, self.clock.now()))

    @property
    def received(self) -> int:
        """Bytes received so far, headers included."""
        return sum(exchange.received for exchange in self._exchanges)

    @property
    def url(self) -> str | None:
        """The address of the last response, without user info and query."""
        return self._responses[-1].url if self._responses else None

    @property
    def status(self) -> int | None:
        """The status of the last response."""
        return self._responses[-1].status if self._responses else None

    def get(
        self,
        url: str = "/",
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        """Send a GET; up to three redirects within the same host are followed, never from https to http.

        :param url: a path below the provider's address, or a whole address.
        :raises TransportError: no response arrived.
        """
        response = self._send("GET", self._build_address(url), headers, params=params)
        for _ in range(_HOPS):
            target = _find_target(response)
            if target is None:
                break
            response.close()
            response = self._send("GET", self._build_address(target), headers)
        return response

    def post(
        self,
        url: str = "/",
        *,
        json: Any = None,
        data: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        """Send a POST; a redirect is never followed.

        :param url: a path below the provider's address, or a whole address.
        :param json: sent as JSON.
        :param data: sent as an urlencoded form.
        :raises TransportError: no response arrived.
        """
        # identity: a compressed stream is held back by the sender, and PHP has labelled bodies gzip that are not
        given = {"accept-encoding": "identity", **(headers or {})}
        return self._send("POST", self._build_address(url), given, params=params, json=json, data=data)

    def page(self, url: str = "/", *, headers: Mapping[str, str] | None = None) -> Page:
        """Fetch a page of HTML and return it parsed, whatever its status.

        :raises Blocked: a bot wall responded.
        :raises InvalidAnswer: it is no HTML.
        :raises TooLarge: it has more than 2 MB or 50 000 tags.
        """
        return self.get(url, headers=headers).page()

    def with_tokens(
        self, where: TokenPage, send: Callable[[Tokens], HttpResponse], *, refused: Callable[[HttpResponse], bool]
    ) -> HttpResponse:
        """Send a request that needs scraped tokens; if the site refuses them, fetch them anew and repeat once.

        :param where: the page, and how to find the tokens.
        :param send: makes the request with the tokens.
        :param refused: returns whether a response means that the tokens are old.
        :raises TokensNotFound: the page lacks one.
        :raises TokenPageFailed: the page has an error status.
        :raises HTTPStatusError: the page still carries the refused tokens, as a cached copy does; they are not sent
            again for a minute.
        """
        page = self._make_page_tokens(where)
        tokens = page.current()
        response = send(tokens)
        if not refused(response):
            return response
        page.refuse(tokens, response)
        response.close()
        _log.debug("%s refused its tokens; fetching the page once more", response.url)
        tokens = page.other_than(tokens)
        response = send(tokens)
        if refused(response):
            page.refuse(tokens, response)
        return response

    def warn_once(self, warning: UserWarning) -> None:
        """Warn the script, at its own line; of each class of warning only the first of this client and site.

        :raises UnsupportedOption: the script has made warnings of this class errors.
        """
        kind, mark = type(warning).__name__, object()
        if self.site_state.setdefault(f"warned {kind}", mark) is not mark:
            return
        try:
            warnings.warn(warning, stacklevel=find_callers_level())
        except UserWarning as raised:
            del self.site_state[f"warned {kind}"]
            raise errors.UnsupportedOption(f"{raised} ({kind} is an error in this script)") from raised

    def _make_page_tokens(self, where: TokenPage) -> PageTokens:
        return PageTokens(
            where,
            self._build_address(where.path),
            store=self._pool.tokens,
            clock=self.clock,
            redact=self._pool.redact,
            get=self.get,
            visited=lambda: [response.location for response in self._responses],
        )

    def close(self) -> None:
        """Close every response that is still open; from now on nothing is sent."""
        self._closed = True
        for response in list(self._responses):
            response.close()
        self._pool.detach(self)

    def _build_address(self, url: str) -> str:
        if url.startswith(("http://", "https://")):
            return with_credentials(self._base, url)
        return f"{self._base}/{url.lstrip('/')}"

    def _send(self, method: str, url: str, headers: Mapping[str, str] | None, **body: Any) -> HttpResponse:
        exchange = Exchange(self.clock)
        try:
            return self._exchange(exchange, method, url, headers, body)
        except errors.ConnectionLost:
            # RFC 9110 section 9.2.2: what a server may have processed is never repeated without being counted
            if not exchange.is_repeatable:
                raise
            return self._exchange(Exchange(self.clock), method, url, headers, body)

    def _exchange(
        self,
        exchange: Exchange,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: dict[str, Any],
    ) -> HttpResponse:
        if self._closed:
            raise errors.Closed("the reply was closed; nothing more is sent")
        self.clock.check()
        _check_headers({**(headers or {}), **self._pool.headers})
        started = self.clock.now()
        raw = self._send_prepared(exchange, method, url, self._add_users_headers(url, headers or {}), body)
        response = HttpResponse(raw, exchange, redact=self._pool.redact, started=started)
        _log.debug("%s %s -> %d (%.3f s)", method, response.url, response.status, response.seconds)
        self._responses.append(response)
        if self._closed:  # close() sets it before it looks at the responses: one of the two closes this one
            response.close()
            raise errors.Closed("the reply was closed while its request was being sent")
        return response

    def _add_users_headers(self, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the provider's headers with those that the user has set for its host, which win."""
        own = self._pool.headers if is_own_host(self._base, url) else {}
        names = {name.lower() for name in own}
        return {**{name: value for name, value in headers.items() if name.lower() not in names}, **own}

    def _send_prepared(
        self, exchange: Exchange, method: str, url: str, headers: dict[str, str], body: dict[str, Any]
    ) -> "requests.Response":
        import requests

        self._exchanges.append(exchange)
        before, since = sys.exception(), self.clock.now()
        token = current_exchange.set(exchange)
        try:
            session = self._pool.session()
            _check_headers(session.headers)
            prepared = session.prepare_request(requests.Request(method, url, headers=headers, **body))
            return session.send(
                prepared,
                stream=True,
                allow_redirects=False,
                timeout=(_limit_to_positive(self.clock.connect_timeout()), _limit_to_positive(self.clock.left())),
                proxies=self._pool.proxies(url),
                verify=self._pool.verify(),
                cert=session.cert,
            )
        except errors.ProviderError:
            raise
        except Exception as failure:  # noqa: BLE001  translate() decides what it means
            bare, redact = self._pool.redact(bare_url(url)), self._pool.redact
            error = translate(failure, clock=self.clock, url=bare, redact=redact, before=before, since=since)
        finally:
            current_exchange.reset(token)
        _log.debug("%s %s failed: %s", method, bare, type(error).__name__)
        raise error


def _limit_to_positive(seconds: float | None) -> float | None:
    return None if seconds is None else max(seconds, 0.001)


def _check_headers(headers: Mapping[str, str | bytes | None]) -> None:
    for name, given in headers.items():
        if given is None:  # requests' way of leaving a header out
            continue
        value = given.decode("latin-1") if isinstance(given, bytes) else given
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise errors.InvalidArgument(f"the header name {name[:40]!r} cannot be sent")
        if not isinstance(value, str) or not _HEADER.fullmatch(value):
            raise errors.InvalidArgument(
                f"the value of header {name!r} holds a line break, an outer space or a character that no header may "
                "have (the value is not shown); check the setting or key that it is made of"
            )


def _find_target(response: HttpResponse) -> str | None:
    location = response.headers.get("location")
    return redirect_target(response.location, location) if is_redirect(response.status, location) else None


Http.__module__ = "providers_sdk.plugin"
