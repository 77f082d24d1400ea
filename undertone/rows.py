"""One row, found by its key: all of its values, and the rows beside it in the order of the key.

    read  beside                here
    as_json  whole  statement   row_copies.py   the row to take along
    outgoing  incoming          references.py   what it refers to, and what refers to it
    of_row  text_of             row_scores.py   what models said of it

The first argument is a psycopg2 connection of the account that only reads. A key is given as PostgreSQL's texts of its
values, in any spelling that the server takes; only relations with a key of their own have rows that can be found
again. What is not there raises RowError or another CatalogError, and so does what takes too long.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg2
import psycopg2.sql

from undertone import database, names, queries, reading, relations, units

SQL = queries.load("rows")
# Of every value first so many characters; of those that are longer then more, as many as all of them together may have.
FIRST, MOST, TOGETHER = 10_000, 1_000_000, 4_000_000
READ_MILLISECONDS, LOCK_MILLISECONDS, BESIDE_MILLISECONDS = 10_000, 3_000, 1_000

FLOATS = ("real", "double precision")

Key = tuple[str, ...]


class RowError(relations.CatalogError):
    """A row that is not there, or that cannot be found or read; the message says why."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """A value of a row, or its beginning where it `is_cut`.

    As in `reading`, but that floats are texts, too: the server's, of as few digits as tell them apart. Of bytes it is
    `\\x` and their hex. `length` is that of all of it, in characters, of bytes in bytes; None for NULL, numbers and
    booleans.
    """

    field: relations.Field
    value: object
    length: int | None
    is_cut: bool = False

    @property
    def name(self) -> str:
        """The column's."""
        return self.field.column.name

    @property
    def text(self) -> str | None:
        """PostgreSQL's text of it."""
        return (
            str(self.value).lower() if isinstance(self.value, bool) else None if self.value is None else f"{self.value}"
        )


@dataclasses.dataclass(frozen=True)
class Row:
    """A row. `key_names` are the columns of its key, `key` the texts of their values as the server writes them."""

    relation: relations.Relation
    key_names: tuple[str, ...]
    key: Key
    cells: tuple[Cell, ...]

    @property
    def characters(self) -> int:
        """How long its values are as text, all together."""
        return sum((2 if cell.field.base == "bytea" else 1) * (cell.length or 0) for cell in self.cells)

    def texts(self, columns: Sequence[str]) -> tuple[str | None, ...] | None:
        """The whole texts of the values in some columns; None where one of them cannot be read or was cut."""
        by_name = {cell.name: cell for cell in self.cells if not cell.is_cut}
        if not set(columns) <= set(by_name):
            return None
        return tuple(by_name[name].text for name in columns)


@dataclasses.dataclass(frozen=True)
class Beside:
    """The keys of the rows before and after one, in the order of the key; None at an end."""

    previous: Key | None
    next: Key | None


