"""The channel that holds one statement.

It is sent as a value, never as SQL of ours, and the server itself opens a cursor on it: it takes exactly one statement
that returns rows. That happens in a READ ONLY transaction, under limits of the server's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg2 import sql

from undertone import parameters, server_errors

LONGEST_TIMEOUT = 2**31 - 1  # milliseconds, PostgreSQL's own

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
SET LOCAL client_min_messages = error;
DO $$ BEGIN
    SET LOCAL client_connection_check_interval = '1s';
EXCEPTION WHEN OTHERS THEN NULL; -- not every platform has it
END $$;
SET LOCAL undertone.sql = {statement};
{values}{checks}DO $$ DECLARE answer pg_catalog.refcursor := 'undertone'; BEGIN
    OPEN answer NO SCROLL FOR EXECUTE pg_catalog.current_setting('undertone.sql'){using};
END $$;""")
_VALUE = sql.SQL("SET LOCAL {setting} = {text};\n")
_READ = sql.SQL("pg_catalog.current_setting({setting})::{type}")
_CHECKS = sql.SQL("""\
DO $$ DECLARE at pg_catalog.int4; BEGIN
{checks}EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION USING ERRCODE = {code}, MESSAGE = sqlerrm, CONSTRAINT = at::pg_catalog.text;
END $$;
""")
_CHECK = sql.SQL("at := {number}; PERFORM {value};\n")
_FETCH = sql.SQL("SET LOCAL statement_timeout = {timeout}; FETCH FORWARD {rows} FROM undertone")


def opening(statement: parameters.Bound, *, seconds: float, lock_seconds: float, idle_seconds: float) -> sql.Composed:
    """What lets the server open `statement`. It returns no rows."""
    return _BEGIN.format(
        timeout=_milliseconds(seconds),
        lock_timeout=_milliseconds(lock_seconds),
        idle_timeout=_milliseconds(idle_seconds),
        statement=sql.Literal(statement.text),
        **_values(statement.values),
    )


def ending(seed: float) -> sql.Composed:
    """What ends the transaction, whatever came before, and gives random() another seed."""
    return sql.SQL("ROLLBACK; SELECT pg_catalog.setseed({seed})").format(seed=sql.Literal(seed))


def fetching(rows: int, *, seconds: float) -> sql.Composed:
    """What returns the next rows of the statement that was opened."""
    return _FETCH.format(timeout=_milliseconds(seconds), rows=sql.Literal(rows))


def _values(sent: Sequence[parameters.Sent]) -> dict[str, sql.Composable]:
    """The parts of `_BEGIN` that carry the values of parameters; the text of none becomes a part of a statement."""
    settings, reads, checks = [], [], []
    for number, one in enumerate(sent, 1):
        type_ = sql.Identifier("pg_catalog", one.type)
        if one.text is None:
            reads.append(sql.SQL("NULL::{type}").format(type=type_))
            continue
        name = f"undertone.p{number}"
        settings.append(_VALUE.format(setting=sql.Identifier("undertone", f"p{number}"), text=sql.Literal(one.text)))
        reads.append(_READ.format(setting=sql.Literal(name), type=type_))
        if not one.checked:
            checks.append(_CHECK.format(number=sql.Literal(number), value=reads[-1]))
    return {
        "values": sql.Composed(settings),
        "checks": _CHECKS.format(checks=sql.Composed(checks), code=sql.Literal(server_errors.BAD_VALUE))
        if checks
        else sql.SQL(""),
        "using": sql.SQL(" USING ") + sql.SQL(", ").join(reads) if reads else sql.SQL(""),
    }


def _milliseconds(seconds: float) -> sql.Literal:
    return sql.Literal(max(1, int(min(seconds * 1000, LONGEST_TIMEOUT))))
