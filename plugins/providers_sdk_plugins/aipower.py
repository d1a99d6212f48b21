"""AI Power on anybody's own WordPress: set ``url`` to its address."""

from providers_sdk.plugin import Register, Setting, hookimpl
from providers_sdk_plugins._aipower import AIPower


class AnyAIPower(AIPower):
    """A WordPress of your own; its administrator chooses the model."""

    default_model = "default"
    models = ("default",)
    known_settings = {"url": Setting(required=True, help="the WordPress's address"), **AIPower.known_settings}


@hookimpl
def register_providers(register: Register) -> None:
    """Register ``aipower``."""
    register("aipower", AnyAIPower)