def read(connection: database.Connection, relation: relations.Relation, key: Sequence[str]) -> Row:
    """The row with this key. Values of more than a million characters come cut, and of bytes the first 5,000.

    Raises RowError where there is none, where the relation has no key, and for a text that is no value of its type.
    """
    fields = relations.fields(connection, relation)
    found = keyed(connection, relation, fields, key)
    width = len(found)
    shown = [*(as_text(field) for field in found), *map(_shown, fields)]
    first = one(connection, relation, shown, matching(found, key))
    if first is None:
        raise missing(relation, found, key)
    values = list(reading.trimmed(first[width:], None))
    long = [number for number, value in enumerate(values) if isinstance(value, str) and len(value) > FIRST]
    rest: dict[int, tuple[Any, Any]] = {}
    if long:
        most = min(MOST, TOGETHER // len(long))
        asked = [part for number in long for part in _longer(fields[number], most)]
        second = one(connection, relation, asked, matching(found, key))
        if second is None:
            raise missing(relation, found, key)
        rest = {number: (second[2 * place], second[2 * place + 1]) for place, number in enumerate(long)}
    cells = []
    for number, (field, value) in enumerate(zip(fields, values, strict=True)):
        if number in rest:
            length, more = rest[number]
            if field.base == "bytea":
                cells.append(Cell(field, str(value)[:FIRST], length, is_cut=True))
            else:
                cells.append(Cell(field, more, length, is_cut=length is not None and length > len(more)))
        elif isinstance(value, str) and field.column.category != "number":
            cells.append(Cell(field, value, len(value) // 2 - 1 if field.base == "bytea" else len(value)))
        else:
            cells.append(Cell(field, value, None))
    return Row(relation, tuple(field.column.name for field in found), tuple(first[:width]), tuple(cells))


def beside(connection: database.Connection, relation: relations.Relation, key: Sequence[str]) -> Beside:
    """The keys before and after this one; its own row need not be there any more.

    Raises RowError where an index does not have the order, and sorting takes too long.
    """
    found = keyed(connection, relation, relations.fields(connection, relation), key)
    terms = [reading.ordering(field) for field in found]
    keys: list[Key | None] = []
    with limited(connection, relation, BESIDE_MILLISECONDS):
        for comparison, direction in (("<", "{} DESC"), (">", "{}")):
            statement = queries.compose(
                SQL.beside,
                key=reading.listed(as_text(field) for field in found),
                relation=relation.identifier,
                terms=reading.listed(expression for expression, _ in terms),
                comparison=psycopg2.sql.SQL(comparison),
                values=reading.listed(reading.typed(text, kind) for text, (_, kind) in zip(key, terms, strict=True)),
                order=reading.listed(psycopg2.sql.SQL(direction).format(expression) for expression, _ in terms),
            )
            rows = reading.read(connection, relation, statement, given=True)
            keys.append(rows[0] if rows else None)
    return Beside(*keys)


def keyed(
    connection: database.Connection,
    relation: relations.Relation,
    fields: Sequence[relations.Field],
    key: Sequence[str],
) -> list[relations.Field]:
    """The fields of the key. Raises RowError where there is no key, or another number of values."""
    key_names, _ = relations.identity(connection, relation)
    if not key_names:
        raise RowError(
            f"The rows of {relation.label} have no page of their own: it is a {relation.kind} without a key to find"
            " one by."
            if relation.kind != "table"
            else f"The rows of {relation.label} have no page of their own: it has no key to find one by."
        )
    if len(key) != len(key_names):
        raise RowError(
            f"This link does not fit {relation.label}: its key has {units.count(len(key_names), 'column')}"
            f" ({', '.join(names.quoted(name) for name in key_names)}), and the link {units.count(len(key), 'value')}."
        )
    return relations.pick(relation, fields, key_names)


def matching(fields: Sequence[relations.Field], values: Sequence[str | None]) -> psycopg2.sql.Composed:
    """That some columns of r have these values, given as texts; a NULL is equal to nothing."""
    parts = []
    for field, value in zip(fields, values, strict=True):
        expression, kind = reading.ordering(field)
        parts.append(psycopg2.sql.SQL("{} = {}").format(expression, reading.typed(value, kind)))
    return psycopg2.sql.SQL(" AND ").join(parts)


def missing(relation: relations.Relation, fields: Sequence[relations.Field], key: Sequence[str]) -> RowError:
    """The error for a key that no row has."""
    said = ", ".join(
        f"{names.quoted(field.column.name)} {names.line(text)}" for field, text in zip(fields, key, strict=True)
    )
    return RowError(
        f"There is no row of {relation.label} with this key any more, or this account may not see it: {said}."
    )


@contextlib.contextmanager
def limited(connection: database.Connection, relation: relations.Relation, milliseconds: int) -> Iterator[None]:
    """Ask something for no longer than this. Raises RowError where it takes longer, or a value is none of its type."""
    try:
        with relations.within(connection, milliseconds, lock=min(milliseconds, LOCK_MILLISECONDS)):
            yield
    except psycopg2.errors.LockNotAvailable as error:
        raise RowError(f"Somebody holds {relation.label} locked at the moment; try again soon.") from error
    except psycopg2.errors.QueryCanceled as error:
        raise RowError(
            f"Looking into {relation.label} took longer than {units.duration(milliseconds / 1000)} and was stopped."
        ) from error
    except relations.CatalogError as error:
        if isinstance(error.__cause__, (psycopg2.DataError, ValueError)):
            said = getattr(getattr(error.__cause__, "diag", None), "message_primary", None) or error.__cause__
            raise RowError(f"This link names no row of {relation.label}: {' '.join(str(said).split())}.") from error
        raise


def as_text(field: relations.Field) -> psycopg2.sql.Composed:
    """A column of r as text."""
    return psycopg2.sql.SQL("({})::text").format(field.expression)


def _shown(field: relations.Field) -> psycopg2.sql.Composable:
    return as_text(field) if field.base in FLOATS else reading.shown(field, FIRST)


def _longer(field: relations.Field, most: int) -> tuple[psycopg2.sql.Composable, psycopg2.sql.Composable]:
    """The length of a value that is long, and more of it; of bytes there is enough."""
    if field.base == "bytea":
        return psycopg2.sql.SQL("octet_length({})").format(field.expression), psycopg2.sql.SQL("NULL")
    text = as_text(field)
    head = psycopg2.sql.SQL("left({}, {})").format(text, psycopg2.sql.Literal(most))
    return psycopg2.sql.SQL("length({})").format(text), head


def one(
    connection: database.Connection,
    relation: relations.Relation,
    shown: Sequence[psycopg2.sql.Composable],
    matches: psycopg2.sql.Composed,
) -> tuple[Any, ...] | None:
    """Some expressions of the row that matches; None where there is none. Raises RowError as `limited`."""
    statement = queries.compose(SQL.by_key, shown=reading.listed(shown), relation=relation.identifier, matches=matches)
    with limited(connection, relation, READ_MILLISECONDS):
        rows = reading.read(connection, relation, statement, given=True)
    return rows[0] if rows else None
