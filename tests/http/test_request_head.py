"""The head of a request goes out with the start of its body."""

from collections.abc import Callable
from typing import Any

import pytest

from providers_sdk._http.client import Http
from providers_sdk._http.connection import DeadlineConnection
from providers_sdk.testing import Connection, RawServer, Received

Sent = list[bytes]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What the connections transmit, one item a piece."""
    pieces: Sent = []
    transmit: Callable[..., None] = DeadlineConnection._transmit

    def record(connection: DeadlineConnection, data: Any) -> None:
        pieces.append(bytes(data))
        transmit(connection, data)

    monkeypatch.setattr(DeadlineConnection, "_transmit", record)
    return pieces


@pytest.fixture
def http(serve: Callable[..., RawServer], open_http: Callable[..., Http]) -> Http:
    def answer(connection: Connection, received: Received) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    return open_http(serve(answer).url)


def test_a_question_is_one_piece(http: Http, sent: Sent) -> None:
    http.post("/ask", json={"q": 1})
    assert len(sent) == 1
    head, _, body = sent[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /ask HTTP/1.1\r\n")
    assert body == b'{"q": 1}'


def test_a_request_without_a_body_is_sent_all_the_same(http: Http, sent: Sent) -> None:
    http.get("/page")
    assert [piece.partition(b" ")[0] for piece in sent] == [b"GET"]


def test_a_long_body_is_not_copied_to_stand_behind_the_head(http: Http, sent: Sent) -> None:
    body = bytes(70_000)
    http.post("/ask", data=body)
    assert sent[0].endswith(b"\r\n\r\n")
    assert b"".join(sent[1:]) == body
