"""Claims about settings, options and what is sent of the messages."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import providers_sdk.errors as errors
from providers_sdk._model.options import Option
from providers_sdk._model.parts import File, Image
from providers_sdk.testing.contract._claim import claim, expect
from providers_sdk.testing.contract._comparison import compare_requests
from providers_sdk.testing.contract._harness import PROMPT, ClaimFailed, Harness, NotJudged
from providers_sdk.testing.contract.answers import offline, site_or_none

__all__ = ["SENDING", "SETTINGS"]

_SETTINGS_TITLE = "Settings and options"
_SENDING_TITLE = "What is sent"
_SAMPLE = 0.125
"""The value of an option that is declared by its name only."""
_BEHIND = "http://behind-the-proxy.invalid"
_BROWSER = re.compile(r"mozilla/|applewebkit|gecko/|chrome/|safari/|firefox/|edg/", re.IGNORECASE)
_TURNS = (
    ("system", "Answer in one line."),
    ("user", 'Which pizza has "Käse" & no meat?'),
    ("assistant", "Margherita 🍕"),
    ("user", "And which one has 100 % more?"),
)


_PIXEL = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=")
_TEXT = b"Margherita, Funghi, Diavola: the menu of the contract tests"
_SCHEMA = {"type": "object", "properties": {"contract_field": {"type": "string"}}, "required": ["contract_field"]}
_TOOL = {"name": "contract_tool", "description": "Returns the menu.", "parameters": _SCHEMA}


def _has_no_options(harness: Harness) -> str:
    return offline(harness) or ("" if harness.provider.known_options else "known_options = ()")


def _has_no_settings(harness: Harness) -> str:
    return offline(harness) or ("" if _choose_settings(harness, {}) else "it has no setting with another value")


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
        before = len(one.requests)
        harness.ask(other)
        expect(other.requests, "requests to the address in 'url'", "none came after it changed")
        expect(len(one.requests) == before, "requests to the new address only", "some went to the old one")


@claim(_SETTINGS_TITLE, exempt=offline)
def uses_the_proxy(harness: Harness) -> None:
    """Every request goes through the proxy that the caller gave."""
    with harness.site() as site:
        settings = {**harness.settings(site), "url": _BEHIND}
        outcome = harness.ask(site, proxy=site.url, settings=settings)
    expect(outcome.error is None, "an answer through the proxy", f"got {outcome}")
    past = [received.target for received in site.requests if not received.target.startswith(("http://", "https://"))]
    expect(not past, "every request through the proxy", f"{past[:1]} came past it")


@claim(_SETTINGS_TITLE, exempt=_has_no_settings)
def uses_its_settings(harness: Harness) -> None:
    """Each declared setting changes what is sent or what is answered, or its value is refused."""
    with compare_requests(harness) as compare:
        for name, value in _choose_settings(harness, harness.settings(compare.site)).items():
            changed = compare.ask(settings={**harness.settings(compare.site), name: value})
            expect(
                changed, f"another request or an error with another value for the setting {name!r}", "nothing changed"
            )


def _choose_settings(harness: Harness, given: Mapping[str, str]) -> dict[str, Any]:
    """Return another value for each setting that can have one; ``url`` has a claim of its own."""
    known = harness.provider.all_settings()
    values: dict[str, Any] = {
        name: f"{given.get(name) or setting.default or ''}-contract" for name, setting in known.items() if name != "url"
    }
    own: dict[str, Any] = {
        "headers": {"x-contract": "changed"},
        "extra_body": {"contract": "changed"},
        "model": _find_other_model(harness),
    }
    return {name: own.get(name, value) for name, value in values.items() if own.get(name, value)}


def _find_other_model(harness: Harness) -> str:
    kind = harness.provider
    return next(
        (model for model in kind.models if model != kind.default_model), "" if kind.models else "contract-model"
    )


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
    """Each of ``known_options`` changes what is sent, and so does another value of it, or it is refused."""
    with compare_requests(harness) as compare:
        for name in harness.provider.known_options:
            sample, other = _choose_values(harness, name)
            before = len(compare.site.requests)
            changed = compare.ask(options={name: sample})
            sent = compare.site.requests[before:]
            expect(changed, f"the option {name!r} in what is sent, or refused", "it was swallowed")
            if other is not None and sent:
                again = compare.ask(options={name: other}, than=sent)
                expect(again, f"the value of the option {name!r} in what is sent", "another value changed nothing")


def _choose_values(harness: Harness, name: str) -> tuple[Any, Any]:
    """Return two values for an option; the second is ``None`` where no other is sure to be valid."""
    known = harness.provider.known_options
    option = known[name] if isinstance(known, Mapping) else None
    if name == "extra_body":
        return {"contract": _SAMPLE}, {"contract": 2 * _SAMPLE}
    sample = option.sample if isinstance(option, Option) else _SAMPLE
    if isinstance(sample, bool):
        return sample, not sample
    return (sample, sample * 2 or 1) if isinstance(sample, (int, float)) else (sample, None)


@claim(_SENDING_TITLE, exempt=offline)
def sends_what_it_says_it_takes(harness: Harness) -> None:
    """System messages and history are sent if the class declares that it takes them, and refused if not."""
    kind = harness.provider
    turns = [("system", kind.supports_system_message), ("assistant", kind.supports_message_history)]
    for role, takes in turns:
        messages = [{"role": role, "content": f"mark-{role}"}, {"role": "user", "content": PROMPT}]
        with harness.site() as site:
            outcome = harness.ask(site, messages)
            sent = b"\n".join(received.target.encode() + b"\n" + received.body for received in site.requests)
        if takes:
            reached = f"mark-{role}".encode() in sent
            expect(reached, f"the {role} message in what is sent", f"it is not there; got {outcome}")
        else:
            expect(isinstance(outcome.error, errors.UnsupportedOption), "UnsupportedOption", f"got {outcome}")


@claim(_SENDING_TITLE, needs=("sends_what_it_says_it_takes",), exempt=offline)
def keeps_the_order_of_turns(harness: Harness) -> None:
    """Every turn arrives once, unchanged, with its role and in its place; the fake service's ``turns`` reads them."""
    asked = _choose_turns(harness)
    with harness.site() as site:
        outcome = harness.ask(site, [{"role": role, "content": text} for role, text in asked])
        read = [turns for received in site.requests if (turns := site.turns(received)) is not None]
    if not read:
        raise NotJudged("its fake service reads no roles: it has no turns(received)")
    texts = {text for _, text in asked}
    arrived = [(role, text) for role, text in read[-1] if any(known in text for known in texts)]
    expect(arrived == asked, f"the turns {_format_turns(asked)}", f"got {_format_turns(read[-1])}; {outcome}")


