"""A fake WordPress with AI Power: the page, its nonce, and the responses of ``admin-ajax.php``, refusals included."""

import html as html_text
import json
import re
import threading
from collections.abc import Callable, Iterable

from providers_sdk.testing import FakeService, Received, Response, deltas, event, html, json_response, split_prompt, sse

__all__ = ["AIPowerSite", "sanitize"]

_LIMIT = {"msg": "You have reached your token limit.", "tokenLimitReached": True}
_KEY = "Incorrect API key provided: bad. You can find your API key at https://platform.openai.com/account/api-keys."
_QUOTED = 'The model "gpt-9" does not exist or you do not have access to it.'
_CUSTOM_BOT = "6"
_NO_KEY = "Unable to initialize the AI instance. Please make sure the API key is valid."
_FLAGGED = "Your message contains prohibited words. Please modify your message and try again."
_EXPIRED = "The link you followed has expired."
_DOWN = "Briefly unavailable for scheduled maintenance. Check back in a minute."


class AIPowerSite(FakeService):
    """The site; :meth:`expire` changes its nonce."""

    cases = {
        "minified": "the page is minified: no quotes, other order, escaped entities",
        "two_chats": "a custom bot is first on the page, a widget last",
        "fallback": "the page's chat has no nonce, only the inline script has",
        "no_chat": "the page has no chat, though the inline script has a nonce",
        "password": "the page is behind a password, though the inline script has a nonce",
        "no_post_id": "the page names no post",
        "other_page": "the chat is on another page than the front page",
        "folder": "WordPress lives in a folder below the front page",
        "custom_bot": "the only chat on the page is a custom bot's",
        "cached": "a cache serves the page with an old nonce; a new query passes it",
        "cached_for_good": "a cache serves the page with an old nonce, whatever the query",
        "guest_limit": "a visitor may ask once",
        "no_tokens": "the page has neither",
        "login": "the page asks for a password",
        "not_found": "the page is 404",
        "maintenance": "every request gets 503 with Retry-After",
        "always_expired": "no nonce is ever accepted",
        "plugin_off": "the action is unknown: 400 and 0",
        "json": "the answer is JSON",
        "close": "the stream is delimited by the connection's end",
        "usage": "an event with usage and no choices",
        "cut": "the upstream breaks off: a clean end without finish",
        "empty_stream": "the upstream refused: a stream of zero bytes",
        "empty_json": "the upstream failed: success without data",
        "null_json": "success with data that is no text",
        "list_json": "JSON that is a list",
        "error_json": "an upstream error, as JSON",
        "no_key": "the site has no API key",
        "upstream_error": "an upstream error, sent in the stream, twice",
        "raw_error": "an upstream error as a raw JSON line in the stream",
        "limit": "the token limit, in the stream",
        "limit_json": "the token limit, as JSON",
        "flagged": "a banned word, in the stream, and then an answer anyway",
        "limited": "deltas and then the mark [LIMITED]",
        "quoted_error": "an upstream error, sent in the stream, whose quotes break the JSON",
    }
    page_path = "/"
    folder = ""
    """Where WordPress is, below the address."""

    def __init__(
        self, case: str = "", *, reply_pieces: Iterable[str] = ("Margherita, ", "Funghi ", "and ", "Diavola.")
    ) -> None:
        super().__init__(case, reply_pieces=reply_pieces)
        self._count = 0
        self._midnight = threading.Lock()
        self.post_id = "4"
        self.messages: list[str] = []
        """Each question as the model gets it, after WordPress's changes."""
        self._visitors: set[str] = set()
        if case == "other_page":
            self.page_path = "/chat/"
        if case == "folder":
            self.folder = "/wp"

    def client_settings(self) -> dict[str, str]:
        """Return the settings that point a provider to this site's chat."""
        page = {} if self.page_path == "/" else {"page": self.page_path}
        return {**super().client_settings(), **page}

    @property
    def nonce(self) -> str:
        """The nonce that is valid now: ten hex digits."""
        return f"77f045b3{self._count:02x}"

    def expire(self) -> None:
        """Change the nonce, as WordPress does at midnight."""
        with self._midnight:
            self._count += 1

    def turns(self, received: Received) -> list[tuple[str, str]] | None:
        """Return the turns in the field ``message``, as WordPress leaves it."""
        return split_prompt(sanitize(received.form["message"])) if received.method == "POST" else None

    def respond(self, received: Received) -> Response:
        """Return the site's response in this case."""
        if self.case == "maintenance":
            return html(f"<title>Maintenance</title><p>{_DOWN}", status=503, headers={"Retry-After": "600"})
        if received.method == "GET" and received.path in ("/", self.page_path):
            return self._respond_with_page(received)
        if (received.method, received.path) == ("POST", f"{self.folder}/wp-admin/admin-ajax.php"):
            return self._respond_to_ajax(received.form)
        return html("<title>Page not found</title>", status=404)

    def _respond_with_page(self, received: Received) -> Response:
        if self.case == "not_found":
            return html("<title>Page not found - Fake service</title><p>Nothing here.", status=404)
        if received.path != self.page_path:
            return html(_make_page_without_chat(self))
        if self.case == "cached_for_good" or (self.case == "cached" and "?" not in received.target):
            return html(_wrap_page(_make_chat(self, nonce="77f045b2ff")))
        return html(_PAGES.get(self.case, _make_page)(self))

    def _respond_to_ajax(self, form: dict[str, str]) -> Response:
        if self.case == "always_expired" or form.get("_wpnonce") != self.nonce:
            return html(_EXPIRED, status=403)
        if self.case == "plugin_off" or form.get("action") != "wpaicg_chat_shortcode_message":
            return html("0", status=400)
        message = sanitize(form.get("message", ""))
        if message in ("", "0"):
            return json_response({"status": "error", "msg": "It appears that nothing was inputted."})
        self.messages.append(message)
        if self.case == "guest_limit" and self._has_asked_before(form.get("wpaicg_chat_client_id", "")):
            return sse([event(_LIMIT)])
        if self.case == "custom_bot" and form.get("bot_id") != _CUSTOM_BOT:
            return sse(deltas(["Another ", "bot ", "answers."]))
        return _ANSWERS.get(self.case, _stream_reply)(self)

    def _has_asked_before(self, visitor: str) -> bool:
        """Return whether this visitor has asked before; the site does not count one without an id."""
        before = visitor in self._visitors
        self._visitors |= {visitor} - {""}
        return before


