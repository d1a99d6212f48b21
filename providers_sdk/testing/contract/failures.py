"""Claims about a provider whose service fails or refuses."""

import pickle
from dataclasses import replace

from providers_sdk import errors
from providers_sdk._model.chunks import FinishReason
from providers_sdk.testing.contract._claim import claim, expect
from providers_sdk.testing.contract._crash import describe_crash
from providers_sdk.testing.contract._harness import ClaimFailed, Harness, NotApplicable, Outcome
from providers_sdk.testing.contract._polling import find_polled_response, watch_sleep
from providers_sdk.testing.contract.answers import not_streaming, offline
from providers_sdk.testing.fake_service import html, json_response
from providers_sdk.testing.faults import FAULTS
from providers_sdk.testing.response import Response
from providers_sdk.testing.server import Received

__all__ = ["CUT_ANSWERS", "REFUSALS", "TIME_LIMITS"]

_CUT_TITLE = "Cut answers"
_TIME_TITLE = "Time limits"
_REFUSALS_TITLE = "Refusals and invalid responses"
_POLLING = 1.0
_MOST_POLLS = 20
"""Requests a second that a polite client makes at the most."""
_MARK = "marked-piece"
_WRONG_RESPONSES = {
    "a page": html("<title>Log in</title>"),
    "an empty body": html(""),
    "a JSON list": json_response([["a"], 7]),
}
_SLACK = 3.0
"""Seconds that a busy machine may take; where a limit is not kept, only one of the harness's own ends the call."""


def ask_with_fault(harness: Harness, fault: str, **arguments: object) -> Outcome:
    """Return the outcome of asking while the service has the named fault."""
    with harness.site(FAULTS[fault]) as site:
        return harness.ask(site, **arguments)  # type: ignore[arg-type]


def _expect_error(harness: Harness, fault: str, *kinds: type[Exception], **arguments: object) -> Exception:
    outcome = ask_with_fault(harness, fault, **arguments)
    wanted = " or ".join(kind.__name__ for kind in kinds)
    about = FAULTS[fault].about
    if not isinstance(outcome.error, kinds):
        raise ClaimFailed(f"expected {wanted} ({about}); got {outcome}")
    return outcome.error


@claim(_CUT_TITLE, exempt=not_streaming)
def reports_a_truncated_stream(harness: Harness) -> None:
    """A stream that ends without its finish is ``StreamTruncated``, with the text so far; no finish is invented."""
    outcome = ask_with_fault(harness, "early_end")
    expect(isinstance(outcome.error, errors.StreamTruncated), "StreamTruncated", f"got {outcome}")
    invented = [chunk for chunk in outcome.chunks if isinstance(chunk, FinishReason)]
    expect(not invented, "no FinishReason", f"got {invented}")


@claim(_CUT_TITLE, exempt=offline)
def reports_a_lost_connection(harness: Harness) -> None:
    """A body shorter than its Content-Length, or a reset, is an error of the ``TransportError`` branch."""
    for fault in ("short_length", "reset_after_headers"):
        _expect_error(harness, fault, errors.TransportError, errors.EmptyAnswer)


@claim(_TIME_TITLE, exempt=not_streaming)
def keeps_first_token(harness: Harness) -> None:
    """Where the answer streams, a silent service ends in ``FirstTokenTimeout`` after ``first_token`` seconds."""
    _expect_timeout(harness, "stall_before_headers", errors.FirstTokenTimeout, first_token=0.4)


@claim(_TIME_TITLE, exempt=not_streaming)
def keeps_idle(harness: Harness) -> None:
    """Keep-alive comments are no pieces: a stream of nothing else ends in a time limit."""
    _expect_timeout(harness, "comments_forever", errors.TimeLimitExceeded, first_token=0.4, idle=0.4)


@claim(_TIME_TITLE, exempt=offline)
def keeps_the_deadline(harness: Harness) -> None:
    """A service that trickles one byte at a time ends in ``DeadlineExceeded``."""
    _expect_timeout(harness, "trickle", errors.DeadlineExceeded, deadline=0.6)


@claim(_TIME_TITLE, exempt=offline)
def ends_its_polling(harness: Harness) -> None:
    """Polling ends with the deadline, waits with ``http``, not ``time.sleep``, and asks at most 20 times a second."""
    polled = find_polled_response(harness)
    with harness.site() as site, watch_sleep(harness.provider) as sleeps:
        site.replace_response = polled.replace
        outcome = harness.ask(site, deadline=_POLLING)
    expect(not sleeps, "http.sleep() or http.poll(), which the limits end", f"it called {', '.join(sleeps)}")
    expect(isinstance(outcome.error, errors.ProviderError), "an error when the deadline ends", f"got {outcome}")
    most = _POLLING + _SLACK
    expect(outcome.seconds < most, f"an end within {most:g} s", f"it took {outcome.seconds:.1f} s")
    polls = sum((received.method, received.path) == polled.route for received in site.requests)
    expect(polls <= _MOST_POLLS, f"at most {_MOST_POLLS} polls within {_POLLING:g} s", f"there were {polls}")


def _expect_timeout(harness: Harness, fault: str, kind: type[Exception], **limits: float) -> None:
    outcome = ask_with_fault(harness, fault, **limits)
    most = max(limits.values()) + _SLACK
    expect(isinstance(outcome.error, kind), kind.__name__, f"got {outcome}")
    expect(outcome.seconds < most, f"an end within {most:g} s", f"it took {outcome.seconds:.1f} s")


@claim(_REFUSALS_TITLE, exempt=offline)
def reports_a_refused_key(harness: Harness) -> None:
    """401 is ``AuthenticationFailed``."""
    _expect_error(harness, "key_echoed", errors.AuthenticationFailed)


