"""What the tests of the command line share: what a command has said, and ways behind its back."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
from collections.abc import Callable
from typing import Any

import psutil

from undertone import database, embedded

ROOT = pathlib.Path(__file__).parent.parent.parent
PATIENCE = 120.0
SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@dataclasses.dataclass
class Answer:
    """What a command has said, and how it ended."""

    code: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        return self.raw.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def line(self) -> str:
        """The one line of an error."""
        assert self.code == 1, self
        assert self.raw == b"", self
        assert self.err.endswith("\n"), self
        assert self.err.count("\n") == 1, self
        assert "Traceback" not in self.err
        return self.err.strip()


Run = Callable[..., Answer]


def as_owner(home: pathlib.Path, statement: str) -> list[tuple[Any, ...]]:
    """Ask or change the embedded database behind the command line's back."""
    server = embedded.EmbeddedServer(home)
    server.start()
    pool = database.Database(server.address(embedded.OWNER), name="store", size=1)
    try:
        with pool.lend() as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
            connection.commit()
            return rows
    finally:
        pool.close()
        server.release()


def at_work(home: pathlib.Path) -> list[psutil.Process]:
    """Undertone's processes of this home, but for this one; the server has no such variable."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            program = pathlib.Path(process.exe()).name
            if process.environ().get("UNDERTONE_HOME") == str(home) and program != "postgres":
                found.append(process)
    return [process for process in found if process.pid != os.getpid()]
