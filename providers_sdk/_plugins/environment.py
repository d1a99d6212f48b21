"""What the environment says about plugins, and the secrets that it holds."""

import os
from collections.abc import Iterator

from providers_sdk._redact import Redactor, userinfo_secrets

__all__ = ["LIBRARY_VARIABLES", "environment_redactor"]

PREFIX = "PROVIDERS_SDK_"
LIBRARY_VARIABLES = ("PROVIDERS_SDK_DISABLE", "PROVIDERS_SDK_PROVIDER", "PROVIDERS_SDK_TRACEBACK")
"""Variables with our prefix that are no provider's settings."""
_PUBLIC_SETTINGS = ("_URL", "_MODEL")
_SECRET_ENDINGS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")


def environment_redactor() -> Redactor:
    """Return a redactor of every secret that the environment holds.

    Which settings are secret is known only of plugins that could be imported. So every value of a variable with our
    prefix counts as one, but for addresses and models; and of all other variables those named like a secret, and user
    and password in an address.
    """
    return Redactor.of(secret for variable, value in os.environ.items() for secret in _secrets(variable.upper(), value))


def _secrets(variable: str, value: str) -> Iterator[str]:
    if ":" in value.rpartition("@")[0]:  # user:password@host or scheme://key@host, and no address of a mail
        yield from userinfo_secrets(value)
    if variable in LIBRARY_VARIABLES or "://" in value or variable.endswith(_PUBLIC_SETTINGS):
        return
    if variable.startswith(PREFIX) or variable.endswith(_SECRET_ENDINGS):
        yield value
