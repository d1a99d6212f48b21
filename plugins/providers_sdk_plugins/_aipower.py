"""AI Power on WordPress: the protocol that ChatGptt, ChatgptFree and many other sites share.

The page carries a nonce and a post id; the question goes to ``admin-ajax.php`` as a form; the response is an
event stream or JSON, as the site is set up, and either may hold a refusal. The plugin's own sentences in a stream are
events named ``message``; model deltas never have that name.
"""

import secrets
from collections.abc import Iterator, Mapping
from typing import ClassVar
from urllib.parse import SplitResult, urlsplit

from providers_sdk.plugin import (
    Chunk,
    FinishReason,
    Http,
    HttpResponse,
    HTTPStatusError,
    InvalidArgument,
    PromptAltered,
    Provider,
    Request,
    Setting,
    Tokens,
    UnsupportedOption,
    iter_deltas,
)
from providers_sdk_plugins._aipower_answer import answer_text, model_events
from providers_sdk_plugins._aipower_page import chat_page
from providers_sdk_plugins._wordpress import find_losses, keep_lines, keep_marks

__all__ = ["AIPower"]

_PRESERVE = ("lines", "all")
_HINTS = {
    400: "WordPress does not know the action: AI Power is probably switched off on this site",
    404: "the setting 'url' should be the address of the WordPress itself, below which wp-admin/ is",
    413: "the question is too long for this site's web server; shorten it",
}


class AIPower(Provider):
    """A provider for an AI Power site; a subclass gives the site's data."""

    api_endpoint = "/wp-admin/admin-ajax.php"
    supports_stream = True
    sends_model = False
    requires_contract = ">=1,<2"
    fake_service = "providers_sdk_plugins.fakes.aipower:AIPowerSite"
    known_settings: ClassVar[Mapping[str, Setting]] = {
        "page": Setting(help="the page with the chat, such as /chat/; the front page where it is not given"),
        "bot": Setting(help="the number of the bot to ask; the one on the page where it is not given"),
        "preserve": Setting(help="'all' also sends < and %41 in a form that WordPress does not remove"),
    }

    referer: ClassVar[str] = ""
    """The page that the question claims to come from, below the address; the page of the tokens where it is empty."""

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Fetch the tokens, ask, and read the response, an event stream or JSON."""
        message = self._prepare_message(request, http)
        response = http.with_tokens(
            chat_page(self.settings.get("page", ""), self.settings.get("bot", "")),
            lambda tokens: self._ask(tokens, message, http),
            refused=lambda response: response.status == 403 and response.bot_wall is None,
        )
        _check(response)
        if response.content_type == "application/json":
            yield answer_text(response.json())
            yield FinishReason(None)
        else:
            yield from iter_deltas(model_events(response.events()))

    def _prepare_message(self, request: Request, http: Http) -> str:
        """Return the prompt as it is sent; warn of what the site will change, or refuse."""
        preserve = self.settings.get("preserve", _PRESERVE[0])
        if preserve not in _PRESERVE:
            raise InvalidArgument(
                f"the setting 'preserve' is {' or '.join(map(repr, _PRESERVE))}, not {preserve!r:.40}"
            )
        message = keep_lines(request.prompt)
        message = keep_marks(message) if preserve == "all" else message
        losses = list(find_losses(message))
        if losses and request.strict:
            raise UnsupportedOption(
                f"the site changes this prompt, which strict=True forbids; lost: {'; '.join(losses)}"
            )
        if losses:
            http.warn_once(PromptAltered(f"{self.name}: the site changes this prompt; lost: {'; '.join(losses)}"))
        return message

    def _ask(self, tokens: Tokens, message: str, http: Http) -> HttpResponse:
        base, site = _find_addresses(self.url, tokens)
        return http.post(
            site + self.api_endpoint,
            data={**self._make_form(tokens, http), "url": site, "message": message},
            headers={
                "origin": "/".join(site.split("/")[:3]),
                "referer": base + self.referer if self.referer else tokens.url,
            },
        )

    def _make_form(self, tokens: Tokens, http: Http) -> dict[str, str]:
        post_id = {"post_id": tokens["post_id"]} if "post_id" in tokens else {}
        return {
            "_wpnonce": tokens["nonce"],
            **post_id,
            "action": "wpaicg_chat_shortcode_message",
            "bot_id": self.settings.get("bot") or tokens.get("bot_id", "0"),
            "chatbot_identity": "shortcode",
            # the site counts a visitor's questions by this id
            "wpaicg_chat_client_id": http.site_state.setdefault("wpaicg_chat_client_id", secrets.token_hex(5)),
        }


def _find_addresses(url: str, tokens: Tokens) -> tuple[str, str]:
    """Return the site's address and that of its WordPress, without user and password, where the page was found.

    A site may redirect from http to https or to www; the chat's element names the WordPress's folder.
    """
    own, page = urlsplit(url), urlsplit(tokens.url)
    place = page if _is_same_host(page, own) else own
    root = f"{place.scheme}://{place.netloc.rpartition('@')[2]}"
    try:
        named = urlsplit(tokens.get("url", ""))
    except ValueError:
        named = own
    folder = named.path if _is_same_host(named, own) else own.path
    return root + own.path.rstrip("/"), root + folder.rstrip("/")


def _is_same_host(one: SplitResult, other: SplitResult) -> bool:
    hosts = [(parts.hostname or "").removeprefix("www.") for parts in (one, other)]
    return hosts[0] == hosts[1]


def _check(response: HttpResponse) -> None:
    """Raise for an error status, and explain what it means on such a site."""
    hint = _HINTS.get(response.status, "")
    if response.bot_wall is not None or not hint or (response.status == 400 and response.text().strip() != "0"):
        response.check()
        return
    error = response.status_error()
    raise HTTPStatusError(
        f"{error.message}; asked was {response.url}; {hint}", url=response.url, status=response.status
    )
