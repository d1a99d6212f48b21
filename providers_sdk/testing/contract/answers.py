"""Claims about a provider's description and its answers while the service is healthy."""

import warnings
from contextlib import AbstractContextManager, nullcontext, suppress

from providers_sdk._model.chunks import Chunk, FinishReason
from providers_sdk.testing.contract._claim import claim, expect
from providers_sdk.testing.contract._crash import describe_crash
from providers_sdk.testing.contract._harness import PROMPT, ClaimFailed, Harness, NotAnIterator, Outcome
from providers_sdk.testing.contract._reading import ReadCounter
from providers_sdk.testing.fake_service import FakeService
from providers_sdk.testing.server import Connection

__all__ = ["ANSWER", "DESCRIPTION"]

_DESCRIPTION_TITLE = "The description"
_ANSWER_TITLE = "The answer"
_FLAGS = (
    "working",
    "offline",
    "needs_auth",
    "supports_stream",
    "supports_system_message",
    "supports_message_history",
    "supports_images",
    "supports_files",
    "supports_tools",
    "supports_schema",
    "sends_model",
    "supports_images",
    "supports_files",
    "supports_tools",
    "supports_schema",
)


def offline(harness: Harness) -> str:
    """Exempt a provider that works offline."""
    return "offline = True" if harness.provider.offline else ""


def not_streaming(harness: Harness) -> str:
    """Exempt a provider that does not stream."""
    return offline(harness) or ("" if harness.provider.supports_stream else "supports_stream = False")


def site_or_none(harness: Harness) -> AbstractContextManager[FakeService | None]:
    """Return the running fake service; none for a provider that works offline."""
    return nullcontext(None) if harness.provider.offline and harness.fake_service is None else harness.site()


def good_answer(harness: Harness, *, stream: bool = True) -> Outcome:
    """Return the outcome of asking while the service is healthy.

    :raises ClaimFailed: there was an error.
    """
    with site_or_none(harness) as site:
        outcome = harness.ask(site, stream=stream)
    expect(outcome.error is None, "an answer", f"got {outcome}")
    return outcome


def _run_complete(harness: Harness) -> list[object]:
    with site_or_none(harness) as site:
        return harness.raw(site)


@claim(_DESCRIPTION_TITLE, needs=())
def describes_itself(harness: Harness) -> None:
    """The class gives its service's address (``url``) or is ``offline``, and its flags are true or false."""
    kind = harness.provider
    with_url = "url" in kind.known_settings or kind.url.startswith(("https://", "http://"))
    expect(
        with_url or kind.offline,
        "an http(s) address in 'url', a setting 'url', or offline = True",
        f"url is {kind.url!r}",
    )
    wrong = [flag for flag in _FLAGS if not isinstance(getattr(kind, flag), bool)]
    expect(not wrong, "True or False in each flag", f"{', '.join(wrong)} are something else")


@claim(_DESCRIPTION_TITLE, needs=())
def knows_its_models(harness: Harness) -> None:
    """``default_model`` is one of ``models`` where these are listed, and every alias leads to one of them."""
    kind = harness.provider
    expect(
        not kind.models or kind.default_model in kind.models,
        "default_model among models",
        f"it is {kind.default_model!r}",
    )
    astray = [alias for alias, model in kind.model_aliases.items() if kind.models and model not in kind.models]
    expect(not astray, "aliases of known models", f"{', '.join(astray)} lead elsewhere")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {alias: kind.get_model(alias) for alias in kind.model_aliases}
    expect(found == dict(kind.model_aliases), "get_model() to follow the aliases", f"it gives {found}")


@claim(_ANSWER_TITLE, needs=())
def connects_only_to_its_service(harness: Harness) -> None:
    """It reaches the address in the setting ``url`` and nothing else, by whatever library and in whatever thread."""
    with suppress(Exception):  # the guard of every claim refuses and remembers what wants to go elsewhere
        _run_complete(harness)


@claim(_ANSWER_TITLE, needs=("connects_only_to_its_service",))
def terminates(harness: Harness) -> None:
    """``complete`` ends, with an answer or an error, when the service responds at once."""
    try:
        _run_complete(harness)
    except ClaimFailed:
        raise
    except Exception:  # noqa: BLE001, S110  which end it is, other claims judge
        pass


@claim(_ANSWER_TITLE, needs=("terminates",))
def is_an_iterator(harness: Harness) -> None:
    """``complete`` returns a generator or another iterator: no list, no string, not ``None``."""
    try:
        _run_complete(harness)
    except NotAnIterator as error:
        raise ClaimFailed(f"expected an iterator, such as a generator; complete() returned {error}") from None
    except Exception:  # noqa: BLE001, S110  another claim judges it
        pass


