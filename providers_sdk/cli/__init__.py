"""The command line: ``providers demo``, ``providers chat``, ``providers list``, and what extensions add.

Exit codes: 0 answered, 1 the provider failed, 2 usage error, 130 after Ctrl-C, 141 when the reader of the output
left.
"""

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    :param arguments: the arguments after ``providers``; the process's where they are not given.
    """
    from providers_sdk.cli._group import run

    return run(arguments)
