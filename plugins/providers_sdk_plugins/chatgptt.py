"""ChatGptt: an AI Power site."""

from providers_sdk.plugin import Register, hookimpl
from providers_sdk_plugins._aipower import AIPower


class ChatGptt(AIPower):
    """The site at chatgptt.me."""

    url = "https://chatgptt.me"
    referer = "/chat"
    working = False
    default_model = "gpt-4o"
    models = ("gpt-4o", "gpt-4", "gpt-4o-mini")


@hookimpl
def register_providers(register: Register) -> None:
    """Register ``chatgptt``."""
    register("chatgptt", ChatGptt)
