"""The table that maps exceptions of requests, urllib3 and sockets to this library's errors, most specific row first."""

import re
import ssl
from http.client import HTTPException
from importlib import import_module
from importlib.util import find_spec

import requests.exceptions as theirs
import urllib3.exceptions as lower

from providers_sdk import errors

__all__ = ["CONNECT_TIMEOUTS", "PROXY_REPLIES", "REFUSED", "ROWS", "TIMEOUTS"]

TIMEOUTS = (theirs.Timeout, lower.TimeoutError, lower.ReadTimeoutError, TimeoutError)
CONNECT_TIMEOUTS = (theirs.ConnectTimeout, lower.ConnectTimeoutError)
REFUSED = lower.NewConnectionError  # urllib3 derives it from its connect timeout, and it is none

Row = tuple[tuple[type[BaseException], ...], type[errors.ProviderError], str]


PROXY_REPLIES: tuple[tuple[re.Pattern[str], type[errors.ProviderError], str], ...] = (
    (
        re.compile(r"Tunnel connection failed: 50[234]\b|0x0[3456]: |0x5b: "),
        errors.ConnectFailed,
        "the proxy could not reach the server; check the address and that the server runs",
    ),
    (
        re.compile(r"Tunnel connection failed: 403\b|0x02: "),
        errors.ProxyFailed,
        "the proxy does not allow a connection to this server",
    ),
)
"""A proxy's replies to CONNECT (RFC 9110 §15) and in SOCKS 5 (RFC 1928 §6) and 4, where the proxy itself works.

The libraries have no classes for these: http.client raises an ``OSError``, PySocks one error with the code in its text.
"""


def _find_socks_errors() -> tuple[type[BaseException], ...]:
    """The root of the errors of the extra ``socks``, where it is installed; urllib3 takes them for the server's."""
    return (import_module("socks").ProxyError,) if find_spec("socks") else ()


ROWS: tuple[Row, ...] = (
    ((lower.ClosedPoolError,), errors.Closed, "the client was closed while its request was being sent"),
    (
        (theirs.ProxyError, lower.ProxyError, *_find_socks_errors()),
        errors.ProxyFailed,
        "the proxy failed; check its address and password",
    ),
    (
        (theirs.SSLError, lower.SSLError, ssl.SSLError),
        errors.TLSFailed,
        "the TLS handshake failed; check the address and the certificate",
    ),
    (
        (lower.NameResolutionError,),
        errors.ConnectFailed,
        "the host's name cannot be resolved; check the address",
    ),
    (
        (lower.NewConnectionError,),
        errors.ConnectFailed,
        "no connection could be made; check that the server runs",
    ),
    (
        (theirs.ContentDecodingError, lower.DecodeError),
        errors.InvalidAnswer,
        "the body is not what its Content-Encoding says",
    ),
    ((theirs.InvalidHeader,), errors.ConnectionLost, "the server's headers contradict each other"),
    (
        (
            theirs.InvalidURL,
            theirs.InvalidSchema,
            theirs.MissingSchema,
            theirs.URLRequired,
            lower.LocationValueError,
            lower.ProxySchemeUnsupported,
        ),
        errors.InvalidArgument,
        "the address or proxy cannot be used; check its scheme and host",
    ),
    (
        (theirs.InvalidJSONError, TypeError),
        errors.InvalidArgument,
        "the request cannot be built: a value in it has a type that cannot be sent",
    ),
    ((UnicodeError,), errors.InvalidArgument, "the request holds a character that cannot be sent"),
    (
        (
            theirs.HTTPError,
            theirs.RetryError,
            theirs.StreamConsumedError,
            theirs.UnrewindableBodyError,
            lower.EmptyPoolError,
            lower.FullPoolError,
            lower.HostChangedError,
            lower.ResponseError,
            lower.TimeoutStateError,
            lower.UnrewindableBodyError,
        ),
        errors.TransportError,
        "the request could not be sent",
    ),
    ((theirs.TooManyRedirects,), errors.InvalidAnswer, "the server redirects in a circle"),
    (
        (
            theirs.ChunkedEncodingError,
            theirs.ConnectionError,
            lower.BodyNotHttplibCompatible,
            lower.HeaderParsingError,
            lower.IncompleteRead,
            lower.InvalidChunkLength,
            lower.InvalidHeader,
            lower.MaxRetryError,
            lower.ProtocolError,
            HTTPException,
            OSError,
            ValueError,
        ),
        errors.ConnectionLost,
        "the connection was lost before the answer was complete",
    ),
)
