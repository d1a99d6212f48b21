"""Claims about threads, imports and side effects."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from providers_sdk._engine.client import Client
from providers_sdk._http.adapter import Session
from providers_sdk.testing.contract._capture import capture_output
from providers_sdk.testing.contract._claim import claim, expect
from providers_sdk.testing.contract._harness import NAME, PROMPT, ClaimFailed, Harness
from providers_sdk.testing.contract._internals import find_instance
from providers_sdk.testing.contract._requests import describe_places, find_differences
from providers_sdk.testing.contract.answers import offline, site_or_none
from providers_sdk.testing.fake_service import FakeService
from providers_sdk.testing.server import Received

__all__ = ["BEHAVIOUR"]

_BEHAVIOUR_TITLE = "Behaviour"

_IMPORT = """
import sys, time
import bs4, requests  # this library loads them with the first request; urllib3 binds a socket as it is imported
import providers_sdk.plugin
used, slept = set(), []
def watch(name, arguments):
    if name in ("socket.connect", "socket.getaddrinfo", "socket.bind"):
        used.add(name)
def sleep(seconds, sleep=time.sleep):
    slept.append(seconds)
    sleep(seconds)
time.sleep = sleep
sys.addaudithook(watch)
{load}
print("\\nCONTRACT", time.process_time() + sum(slept), *sorted(used))
"""
"""What the process in which a plugin is imported runs: sleeping counts like computing, waiting for a CPU does not."""


@claim(_BEHAVIOUR_TITLE)
def prints_nothing(harness: Harness) -> None:
    """It writes nothing to standard output or standard error."""
    with site_or_none(harness) as site, capture_output(logs=False) as heard:
        harness.ask(site)
    expect(not heard.getvalue(), "no output", f"it printed {heard.getvalue()[:80]!r}")


@claim(_BEHAVIOUR_TITLE)
def keeps_nothing_between_calls(harness: Harness) -> None:
    """The same question asked twice sends the same, and the instance and class are as before.

    What the fake service declares as ``varying``, such as an idempotency key, may differ.
    """
    with site_or_none(harness) as site, harness.client(site) as client:
        provider = find_instance(client, NAME)
        before = (dict(vars(provider)), _describe_class(harness))
        sent = [_record_requests(harness, client, site) for _ in range(3)]
        after = (dict(vars(provider)), _describe_class(harness))
    expect(before == after, "the provider unchanged by calls", "attributes of its instance or class have changed")
    differences = find_differences(sent[1], sent[2], _list_varying(site))
    expect(
        not differences,
        "the same requests for the same question, but for what the fake service declares as varying",
        f"what differs: {describe_places(differences)}",
    )


def _list_varying(site: FakeService | None) -> list[str]:
    return [] if site is None else [*site.varying, *filter(None, site.reply_route[1:])]


def _describe_class(harness: Harness) -> dict[str, str]:
    return {name: repr(value) for name, value in vars(harness.provider).items() if not callable(value)}


def _record_requests(harness: Harness, client: Client, site: FakeService | None) -> list[Received]:
    before = len(site.requests) if site else 0
    harness.patiently(lambda: client.chat(PROMPT).text)
    return site.requests[before:] if site else []


@claim(_BEHAVIOUR_TITLE, exempt=offline)
def does_not_mutate_arguments(harness: Harness) -> None:
    """Messages, settings and a session that the caller passed in stay as they were."""
    with harness.site() as site, Session() as session:
        messages = [{"role": "user", "content": PROMPT}]
        settings = harness.settings(site)
        before = _describe_arguments(messages, settings, session)
        harness.ask(site, messages, settings=settings, session=session)
        after = _describe_arguments(messages, settings, session)
    expect(before == after, "no change in what was passed in", f"it was {before[:200]} and is {after[:200]}")


def _describe_arguments(messages: object, settings: object, session: Session) -> str:
    inside = sorted(session.headers.items()), list(session.cookies), sorted(session.adapters)
    return repr((messages, settings, *inside))


@claim(_BEHAVIOUR_TITLE)
def serves_threads(harness: Harness) -> None:
    """Eight threads that share one client get eight right answers."""
    with site_or_none(harness) as site, harness.client(site) as client, ThreadPoolExecutor(8) as threads:
        expected = site.text if site is not None else PROMPT
        calls = [threads.submit(lambda: client.chat(PROMPT).text) for _ in range(8)]
        texts = [call.result(harness.patience * 2) for call in calls]
    wrong = [text for text in texts if text.strip() != expected.strip()]
    expect(not wrong, "eight right answers", f"{len(wrong)} were wrong, such as {wrong[:1]}")


@claim(_BEHAVIOUR_TITLE, needs=())
def touches_no_network_at_import(harness: Harness) -> None:
    """Importing the plugin opens no socket and resolves no name."""
    _, used = _run_in_a_process(_write_import(harness), tuple(sys.path))
    expect(not used, "no network at import", f"it used {', '.join(used)}")


@claim(_BEHAVIOUR_TITLE, needs=())
def imports_quickly(harness: Harness) -> None:
    """Importing the plugin takes less than a second of computing and sleeping beyond this library's own modules."""
    there, with_nothing = (_run_in_a_process(load, tuple(sys.path)) for load in (_write_import(harness), ""))
    seconds = there[0] - with_nothing[0]
    expect(seconds < 1.0, "an import of less than 1 s", f"it took {seconds:.1f} s of computing and sleeping")


@lru_cache(maxsize=32)
def _run_in_a_process(load: str, path: tuple[str, ...]) -> tuple[float, tuple[str, ...]]:
    """Return the seconds that the process computed or slept, and which network functions it called."""
    code = _IMPORT.format(load=load)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}
    done = subprocess.run(  # noqa: S603  the plugin under test, in a process of its own
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    fields = done.stdout.rpartition("CONTRACT")[2].split()
    if done.returncode or not fields:
        raise ClaimFailed(f"expected an import without error; it ended with: {done.stderr.strip()[-300:]}")
    return float(fields[0]), tuple(fields[1:])


def _write_import(harness: Harness) -> str:
    module = sys.modules.get(harness.provider.__module__)
    if module is not None and getattr(module, "__spec__", None) is None and getattr(module, "__file__", None):
        return f"import runpy; runpy.run_path({module.__file__!r})"
    return f"import importlib; importlib.import_module({harness.provider.__module__!r})"


BEHAVIOUR = (
    prints_nothing,
    keeps_nothing_between_calls,
    does_not_mutate_arguments,
    serves_threads,
    touches_no_network_at_import,
    imports_quickly,
)
