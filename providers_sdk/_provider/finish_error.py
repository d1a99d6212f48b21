"""Completes the errors of an attempt: every one passes :func:`finish_error` once.

An error starts where it is noticed, with its class and its message: in the transport, in the protocol's decoder, in
the plugin. None of these know the whole: which provider and model it was, which response came last, what had been
delivered, which values are secret. So the attempt hands each error to :func:`finish_error` as it ends, which fills
the fields that are still empty and hides secrets in all of them, and in everything the error was raised from. What a
plugin's code raises that is no :class:`ProviderError` becomes one first, in :func:`plugin_crash`. The call adds what
only it knows, why it gave up, in ``_engine/call.py``.

An error that is raised more than once is copied each time (:func:`fresh_copy`), so that no traceback grows or is shared
by threads.
"""

from copy import copy
from typing import Protocol

from providers_sdk._http.exceptions import read_text, redact_chain
from providers_sdk._redact import Redactor
from providers_sdk.errors import PluginCrashed, ProviderError

__all__ = ["LastResponse", "finish_error", "fresh_copy", "plugin_crash"]


class LastResponse(Protocol):
    """What is known of the attempt's last response."""

    @property
    def url(self) -> str | None:
        """Its address, without user info and query."""

    @property
    def status(self) -> int | None:
        """Its HTTP status."""


def plugin_crash(error: BaseException) -> PluginCrashed:
    """Return the error for a plugin whose code raised ``error``, which is its cause."""
    crash = PluginCrashed(
        f"its code raised {type(error).__name__}: {read_text(error)}; a fault of the plugin, report it to its author"
    )
    crash.__cause__ = error
    return crash


def finish_error(
    error: BaseException,
    redact: Redactor,
    *,
    provider: str,
    model: str = "",
    response: LastResponse | None = None,
    text: str = "",
    before: BaseException | None = None,
) -> ProviderError:
    """Return ``error`` as the caller gets it: complete, and without secrets.

    :param error: what ended the attempt.
    :param redact: hides the secrets of the attempt.
    :param response: the last response, where one came.
    :param text: the text that had been delivered.
    :param before: what the caller was handling already, which is no part of the error.
    """
    finished = error if isinstance(error, ProviderError) else plugin_crash(error)
    finished.provider = finished.provider or provider
    finished.model = finished.model or model or None
    finished.partial = finished.partial or text
    _fill_from_response(finished, response)
    redact_chain(finished, redact, before=before)
    return finished


def fresh_copy(error: ProviderError) -> ProviderError:
    """Return a copy with the same cause and no traceback."""
    fresh = copy(error).with_traceback(None)  # tblib, which distributed installs, makes copies keep it
    fresh.__cause__ = error.__cause__
    return fresh


def _fill_from_response(error: ProviderError, response: LastResponse | None) -> None:
    """Fill in address and status, unless the error is about another request than the last one."""
    if response is not None and response.url and error.url in (None, "", response.url):
        error.url = response.url
        error.status = error.status or response.status
