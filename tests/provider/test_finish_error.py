"""The one error path: classes of foreign exceptions, fields filled once, nothing secret left."""

import copy
import copyreg
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

import pytest

from providers_sdk import ProviderError, Refused
from providers_sdk._provider.finish_error import finish_error, fresh_copy, plugin_crash
from providers_sdk._redact import Redactor
from providers_sdk.errors import EmptyAnswer, PluginCrashed
from providers_sdk.testing.faults import collect_exposed_text

SECRET = "s3cret-of-the-user"
HIDE = Redactor.of([SECRET])


@dataclass
class Last:
    """The last response."""

    url: str | None = "https://acme.example/ask"
    status: int | None = 200


def unspeakable() -> Exception:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    return Unspeakable()


@pytest.mark.parametrize("error", [ValueError("boom"), SystemExit(3), RecursionError(), unspeakable()], ids=repr)
def test_a_foreign_exception_is_a_crash_with_that_cause(error: BaseException) -> None:
    crash = plugin_crash(error)
    assert type(crash) is PluginCrashed
    assert type(error).__name__ in str(crash)
    assert "report it to its author" in str(crash)
    assert crash.__cause__ is error


def test_empty_fields_are_filled_and_full_ones_kept() -> None:
    bare = finish_error(Refused("no"), HIDE, provider="acme", model="m", response=Last(), text="so far")
    facts = (bare.provider, bare.model, bare.url, bare.status, bare.partial)
    assert facts == ("acme", "m", "https://acme.example/ask", 200, "so far")
    own = Refused("no", provider="other", model="x", url="https://else.example/", status=418, partial="mine")
    kept = finish_error(own, HIDE, provider="acme", model="m", response=Last(), text="so far")
    facts = (kept.provider, kept.model, kept.url, kept.status, kept.partial)
    assert facts == ("other", "x", "https://else.example/", 418, "mine")


def test_the_status_is_not_taken_from_a_response_of_another_request() -> None:
    lost = ProviderError("lost", url="https://acme.example/other")
    assert finish_error(lost, HIDE, provider="acme", response=Last()).status is None
    assert finish_error(ProviderError("x"), HIDE, provider="acme", response=Last(None, None)).url is None


def careless() -> Iterator[ProviderError]:
    """Yield a plugin's errors that hold the secret somewhere."""
    for field in ("provider", "model", "url", "partial"):
        error = Refused("no")
        setattr(error, field, f"with {SECRET}")
        yield error
    noted = Refused("no")
    noted.add_note(f"sent {SECRET}")
    yield noted
    attribute = Refused("no")
    attribute.request_headers = {"authorization": SECRET}  # type: ignore[attr-defined]
    yield attribute
    deep: BaseException = ValueError(SECRET)
    for number in range(200):
        link = ValueError(number)
        link.__cause__, deep = deep, link
    chained = Refused("no")
    chained.__cause__ = deep
    yield chained


@pytest.mark.parametrize(
    "error", list(careless()), ids=["provider", "model", "url", "partial", "note", "attribute", "chain"]
)
def test_no_secret_is_left_anywhere_in_it(error: ProviderError) -> None:
    assert SECRET not in collect_exposed_text(finish_error(error, HIDE, provider="acme"))


def test_a_copy_keeps_the_cause_and_drops_the_traceback() -> None:
    cause = ValueError()
    with pytest.raises(EmptyAnswer) as caught:
        raise EmptyAnswer("nothing") from cause
    fresh = fresh_copy(caught.value)
    assert (fresh.__cause__, fresh.__traceback__, str(fresh)) == (cause, None, "nothing")


def test_a_copy_drops_the_traceback_also_where_copies_of_errors_keep_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    def restore(text: str, traceback: TracebackType | None) -> EmptyAnswer:
        return EmptyAnswer(text).with_traceback(traceback)

    def reduce(error: EmptyAnswer) -> tuple[object, ...]:  # as tblib does, for every error
        return restore, (error.message, error.__traceback__)

    monkeypatch.setitem(copyreg.dispatch_table, EmptyAnswer, reduce)
    with pytest.raises(EmptyAnswer) as caught:
        raise EmptyAnswer("nothing")
    assert copy.copy(caught.value).__traceback__ is not None
    assert fresh_copy(caught.value).__traceback__ is None
