"""The read-only lane: one statement of a person's, asked in a way that can only answer. There is no second way in.

A statement passes the limits on its text, the word gate (`gate.py`), a look at all that it reaches (`reach.py`), and a
channel that holds one statement and only reads (`lane.py`). What holds when all of it fails is the account's rights
(docs/security.md).
"""

from __future__ import annotations

import contextlib
import threading
import time
import types
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from undertone import bodies, database, gate, lane, lexer, outcomes, parameters, queries, reach, settings, watch
from undertone.database import PoolFull  # a parameter here is called as the module is

SUPERUSER_SECONDS = 60.0
WAIT_SECONDS = 0.5  # for a slot

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


def limits(chosen: settings.Settings) -> Limits:
    """The limits that the settings name."""
    return Limits(
        seconds=chosen.query_seconds,
        rows=chosen.query_rows,
        bytes=chosen.query_bytes,
        row=chosen.query_bytes // 6,
        length=chosen.query_length,
        functions=frozenset(name.strip() for name in chosen.query_functions.split(",") if name.strip()),
        superuser=chosen.query_superuser,
    )


def run(
    database: database.Database,
    statement: str,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    *,
    parameters: Mapping[str, parameters.Value] = types.MappingProxyType({}),
    cancel: threading.Event | None = None,
) -> Result:
    """Ask `statement`, one that only reads, and wait for its answer or a limit.

    `parameters`: a value for each `:name` in the statement; they are sent as values, and positions in errors are those
    in the statement as it is written here. Setting `cancel` stops it, here at once and on the server within about a
    second. Raises StatementError, and DatabaseError where the database cannot be reached (ConnectionLost: asking again
    may succeed).
    """
    with stream(database, statement, limits, parameters=parameters, cancel=cancel) as answer:
        rows = [row for batch in answer for row in batch]
    return Result(answer.columns, rows, answer.truncated, answer.seconds)


@contextlib.contextmanager
def stream(
    database: database.Database,
    statement: str,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    *,
    parameters: Mapping[str, parameters.Value] = types.MappingProxyType({}),
    cancel: threading.Event | None = None,
) -> Iterator[Answer]:
    """As `run`, but the rows come in batches, none larger than a few megabytes unless single rows are.

    It holds one of the lane's slots, and a transaction open, until the `with` ends; `limits.seconds` counts that long.
    """
    if statement.startswith("\ufeff"):  # the mark that some editors put in front of a text; the server refuses it
        statement = f" {statement[1:]}"  # a space, so that the places of errors stay what they are
    bound, tokens = _bound(statement, parameters, limits)
    if cancel is not None and cancel.is_set():
        raise StatementCancelled("The statement was cancelled before it began.")
    with contextlib.ExitStack() as stack:
        try:
            connection = stack.enter_context(database.lend_counted(WAIT_SECONDS))
        except PoolFull:
            raise StatementLimited(
                f"All slots are busy with other statements, {database.size} at once; this one was not asked. Try again"
                " when one of them has ended, or raise UNDERTONE_QUERY_SLOTS."
            ) from None
        answer = Answer(connection, bound, limits, stack.enter_context(watch.Watch(connection, limits.seconds, cancel)))
        stack.callback(answer.end)
        with answer.translating():
            superuser = _superuser(database, connection)
        if superuser and not limits.superuser:
            raise StatementRefused(
                f"{superuser} is a superuser: nothing but Undertone would hold a statement. Give it an account"
                " that only reads (sql/reader_role.sql), or set UNDERTONE_QUERY_SUPERUSER if it must be this one."
            )
        with answer.translating():
            reason = _forbidden(connection, tokens, limits)
        if reason:
            raise StatementRefused(reason)
        answer.begin()
        yield answer


def _forbidden(connection: database.Connection, tokens: list[lexer.Token], limits: Limits) -> str | None:
    """Why something that the statement names, or that comes with it, may not be used; None if all may."""
    reached = reach.Reach(connection, limits.functions)
    reached.start(bodies.of_statement(tokens))
    return gate.forbidden(tokens, reached.guarded, limits.functions) or reached.refusal()


def _superuser(pool: database.Database, connection: database.Connection) -> str | None:
    """The account's name if it is a superuser, or can become the one that it came as; looked up every minute."""
    until, found = _superusers.get(pool, (0.0, None))
    if time.monotonic() >= until:
        found = SQL.superuser(connection)
        _superusers[pool] = time.monotonic() + SUPERUSER_SECONDS, found
    return found


_superusers: weakref.WeakKeyDictionary[database.Database, tuple[float, str | None]] = weakref.WeakKeyDictionary()


def _bound(
    statement: str, values: Mapping[str, parameters.Value], limits: Limits
) -> tuple[parameters.Bound, list[lexer.Token]]:
    """The statement as it may be sent, and its pieces. Raises StatementRefused and StatementLimited."""
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
            f"The statement is {length:,} bytes long; at most {limits.length:,} can be asked. Shorten it,"
            " or raise UNDERTONE_QUERY_LENGTH."
        )
    tokens = lexer.tokenise(statement)
    if reason := gate.refusal(tokens):
        raise StatementRefused(reason)
    bound = parameters.bind(statement, values, tokens)
    if bound.values:
        tokens = bound.tokens()  # of what is sent, not only of what was written
        if reason := gate.refusal(tokens):
            raise StatementRefused(reason)
    return bound, tokens
