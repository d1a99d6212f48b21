"""Makes the arguments of the hooks ``attempt_started`` and ``attempt_finished``.

Extensions get copies, so that none can change the call. The prompt is the user's own and is handed over as it is;
secrets are hidden in everything else. Errors have passed ``finish_error``, which hides them there.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from providers_sdk._attempts import Attempt
from providers_sdk._model.request import Request
from providers_sdk._provider.attempt import AttemptRun
from providers_sdk._provider.finish_error import finish_error, fresh_copy
from providers_sdk._redact import Redactor
from providers_sdk.errors import ProviderError

__all__ = ["Notify", "describe_finish", "describe_skip", "describe_start"]

Notify = Callable[[str, Callable[[], Mapping[str, Any]]], None]
"""``notify(hook, describe)`` calls a hook of every extension with the arguments that ``describe()`` returns."""


def describe_start(run: AttemptRun, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``attempt_started``.

    :param options: those of the call, without what settings add.
    """
    return {"attempt": run.record(), "request": _copy_request(run, options)}


def describe_finish(run: AttemptRun, at: int, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``attempt_finished``.

    :param at: which of the run's records it is about: of a request that was refused in its first form, or its own.
    """
    refused, record = run.http.refused_attempts, run.records()[at]
    if at < len(refused):
        error: ProviderError | None = finish_error(
            fresh_copy(refused[at][0]), run.http.redact, provider=record.provider, model=record.model
        )
        text = ""
    else:
        error, text = run.error and fresh_copy(run.error), run.http.redact(run.text)
    return {"attempt": record, "request": _copy_request(run, options), "text": text, "error": error}


def describe_skip(attempt: Attempt, error: ProviderError) -> dict[str, Any]:
    """Return the arguments of ``attempt_finished`` for a provider that was not asked because of ``error``."""
    return {"attempt": attempt, "request": None, "text": "", "error": fresh_copy(error)}


def _copy_request(run: AttemptRun, options: Mapping[str, Any]) -> Request:
    request, redact = run.request, run.http.redact
    messages, tools, schema = deepcopy((request.messages, request.tools, request.schema))
    return replace(request, messages=messages, tools=tools, schema=schema, options=_hide(options, redact))


def _hide(value: object, redact: Redactor) -> Any:
    """Return a copy of ``value`` with secrets hidden in every text."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {_hide(name, redact): _hide(inner, redact) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hide(inner, redact) for inner in value]
    return value
