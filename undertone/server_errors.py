"""What the server's errors mean to the person whose statement it was."""

from __future__ import annotations

from typing import Any, overload

import psycopg2

from undertone import outcomes, parameters

QUERY_CANCELED, LOCK_NOT_AVAILABLE, CONFIGURATION_LIMIT = "57014", "55P03", "53400"
READ_ONLY, NOT_A_CURSOR = "25006", "42P11"
BAD_VALUE = "UND01"  # the lane's own: a parameter's value is not of its kind
MISFITS = ("42883", "42804", "22P02")  # no such operator or function, wrong type, wrong text for a type
OUT_OF_MEMORY, NOT_ALLOWED = "53200", "42501"
MOST_CHARACTERS = 5_000  # of a message, which may quote a value of any length
TIMER_SECONDS = 0.05  # how much earlier than ours the server's clock may strike


def meaning(
    error: psycopg2.Error, statement: parameters.Bound, *, elapsed: float, seconds: float, lock_seconds: float
) -> outcomes.StatementError | None:
    """What the driver's error means, `elapsed` seconds into a statement; None where the server said nothing."""
    state, said = error.pgcode, error.diag
    if state is None:
        return None
    message = " ".join(_cut(said.message_primary or str(error)).split())
    if state == QUERY_CANCELED:  # why, the server says only in its own language
        if elapsed >= seconds - TIMER_SECONDS:
            return outcomes.overstayed(seconds)
        return outcomes.StatementCancelled(f"The statement was stopped in the database by somebody else: {message}.")
    if state == LOCK_NOT_AVAILABLE:
        return outcomes.StatementLimited(
            f"The statement waited {lock_seconds:g} seconds for a table that somebody else is changing; try again in a"
            " moment."
        )
    if state == CONFIGURATION_LIMIT:
        return outcomes.StatementLimited(f"The statement was stopped by a limit of the database account: {message}.")
    if state == OUT_OF_MEMORY:
        return outcomes.StatementLimited(
            "The statement needs more memory in the database than it may have; ask for less at once. In the embedded"
            " database UNDERTONE_QUERY_BYTES sets how much that is."
        )
    if state in (READ_ONLY, NOT_A_CURSOR):
        return outcomes.StatementRefused(f"Only what reads can be asked here; the server says: {message}.")
    if state == BAD_VALUE and said.constraint_name:
        name = statement.values[int(said.constraint_name) - 1].name
        return parameters.ParameterError(f"The value of :{name} does not fit its kind: {message}.")
    hint = _cut(said.message_hint)
    if state in MISFITS and any(value.type == "text" for value in statement.values):
        hint = "A parameter may need another kind than text, or a cast, as in :name::integer."
    return outcomes.StatementFailed(
        statement.message(message),
        position=_position(said, statement),
        detail=_cut(said.message_detail),
        hint=hint,
        sqlstate=state,
    )


def _position(said: Any, statement: parameters.Bound) -> int | None:
    """Where in the statement; None if the server points at something else, such as a function's body.

    To the server the statement is a text inside our own: where it has one, the position is an internal one.
    """
    if said.internal_query is None:
        position = said.statement_position
    else:
        position = said.internal_position if said.internal_query == statement.text else None
    if not position or not 0 < int(position) <= len(statement.text) + 1:
        return None
    return statement.original(int(position) - 1) + 1


@overload
def _cut(text: str) -> str: ...
@overload
def _cut(text: None) -> None: ...
def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} …"