@claim(_ANSWER_TITLE, needs=("is_an_iterator",))
def does_not_raise(harness: Harness) -> None:
    """``complete`` raises nothing when the service responds as it should."""
    try:
        _run_complete(harness)
    except Exception as error:
        where = describe_crash(error, harness.provider)
        raise ClaimFailed(f"expected no error; complete() raised {type(error).__name__}: {error}{where}") from error


@claim(_ANSWER_TITLE, needs=("does_not_raise",))
def yields_chunks(harness: Harness) -> None:
    """Every object yielded is ``str``, ``Reasoning``, ``ToolCall``, ``ServedModel``, ``Usage`` or ``FinishReason``."""
    foreign = [chunk for chunk in _run_complete(harness) if not isinstance(chunk, Chunk)]
    expect(not foreign, "only chunks", f"complete() yielded {type(foreign[0]).__name__ if foreign else ''}")


@claim(_ANSWER_TITLE, needs=("does_not_raise",))
def finishes(harness: Harness) -> None:
    """An answer ends with a ``FinishReason``."""
    finish = [chunk for chunk in _run_complete(harness) if isinstance(chunk, FinishReason)]
    expect(finish, "a FinishReason at the end", "there was none")


@claim(_ANSWER_TITLE, needs=("finishes",))
def finishes_once(harness: Harness) -> None:
    """There is only one ``FinishReason``."""
    finish = [chunk for chunk in _run_complete(harness) if isinstance(chunk, FinishReason)]
    expect(len(finish) == 1, "one FinishReason", f"there were {len(finish)}: {', '.join(map(str, finish))}")


@claim(_ANSWER_TITLE, needs=("finishes",))
def stops_after_the_finish(harness: Harness) -> None:
    """Nothing follows the ``FinishReason``."""
    chunks = _run_complete(harness)
    end = next(index for index, chunk in enumerate(chunks) if isinstance(chunk, FinishReason))
    after = [chunk for chunk in chunks[end + 1 :] if not isinstance(chunk, FinishReason)]
    expect(not after, "nothing after the FinishReason", f"got {after[0] if after else ''!r}")


@claim(_ANSWER_TITLE, needs=("yields_chunks", "finishes", "finishes_once", "stops_after_the_finish"))
def answers(harness: Harness) -> None:
    """The text is what the service sent in response to its ``reply_route``, exactly but for white space at its ends."""
    with site_or_none(harness) as site:
        outcome = harness.ask(site)
        expected = site.text if site is not None else PROMPT
    expect(outcome.error is None, "an answer", f"got {outcome}")
    expect(outcome.text.strip() == expected.strip(), f"the text {expected!r}", f"got {outcome}")
    if site is not None:
        _expect_reply_route(site)


def _expect_reply_route(site: FakeService) -> None:
    """Raise unless a request has the route whose response the faults replace."""
    received = ", ".join(dict.fromkeys(f"{request.method} {request.path}" for request in site.requests))
    expect(
        any(site.matches_route(request, site.reply_route) for request in site.requests),
        f"a request that matches the fake service's reply_route ({' '.join(site.reply_route).strip()})",
        f"no request matched; received: {received or 'none'}",
    )


@claim(_ANSWER_TITLE)
def answers_whole(harness: Harness) -> None:
    """With ``stream=False`` the answer has the same text."""
    streamed, whole = good_answer(harness), good_answer(harness, stream=False)
    expect(whole.text == streamed.text, f"the text {streamed.text!r}", f"got {whole}")


@claim(_ANSWER_TITLE, exempt=offline)
def keeps_characters_whole(harness: Harness) -> None:
    """Characters that the network splits arrive whole: each byte of the response is read before the next is sent."""
    pieces = ("Пицца ", "世界 ", "🍕 ", "é. ", "Ende")
    text, sent, reader = "".join(pieces), bytearray(), ReadCounter(harness.patience / 4)

    def wait(connection: Connection, data: bytes) -> None:
        sent.extend(data)
        reader.wait_until_read(connection)

    with harness.site(reply_pieces=pieces) as site, reader.count():
        site.write_size, site.after_write = 1, wait
        outcome = harness.ask(site)
    expect(outcome.text.strip() == text.strip(), f"the text {text!r}", f"got {outcome}")
    escaped = [character for character in text if not character.isascii() and character.encode() not in sent]
    expect(
        not escaped,
        "a fake service that sends its text as UTF-8, as json_response() and event() do",
        f"it sent {escaped[:1]} in another form, of which a cut proves nothing",
    )


DESCRIPTION = (
    describes_itself,
    knows_its_models,
)

ANSWER = (
    connects_only_to_its_service,
    terminates,
    is_an_iterator,
    does_not_raise,
    yields_chunks,
    finishes,
    finishes_once,
    stops_after_the_finish,
    answers,
    answers_whole,
    keeps_characters_whole,
)
