"""What a database holds, as far as this account may select it: relations, their columns, their keys.

The first argument of everything here is a psycopg2 connection. Nothing is written, nothing is committed, and only the
catalogue is read, except where a docstring says otherwise.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import time
from collections.abc import Iterable, Iterator, Sequence

import psycopg2
import psycopg2.extensions
import psycopg2.sql

from undertone import database, errors, names, queries

SQL = queries.load("catalog")
# A relation never analysed is counted while it is listed, if it is smaller than this and the time for it all is not
# used up.
COUNT_BYTES = 16 << 20
COUNT_SECONDS = 0.5
# Measuring tables stops at one that somebody holds; then sizes are those that were last noted.
MEASURE_MILLISECONDS, LOCK_MILLISECONDS = 3_000, 250


class CatalogError(errors.UndertoneError):
    """A relation, a column or a place in the rows that is not there, or that this account may not read."""


@dataclasses.dataclass(frozen=True)
class Relation:
    """Something that rows can be selected from.

    `rows` is an estimate: None for views and where nothing is known. `bytes` counts indexes and out-of-line values too,
    and those of partitions under their parent; None for views and foreign tables.
    """

    schema: str
    name: str
    kind: str  # "table", "partitioned table", "view", "materialised view" or "foreign table"
    rows: int | None
    bytes: int | None
    comment: str | None

    @property
    def label(self) -> str:
        """The shortest unambiguous way to write its name: without `public`, quoted only where SQL needs it."""
        name = names.quoted(self.name)
        return name if self.schema == "public" else f"{names.quoted(self.schema)}.{name}"

    @property
    def identifier(self) -> psycopg2.sql.Identifier:
        """Its name for a statement."""
        return psycopg2.sql.Identifier(self.schema, self.name)


@dataclasses.dataclass(frozen=True)
class Column:
    """A column. Of its categories, "time" is a date or a moment; a time of day or an interval is "other"."""

    name: str
    type: str  # as PostgreSQL writes it, with length or precision
    category: str  # "text", "number", "time", "boolean", "json", "bytes" or "other"
    nullable: bool
    default: str | None
    comment: str | None


@dataclasses.dataclass(frozen=True)
class Field:
    """A column, and what a statement about it has to know."""

    column: Column
    base: str  # the type to cast a text of a value to
    sortable: bool  # has an order of its own
    indexed: bool  # an index begins with it
    enum: bool

    @property
    def expression(self) -> psycopg2.sql.Composed:
        """It, in a statement in which its relation is called r."""
        return psycopg2.sql.SQL("r.{}").format(psycopg2.sql.Identifier(self.column.name))


def relations(connection: database.Connection) -> list[Relation]:
    """Every relation that this account may select from, `public` first, then by schema and name.

    Left out: system schemas, temporary tables, and partitions, which are counted under their parent. Small tables that
    were never analysed are counted, for half a second in all. A table that somebody holds exclusively is listed all the
    same.
    """
    found = _relations(connection, None)
    deadline = time.monotonic() + COUNT_SECONDS
    for number, relation in enumerate(found):
        left = int((deadline - time.monotonic()) * 1000)
        if relation.rows is None and (relation.bytes or COUNT_BYTES) < COUNT_BYTES and left > 0:
            with contextlib.suppress(psycopg2.Error, CatalogError), within(connection, left):
                found[number] = dataclasses.replace(relation, rows=count(connection, relation))
    return found


def find(connection: database.Connection, name: str) -> Relation:
    """The relation that a person means: as SQL writes it (`reviews`, `public.reviews`, `"Weird.Name"`), or its name.

    An exact name goes before a folded one (`Reviews`), `public` before other schemas, which need not be named where
    only one has such a relation. System relations and partitions are found where their schema is named. Raises
    CatalogError with the nearest names.
    """
    readings = list(dict.fromkeys(names.readings(name)))
    found = _relations(connection, sorted({table for _, table in readings})) if readings else []
    for schema, table in readings:
        named = [relation for relation in found if relation.name == table and schema in (None, relation.schema)]
        if schema is None:
            named = [relation for relation in named if not re.match("pg_|information_schema$", relation.schema)]
            # A table of scores is called as its source is, which is what a person means.
            named = [relation for relation in named if relation.schema != "scores"] or named
        if len(named) > 1 and named[0].schema != "public":
            listed = ", ".join(relation.label for relation in named)
            raise CatalogError(f"{names.line(name)} is in several schemas; say which one: {listed}.")
        if named:
            return named[0]
    known = _relations(connection, None)
    near = names.nearest(name, [relation.label for relation in known] + [relation.name for relation in known])
    labels = [relation.label for relation in known if relation.label in near or relation.name in near]
    raise CatalogError(
        f"There is no table or view {names.line(name)} here, or this account may not read it."
        + (f" Near to it: {', '.join(labels[:5])}." if labels else "")
    )


def columns(connection: database.Connection, relation: Relation) -> list[Column]:
    """The columns that this account may select, in their order; maybe none. Raises CatalogError when it is gone."""
    found = fields(connection, relation)
    if not found:
        identity(connection, relation)
    return [field.column for field in found]


def key(connection: database.Connection, relation: Relation) -> tuple[str, ...]:
    """The primary key, else the unique index of fewest columns whose columns are never NULL; () where there is none.

    An index over a part of the rows or over expressions is none, nor one of a column that this account may not read,
    nor any of a table that others inherit from: rows of theirs may repeat it. Raises CatalogError when the relation is
    gone.
    """
    return identity(connection, relation)[0]


def count(connection: database.Connection, relation: Relation) -> int:
    """How many rows there are: counted, which takes as long as reading them. Raises CatalogError when it is gone."""
    with translated(relation), connection.cursor() as cursor:
        cursor.execute(queries.compose(SQL.count, relation=relation.identifier, condition=psycopg2.sql.SQL("")))
        (rows,) = cursor.fetchone()
    return int(rows)


def fields(connection: database.Connection, relation: Relation) -> list[Field]:
    """What `columns` gives, each with what a statement has to know; an empty list when the relation is gone."""
    rows = SQL.columns(connection, schema=relation.schema, name=relation.name)
    return [Field(Column(*row[:6]), *row[6:]) for row in rows]


def identity(connection: database.Connection, relation: Relation) -> tuple[tuple[str, ...], bool]:
    """The key, and whether the rows can be told apart by ctid. Raises CatalogError when the relation is gone."""
    found = SQL.key(connection, schema=relation.schema, name=relation.name)
    if found is None:
        raise gone(relation)
    return tuple(found[0]), found[1]


def pick(relation: Relation, found: Iterable[Field], wanted: Iterable[str]) -> list[Field]:
    """The fields that have these names, in this order. Raises CatalogError for one that is not there."""
    by_name = {field.column.name: field for field in found}
    for name in wanted:
        if name not in by_name:
            near = names.nearest(name, by_name) or list(by_name)[:10]
            raise CatalogError(
                f"{relation.label} has no column {names.line(name)}, or this account may not read it."
                + (f" There is: {', '.join(names.quoted(other) for other in near)}." if near else "")
            )
    return [by_name[name] for name in wanted]


@contextlib.contextmanager
def within(connection: database.Connection, milliseconds: int, lock: int | None = None) -> Iterator[None]:
    """Ask something that may take long, but no longer than this, and leave the transaction as it was.

    `lock`: how long to wait for a lock, if not as long. The statement's error, a timeout's (QueryCanceled,
    LockNotAvailable) included, is for the caller to catch.
    """
    outside = connection.autocommit
    with connection.cursor() as cursor:
        if outside:
            cursor.execute("BEGIN")
        cursor.execute("SAVEPOINT undertone")
        try:
            limits = (milliseconds, lock or milliseconds)
            cursor.execute("SET LOCAL statement_timeout = %s; SET LOCAL lock_timeout = %s", limits)
            yield
        finally:
            if not connection.closed:
                # Not only released: going back is what undoes the settings.
                cursor.execute("ROLLBACK TO SAVEPOINT undertone; RELEASE SAVEPOINT undertone")
                if outside:
                    cursor.execute("ROLLBACK")


@contextlib.contextmanager
def translated(relation: Relation) -> Iterator[None]:
    """Turn the server's "no such table", "no such column" and "not allowed" into a CatalogError."""
    try:
        yield
    except (
        psycopg2.errors.UndefinedTable,
        psycopg2.errors.InvalidSchemaName,
        psycopg2.errors.InsufficientPrivilege,
    ) as error:
        raise gone(relation, error) from error
    except psycopg2.errors.UndefinedColumn as error:
        raise CatalogError(
            f"{relation.label} has changed meanwhile: {error.diag.message_primary}. Open it again."
        ) from error


def gone(relation: Relation, error: psycopg2.Error | None = None) -> CatalogError:
    """The error for a relation that was there a moment ago."""
    said = f" ({error.diag.message_primary})" if error else ""
    return CatalogError(
        f"{relation.label} is no longer there, or this account may no longer read it{said}. Choose another table."
    )


def _relations(connection: database.Connection, called: Sequence[str] | None) -> list[Relation]:
    try:
        with within(connection, MEASURE_MILLISECONDS, lock=LOCK_MILLISECONDS):
            rows = SQL.relations(connection, names=called, measure=True)
    except (psycopg2.errors.LockNotAvailable, psycopg2.errors.QueryCanceled):
        rows = SQL.relations(connection, names=called, measure=False)
    return [Relation(*row) for row in rows]
