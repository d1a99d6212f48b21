"""The transport: the only room that knows requests."""

import logging
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from providers_sdk import errors
from providers_sdk._http.clock import Clock
from providers_sdk._http.exceptions import translate
from providers_sdk._http.exchange import Exchange, current_exchange
from providers_sdk._http.response import Answer
from providers_sdk._http.session import Pool
from providers_sdk._http.tokens import Tokens
from providers_sdk._protocol.html import Page, TokenPage
from providers_sdk._redact import bare_url

__all__ = ["Answer", "Http", "Pool"]

_log = logging.getLogger("providers_sdk")
_log.addHandler(logging.NullHandler())
_HOPS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADER = re.compile(r"(?! )[\x20-\x7e]*(?<! )")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Http:
    """What a provider talks through: made by the host for one attempt, with the caller's limits, proxy and session.

    :param pool: the connections.
    :param clock: the attempt's time.
    :param base: the provider's address, before every path.
    """

    def __init__(self, pool: Pool, clock: Clock, base: str) -> None:
        self._pool, self.clock, self._base = pool, clock, base.rstrip("/")
        self._answers: list[Answer] = []
        self._exchanges: list[Exchange] = []
        self._closed = False

    @property
    def received(self) -> int:
        """Bytes received so far, headers included."""
        return sum(exchange.received for exchange in self._exchanges)

    @property
    def url(self) -> str | None:
        """The address of the last answer, without user info and query."""
        return self._answers[-1].url if self._answers else None

    @property
    def status(self) -> int | None:
        """The status of the last answer."""
        return self._answers[-1].status if self._answers else None

    def get(
        self,
        url: str = "/",
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a GET; up to three redirects within the same host are followed, never from https to http.

        :param url: a path below the provider's address, or a whole address.
        :raises TransportError: no answer came.
        """
        answer = self._send("GET", self._address(url), headers, params=params)
        for _ in range(_HOPS):
            target = _redirect_target(answer)
            if target is None:
                break
            answer.close()
            answer = self._send("GET", target, headers)
        return answer

    def post(
        self,
        url: str = "/",
        *,
        json: Any = None,
        data: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a POST; a redirect is never followed.

        :param url: a path below the provider's address, or a whole address.
        :param json: sent as JSON.
        :param data: sent as an urlencoded form.
        :raises TransportError: no answer came.
        """
        # identity: a compressed stream is held back by the sender, and PHP has labelled bodies gzip that are not
        given = {"accept-encoding": "identity", **(headers or {})}
        return self._send("POST", self._address(url), given, params=params, json=json, data=data)

    def page(self, url: str = "/", *, headers: Mapping[str, str] | None = None) -> Page:
        """Fetch a page of HTML and return it parsed, whatever its status.

        :raises Blocked: a bot wall answered.
        :raises InvalidAnswer: it is no HTML.
        :raises TooLarge: it has more than 2 MB or 50 000 tags.
        """
        return self.get(url, headers=headers).page()

    def with_tokens(
        self, where: TokenPage, send: Callable[[Tokens], Answer], *, refused: Callable[[Answer], bool]
    ) -> Answer:
        """Send a request that needs scraped tokens; if the site refuses them, fetch them anew and repeat once.

        :param where: the page, and how to find the tokens.
        :param send: makes the request with the tokens.
        :param refused: tells whether an answer means that the tokens are old.
        :raises TokensNotFound: the page lacks one.
        :raises TokenPageFailed: the page has an error status.
        """
        tokens = self._tokens(where)
        answer = send(tokens)
        if not refused(answer):
            return answer
        answer.close()
        _log.debug("%s refused its tokens; fetching the page once more", answer.url)
        return send(self._tokens(where, stale=tokens))

    def _tokens(self, where: TokenPage, *, stale: Tokens | None = None) -> Tokens:
        url = self._address(where.path)
        return self._pool.tokens.get(url, lambda: self._fetch_tokens(where), self.clock, stale=stale)

    def _fetch_tokens(self, where: TokenPage) -> Tokens:
        answer = self.get(where.path, headers={"accept": "text/html"})
        if answer.status in (407, 429):
            raise answer.status_error()
        if answer.status != 200 and answer.wall is None and "html" not in answer.content_type:
            said = answer.status_error()
            words = f"the page {answer.url} {said.message}"
            raise errors.TokenPageFailed(words, url=answer.url, status=answer.status, retry_after=said.retry_after)
        page = answer.page()
        found = where.extract(page) if page.status == 200 else {}
        if len(found) == len(where.tokens):
            return found
        kind = errors.TokensNotFound if page.status == 200 else errors.TokenPageFailed
        words = self._pool.redact(where.drift(page, found))
        after = answer.status_error().retry_after
        raise kind(
            f"{words}; check that the site still carries the chat",
            url=page.url,
            status=page.status,
            retry_after=after,
        )

    def close(self) -> None:
        """Close every answer that is still open; from now on nothing is sent."""
        self._closed = True
        for answer in list(self._answers):
            answer.close()

    def _address(self, url: str) -> str:
        return url if url.startswith(("http://", "https://")) else f"{self._base}/{url.lstrip('/')}"

    def _send(self, method: str, url: str, headers: Mapping[str, str] | None, **body: Any) -> Answer:
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
    ) -> Answer:
        if self._closed:
            raise errors.Closed("the reply was closed; nothing more is sent")
        self.clock.check()
        _check_headers(headers or {})
        started = self.clock.now()
        response = self._response(exchange, method, url, dict(headers or {}), body)
        answer = Answer(response, exchange, redact=self._pool.redact, started=started)
        _log.debug("%s %s -> %d (%.3f s)", method, answer.url, answer.status, answer.seconds)
        self._answers.append(answer)
        if self._closed:  # close() sets it before it looks at the answers: one of the two closes this one
            answer.close()
            raise errors.Closed("the reply was closed while its request was being sent")
        return answer

    def _response(
        self, exchange: Exchange, method: str, url: str, headers: dict[str, str], body: dict[str, Any]
    ) -> requests.Response:
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
                timeout=(_positive(self.clock.connect_timeout()), _positive(self.clock.left())),
                proxies=self._pool.proxies(url),
                verify=self._pool.verify(),
                cert=session.cert,
            )
        except errors.ProviderError:
            raise
        except Exception as failure:  # noqa: BLE001  the door decides what it means
            bare, redact = self._pool.redact(bare_url(url)), self._pool.redact
            error = translate(failure, clock=self.clock, url=bare, redact=redact, before=before, since=since)
        finally:
            current_exchange.reset(token)
        error.args = (self._pool.redact(error.message),)
        _log.debug("%s %s failed: %s", method, bare, type(error).__name__)
        raise error


def _positive(seconds: float | None) -> float | None:
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


def _redirect_target(answer: Answer) -> str | None:
    location = answer.headers.get("location")
    if answer.status not in _REDIRECTS or not location:
        return None
    try:
        here, there = urlsplit(answer.location), urlsplit(urljoin(answer.location, location))
        same = _site(here.hostname) == _site(there.hostname) and (
            here.port == there.port or there.scheme != here.scheme
        )
    except ValueError:
        return None
    # what is written with these two, urllib3 and urlsplit take for different hosts
    same = same and not {"\\", "@"} & set(location)
    allowed = same and (there.scheme == here.scheme or (here.scheme, there.scheme) == ("http", "https"))
    return there.geturl() if allowed else None


def _site(host: str | None) -> str:
    return str(host or "").lower().removeprefix("www.")


Http.__module__ = "providers_sdk.plugin"
