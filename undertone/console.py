"""The read-only lane: one statement of a person's, asked in a way that can only answer. There is no second way in.

A statement passes the limits on its text, the word gate (`gate.py`), and a channel that holds one statement and only
reads (`lane.py`). What holds when all of it fails is the account's rights (docs/security.md).
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass

from undertone import database, gate, lane, lexer, outcomes, queries, watch
from undertone.database import PoolFull  # a parameter here is called as the module is

FUNCTIONS_SECONDS = 60.0

# What a caller needs, under one roof.
Limits = lane.Limits
Column = lane.Column
Answer = lane.Answer
StatementError = outcomes.StatementError
StatementRefused = outcomes.StatementRefused
StatementLimited = outcomes.StatementLimited
StatementCancelled = outcomes.StatementCancelled
StatementFailed = outcomes.StatementFailed

SQL = queries.load("console")


@dataclass(frozen=True)
class Result:
    """The answer. A value is None, bool, int, float or str: PostgreSQL's own text for what the others cannot hold.

    `truncated` names the limit, "rows" or "bytes", that cut it short, else None.
    """

    columns: tuple[Column, ...]
    rows: list[tuple[object, ...]]
    truncated: str | None
    seconds: float


def run(
    database: database.Database,
    statement: str,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    *,
    cancel: threading.Event | None = None,
) -> Result:
    """Ask `statement`, one that only reads, and wait for its answer or a limit.

    Setting `cancel` stops it, here at once and on the server within about a second. Raises StatementError, and
    DatabaseError where the database cannot be reached (ConnectionLost: asking again may succeed).
    """
    with stream(database, statement, limits, cancel=cancel) as answer:
        rows = [row for batch in answer for row in batch]
    return Result(answer.columns, rows, answer.truncated, answer.seconds)


@contextlib.contextmanager
def stream(
    database: database.Database,
    statement: str,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    *,
    cancel: threading.Event | None = None,
) -> Iterator[Answer]:
    """As `run`, but the rows come in batches, none larger than a few megabytes unless single rows are.

    It holds one of the lane's slots, and a transaction open, until the `with` ends; `limits.seconds` counts that long.
    """
    tokens = _tokens(statement, limits)
    if cancel is not None and cancel.is_set():
        raise StatementCancelled("The statement was cancelled before it began.")
    with contextlib.ExitStack() as stack:
        try:
            connection = stack.enter_context(database.lend())
        except PoolFull:
            raise StatementLimited(
                "All slots are busy with other statements; try again in a moment, or raise UNDERTONE_QUERY_SLOTS."
            ) from None
        if any(token.text == "setseed" for token in tokens):
            stack.callback(connection.close)  # DISCARD ALL would leave the next borrower the seed of random()
        answer = Answer(
            connection, statement, limits, stack.enter_context(watch.Watch(connection, limits.seconds, cancel))
        )
        stack.callback(answer.end)
        with answer.translating():
            functions = _guarded(database).functions(connection)
        if reason := gate.forbidden(tokens, functions, limits.functions):
            raise StatementRefused(reason)
        answer.begin()
        yield answer


class Guarded:
    """The functions of one database that may do more than answer, asked again every minute."""

    def __init__(self) -> None:
        self._known: dict[str, list[gate.Overload]] = {}
        self._until = 0.0

    def functions(self, connection: database.Connection) -> dict[str, list[gate.Overload]]:
        """The overloads of each, by name."""
        if time.monotonic() >= self._until:
            known: dict[str, list[gate.Overload]] = {}
            for name, least, most, shadowed in SQL.guarded_functions(connection):
                known.setdefault(name, []).append(gate.Overload(least, most, shadowed))
            self._known, self._until = known, time.monotonic() + FUNCTIONS_SECONDS
        return self._known


_guards: weakref.WeakKeyDictionary[database.Database, Guarded] = weakref.WeakKeyDictionary()


def _guarded(pool: database.Database) -> Guarded:
    return _guards.setdefault(pool, Guarded())


def _tokens(statement: str, limits: Limits) -> list[lexer.Token]:
    """The pieces of a statement that may be sent. Raises StatementRefused and StatementLimited."""
    try:
        length = len(statement.encode())
    except UnicodeEncodeError as error:
        raise StatementRefused(
            f"The statement is not valid text: character {error.start + 1} is half of a pair; type it again."
        ) from None
    if "\0" in statement:
        # libpq would end the statement there and send the rest as if it were not.
        raise StatementRefused(
            f"The statement has a character of value 0 at {statement.index(chr(0)) + 1}; take it out."
        )
    if length > limits.length:
        raise StatementLimited(
            f"The statement is {length:,} bytes long; at most {limits.length:,} can be asked. Shorten it."
        )
    tokens = lexer.tokenise(statement)
    if reason := gate.refusal(tokens):
        raise StatementRefused(reason)
    return tokens
