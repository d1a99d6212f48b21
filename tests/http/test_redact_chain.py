"""``redact_chain``: an error that leaves an attempt shows no secret, wherever it is kept."""

import pickle
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3

from providers_sdk import Refused
from providers_sdk._http.exceptions import RedactedCause, redact_chain
from providers_sdk._redact import Redactor
from providers_sdk.errors import ConnectFailed
from providers_sdk.testing.faults import collect_exposed_text

SECRET = "sk-0123456789"
redact = Redactor.of([SECRET])
NOTHING: dict[str, str] = {}


class OwnError(Refused):
    """A plugin's own error, with attributes of its own."""


@dataclass
class Config:
    key: str


class Text(str):
    """A text of a plugin's own type."""


class Hiding:
    """Shows its type only, and holds the secret."""

    def __init__(self) -> None:
        self.key = SECRET


FIELDS: dict[str, tuple[Any, Any]] = {
    "provider": (f"p {SECRET}", "p [hidden]"),
    "model": (SECRET, "[hidden]"),
    "partial": (f"a {SECRET}", "a [hidden]"),
    "url": (f"http://acme.invalid/{SECRET}", "http://acme.invalid/[hidden]"),
    "own": (f"my {SECRET}", "my [hidden]"),
    "list": ([1, SECRET, (SECRET, None)], [1, "[hidden]", ("[hidden]", None)]),
    "dict": ({SECRET: {"key": SECRET}}, {"[hidden]": {"key": "[hidden]"}}),
    "set": ({SECRET}, {"[hidden]"}),
    "object": (Config(SECRET), "Config(key='[hidden]')"),
    "text": (Text(SECRET), "[hidden]"),
}


@pytest.mark.parametrize(("name", "case"), FIELDS.items(), ids=FIELDS)
def test_a_secret_in_a_field_of_an_error_is_hidden(name: str, case: tuple[Any, Any]) -> None:
    error = OwnError("no")
    setattr(error, name, case[0])
    redact_chain(error, redact)
    assert getattr(error, name) == case[1]
    assert SECRET not in told_without_pickle(error)


def told_without_pickle(error: BaseException) -> str:
    return "".join([str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)])


def test_an_object_whose_attributes_hold_a_secret_becomes_its_text() -> None:
    error = OwnError("no")
    vars(error)["holder"] = Hiding()
    redact_chain(error, redact)
    assert isinstance(vars(error)["holder"], str)
    assert SECRET.encode() not in pickle.dumps(vars(error))


def test_fields_without_a_secret_stay_the_same_objects() -> None:
    error, kept = OwnError("no", status=403, retry_after=2.5), object()
    vars(error)["kept"] = kept
    redact_chain(error, redact)
    assert vars(error)["kept"] is kept
    assert (type(error), error.status, error.retry_after, error.message) == (OwnError, 403, 2.5, "no")


def test_message_arguments_and_notes_are_hidden() -> None:
    error = OwnError(f"no {SECRET}")
    error.args = (*error.args, SECRET, 7)
    error.add_note(f"the key was {SECRET}")
    redact_chain(error, redact)
    assert error.args == ("no [hidden]", "[hidden]", 7)
    assert error.__notes__ == ["the key was [hidden]"]


def test_a_class_that_refuses_to_set_attributes_is_redacted_all_the_same() -> None:
    class Frozen(Refused):
        def __setattr__(self, name: str, value: object) -> None:
            raise TypeError("frozen")

    error = Frozen.__new__(Frozen, f"no {SECRET}")
    vars(error).update(provider=None, key=SECRET)
    redact_chain(error, redact)
    assert vars(error)["key"] == "[hidden]"


def chained(length: int, deepest: BaseException) -> BaseException:
    link = deepest
    for number in range(length):
        above: BaseException = KeyError(number)
        above.__cause__ = link
        link = above
    return link


@pytest.mark.parametrize("length", [0, 1, 49, 51, 1000, 5_000])
def test_a_secret_at_the_end_of_a_chain_of_any_length_is_hidden(length: int) -> None:
    error = OwnError("no")
    error.__cause__ = chained(length, ValueError(f"no {SECRET}"))
    redact_chain(error, redact)
    link: BaseException | None = error.__cause__
    texts = []
    while link is not None:
        assert type(link) is RedactedCause
        texts.append(str(link))
        link = link.__cause__
    assert len(texts) == length + 1
    assert texts[-1] == "builtins.ValueError: no [hidden]"


def test_only_causes_that_show_a_secret_or_hold_one_that_does_are_replaced() -> None:
    error, below, beside = OwnError("no"), OSError("below"), OSError("beside")
    middle = ValueError(SECRET)
    middle.__cause__, middle.__context__ = below, beside
    above = KeyError("above")
    above.__cause__ = middle
    error.__cause__ = above
    redact_chain(error, redact)
    replaced = error.__cause__
    assert [type(replaced), str(replaced)] == [RedactedCause, "builtins.KeyError: 'above'"]
    assert replaced is not None
    assert str(replaced.__cause__) == "builtins.ValueError: [hidden]"
    assert replaced.__cause__ is not None
    assert (replaced.__cause__.__cause__, replaced.__cause__.__context__) == (below, beside)
    assert (above.__cause__, middle.args) == (middle, (SECRET,)), "what belongs to others is not edited"


