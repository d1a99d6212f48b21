"""OpenAI, and with another ``url`` any service that speaks its protocol."""

from providers_sdk.plugin import Register, hookimpl
from providers_sdk_plugins._openai import OpenAICompatible


class OpenAI(OpenAICompatible):
    """The service at api.openai.com."""

    url = "https://api.openai.com/v1"
    default_model = "gpt-4o-mini"


@hookimpl
def register_providers(register: Register) -> None:
    """Register ``openai``."""
    register("openai", OpenAI)
