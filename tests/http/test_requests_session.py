"""A session of our own prepares and sends the same request as requests would, only faster."""

from typing import Any

import pytest
import requests

from providers_sdk._http.requests_session import open_session
from providers_sdk._redact import Redactor
from tests.http.steps import Serve, run_steps, send

REQUESTS: dict[str, dict[str, Any]] = {
    "JSON": {"json": {"a": "é"}, "headers": {"Accept-Encoding": "identity", "x-key": "k"}},
    "an empty JSON list": {"json": []},
    "a query": {"params": {"q": "é &", "r": ["1", "2"]}},
    "a form": {"data": {"a": "b c", "d": ["1", "2"]}},
    "bytes": {"data": b"\x00", "headers": {"content-type": "application/x"}},
    "nothing": {},
}


def prepare(session: requests.Session, url: str, given: dict[str, Any]) -> requests.PreparedRequest:
    return session.prepare_request(requests.Request("post", url, **given))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a b?x=1", "http://user:p%20w@127.0.0.1:1"])
@pytest.mark.parametrize("given", REQUESTS.values(), ids=REQUESTS)
def test_a_request_is_prepared_as_requests_does(url: str, given: dict[str, Any]) -> None:
    session = open_session(None, redact=Redactor, learn=lambda _: None)
    ours = prepare(session, url, given)
    theirs = requests.Session.prepare_request(session, requests.Request("post", url, **given))
    assert (ours.method, ours.url, list(ours.headers.items())) == (
        theirs.method,
        theirs.url,
        list(theirs.headers.items()),
    )
    assert ours.body == theirs.body


def test_a_file_is_sent_with_the_same_fields() -> None:
    session = open_session(None, redact=Redactor, learn=lambda _: None)
    prepared = prepare(session, "http://127.0.0.1:1", {"files": {"f": ("a.txt", b"text")}, "data": {"a": "b"}})
    assert str(prepared.headers["content-type"]).startswith("multipart/form-data; boundary=")
    assert isinstance(prepared.body, bytes)
    assert b'name="f"; filename="a.txt"' in prepared.body


def test_a_redirect_is_not_followed_nor_read(serve: Serve) -> None:
    site = serve(run_steps(send(b"HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 2\r\n\r\nno")))
    session = open_session(None, redact=Redactor, learn=lambda _: None)
    response = session.send(prepare(session, site.url, {}), stream=True, allow_redirects=False, timeout=5)
    assert (response.status_code, response.raw.tell(), len(site.requests)) == (302, 0, 1)
    response.close()
