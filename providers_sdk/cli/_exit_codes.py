"""Maps errors to exit codes and to one line on stderr."""

import errno
import re
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import click

from providers_sdk._environment import redact_environment
from providers_sdk.cli._terminal import say, say_lines
from providers_sdk.errors import AllProvidersFailed, InvalidCall, ProviderError

__all__ = [
    "FAILED",
    "INTERRUPTED",
    "USAGE_ERROR",
    "Run",
    "describe_error",
    "explain",
    "find_exit_code",
    "spell_options",
    "traceback_option",
]

FAILED, USAGE_ERROR, INTERRUPTED = 1, 2, 130
_WRITING = (errno.EBADF, errno.EIO, errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)
"""Of an error without a file name: it came from a stream that is open already."""
_F = TypeVar("_F", bound=Callable[..., Any])


class Run:
    """State that the parts of one run of the command line share.

    :param traceback: whether errors are shown with their traceback.
    :param extra: commands of extensions, once they were looked for.
    """

    def __init__(self) -> None:
        self.traceback = False
        self.extra: dict[str, click.Command] | None = None


def _set_traceback(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Run).traceback = True


def traceback_option(command: _F) -> _F:
    """Add the option ``--traceback`` to a command."""
    return click.option(
        "--traceback",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        envvar="PROVIDERS_SDK_TRACEBACK",
        callback=_set_traceback,
        help="Show where in the code an error came from.",
    )(command)


def explain(error: BaseException, *, with_traceback: bool = False) -> int:
    """Print the error as one line on stderr, and return the exit code.

    :param with_traceback: show the traceback before it, where the error is no usage error.
    """
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return INTERRUPTED
    if isinstance(error, SystemExit):
        return _explain_system_exit(error)
    if with_traceback and not isinstance(error, click.ClickException):
        say_lines(redact_environment()("".join(traceback.format_exception(error))))  # foreign errors quote secrets
    (say_lines if isinstance(error, AllProvidersFailed) else say)(f"Error: {describe_error(error)}")
    return find_exit_code(error)


def find_exit_code(error: BaseException) -> int:
    """Return the exit code that the error ends the program with."""
    if isinstance(error, click.ClickException):
        return error.exit_code
    return USAGE_ERROR if isinstance(error, InvalidCall) else FAILED


def describe_error(error: BaseException) -> str:
    """Return the sentence about the error, in the spelling of the command line."""
    if isinstance(error, click.ClickException):
        return _format_click_message(error)
    if isinstance(error, ProviderError):
        return spell_options(str(error))
    if isinstance(error, OSError) and error.errno in _WRITING and error.filename is None:
        return f"the output cannot be written: {error.strerror}"
    kind = "" if isinstance(error, OSError) else "internal "  # a full disk is no defect of this library
    return f"{kind}{type(error).__name__}: {error} (--traceback shows where)"


def spell_options(text: str) -> str:
    """Return a message of the library in the spelling of the command line: ``deadline=5`` is ``--deadline 5``."""
    text = re.sub(r"\bdeadline=(?=[\d.])", "--deadline ", text)
    text = re.sub(r"\bdeadline=(?!\w)", "--deadline", text)
    return re.sub(r"; raise (connect|first_token|idle)= if", r"; a script can raise \1= if", text)


def _format_click_message(error: click.ClickException) -> str:
    message = error.format_message()
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    return f"{message.rstrip('.')} (see '{ctx.command_path} --help')" if ctx is not None else message


def _explain_system_exit(error: SystemExit) -> int:
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    say(error.code)
    return FAILED