def _supports_text_only(harness: Harness) -> str:
    return offline(harness) or ("" if _list_supported(harness) else "it supports no images, files, tools or schemas")


@claim(_SENDING_TITLE, needs=("sends_what_it_says_it_takes",), exempt=_supports_text_only)
def sends_what_it_supports(harness: Harness) -> None:
    """Images, files, tools and a schema are in what is sent if the class declares that it supports them."""
    for what, (content, request, marks) in _list_supported(harness).items():
        with harness.site() as site:
            with suppress(errors.ProviderError):  # the fake service may refuse them
                harness.raw(site, [{"role": "user", "content": content}], **request)
            sent = b"\n".join(received.body for received in site.requests)
        expect(any(mark in sent for mark in marks), f"the {what} in what is sent", "it is not there")


def _list_supported(harness: Harness) -> dict[str, tuple[Any, dict[str, Any], list[bytes]]]:
    """Return what the provider supports: content, further fields of the request, and what must be in the bytes."""
    kind = harness.provider
    rows: dict[str, tuple[bool, Any, dict[str, Any], list[bytes]]] = {
        "image": (kind.supports_images, [PROMPT, Image(_PIXEL)], {}, [_PIXEL, b64encode(_PIXEL)]),
        "file": (kind.supports_files, [PROMPT, File(_TEXT, name="menu.txt")], {}, [_TEXT, b64encode(_TEXT)]),
        "tool": (kind.supports_tools, PROMPT, {"tools": (_TOOL,)}, [b"contract_tool"]),
        "schema": (kind.supports_schema, PROMPT, {"schema": _SCHEMA}, [b"contract_field"]),
    }
    return {what: (content, request, marks) for what, (takes, content, request, marks) in rows.items() if takes}


def _choose_turns(harness: Harness) -> list[tuple[str, str]]:
    kind = harness.provider
    turns = list(_TURNS) if kind.supports_message_history else [_TURNS[0], _TURNS[-1]]
    return turns if kind.supports_system_message else turns[1:]


def _format_turns(turns: list[tuple[str, str]]) -> str:
    return json.dumps([f"{role}: {text}" for role, text in turns], ensure_ascii=False)


@claim(_SENDING_TITLE, exempt=offline)
def does_not_pose_as_a_browser(harness: Harness) -> None:
    """No request has the ``User-Agent`` of a browser, nor the headers ``sec-ch-ua`` of one."""
    with harness.site() as site:
        harness.ask(site)
    for received in site.requests:
        agent = received.headers.get("user-agent", "")
        if _BROWSER.search(agent) or any(name.startswith("sec-ch-ua") for name in received.headers):
            raise ClaimFailed(f"expected this library's User-Agent or the plugin's own; got {agent!r}, a browser's")


SETTINGS = (
    uses_the_url_setting,
    uses_the_proxy,
    uses_its_settings,
    refuses_unknown_options,
    honours_its_options,
)

SENDING = (
    sends_what_it_says_it_takes,
    keeps_the_order_of_turns,
    sends_what_it_supports,
    does_not_pose_as_a_browser,
)