@claim(_REFUSALS_TITLE, exempt=offline)
def reports_a_rate_limit(harness: Harness) -> None:
    """429 is ``RateLimited`` and carries ``retry_after``."""
    error = _expect_error(harness, "retry_after_seconds", errors.RateLimited)
    after = getattr(error, "retry_after", None)
    expect(after, "retry_after in seconds", f"it is {after!r}")


@claim(_REFUSALS_TITLE, exempt=offline)
def reports_a_failed_service(harness: Harness) -> None:
    """500 and 503 are errors with that status, not text."""
    for fault, status in (("status_500", 500), ("status_503", 503)):
        error = _expect_error(harness, fault, errors.ResponseError)
        found = getattr(error, "status", None)
        expect(found == status, f"status {status} in the error", f"it is {found}")


@claim(_REFUSALS_TITLE, exempt=offline)
def reports_a_bot_wall(harness: Harness) -> None:
    """A bot wall is ``Blocked``."""
    _expect_error(harness, "bot_wall", errors.Blocked)


@claim(_REFUSALS_TITLE, exempt=offline)
def rejects_an_html_page(harness: Harness) -> None:
    """An HTML page with status 200, such as a login form, is an error of the ``ResponseError`` branch."""
    _expect_error(harness, "login_page", errors.ResponseError)


@claim(_REFUSALS_TITLE, exempt=offline)
def rejects_an_empty_response(harness: Harness) -> None:
    """200 without a body and 204 are errors of the ``ResponseError`` branch."""
    for fault in ("empty_answer", "no_content"):
        _expect_error(harness, fault, errors.ResponseError)


@claim(_REFUSALS_TITLE, exempt=offline)
def rejects_broken_json(harness: Harness) -> None:
    """JSON that cannot be read or is a list is an error, neither a crash nor, in mid-stream, a hole in the answer."""
    for fault in ("invalid_json", "json_list", "deep_lists"):
        error = _expect_error(harness, fault, errors.ResponseError, errors.StreamTruncated)
        expect(
            not isinstance(error, errors.PluginError),
            "no PluginError",
            f"got {error!r}{describe_crash(error, harness.provider)}",
        )
    outcome = _ask_with_broken_piece(harness)
    expect(
        outcome is None or isinstance(outcome.error, errors.ProviderError),
        "an error where one piece of the stream is no JSON",
        f"the piece was passed over: got {outcome}",
    )


def _ask_with_broken_piece(harness: Harness) -> Outcome | None:
    """Return the outcome of a stream with one broken piece in its middle; ``None`` where no piece is JSON."""
    broken: list[bool] = []

    def replace_body(received: Received, response: Response) -> Response:
        if isinstance(response.body, bytes) or not site.matches_route(received, site.reply_route):
            return response
        pieces = list(response.body)
        changed = list(map(_break_json, pieces))
        broken.append(changed != pieces)
        return replace(response, body=changed)

    with harness.site(reply_pieces=("one ", _MARK, " three")) as site:
        site.replace_response = replace_body
        outcome = harness.ask(site)
    return outcome if any(broken) else None


def _break_json(piece: bytes) -> bytes:
    """Return a piece that holds the marked text in a JSON object without that object's end; others as they are."""
    end = piece.rfind(b"}")
    return piece[:end] + piece[end + 1 :] if _MARK.encode() in piece and end >= 0 else piece


@claim(_REFUSALS_TITLE, exempt=offline)
def survives_every_response(harness: Harness) -> None:
    """A page, nothing or a list as the response to a request before the answer's, such as a token's, is no crash."""
    with harness.site() as site:
        harness.ask(site)
    others = [index for index, sent in enumerate(site.requests) if not site.matches_route(sent, site.reply_route)]
    if not others:
        raise NotApplicable("it sends no request but the one that is answered")
    for index in others:
        for what, response in _WRONG_RESPONSES.items():
            _expect_no_crash(harness, index, response, what)


def _expect_no_crash(harness: Harness, index: int, wrong: Response, what: str) -> None:
    def replace(received: Received, response: Response) -> Response:
        return wrong if len(site.requests) == index + 1 else response

    with harness.site() as site:
        site.replace_response = replace
        outcome = harness.ask(site)
    asked = site.requests[index] if index < len(site.requests) else None
    where = f"{asked.method} {asked.path}" if asked else f"request {index + 1}"
    expect(
        not isinstance(outcome.error, errors.PluginError),
        f"no crash of the plugin where {where} is responded to with {what}",
        f"got {outcome}",
    )


@claim(_REFUSALS_TITLE, exempt=offline)
def bounds_memory(harness: Harness) -> None:
    """A line without an end is ``TooLarge`` or another error, and memory stays bounded."""
    _expect_error(harness, "endless_line", errors.ResponseError, errors.TimeLimitExceeded)


@claim(_REFUSALS_TITLE, exempt=offline)
def errors_survive_pickle(harness: Harness) -> None:
    """Errors survive ``pickle``: class, message and data."""
    error = _expect_error(harness, "retry_after_seconds", errors.ProviderError)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    same = type(again) is type(error) and str(again) == str(error) and vars(again).keys() == vars(error).keys()
    expect(same, f"{error!r} after pickle", f"got {again!r}")


CUT_ANSWERS = (
    reports_a_truncated_stream,
    reports_a_lost_connection,
)

TIME_LIMITS = (
    keeps_first_token,
    keeps_idle,
    keeps_the_deadline,
    ends_its_polling,
)

REFUSALS = (
    reports_a_refused_key,
    reports_a_rate_limit,
    reports_a_failed_service,
    reports_a_bot_wall,
    rejects_an_html_page,
    rejects_an_empty_response,
    rejects_broken_json,
    survives_every_response,
    bounds_memory,
    errors_survive_pickle,
)