def test_an_error_of_ours_among_the_causes_keeps_its_class() -> None:
    error, cause, root = OwnError("no"), ConnectFailed(f"none {SECRET}"), OSError(SECRET)
    error.__cause__, cause.__cause__ = cause, root
    redact_chain(error, redact)
    assert error.__cause__ is cause
    assert cause.message == "none [hidden]"
    assert isinstance(cause.__cause__, RedactedCause)


def test_contexts_groups_and_attributes_are_walked_too() -> None:
    error = OwnError("no")
    error.__context__ = ExceptionGroup("several", [ValueError("good"), ValueError(SECRET)])
    vars(error)["original"] = OSError(SECRET)
    redact_chain(error, redact)
    assert isinstance(error.__context__, RedactedCause)
    assert not error.__suppress_context__
    assert type(vars(error)["original"]) is RedactedCause
    assert SECRET not in collect_exposed_text(error)


def test_a_suppressed_context_stays_suppressed_and_is_redacted() -> None:
    error = OwnError("no")
    error.__context__, error.__suppress_context__ = ValueError(SECRET), True
    redact_chain(error, redact)
    assert error.__suppress_context__
    assert str(error.__context__) == "builtins.ValueError: [hidden]"


def test_a_circle_is_walked_once() -> None:
    error, first, second = OwnError("no"), OSError(SECRET), OSError("second")
    error.__cause__, first.__cause__, second.__cause__ = first, second, error
    redact_chain(error, redact)
    assert SECRET not in collect_exposed_text(error)


def test_notes_of_a_replaced_cause_are_kept_without_the_secret() -> None:
    error, cause = OwnError("no"), OSError("fine")
    cause.add_note(f"with {SECRET}")
    error.__cause__ = cause
    redact_chain(error, redact)
    assert error.__cause__.__notes__ == ["with [hidden]"]


def test_a_cause_that_cannot_be_printed_is_left_to_itself() -> None:
    class Unprintable(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")

    error = OwnError("no")
    error.__cause__ = Unprintable()
    error.__cause__.__cause__ = OSError(SECRET)
    redact_chain(error, redact)
    assert str(error.__cause__).endswith("Unprintable: (its text cannot be read)")


def raised(key: str, raise_it: Callable[[], object]) -> BaseException:
    headers = {"authorization": f"Bearer {key}"}
    try:
        raise_it()
    except Exception as error:
        return error
    raise AssertionError(headers)


def fails() -> None:
    password = SECRET.upper().lower()
    raise OwnError("no") from raised(password, lambda: NOTHING["missing"])


def locals_shown(error: BaseException) -> str:
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def test_tracebacks_keep_file_and_line_and_lose_their_local_variables() -> None:
    error = raised("", fails)
    assert SECRET in locals_shown(error)
    assert isinstance(error, OwnError)
    redact_chain(error, redact)
    shown = locals_shown(error)
    assert SECRET not in shown
    assert 'raise OwnError("no") from' in shown
    assert 'lambda: NOTHING["missing"]' in shown


def test_a_replaced_cause_still_says_where_it_was_raised() -> None:
    def crash() -> None:
        raise KeyError(SECRET)

    error = OwnError("no")
    error.__cause__ = raised(SECRET, crash)
    redact_chain(error, redact)
    assert type(error.__cause__) is RedactedCause
    assert "raise KeyError(SECRET)" in locals_shown(error)
    assert "sk-" not in locals_shown(error)


def test_what_the_caller_was_handling_is_left_alone_with_its_local_variables() -> None:
    before = raised(SECRET, lambda: NOTHING["mine"])
    error = OwnError("no")
    error.__context__ = before
    redact_chain(error, redact, before=before)
    assert error.__context__ is before
    assert SECRET in locals_shown(before)


def test_a_long_chain_costs_no_more_than_its_length() -> None:
    error = OwnError("no")
    error.__cause__ = chained(20_000, OSError("nothing"))
    started = time.process_time()
    redact_chain(error, redact)
    assert time.process_time() - started < 20  # quadratic, it takes hours


def test_no_cause_keeps_a_connection_so_that_causes_pickle_too() -> None:
    pool = urllib3.HTTPConnectionPool("127.0.0.1", 9)
    connection = type("DeadlineHTTPConnection", (urllib3.connection.HTTPConnection,), {})("127.0.0.1", 9)
    for cause in (
        urllib3.exceptions.ConnectTimeoutError(connection, "timed out"),
        urllib3.exceptions.NewConnectionError(connection, "refused"),
        urllib3.exceptions.MaxRetryError(pool, "/", urllib3.exceptions.ReadTimeoutError(pool, "/", "timed out")),
    ):
        error = ConnectFailed("no connection")
        error.__cause__ = cause
        redact_chain(error, redact)
        assert pickle.dumps((cause.args, vars(cause)))
        assert "DeadlineHTTPConnection" in str(cause) or "timed out" in str(cause)
