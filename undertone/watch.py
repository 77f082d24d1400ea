"""A client's own deadline behind the server's, and a way to stop a statement from another thread."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from types import TracebackType
from typing import Self

from undertone import database

GRACE_SECONDS = 2.0  # the server's own timeout, with its better message, comes first
LOOK_SECONDS = 0.1


class Watch:
    """While in its `with`: cuts the connection when `cancel` is set, or `seconds` and a little are over.

    It shuts the socket and leaves the rest to the server, which looks after its client every second. psycopg2's
    `cancel()` would hold every thread of this process while the network stalls. What was cut is closed at the end.
    """

    def __init__(self, connection: database.Connection, seconds: float, cancel: threading.Event | None) -> None:
        self.reason: str | None = None  # "cancelled" or "overstayed", once it has cut
        self._connection = connection
        self._deadline = time.monotonic() + seconds + GRACE_SECONDS
        self._cancel = cancel
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, name="undertone-watch", daemon=True)

    def __enter__(self) -> Self:
        """Begin to watch."""
        # A descriptor of its own: the connection's may be closed, and its number be somebody else's by then.
        self._socket = socket.socket(fileno=os.dup(self._connection.fileno()))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop watching; a connection that was cut is closed."""
        self._done.set()
        self._thread.join()
        self._socket.close()
        if self.reason:
            self._connection.close()

    def _look(self) -> None:
        pause = LOOK_SECONDS if self._cancel else max(0.0, self._deadline - time.monotonic())
        while not self._done.wait(pause):
            if self._cancel and self._cancel.is_set():
                self.reason = "cancelled"
            elif time.monotonic() >= self._deadline:
                self.reason = "overstayed"
            else:
                continue
            with contextlib.suppress(OSError):  # gone already
                self._socket.shutdown(socket.SHUT_RDWR)
            return
