"""A stand-in of a WordPress with AI Power: the page, its nonce, and the answers and refusals of ``admin-ajax.php``."""

import html as html_text
import json
import threading
from collections.abc import Callable

from providers_sdk.testing import Received, Response, StandIn, deltas, event, html, json_response, sse

__all__ = ["AIPowerSite"]

_LIMIT = {"msg": "You have reached your token limit.", "tokenLimitReached": True}
_KEY = "Incorrect API key provided: bad. You can find your API key at https://platform.openai.com/account/api-keys."
_NO_KEY = "Unable to initialize the AI instance. Please make sure the API key is valid."
_FLAGGED = "Your message contains prohibited words. Please modify your message and try again."
_EXPIRED = "The link you followed has expired."
_DOWN = "Briefly unavailable for scheduled maintenance. Check back in a minute."


class AIPowerSite(StandIn):
    """The site; :meth:`expire` changes its nonce."""

    cases = {
        "minified": "the page is minified: no quotes, other order, escaped entities",
        "two_chats": "a custom bot stands first on the page, a widget last",
        "fallback": "the page has no chat, only the inline script with its nonce",
        "no_tokens": "the page has neither",
        "login": "the page asks for a password",
        "not_found": "the page answers 404",
        "maintenance": "everything answers 503 with Retry-After",
        "always_expired": "no nonce is ever accepted",
        "plugin_off": "the action is unknown: 400 and 0",
        "json": "answers come as JSON",
        "close": "the stream is delimited by the connection's end",
        "usage": "an event with usage and no choices",
        "cut": "the upstream breaks off: a clean end without finish",
        "empty_stream": "the upstream refused: a stream of zero bytes",
        "empty_json": "the upstream failed: success without data",
        "null_json": "success with data that is no text",
        "list_json": "JSON that is a list",
        "error_json": "an upstream error, as JSON",
        "no_key": "the site has no API key",
        "upstream_error": "an upstream error, spoken in the stream, twice",
        "raw_error": "an upstream error as a raw JSON line in the stream",
        "limit": "the token limit, in the stream",
        "limit_json": "the token limit, as JSON",
        "flagged": "a banned word, in the stream, and then an answer all the same",
        "limited": "deltas and then the mark [LIMITED]",
    }
    page_path = "/"

    def __init__(
        self, case: str = "", *, says: tuple[str, ...] = ("Margherita, ", "Funghi ", "and ", "Diavola.")
    ) -> None:
        super().__init__(case, says=says)
        self._count = 0
        self._midnight = threading.Lock()
        self.post_id = "4"

    @property
    def nonce(self) -> str:
        """The nonce that is valid now: ten hex digits."""
        return f"77f045b3{self._count:02x}"

    def expire(self) -> None:
        """Let midnight strike: the nonce is another from now on."""
        with self._midnight:
            self._count += 1

    def answer(self, received: Received) -> Response:
        """Return what the site does in this case."""
        if self.case == "maintenance":
            return html(f"<title>Maintenance</title><p>{_DOWN}", status=503, headers={"Retry-After": "600"})
        if received.method == "GET" and received.path == self.page_path:
            return self._page()
        if (received.method, received.path) == ("POST", "/wp-admin/admin-ajax.php"):
            return self._ajax(received.form)
        return html("<title>Page not found</title>", status=404)

    def _page(self) -> Response:
        if self.case == "not_found":
            return html("<title>Page not found - Stand-in</title><p>Nothing here.", status=404)
        return html(_PAGES.get(self.case, _ordinary)(self))

    def _ajax(self, form: dict[str, str]) -> Response:
        if self.case == "always_expired" or form.get("_wpnonce") != self.nonce:
            return html(_EXPIRED, status=403)
        if self.case == "plugin_off" or form.get("action") != "wpaicg_chat_shortcode_message":
            return html("0", status=400)
        if form.get("message", "").strip() in ("", "0"):
            return json_response({"status": "error", "msg": "It appears that nothing was inputted."})
        return _ANSWERS.get(self.case, _stream)(self)


