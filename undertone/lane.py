"""The channel that holds one statement, and what may come out of it.

The statement is sent as a value, never as SQL of ours, and the server itself opens a cursor on it: it takes exactly
one that returns rows. That happens in a READ ONLY transaction that is always rolled back, under limits that are set
again before every FETCH, because a statement may lift them.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql

from undertone import database, outcomes, queries, values, watch

FIRST_ROWS, MOST_ROWS = 1, 2_000  # of one FETCH
FETCH_BYTES = 4_000_000  # of one FETCH, if its rows are like those before
LOCK_SECONDS = 5.0
LONGEST_TIMEOUT = 2**31 - 1  # milliseconds, PostgreSQL's own
FIRST_USER_OID = 16_384  # the types below are the same in every database

SQL = queries.load("console")
_BEGIN = sql.SQL("""\
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL statement_timeout = {timeout};
SET LOCAL lock_timeout = {lock_timeout};
SET LOCAL idle_in_transaction_session_timeout = {idle_timeout};
SET LOCAL standard_conforming_strings = on;
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL jit = off;
SET LOCAL datestyle = 'ISO';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1;
DO $$ BEGIN
    SET LOCAL client_connection_check_interval = '1s';
EXCEPTION WHEN OTHERS THEN NULL; -- not every platform has it
END $$;
SET LOCAL undertone.sql = {statement};
DO $$ DECLARE answer pg_catalog.refcursor := 'undertone'; BEGIN
    OPEN answer NO SCROLL FOR EXECUTE pg_catalog.current_setting('undertone.sql');
END $$;""")
_FETCH = sql.SQL("SET LOCAL statement_timeout = {timeout}; FETCH FORWARD {rows} FROM undertone")
_types: dict[int, str] = {}


@dataclass(frozen=True)
class Limits:
    """What a statement may take: seconds in all, rows and bytes of its answer, bytes of its text.

    `functions` may be called although the server counts them among those that may do more than answer.
    """

    seconds: float = 30.0
    rows: int = 10_000
    bytes: int = 64_000_000
    length: int = 48 * 1024
    functions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Column:
    """A column of an answer; `type` as PostgreSQL calls it. Names may be equal, or empty."""

    name: str
    type: str


class Answer:
    """An answer on its way: iterate over it, once, for lists of rows. Then `truncated` and `seconds` are final."""

    def __init__(self, connection: database.Connection, statement: str, limits: Limits, watched: watch.Watch) -> None:
        self.columns: tuple[Column, ...] = ()
        self.truncated: str | None = None
        self.seconds = 0.0
        self._connection = connection
        self._cursor = values.as_written(connection.cursor())
        self._statement = statement
        self._limits = limits
        self._watched = watched
        self._started = time.monotonic()
        self._size = FIRST_ROWS
        self._rows = self._bytes = 0
        self._ended = False
        self._first: list[tuple[object, ...]] = []
        connection.autocommit = True  # BEGIN and ROLLBACK are the lane's own

    def __iter__(self) -> Iterator[list[tuple[object, ...]]]:
        """The rows in batches, none of them empty."""
        batch, self._first = self._first, []
        while batch:
            yield batch
            batch = [] if self._ended else self._fetch()

    def begin(self) -> None:
        """Let the server open the statement, and take its first row and its columns."""
        opening = _BEGIN.format(
            timeout=sql.Literal(self._milliseconds_left()),
            lock_timeout=sql.Literal(_milliseconds(min(LOCK_SECONDS, self._limits.seconds))),
            idle_timeout=sql.Literal(_milliseconds(self._limits.seconds + watch.GRACE_SECONDS)),
            statement=sql.Literal(self._statement),
        )
        with self.translating():
            self._cursor.execute(opening)
        self._first = self._fetch()
        described = [(column.name, column.type_code) for column in self._cursor.description]
        with self.translating():
            names = _type_names(self._connection, {oid for _, oid in described})
        self.columns = tuple(Column(name, names[oid]) for name, oid in described)

    def end(self) -> None:
        """Roll back, whatever came before."""
        self.seconds = time.monotonic() - self._started
        try:
            self._cursor.execute("ROLLBACK")
        except psycopg2.Error:
            self._connection.close()

    @contextlib.contextmanager
    def translating(self) -> Iterator[None]:
        """The driver's errors as a StatementError. That of a lost connection is left to the pool."""
        try:
            yield
        except psycopg2.Error as error:
            if (meaning := self._meaning(error)) is None:
                raise
            raise meaning from error
        except UnicodeEncodeError:
            raise outcomes.StatementRefused(
                f"The statement has characters that the encoding of this database, {self._connection.encoding}, lacks."
            ) from None
        except UnicodeDecodeError:
            raise outcomes.StatementFailed(
                "The answer holds bytes that are no text in this database's encoding; ask for them as bytea."
            ) from None

    def _fetch(self) -> list[tuple[object, ...]]:
        """The next rows within the limits; none at the end."""
        # One row more than may be shown tells whether there are more.
        wanted = min(self._size, self._limits.rows + 1 - self._rows)
        fetch = _FETCH.format(timeout=sql.Literal(self._milliseconds_left()), rows=sql.Literal(wanted))
        with self.translating():
            self._cursor.execute(fetch)
            rows = self._cursor.fetchall()
        self._ended = len(rows) < wanted
        largest = 1
        kept = []
        for row in rows:
            size = values.size(row)
            if self._rows == self._limits.rows or self._bytes + size > self._limits.bytes:
                self.truncated = "rows" if self._rows == self._limits.rows else "bytes"
                self._ended = True
                break
            self._rows += 1
            self._bytes += size
            largest = max(largest, size)
            kept.append(row)
        self._size = max(1, min(self._size * 8, MOST_ROWS, FETCH_BYTES // largest))
        self.seconds = time.monotonic() - self._started
        return kept

    def _milliseconds_left(self) -> int:
        left = self._limits.seconds - (time.monotonic() - self._started)
        if left <= 0:
            raise outcomes.overstayed(self._limits.seconds)
        return _milliseconds(left)

    def _meaning(self, error: psycopg2.Error) -> outcomes.StatementError | None:
        if self._watched.reason == "cancelled":
            return outcomes.StatementCancelled("The statement was cancelled.")
        if self._watched.reason == "overstayed":
            return outcomes.overstayed(self._limits.seconds)
        if self._connection.closed:
            return None
        return outcomes.meaning(
            error,
            self._statement,
            elapsed=time.monotonic() - self._started,
            seconds=self._limits.seconds,
            lock_seconds=min(LOCK_SECONDS, self._limits.seconds),
        )


def _type_names(connection: database.Connection, oids: set[int]) -> dict[int, str]:
    asked = oids - _types.keys()
    found = dict(SQL.type_names(connection, oids=list(asked))) if asked else {}
    _types.update({oid: name for oid, name in found.items() if oid < FIRST_USER_OID})
    return {oid: found.get(oid) or _types[oid] for oid in oids}


def _milliseconds(seconds: float) -> int:
    return max(1, int(min(seconds * 1000, LONGEST_TIMEOUT)))
