"""Reads, writes and deletes entries of the system's keyring, each in a child process that is ended after a while."""

import sys
from pathlib import Path

from providers_sdk._config import keyring_child
from providers_sdk._config.process import Ended, run_command

__all__ = ["KeyringFailed", "ask_keyring"]

_CHILD = Path(keyring_child.__file__)


class KeyringFailed(Exception):
    """The keyring did not do what it was asked; the message says why and what to do."""


def ask_keyring(action: str, name: str, *, seconds: float, secret: str = "") -> str:
    """Do ``action`` for the entry ``name`` of the service ``providers-sdk``; return the secret for ``get``.

    :param action: ``"get"``, ``"set"`` or ``"delete"``.
    :param seconds: after which the child process is ended.
    :param secret: for ``set``.
    :raises KeyringFailed: it is not installed, has no such entry, fails, or hangs.
    """
    if not sys.executable:
        raise KeyringFailed("this program does not know its Python interpreter; use another way to give the key")
    command = [sys.executable, "-P", str(_CHILD), action, name]  # -P: no module of the current folder is imported
    try:
        code, output = run_command(command, seconds=seconds, folder=_CHILD.parent, send=secret.encode())
    except Ended as error:
        raise KeyringFailed(f"{error}; it may wait for a desktop that is not there, or be locked: unlock it") from None
    except OSError as error:
        raise KeyringFailed(f"its process cannot be started ({error.strerror})") from None
    if code != 0:
        raise KeyringFailed(_explain(code, output.decode("ascii", "replace"), name))
    return output.decode("utf-8", "replace")


def _explain(code: int, kind: str, name: str) -> str:
    if code == keyring_child.NOT_INSTALLED:
        return "the package keyring is not installed; run \"pip install 'providers-sdk[keyring]'\""
    if code == keyring_child.ABSENT:
        return f"it has no entry {name!r} of {keyring_child.SERVICE!r}; run 'providers keys set {name} --keyring'"
    if code == keyring_child.FAILED:
        return f"it failed with {kind[:64]!r}; 'keyring diagnose' shows which keyring is used"
    return f"its process ended with exit code {code}"
