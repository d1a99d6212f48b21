"""Finds the nonce, post id, bot and WordPress address on the page of an AI Power chat."""

from providers_sdk.plugin import Attr, Page, Refused, ScriptValue, TokenPage, snippet

__all__ = ["chat_page"]

_CHATS = (".wpaicg-chat-shortcode[data-bot-id='0']", ".wpaicg-chat-shortcode", ".wpaicg-chatbox")
_SIGN = "[class*='wpaicg-chat'], [class*='wpaicg_chat']"
_SCRIPT = ScriptValue("search_nonce")  # AI Power writes it into every page of a site, a 404 included
_POST_ID = Attr("body", "class", r"\b(?:page-id|postid)-([0-9]{1,12})\b")
_ADVICE = (
    "check that 'url' is the address of the WordPress itself and that the setting 'page' names the page with the chat, "
    "such as /chat/"
)


class _ChatPage(TokenPage):
    """Takes the script's nonce only from a page that shows a chat."""

    def extract(self, page: Page) -> dict[str, str]:
        """Return the tokens.

        :raises Refused: the page has no chat, though AI Power runs on the site.
        """
        found = super().extract(page)
        nonce = None if "nonce" in found else _SCRIPT.find(page)
        if nonce is None:
            return found
        if page.soup.select_one(_SIGN) is None:
            raise Refused(_explain_missing_chat(page), url=page.url, status=page.status)
        return {**found, "nonce": nonce}


def chat_page(page: str, bot: str) -> TokenPage:
    """Return where to find the tokens of a chat.

    :param page: the page with the chat, a path below the site's address or a whole address; empty for the front page.
    :param bot: the bot whose chat is preferred, where the page has several.
    """
    preferred = (f".wpaicg-chat-shortcode[data-bot-id='{bot}']",) if bot.isdecimal() else ()
    chats = (*preferred, *_CHATS)
    attributes = {"nonce": "data-nonce", "post_id": "data-post-id", "bot_id": "data-bot-id", "url": "data-url"}
    tokens = {name: tuple(Attr(css, attribute) for css in chats) for name, attribute in attributes.items()}
    return _ChatPage(
        {**tokens, "post_id": (*tokens["post_id"], _POST_ID)},
        path=page or "/",
        optional=("post_id", "bot_id", "url"),
        advice=_ADVICE,
    )


def _explain_missing_chat(page: Page) -> str:
    was = f"the page {page.url} (title {snippet(page.title, 100)!r})"
    if page.is_login:
        return (
            f"{was} asks for a password: its chat is not for everybody, and the nonce in the site's script is not used"
        )
    return f"{was} shows no chat, though AI Power runs on this site; the setting 'page' names the page that has one"
