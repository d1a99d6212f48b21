"""Lets a fake service wait until its client has read what was sent, so that the network's cuts are the test's.

TCP promises no cuts: two writes may arrive as one read. Client and fake service run in one process, so the reading side
can be counted: while a :class:`ReadCounter` is in use, ``recv`` and ``recv_into`` of Python's sockets are replaced by
functions that add up what each socket has read, by its local address, which is the peer's address for the server.
"""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from providers_sdk.testing.contract._patches import Patches
from providers_sdk.testing.server import Connection

__all__ = ["ReadCounter"]


class ReadCounter:
    """Counts the bytes that each client's socket has read.

    :param patience: seconds to wait for a reader; after one that has not read by then, no other is waited for.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._read: Counter[object] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def count(self) -> Iterator[None]:
        """Count within the block."""
        patches = Patches(
            [
                (socket.socket, "recv", self._count_result(len)),
                (socket.socket, "recv_into", self._count_result(int)),
            ]
        )
        with patches.apply():
            yield

    def wait_until_read(self, connection: Connection, _: bytes = b"") -> None:
        """Wait until the client has read all that was sent on ``connection``."""
        client, sent = connection.sock.getpeername(), connection.sent
        with self._changed:
            if not self._changed.wait_for(lambda: self._read[client] >= sent, self._patience):
                self._patience = 0.0

    def _count_result(self, measure: Callable[[Any], int]) -> Callable[[Any], Any]:
        def replace(original: Any) -> Any:
            def counted(sock: socket.socket, *args: Any, **kwargs: Any) -> Any:
                result = original(sock, *args, **kwargs)
                with self._changed:
                    self._read[sock.getsockname()] += measure(result)
                    self._changed.notify_all()
                return result

            return counted

        return replace
