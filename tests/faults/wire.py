"""A wire to a server that can be cut, also in the middle of an answer, and that can stall."""

from __future__ import annotations

import contextlib
import socket
import threading

BUFFER = 4096  # small, so that a cut may come anywhere


class Wire:
    """Carries connections from a port of its own to a server's, in as many threads as there are directions."""

    def __init__(self, port: int) -> None:
        """Lead to a port on this machine."""
        self._to = port
        self._flows = threading.Event()
        self._flows.set()
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self._left: int | None = None
        self._then = self.cut
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name="wire", daemon=True).start()

    def cut_after(self, size: int) -> None:
        """Cut everything as soon as the server has sent so many bytes more."""
        with self._lock:
            self._left, self._then = size, self.cut

    def stall_after(self, size: int) -> None:
        """Let nothing through as soon as the server has sent so many bytes more."""
        with self._lock:
            self._left, self._then = size, self.stall

    def cut(self) -> None:
        """Cut everything now, as when the network goes: nobody says goodbye."""
        with self._lock:
            self.cuts += 1
            self._left = None
            ends, self._ends = self._ends, set()
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def stall(self) -> None:
        """Let nothing through, in silence."""
        self._flows.clear()

    def flow(self) -> None:
        """Let it flow again, and what has waited with it."""
        self._flows.set()

    def close(self) -> None:
        """Take no more connections, and cut those that are there."""
        self._listener.close()
        self.flow()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._to))
                except OSError:
                    client.close()
                    continue
                with self._lock:
                    self._ends |= {client, server}
                for one, other, counts in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._carry, args=(one, other, counts), name="wire", daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := one.recv(BUFFER):
                self._flows.wait()
                other.sendall(piece)
                if counts and self._over(len(piece)):
                    self._then()
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._ends.discard(one)
        one.close()

    def _over(self, size: int) -> bool:
        with self._lock:
            if self._left is None:
                return False
            self._left -= size
            if self._left > 0:
                return False
            self._left = None
            return True
