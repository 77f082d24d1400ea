"""The log of every statement that anybody asks, in the store: written before it is asked, completed afterwards.

A row that is still `running` is taken for lost when the process that wrote it has died, which can be told on its own
machine, or else when the statement must have ended by its limits.
"""

from __future__ import annotations

import datetime
import functools
import os
import pathlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass

import psutil
import psycopg2.extras

from undertone import database, queries

RUNNING, ANSWERED, TRUNCATED, REFUSED = "running", "answered", "truncated", "refused"
LIMITED, CANCELLED, FAILED, LOST = "limited", "cancelled", "failed", "lost"
OUTCOMES = (RUNNING, ANSWERED, TRUNCATED, REFUSED, LIMITED, CANCELLED, FAILED, LOST)

NAME, MESSAGE, VALUE = 200, 2_000, 10_000  # characters that are kept of each
MOST_PARAMETERS = 200
SEARCH_ROWS = 100_000  # how far back a search looks
FORGET_ROWS = 10_000  # in one transaction
GRACE_SECONDS = 60.0  # beyond a statement's limit: it waits for a connection, and is stopped a little later
CLOCK_SECONDS = 5.0  # by which the beginning of one process may seem to differ, when a clock was set

SQL = queries.load("audit")


@dataclass(frozen=True)
class Entry:
    """One statement of the log.

    `parameters`: a value is None where it is NULL, or kept out. `outcome`: one of OUTCOMES. `rows`: that were fetched,
    also where the statement did not come to its end. `seconds`, `rows` and `message` are None where nobody knows.
    """

    id: int
    at: datetime.datetime
    who: str
    how: str
    target: str
    statement: str
    parameters: dict[str, str | None] | None
    outcome: str
    message: str | None
    seconds: float | None
    rows: int | None


@dataclass(frozen=True)
class Process:
    """Which process it is that asks: a number that may be used again later, hence when it began, in Unix seconds."""

    host: str
    number: int
    began: float


def begin(
    connection: database.Connection,
    *,
    who: str,
    how: str,
    target: str,
    place: str,
    statement: str,
    length: int,
    parameters: Mapping[str, str | None],
    seconds: float,
) -> int:
    """Note a statement before it is asked, and commit; its number.

    `place` is where the data is. Of the statement `length` bytes are kept. `seconds`: its limit.
    """
    kept = {
        _storable(connection, name, NAME): None if value is None else _storable(connection, value, VALUE)
        for name, value in list(parameters.items())[:MOST_PARAMETERS]
    }
    asker = this_process()
    number: int = SQL.begin(
        connection,
        who=_storable(connection, who, NAME),
        how=how,
        target=_storable(connection, target, NAME),
        database=_storable(connection, place, NAME),
        statement=_storable(connection, statement, length),
        parameters=psycopg2.extras.Json(kept) if kept else None,
        seconds=seconds + GRACE_SECONDS,
        host=asker.host,
        process=asker.number,
        process_began=asker.began,
    )
    connection.commit()
    return number


def complete(
    connection: database.Connection,
    number: int,
    outcome: str,
    *,
    message: str | None,
    seconds: float,
    rows: int | None,
    truncated: str | None = None,
) -> None:
    """Note how a statement ended, and commit. Doing it twice does no harm."""
    message = None if message is None else _storable(connection, message, MESSAGE)
    SQL.complete(
        connection, id=number, outcome=outcome, message=message, seconds=seconds, rows=rows, truncated=truncated
    )
    connection.commit()


def history(
    connection: database.Connection, *, who: str | None, search: str = "", most: int = 200, before: int | None = None
) -> list[Entry]:
    """The newest statements first: of one person, or of everybody where `who` is None.

    `search`: a text that the statement or its message has in it, in any case; it is looked for among the newest
    SEARCH_ROWS. `before`: the id of the last entry that was seen, to go on after it.
    """
    lose(connection)
    rows = SQL.history(
        connection,
        who=None if who is None else _storable(connection, who, NAME),
        pattern=f"%{_escaped(_storable(connection, search, NAME))}%" if search.strip() else None,
        before=before,
        most=most,
        depth=SEARCH_ROWS,
    )
    connection.commit()
    return [Entry(*row) for row in rows]


def lose(connection: database.Connection) -> int:
    """Note which running statements are lost, and commit; how many."""
    own = this_process()
    gone = [
        (number, began)
        for number, began in SQL.askers(connection, host=own.host)
        if not _alive(Process(own.host, number, began), own)
    ]
    lost: int = SQL.lose(
        connection, host=own.host, processes=[number for number, _ in gone], began=[began for _, began in gone]
    )
    connection.commit()
    return lost


def forget(connection: database.Connection, days: int) -> int:
    """Remove what is older than `days`, and commit; how many. 0 days: nothing is removed."""
    removed = 0
    while days > 0:
        now: int = SQL.forget(connection, days=days, most=FORGET_ROWS)
        connection.commit()
        removed += now
        if now < FORGET_ROWS:
            break
    return removed


def this_process() -> Process:
    """The process that this is."""
    return _process(os.getpid())  # a fork is another one


@functools.lru_cache(maxsize=4)
def _process(number: int) -> Process:
    # Two containers may have one name, and each a process 1: the namespace tells them apart, the boot one life of a
    # machine from the next.
    parts = [platform.node()]
    for path in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        try:
            file = pathlib.Path(path)
            parts.append(str(file.readlink()) if file.is_symlink() else file.read_text().strip())
        except OSError:
            parts.append("")
    return Process(" ".join(parts), number, psutil.Process(number).create_time())


def _alive(asker: Process, own: Process) -> bool:
    if asker == own:
        return True
    try:
        return bool(abs(psutil.Process(asker.number).create_time() - asker.began) < CLOCK_SECONDS)
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # it is there, and somebody else's
        return True


def _storable(connection: database.Connection, text: str, most: int) -> str:
    """What a text of anybody's can be stored as: no longer than `most` bytes, of characters that the store has."""
    cut = text[:most]
    # \0 and halves of a pair are no text to PostgreSQL.
    encoding = "utf-8" if connection.info.parameter_status("server_encoding") == "UTF8" else "ascii"
    whole = cut.replace("\0", "\\x00").encode(encoding, "backslashreplace")
    if len(whole) <= most and len(cut) == len(text):
        return whole.decode(encoding)
    return whole[:most].decode(encoding, "ignore") + "…"[: encoding == "utf-8"]


def _escaped(text: str) -> str:
    """A text in which nothing means anything to LIKE."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