def sanitize(text: str) -> str:
    """Return what WordPress leaves of a text field: its own steps, in its own order.

    Each piece from a ``<`` to the next mark that has no ``>`` is escaped; tags go, script and style with what they
    hold; white space is folded; percent codes go until none is left.
    """
    if "<" in text:
        text = _PIECE.sub(lambda found: found[0] if found[0].endswith(">") else _escape(found[0]), text)
        text = _TAG.sub("", _ELEMENT.sub("", text)).strip(_SPACE)
    text, codes = re.sub(r"[\r\n\t ]+", " ", text).strip(_SPACE), 1
    while codes:
        text, codes = _PERCENT.subn("", text)
        text = re.sub(" +", " ", text).strip(_SPACE) if codes else text
    return text


def _escape(text: str) -> str:
    return re.sub(r"&amp;(#?\w+;)", r"&\1", html_text.escape(text))  # what is an entity stays one


_SPACE = " \t\n\r\v\0"
_PIECE = re.compile(r"<[^<>]*(?:>|(?=<)|\Z)")
_ELEMENT = re.compile(r"<(script|style)[^>]*>.*?</\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<(?!\s)[^>]*>", re.ASCII)
_PERCENT = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)


def _make_chat(
    site: AIPowerSite, *, nonce: str | None = None, bot: str = "0", kind: str = "wpaicg-chat-shortcode"
) -> str:
    return f"""<div class="{kind}"
     data-user-bg-color="#6C757D"
     data-ai-name="Ann &quot;A&quot; &amp; Co"
     data-nonce="{site.nonce if nonce is None else nonce}"
     data-post-id="{site.post_id}"
     data-url="{site.url}{site.folder}"
     data-bot-id="{bot}"
     data-openai_stream_nav="1"
></div>
<input type="hidden" id="wpaicg-img-nonce" value="bd4832c556" />"""


def _wrap_page(inner: str, classes: str = "home page") -> str:
    return (
        '<!DOCTYPE html><html lang="en"><head><title>Fake service &#8211; Chat</title>'
        f'<style>div.wpaicg-chat-shortcode {{ width: 400px }}</style></head><body class="{classes}">{inner}'
        "<!-- <div class=wpaicg-chat-shortcode data-nonce=0000000000 data-post-id=9> --></body></html>"
    )


def _make_page(site: AIPowerSite) -> str:
    return _wrap_page(_make_chat(site))


def _make_minified_page(site: AIPowerSite) -> str:
    escaped = "".join(f"&#{ord(character)};" for character in site.nonce)
    return _wrap_page(
        f"<div data-post-id={site.post_id} data-bot-id=0 data-nonce='{escaped}' class='a wpaicg-chat-shortcode'></div>"
    )


