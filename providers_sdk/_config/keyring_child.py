"""Asks the keyring, in a process of its own: ``python -P keyring_child.py get NAME``.

A keyring may wait for ever for a desktop that is not there, and a thread that waits cannot be ended; a process can. The
library imports only the constants of this module. It gets the name as an argument and passes secrets through pipes:
standard input for ``set``, standard output for ``get``. What a keyring prints itself goes to standard error.
"""

import os
import sys

__all__ = ["ABSENT", "FAILED", "NOT_INSTALLED", "SERVICE"]

SERVICE = "providers-sdk"
NOT_INSTALLED, ABSENT, FAILED = 11, 12, 13


def main(action: str, name: str) -> int:
    """Do ``action`` (``get``, ``set`` or ``delete``) for the entry ``name``, and return the exit code.

    A keyring that fails is :data:`FAILED`; the output is then the class name of its error, as errors may quote secrets.
    """
    output = os.dup(1)
    os.dup2(2, 1)
    try:
        import keyring
    except ImportError:
        return NOT_INSTALLED
    try:
        if action == "set":
            keyring.set_password(SERVICE, name, sys.stdin.buffer.read().decode())
            return 0
        secret = keyring.get_password(SERVICE, name)
        if secret is None:
            return ABSENT
        if action == "delete":
            keyring.delete_password(SERVICE, name)
            return 0
        os.write(output, secret.encode())
    except Exception as error:  # noqa: BLE001  a backend is foreign code
        os.write(output, type(error).__name__.encode())
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
