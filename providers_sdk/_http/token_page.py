"""The tokens of one page, fetched for one attempt.

The store shares tokens between attempts; this module fetches the page, past a cache once the site has refused what it
holds, and explains why a page has no tokens.
"""

import secrets
from collections.abc import Callable, Mapping

from providers_sdk._http.clock import Clock
from providers_sdk._http.redirects import describe_redirect, is_redirect
from providers_sdk._http.response import HttpResponse
from providers_sdk._http.sender import Sender
from providers_sdk._http.tokens import Tokens, TokenStore
from providers_sdk._protocol.token_page import TokenPage
from providers_sdk.errors import PluginContractError, ProviderError, TokenPageFailed, TokensNotFound

__all__ = ["PageTokens"]

_FAILS = "; the site itself fails: ask again later"
_GATEWAY = "; the site, or a proxy before it, fails: ask again later"
_ADVICE = {
    401: "; check the user and password in the setting 'url' (https://user:password@host)",
    500: _FAILS,
    502: _GATEWAY,
    503: _GATEWAY,
    504: _GATEWAY,
}


class PageTokens:
    """The tokens on one page, and those that they are exchanged for.

    :param where: how to find them.
    :param address: the page's.
    :param store: where they are kept.
    :param sender: sends the requests of this attempt.
    :param get: sends a GET and follows redirects within the host: ``get(url, params=..., headers=...)``.
    :param exchange: makes further tokens of those of the page; see :meth:`Http.with_tokens`.
    """

    def __init__(
        self,
        where: TokenPage,
        address: str,
        *,
        store: TokenStore,
        clock: Clock,
        sender: Sender,
        get: Callable[..., HttpResponse],
        exchange: Callable[[Tokens], Mapping[str, str]] | None = None,
    ) -> None:
        self._where, self._store, self._clock = where, store, clock
        self._sender, self._get, self._exchange = sender, get, exchange
        self._key = (address, frozenset(where.tokens), exchange is not None)

    def current(self) -> Tokens:
        """Return the stored tokens, or those of the page where there are none or the site has just refused them.

        :raises ProviderError: the page lacks one, cannot be had, or carries what the site has just refused.
        """
        tokens = self._get_stored()
        return tokens if self._find_refusal(tokens) is None else self.other_than(tokens)

    def other_than(self, stale: Tokens) -> Tokens:
        """Return tokens that are not ``stale`` and that the site has not just refused.

        :raises ProviderError: see :meth:`current`.
        """
        tokens = self._get_stored(stale=stale)
        error = self._find_refusal(tokens)
        if error is None:
            return tokens
        page = self._sender.secrets.redactor()(tokens.url)
        error.args = (
            f"{error.message}; the page {page} still carries the token that was refused: it is probably a cached "
            "copy; ask the site's owner to leave it out of the cache, or ask again later",
        )
        raise error

    def refuse(self, tokens: Tokens, response: HttpResponse) -> None:
        """Note that the site refused ``tokens`` with ``response``."""
        required, error = self._where.required(tokens), response.status_error()
        self._store.refuse(self._key, required, error, self._clock.now(), tokens.cookies)

    def _find_refusal(self, tokens: Tokens) -> ProviderError | None:
        return self._store.refusal(self._key, self._where.required(tokens), self._clock.now(), tokens.cookies)

    def _get_stored(self, *, stale: Tokens | None = None) -> Tokens:
        return self._store.get(self._key, self._fetch, self._clock, stale=stale)

    def _fetch(self) -> Tokens:
        """Fetch the page and exchange its tokens: a visit of its own, which shares no cookies with the attempt."""
        with self._sender.without_cookies():
            tokens = self._fetch_page()
            more = self._exchange_tokens(tokens)
            cookies = self._sender.cookies.snapshot()
        return Tokens({**tokens, **more}, url=tokens.url, cookies=cookies, secrets=tuple(more.values()))

    def _exchange_tokens(self, tokens: Tokens) -> Mapping[str, str]:
        more = self._exchange(tokens) if self._exchange is not None else {}
        if not isinstance(more, Mapping):
            raise PluginContractError(f"exchange= returned an object of type {type(more).__name__}, not a mapping")
        missing = [str(name) for name, value in more.items() if not isinstance(value, str) or not value]
        if missing:
            raise TokensNotFound(
                f"the tokens of the page {tokens.url} were exchanged, and that gave no {' and no '.join(missing)}; "
                f"{self._where.advice}"
            )
        return dict(more)

    def _fetch_page(self) -> Tokens:
        response = self._get(self._where.path, params=self._bypass_cache(), headers={"accept": "text/html"})
        if response.status != 200 and response.bot_wall is None:
            raise self._make_page_error(response)
        page = response.page()
        found = self._where.extract(page)
        if not self._where.missing(found):
            return Tokens(found, url=response.location)
        message = f"{self._sender.secrets.redactor()(self._where.describe_missing(page, found))}; {self._where.advice}"
        raise TokensNotFound(message, url=page.url, status=page.status)

    def _bypass_cache(self) -> dict[str, str] | None:
        """Return a query that no cache holds, once tokens were refused: caches ignore a request's Cache-Control."""
        refused = self._store.has_refused(self._key, self._clock.now())
        return {"nocache": secrets.token_hex(5)} if refused else None

    def _make_page_error(self, response: HttpResponse) -> ProviderError:
        error = response.status_error()
        if response.status in (407, 429):
            return error
        message, location = error.message, response.headers.get("location")
        if is_redirect(response.status, location):
            message = (
                f"answered {response.status}: {describe_redirect(response.location, location, self._sender.visited)}"
            )
        advice = f"; {self._where.advice}" if response.status in (404, 410) else _ADVICE.get(response.status, "")
        message = self._sender.secrets.redactor()(f"the page {response.url} {message}{advice}")
        return TokenPageFailed(message, url=response.url, status=response.status, retry_after=error.retry_after)
