"""How a person's statement may end without an answer, and what the server's errors mean to that person."""

from __future__ import annotations

from typing import Any

import psycopg2

from undertone import errors

QUERY_CANCELED, LOCK_NOT_AVAILABLE, CONFIGURATION_LIMIT = "57014", "55P03", "53400"
READ_ONLY, NOT_A_CURSOR = "25006", "42P11"
TIMER_SECONDS = 0.05  # how much earlier than ours the server's clock may strike


class StatementError(errors.UndertoneError):
    """A person's statement brought no result."""


class StatementRefused(StatementError):
    """Not sent, or not a question: the message says what may be asked."""


class StatementLimited(StatementError):
    """Stopped by a limit: the message says which, and how to raise it."""


class StatementCancelled(StatementLimited):
    """Stopped because somebody asked for it."""


class StatementFailed(StatementError):
    """The server's own words: the message in one line, and what else it said.

    `position` is the character in the statement, counted from 1, that the server pointed at.
    """

    def __init__(
        self,
        message: str,
        *,
        position: int | None = None,
        detail: str | None = None,
        hint: str | None = None,
        sqlstate: str | None = None,
    ) -> None:
        super().__init__(message)
        self.position = position
        self.detail = detail
        self.hint = hint
        self.sqlstate = sqlstate


def overstayed(seconds: float) -> StatementLimited:
    """The error for a statement that took longer than `seconds`."""
    return StatementLimited(
        f"The statement was stopped after {seconds:g} seconds; ask for less (a WHERE, a LIMIT), or raise"
        " UNDERTONE_QUERY_SECONDS."
    )


def meaning(
    error: psycopg2.Error, statement: str, *, elapsed: float, seconds: float, lock_seconds: float
) -> StatementError | None:
    """What the driver's error means, `elapsed` seconds into a statement; None where the server said nothing."""
    state, said = error.pgcode, error.diag
    if state is None:
        return None
    message = " ".join((said.message_primary or str(error)).split())
    if state == QUERY_CANCELED:  # why, the server says only in its own language
        if elapsed >= seconds - TIMER_SECONDS:
            return overstayed(seconds)
        return StatementCancelled(f"The statement was stopped in the database by somebody else: {message}.")
    if state == LOCK_NOT_AVAILABLE:
        return StatementLimited(
            f"The statement waited {lock_seconds:g} seconds for a table that somebody else is changing; try again in a"
            " moment."
        )
    if state == CONFIGURATION_LIMIT:
        return StatementLimited(f"The statement was stopped by a limit of the database account: {message}.")
    if state in (READ_ONLY, NOT_A_CURSOR):
        return StatementRefused(f"Only what reads can be asked here; the server says: {message}.")
    return StatementFailed(
        message,
        position=_position(said, statement),
        detail=said.message_detail,
        hint=said.message_hint,
        sqlstate=state,
    )


def _position(said: Any, statement: str) -> int | None:
    """Where in the statement; None if the server points at something else, such as a function's body.

    To the server the statement is a text inside our own: where it has one, the position is an internal one.
    """
    if said.internal_query is None:
        position = said.statement_position
    else:
        position = said.internal_position if said.internal_query == statement else None
    return int(position) if position and 0 < int(position) <= len(statement) + 1 else None
