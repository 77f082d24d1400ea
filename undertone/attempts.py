"""Live attempts to do through the console what it must not do, harmless where one succeeds.

Each is asked as a person would ask it. Most are asked a second time past the word gate, straight through the channel
that holds one statement, to see what the layers below the gate say: there a statement may run, but for a moment only
and in a transaction that is rolled back. Only the statements of this module ever go that way.
"""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass

import psycopg2

from undertone import channel, console, database, parameters, queries

SQL = queries.load("doctor")
LIMITS = console.Limits(seconds=0.5, rows=10, bytes=10_000)
# What an attempt would leave has this name or this number, so that `traces` finds it.
NUMBER = 1_953_718_115
GROUPS = {
    "write": "to write",
    "escape": "to escape from the transaction and from its session",
    "overstay": "to overstay, to take too much",
    "see": "to see what is secret, to reach the server's files",
}


@dataclass(frozen=True)
class Attempt:
    """One thing that somebody might try.

    `deeper`: whether it is also asked past the gate; not what would disturb others, or see secrets, if it went through.
    """

    group: str
    what: str
    statement: str
    deeper: bool = True


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: whether it was held, and what the gate, the limits or the server said, in a sentence."""

    held: bool
    said: str


ATTEMPTS = (
    Attempt("write", "create a table", "CREATE TABLE undertone_was_here (i int)"),
    Attempt("write", "create a table from a query", "SELECT 1 AS i INTO undertone_was_here"),
    Attempt(
        "write", "delete in a common table expression", "WITH x AS (DELETE FROM pg_class RETURNING 1) SELECT * FROM x"
    ),
    Attempt("write", "write while explaining", "EXPLAIN ANALYZE CREATE TABLE undertone_was_here AS SELECT 1"),
    Attempt("write", "make a large object", f"SELECT lo_create({NUMBER})"),
    Attempt("write", "make a role", "CREATE ROLE undertone_was_here"),
    Attempt("escape", "write behind a second statement", "SELECT 1; CREATE TABLE undertone_was_here (i int)"),
    Attempt("escape", "leave the read-only transaction", "SELECT 1; COMMIT; CREATE TABLE undertone_was_here (i int)"),
    Attempt("escape", "run a block of code", "DO $$ BEGIN COMMIT; CREATE TABLE undertone_was_here (i int); END $$"),
    Attempt("escape", "run a text as a statement", "SELECT query_to_xml('SELECT 1', true, true, '')"),
    Attempt("escape", "make the transaction writable", "SELECT set_config('transaction_read_only', 'off', false)"),
    Attempt("escape", "become somebody else", "SET SESSION AUTHORIZATION postgres"),
    Attempt("escape", "leave a setting behind", "SET search_path = undertone_was_here"),
    Attempt("escape", "send a notification", "SELECT pg_notify('undertone', 'was here')"),
    Attempt("escape", "end other sessions", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity", deeper=False),
    Attempt("overstay", "stay for ever", "SELECT count(*) FROM generate_series(1, 1000000000000)", deeper=False),
    Attempt("overstay", "sleep", "SELECT pg_sleep(3600)"),
    Attempt("overstay", "sleep in another notation", "SELECT (3600).pg_sleep"),
    Attempt("overstay", "lift the time limit", "SELECT set_config('statement_timeout', '0', false)"),
    Attempt("overstay", "hold a lock", f"SELECT pg_advisory_lock({NUMBER})"),
    Attempt("overstay", "lock rows", "SELECT 1 FROM pg_class FOR UPDATE"),
    Attempt("overstay", "take every row", "SELECT * FROM generate_series(1, 1000000)", deeper=False),
    Attempt("overstay", "take a value of a hundred megabytes", "SELECT repeat('x', 100000000)", deeper=False),
    Attempt("see", "read the passwords", "SELECT rolname, rolpassword FROM pg_authid", deeper=False),
    Attempt("see", "read what others are asking", "SELECT query FROM pg_stat_activity", deeper=False),
    Attempt("see", "read a file of the server", "SELECT pg_read_file('/etc/passwd')", deeper=False),
    Attempt("see", "list a directory of the server", "SELECT pg_ls_dir('.')", deeper=False),
    Attempt("see", "read a file with COPY", "COPY pg_class FROM '/etc/passwd'"),
    Attempt("see", "run a program on the server", "COPY (SELECT 1) TO PROGRAM 'true'"),
)


def asked(pool: database.Database, attempt: Attempt, *, superuser: bool = False) -> Outcome:
    """Ask it as a person would, whom `superuser` lets ask as one. Raises DatabaseError."""
    try:
        result = console.run(pool, attempt.statement, dataclasses.replace(LIMITS, superuser=superuser))
    except console.StatementError as error:
        if isinstance(error.__context__, database.PoolFull):
            return Outcome(False, f"it could not be tried: {error}")
        return Outcome(True, f"turned away: {error}")
    if result.truncated:
        return Outcome(True, f"cut off after {len(result.rows):,} rows: the limit of {result.truncated} was reached")
    return Outcome(False, "it went through")


def asked_past_the_gate(pool: database.Database, attempt: Attempt) -> Outcome:
    """Ask it as if there were no gate. Raises DatabaseError."""
    seconds = LIMITS.seconds
    statement = parameters.Bound(attempt.statement)
    with pool.lend() as connection, contextlib.closing(connection.cursor()) as cursor:
        connection.autocommit = True  # the transaction is the channel's own
        try:
            cursor.execute(channel.opening(statement, seconds=seconds, lock_seconds=seconds, idle_seconds=2 * seconds))
            cursor.execute(channel.fetching(1, seconds=seconds))
        except psycopg2.Error as error:
            if error.pgcode is None:
                raise
            message = " ".join((error.diag.message_primary or "").split())
            return Outcome(True, f"the server says: {message}")
        finally:
            if not connection.closed:
                cursor.execute("ROLLBACK")
    return Outcome(True, "it ran, and was rolled back")


def traces(pool: database.Database) -> list[str]:
    """What attempts have left behind; best nothing. Raises DatabaseError."""
    return [what for (what,) in pool.ask(SQL.traces, number=NUMBER)]
