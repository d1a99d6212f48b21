import http.client
import socket
import ssl
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import requests.exceptions as theirs
import urllib3.exceptions as lower

from providers_sdk import Limits, ProviderError, TransportError
from providers_sdk._http import exception_table
from providers_sdk._http.client import Http
from providers_sdk._http.clock import Clock
from providers_sdk._http.exception_table import ROWS
from providers_sdk._http.exceptions import RedactedCause, translate
from providers_sdk._redact import Redactor
from providers_sdk.errors import (
    AuthenticationFailed,
    Closed,
    ConnectFailed,
    ConnectionLost,
    ConnectTimeout,
    DeadlineExceeded,
    FirstTokenTimeout,
    IdleTimeout,
    InvalidAnswer,
    InvalidArgument,
    ProxyFailed,
    TLSFailed,
)
from providers_sdk.testing import RawServer

SECRET = "sk-0123456789"
BASES = {theirs.RequestException, lower.HTTPError, lower.PoolError, lower.RequestError}
"""Classes that their libraries only derive from."""
CATCH_ALL = {OSError, ValueError, TypeError, *BASES}


def foreign_classes() -> Iterator[type[BaseException]]:
    for module in (theirs, lower):
        for value in vars(module).values():
            own = isinstance(value, type) and value.__module__ == module.__name__  # some are but imported there
            if own and issubclass(value, Exception) and not issubclass(value, Warning):
                yield value


FOREIGN = sorted(set(foreign_classes()) - BASES, key=lambda kind: (kind.__module__, kind.__name__))
ENTRIES = (
    {entry for row in ROWS for entry in row[0]} | set(exception_table.TIMEOUTS) | set(exception_table.CONNECT_TIMEOUTS)
)


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_exception_of_requests_and_urllib3_has_a_row_of_its_own(kind: type[BaseException]) -> None:
    assert any(issubclass(kind, entry) for entry in ENTRIES - CATCH_ALL), f"add {kind} to ROWS"


def clock(left: float = 100.0) -> Clock:
    return Clock(Limits(connect=5, first_token=left, idle=left, deadline=None))


def ours(failure: BaseException, *, body: bool = False, left: float = 100.0, secrets: tuple[str, ...] = ()) -> Any:
    given: dict[str, Any] = {"clock": clock(), "before": None}
    if left <= 0:
        given["clock"] = Clock(Limits(first_token=1, deadline=None), now=iter([0.0, *[5.0] * 9]).__next__)
    return translate(failure, url="http://acme.example/", redact=Redactor.of(secrets), body=body, **given)


def bare(kind: type[BaseException]) -> BaseException:
    return lower.IncompleteRead(3, 5) if kind is lower.IncompleteRead else kind.__new__(kind)


KINDS = {
    theirs.ProxyError: ProxyFailed,
    lower.ProxyError: ProxyFailed,
    theirs.SSLError: TLSFailed,
    lower.SSLError: TLSFailed,
    ssl.SSLError: TLSFailed,
    lower.NameResolutionError: ConnectFailed,
    lower.NewConnectionError: ConnectFailed,
    theirs.ContentDecodingError: InvalidAnswer,
    lower.DecodeError: InvalidAnswer,
    theirs.InvalidHeader: ConnectionLost,
    theirs.InvalidURL: InvalidArgument,
    theirs.InvalidProxyURL: InvalidArgument,
    theirs.InvalidSchema: InvalidArgument,
    theirs.MissingSchema: InvalidArgument,
    lower.LocationParseError: InvalidArgument,
    lower.ProxySchemeUnknown: InvalidArgument,
    theirs.InvalidJSONError: InvalidArgument,
    UnicodeError: InvalidArgument,
    TypeError: InvalidArgument,
    theirs.TooManyRedirects: InvalidAnswer,
    lower.UnrewindableBodyError: TransportError,
    lower.ClosedPoolError: Closed,
    theirs.ChunkedEncodingError: ConnectionLost,
    theirs.ConnectionError: ConnectionLost,
    lower.ProtocolError: ConnectionLost,
    lower.IncompleteRead: ConnectionLost,
    http.client.BadStatusLine: ConnectionLost,
    ConnectionResetError: ConnectionLost,
    BrokenPipeError: ConnectionLost,
    ValueError: ConnectionLost,
    MemoryError: TransportError,
    AttributeError: TransportError,
    theirs.ConnectTimeout: ConnectTimeout,
    lower.ConnectTimeoutError: ConnectTimeout,
}


@pytest.mark.parametrize(("foreign", "kind"), KINDS.items(), ids=lambda kind: kind.__name__)
def test_a_foreign_error_becomes_ours(foreign: type[BaseException], kind: type[ProviderError]) -> None:
    error = ours(bare(foreign))
    assert type(error) is kind
    assert error.url == "http://acme.example/"
    assert error.message


def raised(failure: BaseException, *, cause: BaseException | None = None) -> BaseException:
    try:
        raise failure from cause
    except BaseException as error:
        return error


def in_context(failure: BaseException, context: BaseException) -> BaseException:
    failure.__context__ = context
    return failure


def pool_error(reason: Exception) -> lower.MaxRetryError:
    pool: Any = None
    return lower.MaxRetryError(pool, "/v1?key=1", reason)


