"""What a row refers to by foreign keys, and which rows refer to it; of both, only what this account may read."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import psycopg2
import psycopg2.sql

from undertone import conditions, database, looks, queries, reading, relations, rows, structure, structure_parts

SQL = rows.SQL
# A word about the row that is referred to: so long at most, and all of them together, and each, in so much time.
WORDS, DESCRIBE_SECONDS, DESCRIBE_MILLISECONDS = 80, 1.0, 300
# Rows that refer to one are counted up to this, each foreign key for so long, all of them for so long together.
COUNTED, COUNT_SECONDS, COUNT_MILLISECONDS = 10_000, 2.0, 400
CANDIDATES = 3  # columns, of which the first with something in it is taken
# Names of columns that say what a row is, the likeliest first.
TELLING = ("title", "name", "label", "subject", "full_name", "username", "email", "code", "description", "summary")


@dataclasses.dataclass(frozen=True)
class Target:
    """The row that some columns refer to. `key` is that of its own page; None where it has no page of its own.

    `look` shows it in its relation in any case. `words` are the beginning of a text of it; empty where there is none,
    or none that came in time.
    """

    columns: tuple[str, ...]
    relation: relations.Relation
    look: looks.Look
    key: rows.Key | None
    words: str


@dataclasses.dataclass(frozen=True)
class Pointing:
    """Rows of another relation, or of the same one, that refer to a row by some of their columns.

    `count` is None where counting took too long; where there are `more`, it is a least number.
    """

    columns: tuple[str, ...]
    relation: relations.Relation
    look: looks.Look
    count: int | None
    more: bool = False


def outgoing(connection: database.Connection, row: rows.Row) -> list[Target]:
    """What a row refers to. A foreign key with a NULL in it refers to nothing."""
    deadline = time.monotonic() + DESCRIBE_SECONDS
    found = []
    for reference in _distinct(structure.references(connection, row.relation)[0]):
        here, there, relation = reference.columns, reference.target_columns, reference.target
        if (values := _filled(row, here)) is None:
            continue
        key, words = None, ""
        with contextlib.suppress(relations.CatalogError):  # it was dropped this moment
            key_names, _ = relations.identity(connection, relation)
            if set(key_names) == set(there):
                key = tuple(dict(zip(there, values, strict=True))[name] for name in key_names)
            if time.monotonic() < deadline:
                words = _words(connection, row, relation, here, there)
        found.append(Target(here, relation, _look(relation, there, values), key, words))
    return found


def incoming(connection: database.Connection, row: rows.Row) -> list[Pointing]:
    """Which rows refer to a row, by foreign key, counted as far as there is time."""
    deadline = time.monotonic() + COUNT_SECONDS
    found = []
    for reference in _distinct(structure.references(connection, row.relation)[1]):
        here, there, relation = reference.target_columns, reference.columns, reference.relation
        if (values := _filled(row, here)) is None:
            continue
        left = int((deadline - time.monotonic()) * 1000)
        count = None
        if left > 0:
            count = _count(connection, row, relation, here, there, min(left, COUNT_MILLISECONDS), COUNTED + 1)
        more = count is not None and count > COUNTED
        look = _look(relation, there, values)
        found.append(Pointing(there, relation, look, COUNTED if more else count, more))
    return found


def _distinct(found: Sequence[structure_parts.Reference]) -> list[structure_parts.Reference]:
    """One for each that leads from the same columns to the same ones, however many constraints say so."""
    return list({(one.relation, one.columns, one.target, one.target_columns): one for one in found}.values())


def _filled(row: rows.Row, columns: Sequence[str]) -> tuple[str, ...] | None:
    """The values in some columns; None where there is a NULL among them, or one that cannot be read."""
    values = row.texts(columns)
    if values is None or None in values:
        return None
    return tuple(value for value in values if value is not None)


def _look(relation: relations.Relation, columns: Sequence[str], values: Sequence[str]) -> looks.Look:
    parts = [conditions.Condition(name, "eq", (value,)) for name, value in zip(columns, values, strict=True)]
    return looks.Look(relation.label, where=conditions.Group(tuple(parts)))


def _words(
    connection: database.Connection,
    row: rows.Row,
    relation: relations.Relation,
    here: Sequence[str],
    there: Sequence[str],
) -> str:
    fields = relations.fields(connection, relation)
    texts = [field for field in fields if field.column.category == "text" and field.column.name not in there]
    if not texts:
        return ""
    heads = [
        psycopg2.sql.SQL("nullif(btrim(left({}, {})), '')").format(rows.as_text(field), psycopg2.sql.Literal(WORDS + 1))
        for field in sorted(texts, key=_rank)[:CANDIDATES]
    ]
    statement = queries.compose(
        rows.SQL.by_key,
        shown=psycopg2.sql.SQL("coalesce({})").format(reading.listed(heads)),
        relation=relation.identifier,
        matches=_equal(row, relations.pick(relation, fields, there), here),
    )
    answer = _try(connection, statement, DESCRIBE_MILLISECONDS)
    words = str(answer or "")
    return " ".join(words[:WORDS].split()) + (" …" if len(words) > WORDS else "")


def _rank(field: relations.Field) -> int:
    """How likely a column says what its row is: those with telling names first, then in the order of the columns."""
    name = field.column.name.lower()
    return TELLING.index(name) if name in TELLING else len(TELLING)


def _count(
    connection: database.Connection,
    row: rows.Row,
    relation: relations.Relation,
    here: Sequence[str],
    there: Sequence[str],
    milliseconds: int,
    most: int,
) -> int | None:
    try:
        fields = relations.pick(relation, relations.fields(connection, relation), there)
    except relations.CatalogError:
        return None
    statement = queries.compose(
        SQL.at_most,
        relation=relation.identifier,
        matches=_equal(row, fields, here),
        limit=psycopg2.sql.Literal(most),
    )
    answer = _try(connection, statement, milliseconds)
    return None if answer is None else int(answer)


def _equal(row: rows.Row, fields: Sequence[relations.Field], columns: Sequence[str]) -> psycopg2.sql.Composed:
    """That columns of r are what the row has in `columns`: of the row's types, which may hold more than theirs."""
    own = {cell.name: cell for cell in row.cells}
    return psycopg2.sql.SQL(" AND ").join(
        psycopg2.sql.SQL("{} = {}").format(
            reading.ordering(field)[0], reading.typed(own[name].text, reading.ordering(own[name].field)[1])
        )
        for field, name in zip(fields, columns, strict=True)
    )


def _try(connection: database.Connection, statement: psycopg2.sql.Composable, milliseconds: int) -> Any:
    """The one value of a statement; None where it does not come in time, or not at all: it is only an extra."""
    try:
        with relations.within(connection, milliseconds), connection.cursor() as cursor:
            cursor.execute(reading.EXACT + statement)
            found = cursor.fetchone()
    except psycopg2.Error:
        if connection.closed:
            raise
        return None
    return found[0] if found else None
