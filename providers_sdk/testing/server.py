"""A small HTTP server on raw sockets on loopback: it sends exactly the bytes that it is given, and records requests."""

import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, urlsplit

from providers_sdk._protocol.json import parse_json
from providers_sdk.testing.multipart import Part, parse_multipart
from providers_sdk.testing.response import Response

__all__ = ["Connection", "RawServer", "Received"]

_PATIENCE = 30.0
_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived; header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target's path, without its query; of a whole address too, as proxies get it."""
        return urlsplit(self.target).path or "/"

    @property
    def form(self) -> dict[str, str]:
        """The body as an urlencoded form; the last value of a name counts."""
        return _parse_form(self.body.decode())

    @property
    def query(self) -> dict[str, str]:
        """The target's query; the last value of a name counts."""
        return _parse_form(urlsplit(self.target).query)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the body as a multipart form, in their order; none where it is another body."""
        return parse_multipart(self.headers.get("content-type", ""), self.body)

    def json(self) -> object:
        """Return the body as JSON."""
        return parse_json(self.body)


def _parse_form(text: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}


class Connection:
    """One client's connection, seen from the server."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(_PATIENCE)
        self.sock = sock
        self.intended_response = Response()
        """The response that the server would send to the last request without a fault; a fake service sets it."""
        self.sent = 0
        """How many bytes were sent."""
        self._buffer = b""

    def receive(self) -> Received | None:
        """Return the next request; ``None`` once the client has closed."""
        head = self._receive_until(_HEAD_END)
        if head is None:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return Received(method, target, headers, self._receive_exactly(int(headers.get("content-length", "0"))))

    def send(self, data: bytes) -> None:
        """Send ``data``.

        :raises OSError: the client is gone.
        """
        self.sock.sendall(data)
        self.sent += len(data)

    def wait_closed(self, seconds: float = _PATIENCE) -> bool:
        """Wait until the client has closed; return whether it did within ``seconds``."""
        self.sock.settimeout(seconds)
        try:
            while self.sock.recv(65_536):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True

    def reset(self) -> None:
        """Close with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _receive_until(self, end: bytes) -> bytes | None:
        while end not in self._buffer:
            more = self.sock.recv(65_536)
            if not more:
                return None
            self._buffer += more
        head, _, self._buffer = self._buffer.partition(end)
        return head

    def _receive_exactly(self, size: int) -> bytes:
        parts = [self._buffer]
        missing = size - len(self._buffer)
        while missing > 0:
            more = self.sock.recv(min(missing, 1 << 20))
            if not more:
                break
            parts.append(more)
            missing -= len(more)
        whole = b"".join(parts)
        self._buffer = whole[size:]
        return whole[:size]


class RawServer:
    """A server on a free loopback port; a subclass handles a connection in :meth:`serve`.

    Use it as a context manager, or :meth:`start` and :meth:`close` it. A subclass may use every private name, such as
    ``_lock``: those of this class are mangled.
    """

    def __init__(self) -> None:
        self.requests: list[Received] = []
        """Every request, in the order of arrival."""
        self.__accepted = 0
        self.__open: set[socket.socket] = set()
        self.__threads: set[threading.Thread] = set()
        self.__lock = threading.Lock()
        self.__idle = threading.Condition(self.__lock)
        self.__listener: socket.socket | None = None
        self.__address: tuple[str, int] | None = None  # kept when it closes: a response may still be in the making
        self.__acceptor: threading.Thread | None = None

    def serve(self, connection: Connection) -> None:
        """Serve one connection to its end."""
        raise TypeError(f"{type(self).__name__} has no serve(connection) method")

    def wrap(self, sock: socket.socket) -> socket.socket:
        """Return the socket to talk through; a subclass adds TLS."""
        return sock

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        if self.__address is None:
            raise RuntimeError("the server is not started; use it in a with block")
        return self.__address

    @property
    def url(self) -> str:
        """The server's address, such as ``http://127.0.0.1:40123``."""
        return "http://{}:{}".format(*self.address)

    def wait_idle(self, seconds: float) -> bool:
        """Wait until no connection is open; return whether that happened within ``seconds``."""
        with self.__idle:
            return self.__idle.wait_for(lambda: not self.__threads, seconds)

    @property
    def connections(self) -> int:
        """How many connections were accepted."""
        return self.__accepted

    @property
    def open_connections(self) -> int:
        """How many connections are being served."""
        with self.__lock:
            return len(self.__threads)

    def start(self) -> Self:
        """Listen; return the server itself."""
        self.__listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        host, port = self.__listener.getsockname()[:2]
        self.__address = str(host), int(port)
        self.__acceptor = threading.Thread(
            target=self.__accept, args=(self.__listener,), daemon=True, name=f"fake-service-{port}-listens"
        )
        self.__acceptor.start()
        return self

    def close(self) -> None:
        """Stop listening, cut every connection, wait for the threads. Closing twice is a no-op."""
        listener, self.__listener = self.__listener, None
        if listener is None:
            return
        if not _shut_down(listener):
            listener.close()
        if self.__acceptor is not None:
            self.__acceptor.join(_PATIENCE)
        listener.close()
        with self.__lock:
            remaining, threads = list(self.__open), list(self.__threads)
        for sock in remaining:
            _shut_down(sock)
        for thread in threads:
            thread.join(_PATIENCE)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def __accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(
                target=self.__serve, args=(sock,), daemon=True, name=f"fake-service-{self.address[1]}-serves"
            )
            with self.__lock:
                self.__accepted += 1
                self.__open.add(sock)
                self.__threads.add(thread)
            thread.start()

    def __serve(self, sock: socket.socket) -> None:
        wrapped = sock
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or a small piece waits for the last one's ACK
            wrapped = self.wrap(sock)
            with self.__lock:
                self.__open.add(wrapped)  # TLS takes the socket out of its first object
            self.serve(Connection(wrapped))
        except (OSError, ValueError):
            pass  # the client left, or sent no HTTP: not the server's failure
        finally:
            wrapped.close()
            sock.close()
            with self.__lock:
                self.__open -= {sock, wrapped}
                self.__threads.discard(threading.current_thread())
                self.__idle.notify_all()


def _shut_down(sock: socket.socket) -> bool:
    """Wake the thread that waits for ``sock``, which closes it; return whether it could be woken.

    Closing it here would hand its number to the next socket that is opened, and the thread could wait for that one.
    """
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # SSLSocket's own removes the TLS object that the thread uses
    except OSError:
        return False
    return True