def _chat(site: AIPowerSite, *, nonce: str | None = None, bot: str = "0", kind: str = "wpaicg-chat-shortcode") -> str:
    return f"""<div class="{kind}"
     data-user-bg-color="#6C757D"
     data-ai-name="Ann &quot;A&quot; &amp; Co"
     data-nonce="{nonce or site.nonce}"
     data-post-id="{site.post_id}"
     data-url="{site.url}"
     data-bot-id="{bot}"
     data-openai_stream_nav="1"
></div>
<input type="hidden" id="wpaicg-img-nonce" value="bd4832c556" />"""


def _around(inner: str, classes: str = "home page") -> str:
    return (
        '<!DOCTYPE html><html lang="en"><head><title>Stand-in &#8211; Chat</title>'
        f'<style>div.wpaicg-chat-shortcode {{ width: 400px }}</style></head><body class="{classes}">{inner}'
        "<!-- <div class=wpaicg-chat-shortcode data-nonce=0000000000 data-post-id=9> --></body></html>"
    )


def _ordinary(site: AIPowerSite) -> str:
    return _around(_chat(site))


def _minified(site: AIPowerSite) -> str:
    escaped = "".join(f"&#{ord(character)};" for character in site.nonce)
    return _around(
        f"<div data-post-id={site.post_id} data-bot-id=0 data-nonce='{escaped}' class='a wpaicg-chat-shortcode'></div>"
    )


def _two_chats(site: AIPowerSite) -> str:
    custom = _chat(site, nonce="c0ffee0000", bot="6")
    return _around(custom + _chat(site) + _chat(site, kind="wpaicg-chatbox"))


def _fallback(site: AIPowerSite) -> str:
    script = json.dumps(
        {"ajax_url": f"{site.url}/wp-admin/admin-ajax.php", "search_nonce": site.nonce}, separators=(",", ":")
    )
    return _around(f"<script>var wpaicgParams = {script}</script>", f"page page-id-{site.post_id}")


def _stream(site: AIPowerSite) -> Response:
    return sse(site.paced(deltas(site.says)))


def _spoken() -> list[bytes]:
    words = [_KEY.split(" ")[0], *(f" {word}" for word in _KEY.split(" ")[1:])]
    once = [event({"choices": [{"delta": {"content": word}}]}, "message") for word in words]
    return [*once, event({"choices": [{"finish_reason": "stop"}]})] * 2


def _success(data: object) -> Response:
    return json_response({"status": "success", "msg": "Something went wrong", "data": data, "log": "2"})


def _usage(site: AIPowerSite) -> Response:
    *events, done = deltas(site.says)
    usage = event({"choices": [], "usage": {"prompt_tokens": 21, "completion_tokens": 42, "total_tokens": 63}})
    return sse([*events, usage, done])


_PAGES: dict[str, Callable[[AIPowerSite], str]] = {
    "minified": _minified,
    "two_chats": _two_chats,
    "fallback": _fallback,
    "no_tokens": lambda _: _around("<p>We moved our chat."),
    "login": lambda _: _around("<form><input type=password name=post_password></form>"),
}
_ANSWERS: dict[str, Callable[[AIPowerSite], Response]] = {
    "json": lambda site: _success(site.text),
    "close": lambda site: sse(site.paced(deltas(site.says)), framing="close"),
    "usage": _usage,
    "cut": lambda site: sse(deltas(site.says, finish=None, done=False)),
    "empty_stream": lambda _: sse([]),
    "empty_json": lambda _: _success(""),
    "null_json": lambda _: _success({"role": "assistant", "content": None, "refusal": None}),
    "list_json": lambda site: json_response([site.text]),
    "error_json": lambda _: json_response({"status": "error", "msg": html_text.escape("the 'quota' is <exceeded>")}),
    "no_key": lambda _: json_response({"status": "error", "msg": _NO_KEY}),
    "upstream_error": lambda _: sse(_spoken()),
    "raw_error": lambda _: sse([b'{"error":{"message":"Rate limit reached","type":"requests"}}\n']),
    "limit": lambda _: sse([event(_LIMIT)]),
    "limit_json": lambda _: json_response(_LIMIT),
    "flagged": lambda site: sse([event({"msg": _FLAGGED, "messageFlagged": True}), *deltas(site.says)]),
    "limited": lambda site: sse([*deltas(site.says, finish=None, done=False), event("[LIMITED]")]),
}
