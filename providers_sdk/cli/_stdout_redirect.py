"""Redirects to stderr what plugins print to stdout while they are imported."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress

__all__ = ["redirect_stdout_to_stderr"]


@contextmanager
def redirect_stdout_to_stderr() -> Iterator[None]:
    """Send to stderr what is printed meanwhile, by Python, by C code or by child processes."""
    ours = sys.stdout
    ours.flush()
    with _redirect_descriptor(), redirect_stdout(sys.stderr):
        try:
            yield
        finally:
            with suppress(OSError, ValueError):  # a plugin may have closed it
                ours.flush()  # what was written to sys.__stdout__ waits there


@contextmanager
def _redirect_descriptor() -> Iterator[None]:
    try:
        kept = os.dup(1)
    except OSError:  # stdout is closed: nothing can be written there
        yield
        return
    try:
        with suppress(OSError):
            os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
