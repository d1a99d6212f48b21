"""The claim about secrets."""

import json
import pickle
import re
from collections.abc import Iterator, Mapping

from providers_sdk.testing.contract._capture import capture_output
from providers_sdk.testing.contract._claim import claim, expect
from providers_sdk.testing.contract._harness import Harness, Outcome
from providers_sdk.testing.contract.answers import offline
from providers_sdk.testing.faults import FAULTS, spellings
from providers_sdk.testing.server import Received

__all__ = ["SECRETS"]

_SECRETS_TITLE = "Secrets"
_SECRET = "s3cret-planted-by-the-contract"  # noqa: S105  the point is to look for it
_SHORTEST = 6
_AUTHORISED = re.compile("auth|secret|key|token|cookie")
"""What the name of a header holds that may carry a secret."""


def _has_no_secret(harness: Harness) -> str:
    known = harness.provider.all_settings()
    return offline(harness) or ("" if any(known[name].secret for name in known) else "it has no secret setting")


@claim(_SECRETS_TITLE, exempt=_has_no_secret)
def keeps_secrets(harness: Harness) -> None:
    """A secret setting is in no error, log, output or pickle, even if the service echoes it.

    Of no request is it in the address, the body, or a header but one for secrets (its name holds ``auth``, ``secret``,
    ``key``, ``token`` or ``cookie``).
    """
    for fault, planted in (("key_echoed", True), (None, True), (None, False)):
        with harness.site(FAULTS[fault] if fault else None) as site, capture_output() as heard:
            settings = {**harness.settings(site), **(_plant(harness) if planted else {})}
            outcome = harness.ask(site, settings=settings)
            requests = list(site.requests)
        for secret in _list_secrets(harness, settings):
            _expect_hidden(secret, requests, heard.getvalue(), outcome)


def _plant(harness: Harness) -> dict[str, str]:
    """Return a value of its own for each secret setting; that of ``headers`` is a header, as JSON."""
    known = harness.provider.all_settings()
    planted = {name: f"{_SECRET}-{name}" for name, setting in known.items() if setting.secret}
    header = {"headers": json.dumps({"x-contract-key": planted["headers"]})} if "headers" in planted else {}
    return {**planted, **header}


def _list_secrets(harness: Harness, settings: Mapping[str, str]) -> Iterator[str]:
    known = harness.provider.all_settings()
    for name in settings.keys() & {name for name in known if known[name].secret}:
        values = json.loads(settings[name]).values() if name == "headers" else [settings[name]]
        yield from (value for value in values if len(value) >= _SHORTEST)


def _expect_hidden(secret: str, requests: list[Received], heard: str, outcome: Outcome) -> None:
    for received in requests:
        for place, text in _list_places(received):
            where = f"it is in {place} of {received.method} {received.path}"
            expect(not _holds(text, secret), "a secret in its own header only", where.replace(secret, "[hidden]"))
    expect(not _holds(heard, secret), "no secret in logs and output", "it was written there")
    exposed = f"{outcome.error} {outcome.error!r} {_pickle(outcome.error)!r}"
    expect(not _holds(exposed, secret), "no secret in an error", "it is there")


def _pickle(error: Exception | None) -> bytes:
    try:
        return pickle.dumps(error)
    except Exception:  # noqa: BLE001  another claim judges it
        return b""


def _list_places(received: Received) -> Iterator[tuple[str, str]]:
    yield "the address", received.target
    yield "the body", received.body.decode("utf-8", "replace")
    for name, value in received.headers.items():
        if not _AUTHORISED.search(name):
            yield f"the header {name}", value


def _holds(text: str, secret: str) -> bool:
    return any(spelling in text for spelling in spellings(secret))


SECRETS = (keeps_secrets,)
