"""A row to take along: as JSON, a value of it as a file, the statement that selects it."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg2.sql

from undertone import conditions, database, looks, queries, reading, relations, row_statement, rows, units

MOST_JSON, MOST_WHOLE = 20_000_000, 50_000_000  # characters of a row; bytes of a value that is a file


def as_json(connection: database.Connection, row: rows.Row) -> str:
    """All values of a row as one JSON object, as the server writes them: numbers with all their digits.

    Raises RowError where it has more than 20 million characters, and where it is gone.
    """
    if row.characters > MOST_JSON:
        raise rows.RowError(
            f"This row is too large for JSON here: {row.characters:,} characters, and {MOST_JSON:,} are the limit."
        )
    fields = relations.fields(connection, row.relation)
    found = rows.keyed(connection, row.relation, fields, row.key)
    question = queries.compose(
        rows.SQL.as_json,
        columns=reading.listed(field.expression for field in fields),
        relation=row.relation.identifier,
        matches=rows.matching(found, row.key),
    )
    with rows.limited(connection, row.relation, rows.READ_MILLISECONDS):
        answer = reading.read(connection, row.relation, question, given=True)
    if not answer:
        raise rows.missing(row.relation, found, row.key)
    return str(answer[0][0])


def whole(connection: database.Connection, relation: relations.Relation, key: Sequence[str], column: str) -> bytes:
    """All of one value, for a file: bytes as they are, anything else as text in UTF-8; nothing for NULL.

    Raises RowError where it has more than 50 MB, and where it is gone.
    """
    fields = relations.fields(connection, relation)
    found = rows.keyed(connection, relation, fields, key)
    (field,) = relations.pick(relation, fields, [column])
    value = field.expression if field.base == "bytea" else rows.as_text(field)
    size = psycopg2.sql.SQL("octet_length({})").format(value)
    measured = rows.one(connection, relation, [size], rows.matching(found, key))
    if measured is None:
        raise rows.missing(relation, found, key)
    if (measured[0] or 0) > MOST_WHOLE:
        raise rows.RowError(
            f"This value is too large to be one file here: {units.size(measured[0])}, and {units.size(MOST_WHOLE)}"
            " are the limit. Read it in pieces with SQL: substring(…)."
        )
    fetched = rows.one(connection, relation, [value], rows.matching(found, key))
    if fetched is None:
        raise rows.missing(relation, found, key)
    if fetched[0] is None:
        return b""
    return fetched[0].encode() if isinstance(fetched[0], str) else bytes(fetched[0])


def statement(connection: database.Connection, row: rows.Row) -> str:
    """The statement that selects a row, for people. Raises ConditionError for a key that no filter can hold."""
    parts = [conditions.Condition(name, "eq", (text,)) for name, text in zip(row.key_names, row.key, strict=True)]
    look = looks.Look(row.relation.label, where=conditions.Group(tuple(parts)))
    return row_statement.statement(connection, row.relation, relations.fields(connection, row.relation), look)