WRAPPED: dict[str, Callable[[Exception], BaseException]] = {
    "argument": theirs.ConnectionError,
    "reason": lambda inner: theirs.ConnectionError(pool_error(inner)),
    "cause": lambda inner: raised(theirs.ConnectionError("x"), cause=inner),
    "context": lambda inner: in_context(theirs.ConnectionError("x"), inner),
    "deep": lambda inner: theirs.ConnectionError(lower.ProtocolError("x", pool_error(raised(OSError(), cause=inner)))),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize(
    ("inner", "kind"),
    [
        (lower.SSLError, TLSFailed),
        (lower.ProxyError, ProxyFailed),
        (lower.NameResolutionError, ConnectFailed),
        (lower.NewConnectionError, ConnectFailed),
        (lower.ConnectTimeoutError, ConnectTimeout),
        (ConnectionResetError, ConnectionLost),
    ],
)
def test_the_door_looks_inside(
    wrap: Callable[[Exception], BaseException], inner: type[Exception], kind: type[ProviderError]
) -> None:
    failure: Any = bare(inner)
    assert type(ours(wrap(failure))) is kind


def test_a_refused_connection_is_no_timeout_though_urllib3_derives_it_from_one() -> None:
    refused: Any = bare(lower.NewConnectionError)
    refused.__cause__ = ConnectionRefusedError(111, "Connection refused")
    error = ours(theirs.ConnectionError(pool_error(refused)))
    assert type(error) is ConnectFailed
    assert "ConnectionRefusedError: Connection refused" in error.message


def test_a_timeout_is_named_after_the_limit_that_ran_out() -> None:
    late = theirs.ReadTimeout("x")
    assert type(ours(late, left=0)) is FirstTokenTimeout
    assert type(ours(late)) is ConnectTimeout
    assert type(ours(TimeoutError("timed out"), left=0)) is FirstTokenTimeout


def test_a_read_timeout_in_mid_stream_is_the_limits_and_never_a_lost_connection() -> None:
    pool: Any = None
    late = lower.ReadTimeoutError(pool, "/", "Read timed out.")
    assert type(ours(theirs.ConnectionError(late), body=True)) is FirstTokenTimeout
    running = Clock(Limits(idle=1, deadline=None), now=iter([0.0, 0.0, 0.0, *[5.0] * 9]).__next__)
    running.stop_waiting(piece=True)
    error = translate(late, clock=running, url="", redact=Redactor(), before=None, body=True)
    assert type(error) is IdleTimeout


def test_a_tls_error_in_mid_stream_is_a_lost_connection() -> None:
    assert type(ours(lower.SSLError("bad record mac"), body=True)) is ConnectionLost


def test_an_error_of_ours_inside_a_foreign_one_comes_out() -> None:
    inner = DeadlineExceeded("late")
    assert ours(theirs.ConnectionError(inner)) is inner


def test_the_cause_is_kept() -> None:
    failure = theirs.ConnectionError(ConnectionResetError(104, "Connection reset by peer"))
    error = ours(failure)
    assert error.__cause__ is failure
    assert error.message.endswith("(ConnectionResetError: Connection reset by peer)")


def test_request_and_response_are_taken_out_of_the_cause() -> None:
    prepared = requests.Request("GET", "http://acme.example/", headers={"authorization": SECRET}).prepare()
    failure = theirs.ConnectionError("x", request=prepared, response=requests.Response())
    error = ours(theirs.ConnectionError(failure, request=prepared))
    for link in (error.__cause__, failure):
        assert isinstance(link, theirs.RequestException)
        assert link.request is None
        assert link.response is None


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_a_cause_that_holds_a_secret_is_replaced(wrap: Callable[[Exception], BaseException]) -> None:
    failure = wrap(OSError(f"cannot reach /v1?key={SECRET}"))
    error = ours(failure, secrets=(SECRET,))
    assert type(error.__cause__) is RedactedCause
    error.args = (Redactor.of([SECRET])(error.message),)
    shown = "".join(traceback.format_exception(error))
    assert SECRET not in shown
    assert SECRET not in str(vars(error.__cause__))
    assert "requests.exceptions.ConnectionError" in shown


def test_a_cause_without_a_secret_is_left_as_it_is() -> None:
    failure = theirs.ConnectionError("nothing secret")
    assert ours(failure, secrets=(SECRET,)).__cause__ is failure


def test_a_circle_of_causes_is_walked_once() -> None:
    first, second = OSError("first"), OSError("second")
    first.__cause__, second.__cause__ = second, first
    assert type(ours(first)) is ConnectionLost


OLD: list[Exception] = [
    AuthenticationFailed("another call's", provider="other", status=401),
    TimeoutError("another's"),
    ssl.SSLError("another's"),
]


@pytest.mark.parametrize("old", OLD, ids=lambda old: type(old).__name__)
def test_what_the_caller_handles_when_he_asks_is_no_part_of_the_new_failure(
    old: Exception, open_http: Callable[..., Http]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        http = open_http("http://{}:{}".format(*taken.getsockname()))
        try:
            raise old
        except Exception:
            with pytest.raises(ConnectFailed) as caught:
                http.get("/")
    assert caught.value is not old
    assert caught.value.provider is None


@pytest.mark.parametrize("old", OLD, ids=lambda old: type(old).__name__)
def test_what_the_caller_handles_while_he_reads_is_no_part_of_the_new_failure(
    old: Exception, open_http: Callable[..., Http], serve: Callable[..., RawServer], says: Callable[..., Any]
) -> None:
    cut = serve(says(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n[1"))
    answer = open_http(cut.url).get("/")
    cut.close()
    try:
        raise old
    except Exception:
        with pytest.raises(ConnectionLost):
            answer.json()
