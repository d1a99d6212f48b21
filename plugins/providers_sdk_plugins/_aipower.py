"""AI Power on WordPress: the protocol that ChatGptt, ChatgptFree and many other sites share.

The page carries a nonce and a post id; the question goes to ``admin-ajax.php`` as a form; the answer is an event
stream or JSON, as the site is set up, and refusals come in either. What the plugin itself says in a stream it says
in events named ``message``, which model deltas never are.
"""

import secrets
from collections.abc import Iterator
from typing import ClassVar

from providers_sdk.plugin import (
    Attr,
    Chunk,
    FinishReason,
    Http,
    Provider,
    Request,
    ScriptValue,
    TokenPage,
    Tokens,
    iter_deltas,
)
from providers_sdk_plugins._aipower_answer import answer_text, model_events

__all__ = ["AIPower"]

_CHATS = (".wpaicg-chat-shortcode[data-bot-id='0']", ".wpaicg-chat-shortcode", ".wpaicg-chatbox")
PAGE = TokenPage(
    {
        "nonce": (*(Attr(css, "data-nonce") for css in _CHATS), ScriptValue("search_nonce")),
        "post_id": (
            *(Attr(css, "data-post-id") for css in _CHATS),
            Attr("body", "class", r"\b(?:page-id|postid)-([0-9]{1,12})\b"),
        ),
    }
)


class AIPower(Provider):
    """The protocol; a site is a few lines of data."""

    api_endpoint = "/wp-admin/admin-ajax.php"
    supports_stream = True
    requires_contract = ">=1,<2"
    stand_in = "providers_sdk_plugins.fakes.aipower:AIPowerSite"

    referer: ClassVar[str] = "/"
    """The page that the question claims to come from, below the address."""
    identifies: ClassVar[bool] = True
    """Whether the form names the chat and a random client."""

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Fetch the tokens, ask, and read whichever kind of answer comes."""
        answer = http.with_tokens(
            PAGE,
            lambda tokens: http.post(
                self.api_endpoint,
                data=self.form(tokens, request),
                headers={"origin": self.url, "referer": self.url + self.referer},
            ),
            refused=lambda answer: answer.status == 403 and answer.wall is None,
        )
        answer.check()
        if answer.content_type == "application/json":
            yield answer_text(answer.json())
            yield FinishReason("stop")
        else:
            yield from iter_deltas(model_events(answer.events()))

    def form(self, tokens: Tokens, request: Request) -> dict[str, str]:
        """Return the form's fields."""
        identity = {"chatbot_identity": "shortcode", "wpaicg_chat_client_id": secrets.token_hex(5)}
        return {
            "_wpnonce": tokens["nonce"],
            "post_id": tokens["post_id"],
            "url": self.url,
            "action": "wpaicg_chat_shortcode_message",
            "message": request.prompt,
            "bot_id": "0",
            **(identity if self.identifies else {}),
        }
