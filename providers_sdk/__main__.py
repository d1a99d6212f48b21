"""The command line as a process of its own: ``providers``, and ``python -m providers_sdk``.

A command lives for a moment, and nearly all that it makes stays until its end. Looking for garbage while modules load,
and once more at the end, took a quarter of the time of a short one.
"""

import gc
import sys

from providers_sdk.cli import main

__all__ = ["start"]

_NEW_OBJECTS = 50_000
"""How many are made before garbage is looked for; a batch still needs that."""


def start() -> int:
    """Run the command line with the process's arguments, and return its exit code."""
    gc.set_threshold(_NEW_OBJECTS)
    code = main()
    gc.freeze()  # the interpreter looks for garbage several times while it ends
    return code


if __name__ == "__main__":
    sys.exit(start())
