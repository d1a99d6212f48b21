"""The HTTP client that a provider uses.

One :class:`Http` serves one attempt. It sends requests within the limits of the attempt's clock and through the
client's session, maps what requests raises, and closes every response at the attempt's end.
"""

import logging
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from providers_sdk import errors
from providers_sdk._callers import find_callers_level
from providers_sdk._http.clock import Clock
from providers_sdk._http.cookies import CookieSnapshot
from providers_sdk._http.redirects import build_address, find_next_address
from providers_sdk._http.request_body import Files, Form, check_method, make_body
from providers_sdk._http.sender import Sender
from providers_sdk._http.session import HttpSession
from providers_sdk._http.waiting import Waiting, check_seconds
from providers_sdk._redact import Redactor

if TYPE_CHECKING:
    from providers_sdk._http.response import HttpResponse
    from providers_sdk._http.token_page import PageTokens
    from providers_sdk._http.tokens import Tokens
    from providers_sdk._protocol.html import Page
    from providers_sdk._protocol.token_page import TokenPage

__all__ = ["Http", "HttpSession"]

_log = logging.getLogger("providers_sdk")
_log.addHandler(logging.NullHandler())
_HOPS = 3
_SHORTEST_POLL = 0.01
T = TypeVar("T")


class Http:
    """Sends a provider's HTTP requests; made for one attempt, with the caller's limits, proxy and session.

    :param pool: the connections.
    :param clock: the attempt's time.
    :param base: the provider's address, before every path.
    """

    def __init__(self, pool: HttpSession, clock: Clock, base: str) -> None:
        self._pool, self.clock, self._base = pool, clock, base.rstrip("/")
        self._sender = Sender(pool, clock, self._base)
        self._waiting = Waiting(clock)
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
    def redact(self) -> Redactor:
        """Hides this attempt's secrets in a text, the values of its cookies among them."""
        return self._sender.secrets.redactor()

    @property
    def received(self) -> int:
        """Bytes received so far, headers included."""
        return self._sender.received

    @property
    def url(self) -> str | None:
        """The address of the last response, without user info and query."""
        last = self._find_last_response()
        return last.url if last is not None else None

    @property
    def status(self) -> int | None:
        """The status of the last response."""
        last = self._find_last_response()
        return last.status if last is not None else None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the last response: a mapping that ignores case; empty before the first response."""
        return self._sender.responses[-1].headers if self._sender.responses else {}

    def get(
        self,
        url: str = "/",
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "HttpResponse":
        """Send a GET; up to three redirects within the same host are followed, never from https to http.

        :param url: a path below the provider's address, or a whole address.
        :raises TransportError: no response arrived.
        """
        return self.request("GET", url, params=params, headers=headers)

    def post(
        self,
        url: str = "/",
        *,
        json: Any = None,
        data: Form | bytes | None = None,
        files: Files | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "HttpResponse":
        """Send a POST; a redirect is never followed. The arguments are those of :meth:`request`.

        :raises TransportError: no response arrived.
        """
        return self.request("POST", url, json=json, data=data, files=files, params=params, headers=headers)

    def request(
        self,
        method: str,
        url: str = "/",
        *,
        json: Any = None,
        data: Form | bytes | None = None,
        files: Files | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "HttpResponse":
        """Send a request with any method, and at most one body: ``json``, ``data`` or ``files``.

        The redirects of a GET or HEAD without a body are followed as :meth:`get` follows them, others never. The time
        limits hold for sending, too. Cookies that services set come back during the attempt; a header ``cookie`` takes
        their place.

        :param method: such as ``"PUT"``.
        :param url: a path below the provider's address, or a whole address.
        :param json: sent as JSON.
        :param data: bytes, sent as they are, or a form, sent urlencoded: a mapping or pairs; a list sends a field
            several times.
        :param files: sent as multipart/form-data, together with the form in ``data``: a mapping or pairs of names and
            contents, or of names and ``(file name or None, content[, media type[, headers]])``. A content is bytes,
            text or a file that is open for reading; it is read into memory.
        :param params: the query.
        :raises InvalidArgument: several bodies, or one that cannot be sent.
        :raises TransportError: no response arrived.
        """
        verb, body = check_method(method), make_body(json, data, files)
        if verb in ("GET", "HEAD") and not body:
            return self._follow(verb, url, params, headers)
        # identity: a compressed stream is held back by the sender, and PHP has labelled bodies gzip that are not
        given = {"accept-encoding": "identity", **(headers or {})}
        return self._sender.send(verb, self._build_address(url), given, params=params, **body)

    def page(self, url: str = "/", *, headers: Mapping[str, str] | None = None) -> "Page":
        """Fetch a page of HTML and return it parsed, whatever its status.

        :raises Blocked: a bot wall responded.
        :raises InvalidAnswer: it is no HTML.
        :raises TooLarge: it has more than 2 MB or 50 000 tags.
        """
        return self.get(url, headers=headers).page()

    def with_tokens(
        self,
        where: "TokenPage",
        send: "Callable[[Tokens], HttpResponse]",
        *,
        refused: "Callable[[HttpResponse], bool]",
        exchange: "Callable[[Tokens], Mapping[str, str]] | None" = None,
    ) -> "HttpResponse":
        """Send a request that needs tokens; if the service refuses them, fetch them anew and repeat once.

        Tokens are kept between calls and shared by threads, together with the cookies that were set while they were
        fetched; ``send`` sends these cookies, too. A fetch begins without cookies.

        :param where: the page, and how to find the tokens.
        :param send: makes the request with the tokens.
        :param refused: returns whether a response means that the tokens are old.
        :param exchange: the second step, where the page's tokens are exchanged for others: takes them, asks the service
            and returns further tokens, name → value. It runs once for each fetch, and its tokens count as secrets.
        :raises TokensNotFound: the page lacks a token, or the exchange gave an empty one.
        :raises TokenPageFailed: the page has an error status.
        :raises HTTPStatusError: the page still carries the refused tokens, as a cached copy does; they are not sent
            again for a minute.
        """
        page, before = self._make_page_tokens(where, exchange), self._sender.cookies.snapshot()
        tokens = page.current()
        response = self._send_with(tokens, before, send)
        if not refused(response):
            return response
        page.refuse(tokens, response)
        response.close()
        _log.debug("%s refused its tokens; fetching the page once more", response.url)
        tokens = page.other_than(tokens)
        response = self._send_with(tokens, before, send)
        if refused(response):
            page.refuse(tokens, response)
        return response

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``, within the limits of the call; closing the reply ends it, too.

        It counts as waiting for the service: in a streamed answer for ``first_token`` before its first piece and for
        ``idle`` after that, in a whole answer for ``deadline`` only.

        :param seconds: of at least 0.
        :raises TimeLimitExceeded: a limit runs out before; raised when it does.
        :raises Closed: the reply was closed.
        """
        self._waiting.sleep(check_seconds(seconds, "http.sleep()"))

    def poll(self, ask: Callable[[], T], *, every: float, until: Callable[[T], bool]) -> T:
        """Call ``ask`` again and again until ``until`` accepts its result, and return that.

        Between two calls it waits as :meth:`sleep` does, longer where the last response of ``ask`` says so in a header
        ``Retry-After``. An :class:`HttpResponse` that ``until`` does not accept is closed. What ``ask`` raises ends the
        polling; to go on after an error status, return the response and look at its ``status`` in ``until``.

        :param ask: sends the request, and returns its response or what it makes of it.
        :param every: seconds between two calls, of at least 0.01.
        :param until: whether the job is done.
        :raises TimeLimitExceeded: a limit runs out before.
        :raises RateLimited: the service asks to wait longer than the limits allow; raised at once, so that another
            provider can be asked.
        :raises Closed: the reply was closed.
        """
        seconds = check_seconds(every, "every=", least=_SHORTEST_POLL)
        return self._waiting.poll(ask, every=seconds, until=until, last=self._find_last_response)

    def _find_last_response(self) -> "HttpResponse | None":
        return self._sender.responses[-1] if self._sender.responses else None

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

    def _make_page_tokens(
        self, where: "TokenPage", exchange: "Callable[[Tokens], Mapping[str, str]] | None"
    ) -> "PageTokens":
        from providers_sdk._http.token_page import PageTokens

        address, store = self._build_address(where.path), self._pool.tokens
        return PageTokens(
            where, address, store=store, clock=self.clock, sender=self._sender, get=self.get, exchange=exchange
        )

    def _send_with(
        self, tokens: "Tokens", before: CookieSnapshot, send: "Callable[[Tokens], HttpResponse]"
    ) -> "HttpResponse":
        """Send with the cookies of before and those of the tokens; a refused request leaves none."""
        for value in tokens.secrets:
            self._sender.secrets.add(value)
        self._sender.use_cookies(before, tokens.cookies)
        return send(tokens)

    def close(self) -> None:
        """Close every response that is still open and end :meth:`sleep`; from now on nothing is sent."""
        self._sender.close()
        self._waiting.end()
        self._pool.detach(self)

    def _follow(
        self, method: str, url: str, params: Mapping[str, str] | None, headers: Mapping[str, str] | None
    ) -> "HttpResponse":
        """Send a request without a body, and follow its redirects."""
        response = self._sender.send(method, self._build_address(url), headers, params=params)
        for _ in range(_HOPS):
            target = find_next_address(response.location, response.status, response.headers.get("location"))
            if target is None:
                break
            response.close()
            response = self._sender.send(method, self._build_address(target), headers)
        return response

    def _build_address(self, url: str) -> str:
        return build_address(self._base, url)


Http.__module__ = "providers_sdk.plugin"
