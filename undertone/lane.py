"""What may come out of the channel (`channel.py`): rows and bytes are counted, and what is too much is not taken.

The transaction is always rolled back. The server's limits are set again before every FETCH, because a statement may
lift them.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2

from undertone import channel, database, outcomes, parameters, queries, relay, server_errors, values, watch

FIRST_ROWS, MOST_ROWS = 1, 2_000  # of one FETCH
FETCH_BYTES = 4_000_000  # of one FETCH, if its rows are like those before
# What the server may send at once. A text is in libpq's buffer, in its result, and in a Python string of up to four
# bytes a character; a message of an error is here eight times.
OPENING_BYTES = LEAST_FETCH_BYTES = 1_000_000
COPIES, GROWTH = 8, 1.5
KEPT_BYTES = 8_000_000  # of libpq's buffer, which never shrinks: a connection with more of it is not used again
LOCK_SECONDS = 5.0
FIRST_USER_OID = 16_384  # the types below are the same in every database

SQL = queries.load("console")
_types: dict[int, str] = {}


@dataclass(frozen=True)
class Limits:
    """What a statement may take: seconds in all, rows and bytes of its answer, bytes of a row and of its text.

    The bytes of the answer are those that it takes up here. `row` counts them on their way from the server, where they
    are stopped: while they are read they may be here eight times. As it is, this process grows by less than 1.5 times
    `bytes`. `functions` may be called although the server counts them among those that may do more than answer.
    `superuser`: whether the account may be one, which nothing but Undertone then holds.
    """

    seconds: float = 30.0
    rows: int = 10_000
    bytes: int = 64_000_000
    row: int = 10_000_000
    length: int = 48 * 1024
    functions: frozenset[str] = frozenset()
    superuser: bool = False


@dataclass(frozen=True)
class Column:
    """A column of an answer; `type` as PostgreSQL calls it. Names may be equal, or empty."""

    name: str
    type: str


class Answer:
    """An answer on its way: iterate over it, once, for lists of rows. Then `truncated` and `seconds` are final."""

    def __init__(
        self, connection: relay.Counted, statement: parameters.Bound, limits: Limits, watched: watch.Watch
    ) -> None:
        self.columns: tuple[Column, ...] = ()
        self.truncated: str | None = None
        self.seconds = 0.0
        self._connection = connection
        self._statement = statement
        self._limits = limits
        self._watched = watched
        self._started = time.monotonic()
        self._size = FIRST_ROWS
        self.count = self._bytes = self._allowed = 0
        self.ended = False
        self._first = values.Batch()
        self._described: list[tuple[str, int]] = []
        self._numbers: frozenset[int] = frozenset()  # places of the columns that are counted as numbers
        self._numbers_left = False
        connection.autocommit = True  # BEGIN and ROLLBACK are the lane's own

    def __iter__(self) -> Iterator[values.Batch]:
        """The rows in batches, none of them empty."""
        batch, self._first = self._first, values.Batch()
        while batch:
            yield batch
            batch = values.Batch() if self.ended else self._fetch()

    def leave_numbers(self) -> frozenset[int]:
        """From now on let numbers be texts, as the server wrote them: for who writes them down again.

        Returns the places of their columns. The first row has its numbers already. What they count against
        `Limits.bytes` stays the same.
        """
        self._numbers_left = True
        return frozenset(i for i in self._numbers if self._described[i][1] != values.BOOLEAN)

    def begin(self) -> None:
        """Let the server open the statement, and take its first row and its columns."""
        opening = channel.opening(
            self._statement,
            seconds=self._seconds_left(),
            lock_seconds=min(LOCK_SECONDS, self._limits.seconds),
            idle_seconds=self._limits.seconds + watch.GRACE_SECONDS,
        )
        self._allow(OPENING_BYTES)
        with self.translating(), self._connection.cursor() as cursor:
            cursor.execute(opening)
        self._first = self._fetch()
        described = self._described
        with self.translating():
            names = _type_names(self._connection, {oid for _, oid in described})
        self.columns = tuple(Column(name, names[oid]) for name, oid in described)

    def end(self) -> None:
        """Roll back, whatever came before."""
        self.seconds = time.monotonic() - self._started
        try:
            self._connection.relay.allow(OPENING_BYTES)
            # Nobody inherits the seed of random(), which DISCARD ALL leaves as it is.
            self._connection.cursor().execute(channel.ending(secrets.randbelow(10**9) / 10**9))
            self._connection.relay.allow(None)
        except psycopg2.Error as error:
            # Who may not set a seed has not set one.
            if error.pgcode != server_errors.NOT_ALLOWED:
                self._connection.close()
        if self._connection.relay.largest > KEPT_BYTES:
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

    def _fetch(self) -> values.Batch:
        """The next rows within the limits; none at the end."""
        # One row more than may be shown tells whether there are more.
        wanted = min(self._size, self._limits.rows + 1 - self.count)
        fetch = channel.fetching(wanted, seconds=self._seconds_left())
        most = int(GROWTH * self._limits.bytes - self._bytes) // COPIES
        self._allow(max(LEAST_FETCH_BYTES, min(self._limits.row, most)))
        try:
            # A cursor of its own, so that no result outlives the next one.
            with (
                self.translating(),
                values.as_written(self._connection.cursor(), numbers=not self._numbers_left) as cursor,
            ):
                cursor.execute(fetch)
                rows = values.Batch(cursor.fetchall())
                if not self._described:
                    self._describe(cursor.description)
        except outcomes.StatementLimited:
            if not (self._connection.relay.exceeded and self.count):
                raise
            self.truncated, self.ended = "bytes", True
            return values.Batch()
        self.ended = len(rows) < wanted
        if self.count + len(rows) > self._limits.rows:
            self.truncated, self.ended = "rows", True
            rows.shorten(self._limits.rows - self.count)
        size = values.size(rows, self._numbers)
        if self._bytes + size > self._limits.bytes:
            self.truncated, self.ended = "bytes", True
            size = values.cut(rows, self._limits.bytes - self._bytes, self._numbers)
        self.count += len(rows)
        self._bytes += size
        mean = size // len(rows) + 1 if rows else 1
        self._size = max(1, min(self._size * 8, MOST_ROWS, min(FETCH_BYTES, self._allowed // 4) // mean))
        self.seconds = time.monotonic() - self._started
        return rows

    def _describe(self, description: Sequence[Any]) -> None:
        self._described = [(column.name, column.type_code) for column in description]
        self._numbers = frozenset(i for i, (_, oid) in enumerate(self._described) if oid in values.NUMBERS)

    def _allow(self, size: int) -> None:
        self._allowed = size
        self._connection.relay.allow(size)

    def _seconds_left(self) -> float:
        left = self._limits.seconds - (time.monotonic() - self._started)
        if left <= 0:
            raise outcomes.overstayed(self._limits.seconds)
        return left

    def _meaning(self, error: psycopg2.Error) -> outcomes.StatementError | None:
        if self._connection.relay.exceeded:
            return outcomes.overflowed(self._allowed)
        if self._watched.reason == "cancelled":
            return outcomes.StatementCancelled("The statement was cancelled.")
        if self._watched.reason == "overstayed":
            return outcomes.overstayed(self._limits.seconds)
        if self._connection.closed:
            return None
        return server_errors.meaning(
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
