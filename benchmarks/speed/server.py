"""A server that is fast enough to be no part of what is measured; run ``python -m benchmarks.speed.server``.

It prints its port and serves until its standard input ends. A request's ``model`` names the answer, so every client
asks the same way: ``events-50`` is a stream of 50 deltas with one HTTP chunk an event, as services send it,
``blocks-50`` the same stream in HTTP chunks of 16 kB, ``whole-50`` one JSON body. A GET of ``/page/20000`` is a page of
that many bytes.
"""

import json
import re
import socket
import sys
import threading
from functools import lru_cache

_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\n{}\r\n\r\n"
_BLOCK = 16_384
_BATCH = 1_000  # events that are sent at once: a long stream is not kept in memory
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_MODEL = re.compile(rb'"model": ?"(\w+)-(\d+)"')


def make_event(text: str) -> bytes:
    """Return one event as OpenAI sends it."""
    choice = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None}
    return _encode({**_envelope("chat.completion.chunk"), "choices": [choice]})


def _encode(body: object) -> bytes:
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def _envelope(kind: str) -> dict[str, object]:
    return {"id": "chatcmpl-9x8y7z", "object": kind, "created": 1_760_000_000, "model": "bench-1"}


DELTAS = [make_event(text) for text in (" pizzas,", " pastas,", " salads,", " breads,")]  # of 8 characters
END = (
    _encode(
        {**_envelope("chat.completion.chunk"), "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    )
    + b"data: [DONE]\n\n"
)


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


@lru_cache
def _frame(shape: str, count: int) -> bytes:
    """Return ``count`` deltas as HTTP chunks."""
    deltas = DELTAS * (count // len(DELTAS)) + DELTAS[: count % len(DELTAS)]  # litellm ends an answer that repeats
    if shape == "events":
        return b"".join(map(_chunk, deltas))
    data = b"".join(deltas)
    return b"".join(_chunk(data[start : start + _BLOCK]) for start in range(0, len(data), _BLOCK))


@lru_cache
def _stream_head() -> bytes:
    return _HEAD.format("text/event-stream", "Transfer-Encoding: chunked").encode()


@lru_cache
def _whole(count: int) -> bytes:
    message = {"role": "assistant", "content": " pizzas," * count}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 5, "completion_tokens": count, "total_tokens": count + 5}
    body = json.dumps({**_envelope("chat.completion"), "choices": [choice], "usage": usage}).encode()
    return _HEAD.format("application/json", f"Content-Length: {len(body)}").encode() + body


@lru_cache
def _models() -> bytes:
    """Return the list of models, which g4f asks for first."""
    names = ("events-50", "blocks-50", "whole-50")
    body = json.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in names]}).encode()
    return _HEAD.format("application/json", f"Content-Length: {len(body)}").encode() + body


@lru_cache
def _page(size: int) -> bytes:
    row = b'<div class="row"><p>%b <a href="/x">link</a></p></div>\n' % (b"An ordinary paragraph of text. " * 8)
    rows = row * ((size - 200) // len(row))
    body = b'<html><head><title>T</title></head><body data-token="0123456789">' + rows + b"</body></html>"
    return _HEAD.format("text/html", f"Content-Length: {len(body)}").encode() + body


def answer(connection: socket.socket, shape: str, count: int) -> None:
    """Send the answer that a model's name asks for."""
    if shape == "whole":
        connection.sendall(_whole(count))
        return
    end = _chunk(END) + b"0\r\n\r\n"
    if count <= _BATCH:
        connection.sendall(_stream_head() + _frame(shape, count) + end)
        return
    connection.sendall(_stream_head())
    for _ in range(count // _BATCH):
        connection.sendall(_frame(shape, _BATCH))
    connection.sendall(_frame(shape, count % _BATCH) + end)


def serve(connection: socket.socket) -> None:
    """Answer the requests of one connection."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    pending = b""
    try:
        while True:
            while b"\r\n\r\n" not in pending:
                received = connection.recv(65_536)
                if not received:
                    return
                pending += received
            head, _, pending = pending.partition(b"\r\n\r\n")
            pending = _serve_one(connection, head, pending)
    except OSError:
        return
    finally:
        connection.close()


def _serve_one(connection: socket.socket, head: bytes, pending: bytes) -> bytes:
    """Answer the request that begins with ``head``; return what was received after it."""
    if head.startswith(b"GET "):
        size = head[10:].split(maxsplit=1)[0] if head.startswith(b"GET /page/") else b""
        connection.sendall(_page(int(size)) if size else _models())
        return pending
    found = _LENGTH.search(head)
    length = int(found[1]) if found else 0
    parts, missing = [pending], length - len(pending)
    while missing > 0:
        parts.append(connection.recv(1_048_576))
        if not parts[-1]:
            return b""
        missing -= len(parts[-1])
    body = b"".join(parts)
    model = _MODEL.search(body[:1_000]) or _MODEL.search(body)
    if model is None:
        raise OSError("the request names no model that this server has")
    answer(connection, model[1].decode(), int(model[2]))
    return body[length:]


def main() -> None:
    """Serve until standard input ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        print(listener.getsockname()[1], flush=True)
        threading.Thread(target=_accept, args=(listener,), daemon=True).start()
        sys.stdin.read()


def _accept(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
