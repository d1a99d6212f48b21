"""Finds the secrets in the environment without importing a plugin."""

import os
from collections.abc import Iterator

from providers_sdk._environment import GENERAL, secret_values
from providers_sdk._redact import Redactor, userinfo_secrets

__all__ = ["LIBRARY_VARIABLES", "environment_redactor"]

LIBRARY_VARIABLES = (*GENERAL, "PROVIDERS_SDK_TRACEBACK")
"""Variables with our prefix that are no provider's settings."""
_PUBLIC_ENDINGS = ("_URL", "_MODEL")
_SECRET_ENDINGS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")


def environment_redactor() -> Redactor:
    """Return a redactor of every secret that the environment holds.

    Which settings are secret is known only of plugins that could be imported. So every value of a variable with our
    prefix counts as one, but for addresses and models; and of all other variables those named like a secret, and user
    and password in an address.
    """
    public = {name for name in os.environ if name.upper().endswith(_PUBLIC_ENDINGS)}
    return Redactor.of([*secret_values({*LIBRARY_VARIABLES, *public}), *_find_foreign_secrets()])


def _find_foreign_secrets() -> Iterator[str]:
    """Yield the secrets of variables that are not this library's, such as a vendor's key."""
    for name, value in os.environ.items():
        if ":" in value.rpartition("@")[0]:  # user:password@host or scheme://key@host, and no address of a mail
            yield from userinfo_secrets(value)
        elif name.upper().endswith(_SECRET_ENDINGS):
            yield value
