"""From one database to another: what COPY reads here while another COPY writes it there, with flat memory."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol

import psycopg2

from undertone import database

BLOCK = 1 << 18
LOOK_SECONDS = 0.5
GRACE_SECONDS, STOP_SECONDS = 1.0, 10.0


class Feed:
    """A file for COPY to read. `error` is what stopped the reading: psycopg2 keeps only its words."""

    def __init__(
        self, pipe: Any, thread: threading.Thread, failed: list[BaseException], go_on: Callable[[int], object]
    ) -> None:
        self.error: BaseException | None = None
        self._pipe, self._thread, self._failed, self._go_on = pipe, thread, failed, go_on
        self._rows = 0

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end."""
        try:
            # A server that sorts a hundred million rows sends none for minutes, and may have to be stopped then.
            while not select.select([self._pipe], [], [], LOOK_SECONDS)[0]:
                self._go_on(self._rows)
            piece: bytes = self._pipe.read(size)
            if not piece:
                self._thread.join()
                if self._failed:
                    raise self._failed[0]  # else what has come so far would pass for all there is
            self._rows += piece.count(b"\n")  # a line a row
            self._go_on(self._rows)
            return piece
        except BaseException as error:
            self.error = error
            raise


class Read(Protocol):
    """Something that COPY reads, and what stopped it."""

    error: BaseException | None

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end."""


def reason(error: psycopg2.Error, read: Read) -> BaseException:
    """Why COPY has failed: what stopped the reading, or else what the server says."""
    if read.error is not None:
        return read.error
    # A signal that comes between two calls is raised before `read` can take note of it.
    return SystemExit(1) if "error in .read() call: SystemExit" in str(error) else error


@contextlib.contextmanager
def feed(
    source: database.Database,
    copy_out: Callable[[database.Connection, BinaryIO], object],
    go_on: Callable[[int], object] = lambda rows: None,
) -> Iterator[Feed]:
    """What `copy_out` writes of a lent connection's answer, while the `with` lasts; `go_on` gets the rows so far.

    Reading it raises what `copy_out` or `go_on` raises.
    """
    reading, writing = os.pipe()
    failed: list[BaseException] = []
    lent: list[database.Connection] = []

    def copy() -> None:
        try:
            with os.fdopen(writing, "wb") as pipe, source.lend() as connection:
                lent.append(connection)
                try:
                    copy_out(connection, pipe)
                finally:
                    lent.clear()  # from now on it may be somebody else's
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=copy, name="piping", daemon=True)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        thread.start()
        try:
            yield Feed(pipe, thread, failed, go_on)
        finally:
            pipe.close()  # whoever still writes is told so
            thread.join(GRACE_SECONDS)
            if thread.is_alive():  # it waits for the server
                with contextlib.suppress(psycopg2.Error):
                    for connection in lent:
                        connection.cancel()
                thread.join(STOP_SECONDS)
