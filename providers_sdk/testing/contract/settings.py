"""Claims about settings, options and secrets."""

import pickle

import providers_sdk.errors as errors
from providers_sdk.testing.contract._capture import capture_output
from providers_sdk.testing.contract._claim import claim, expect
from providers_sdk.testing.contract._harness import PROMPT, Harness
from providers_sdk.testing.contract.streaming import offline, site_or_none
from providers_sdk.testing.fake_service import FakeService
from providers_sdk.testing.faults import FAULTS

__all__ = ["SECRETS", "SETTINGS"]

_SETTINGS_TITLE = "Settings and options"
_SECRETS_TITLE = "Secrets"
_SECRET = "s3cret-planted-by-the-contract"  # noqa: S105  the point is to look for it


def _has_no_options(harness: Harness) -> str:
    return offline(harness) or ("" if harness.provider.known_options else "known_options = ()")


def _has_no_secret(harness: Harness) -> str:
    known = harness.provider.all_settings().values()
    return offline(harness) or ("" if any(setting.secret for setting in known) else "it has no secret setting")


def _join_sent(site: FakeService) -> bytes:
    return b"\n".join(received.target.encode() + b"\n" + received.body for received in site.requests)


@claim(_SETTINGS_TITLE, exempt=offline)
def uses_the_url_setting(harness: Harness) -> None:
    """Every request goes to the address in the setting ``url``."""
    with harness.site() as one, harness.site() as other:
        harness.ask(one)
        expect(
            one.requests and not other.requests,
            "requests to the address in 'url' only",
            f"it asked {len(one.requests)} times",
        )
        harness.ask(other)
        expect(other.requests, "requests to the address in 'url'", "none came after it changed")


@claim(_SETTINGS_TITLE, exempt=offline)
def uses_the_proxy(harness: Harness) -> None:
    """Every request goes through the proxy that the caller gave."""
    with harness.site() as site:
        settings = {**harness.settings(site), "url": "http://behind-the-proxy.invalid"}
        outcome = harness.ask(site, proxy=site.url, settings=settings)
    expect(outcome.error is None, "an answer through the proxy", f"got {outcome}")


@claim(_SETTINGS_TITLE)
def refuses_unknown_options(harness: Harness) -> None:
    """An option that it does not know is ``UnsupportedOption``, and nothing is sent."""
    with site_or_none(harness) as site:
        outcome = harness.ask(site, options={"no_such_option": 1})
        sent = site.requests if site is not None else []
    expect(isinstance(outcome.error, errors.UnsupportedOption), "UnsupportedOption", f"got {outcome}")
    expect(not sent, "nothing sent", f"{len(sent)} requests came")


@claim(_SETTINGS_TITLE, exempt=_has_no_options)
def honours_its_options(harness: Harness) -> None:
    """Each of ``known_options`` changes what is sent."""
    for option in harness.provider.known_options:
        with harness.site() as site:
            outcome = harness.ask(site, options={option: 0.125})
            sent = _join_sent(site)
        reached = b"0.125" in sent or isinstance(outcome.error, errors.InvalidCall)
        expect(reached, f"the option {option!r} in what is sent, or refused", "it was swallowed")


@claim(_SETTINGS_TITLE, exempt=offline)
def sends_what_it_says_it_takes(harness: Harness) -> None:
    """System messages and history are sent if the class declares that it takes them, and refused if not."""
    kind = harness.provider
    turns = [("system", kind.supports_system_message), ("assistant", kind.supports_message_history)]
    for role, takes in turns:
        messages = [{"role": role, "content": f"mark-{role}"}, {"role": "user", "content": PROMPT}]
        with harness.site() as site:
            outcome = harness.ask(site, messages)
            reached = f"mark-{role}".encode() in _join_sent(site)
        if takes:
            expect(reached, f"the {role} message in what is sent", f"it is not there; got {outcome}")
        else:
            expect(isinstance(outcome.error, errors.UnsupportedOption), "UnsupportedOption", f"got {outcome}")


@claim(_SECRETS_TITLE, exempt=_has_no_secret)
def keeps_secrets(harness: Harness) -> None:
    """A secret setting is in no error, log, output, address or pickle, even if the service echoes it."""
    secret = {name: _SECRET for name, setting in harness.provider.all_settings().items() if setting.secret}
    for fault in ("key_echoed", None):
        with harness.site(FAULTS[fault] if fault else None) as site, capture_output() as heard:
            outcome = harness.ask(site, settings={**harness.settings(site), **secret})
            targets = " ".join(received.target for received in site.requests)
        expect(_SECRET not in targets, "no secret in an address", "it is in the query or path")
        expect(_SECRET not in heard.getvalue(), "no secret in logs and output", "it was written there")
        exposed = f"{outcome.error} {outcome.error!r}".encode() + pickle.dumps(outcome.error)
        expect(_SECRET.encode() not in exposed, "no secret in an error", "it is there")


SETTINGS = (
    uses_the_url_setting,
    uses_the_proxy,
    refuses_unknown_options,
    honours_its_options,
    sends_what_it_says_it_takes,
)

SECRETS = (keeps_secrets,)
