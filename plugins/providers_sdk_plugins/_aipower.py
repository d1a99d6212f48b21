"""AI Power on WordPress: the protocol that ChatGptt, ChatgptFree and many other sites share.

The page carries a nonce and a post id; the question goes to ``admin-ajax.php`` as a form; the answer is an event
stream or JSON, as the site is set up, and refusals come in either. What the plugin itself says in a stream it says
in events named ``message``, which model deltas never are.
"""

import html
import json
import secrets
from collections.abc import Iterable, Iterator
from typing import ClassVar

from providers_sdk.plugin import (
    Attr,
    Chunk,
    EmptyAnswer,
    Event,
    FinishReason,
    Http,
    InvalidAnswer,
    Provider,
    Refused,
    Request,
    ScriptValue,
    TokenPage,
    Tokens,
    iter_deltas,
    snippet,
)

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
_FLAGS = ("tokenLimitReached", "messageFlagged", "ipBanned")


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
            yield _whole(answer.json())
            yield FinishReason("stop")
        else:
            yield from iter_deltas(_of_model(answer.events()))

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


def _of_model(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the model's events; what the plugin says among them is raised."""
    events = iter(events)
    for event in events:
        if event.event == "message":
            raise Refused(f"the site says: {_spoken(event, events)}")
        if event.data.strip() == "[LIMITED]":
            raise Refused("the site ended the answer with its mark for a limit, [LIMITED]; try later")
        if '"msg"' in event.data and '"choices"' not in event.data:
            _refuse(_object(event.data))
        yield event


def _spoken(first: Event, rest: Iterator[Event]) -> str:
    """Return the sentence that the plugin speaks one word an event, up to its first end (it may say all twice)."""
    words = [_word(first)]
    for event in rest:
        if event.event != "message":
            break
        words.append(_word(event))
    return snippet("".join(words), 400)


def _word(event: Event) -> str:
    choices = _object(event.data).get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    delta = choice.get("delta") if isinstance(choice, dict) else None
    content = delta.get("content") if isinstance(delta, dict) else None
    return content if isinstance(content, str) else event.data if choices is None else ""


def _object(data: str) -> dict[str, object]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _whole(body: object) -> str:
    if not isinstance(body, dict):
        raise InvalidAnswer(f"answered a JSON {type(body).__name__} where an object belongs")
    _refuse(body)
    if body.get("status") != "success":
        raise InvalidAnswer(f"answered JSON without a status that is known: {snippet(json.dumps(body), 120)}")
    data = body.get("data")
    if data == "" or data is None:
        raise EmptyAnswer("answered 'success' without any text: its own upstream failed; ask again later")
    if not isinstance(data, str):
        raise InvalidAnswer(f"answered 'success' with data of type {type(data).__name__} where text belongs")
    return data


def _refuse(body: dict[str, object]) -> None:
    """Raise if ``body`` is one of the plugin's refusals; on success, ``msg`` means nothing."""
    if body.get("status") == "success":
        return
    if body.get("status") == "error" or any(body.get(flag) for flag in _FLAGS):
        words = html.unescape(str(body.get("msg") or body.get("data") or "no reason given"))
        raise Refused(f"the site says: {snippet(words, 400)}")