def _make_two_chats(site: AIPowerSite) -> str:
    custom = _make_chat(site, nonce="c0ffee0000", bot=_CUSTOM_BOT)
    return _wrap_page(custom + _make_chat(site) + _make_chat(site, kind="wpaicg-chatbox"))


def _make_script(site: AIPowerSite) -> str:
    """The inline script that AI Power writes into every page of a site."""
    params = {"ajax_url": f"{site.url}{site.folder}/wp-admin/admin-ajax.php", "search_nonce": site.nonce}
    return f"<script>var wpaicgParams = {json.dumps(params, separators=(',', ':'))}</script>"


def _make_fallback_page(site: AIPowerSite) -> str:
    return _wrap_page(_make_script(site) + _make_chat(site, nonce=""), f"page page-id-{site.post_id}")


def _make_page_without_chat(site: AIPowerSite) -> str:
    return _wrap_page(_make_script(site) + "<p>Welcome.", "home page page-id-5")


def _make_password_page(site: AIPowerSite) -> str:
    form = '<form class="post-password-form"><input name="post_password" type="password"></form>'
    return _wrap_page(_make_script(site) + form, "page page-id-5")


def _stream_reply(site: AIPowerSite) -> Response:
    return sse(site.paced(deltas(site.reply_pieces)))


def _make_quoted_error() -> list[bytes]:
    """Return the words of an error as the plugin writes them: a quote in a word breaks the JSON."""
    words = _QUOTED.split(" ")
    pieces = [words[0], *(f" {word}" for word in words[1:])]
    events = [event(f'{{"choices":[{{"delta":{{"content":"{piece}"}}}}]}}', "message") for piece in pieces]
    return [*events, event({"choices": [{"finish_reason": "stop"}]})]


def _make_error_events() -> list[bytes]:
    words = [_KEY.split(" ")[0], *(f" {word}" for word in _KEY.split(" ")[1:])]
    once = [event({"choices": [{"delta": {"content": word}}]}, "message") for word in words]
    return [*once, event({"choices": [{"finish_reason": "stop"}]})] * 2


def _make_success(data: object) -> Response:
    return json_response({"status": "success", "msg": "Something went wrong", "data": data, "log": "2"})


def _make_usage_stream(site: AIPowerSite) -> Response:
    *events, done = deltas(site.reply_pieces)
    usage = event({"choices": [], "usage": {"prompt_tokens": 21, "completion_tokens": 42, "total_tokens": 63}})
    return sse([*events, usage, done])


_PAGES: dict[str, Callable[[AIPowerSite], str]] = {
    "minified": _make_minified_page,
    "two_chats": _make_two_chats,
    "fallback": _make_fallback_page,
    "no_chat": _make_page_without_chat,
    "no_post_id": lambda site: _wrap_page(
        f'<div class="wpaicg-chat-shortcode" data-nonce="{site.nonce}"></div>', "home"
    ),
    "password": _make_password_page,
    "custom_bot": lambda site: _wrap_page(_make_chat(site, bot=_CUSTOM_BOT)),
    "no_tokens": lambda _: _wrap_page("<p>We moved our chat."),
    "login": lambda _: _wrap_page("<form><input type=password name=post_password></form>"),
}
_ANSWERS: dict[str, Callable[[AIPowerSite], Response]] = {
    "json": lambda site: _make_success(site.text),
    "close": lambda site: sse(site.paced(deltas(site.reply_pieces)), framing="close"),
    "usage": _make_usage_stream,
    "cut": lambda site: sse(deltas(site.reply_pieces, finish=None, done=False)),
    "empty_stream": lambda _: sse([]),
    "empty_json": lambda _: _make_success(""),
    "null_json": lambda _: _make_success({"role": "assistant", "content": None, "refusal": None}),
    "list_json": lambda site: json_response([site.text]),
    "error_json": lambda _: json_response({"status": "error", "msg": html_text.escape("the 'quota' is <exceeded>")}),
    "no_key": lambda _: json_response({"status": "error", "msg": _NO_KEY}),
    "upstream_error": lambda _: sse(_make_error_events()),
    "quoted_error": lambda _: sse(_make_quoted_error()),
    "raw_error": lambda _: sse([b'{"error":{"message":"Rate limit reached","type":"requests"}}\n']),
    "limit": lambda _: sse([event(_LIMIT)]),
    "limit_json": lambda _: json_response(_LIMIT),
    "flagged": lambda site: sse([event({"msg": _FLAGGED, "messageFlagged": True}), *deltas(site.reply_pieces)]),
    "limited": lambda site: sse([*deltas(site.reply_pieces, finish=None, done=False), event("[LIMITED]")]),
}
