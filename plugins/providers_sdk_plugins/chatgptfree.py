"""ChatgptFree: an AI Power site."""

from providers_sdk.plugin import Register, hookimpl
from providers_sdk_plugins._aipower import AIPower


class ChatgptFree(AIPower):
    """The site at chatgptfree.ai."""

    url = "https://chatgptfree.ai"
    referer = "/chat/"
    working = False
    default_model = "gpt-4o-mini-2024-07-18"
    models = ("gpt-4o-mini-2024-07-18",)
    model_aliases = {"gpt-4o-mini": "gpt-4o-mini-2024-07-18"}


@hookimpl
def register_providers(register: Register) -> None:
    """Register ``chatgptfree``."""
    register("chatgptfree", ChatgptFree)
