"""How rows are read for people: any type, any name, any size.

A value is an int, a float, a bool, None for NULL, or else a str: PostgreSQL's own text of it, so that infinity, dates
before Christ, NaN, ranges and types that nobody here has heard of come as what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg2
import psycopg2.sql

from undertone import database, queries, relations

SQL = queries.load("paging")
CUT = 2_000  # characters of a value that travel to a page
MARK = " …"  # stands at the end of a value that was cut
# And behind it, of bytes, how many there are.
CUT_BYTES = re.compile(r"(\\x[0-9a-f]*) … \((\d+) bytes\)")
BATCH = 500  # keys in a statement
NATIVE = {"smallint", "integer", "bigint", "real", "double precision", "boolean"}
HEX = "('\\x' || encode({value}, 'hex'))"
HEX_CUT = (
    "CASE WHEN octet_length({value}) * 2::bigint + 2 <= {cut} THEN "
    + HEX
    + " ELSE left('\\x' || encode(substring({value}"
    " FROM 1 FOR {cut}), 'hex'), {cut}) || {mark} || ' (' || octet_length({value}) || ' bytes)' END"
)
# Types whose texts are never longer than SHORT characters, and those that say themselves how long they are at most.
SHORT = 100
SHORT_TYPES = {
    *(
        "date",
        "interval",
        "uuid",
        "inet",
        "cidr",
        "macaddr",
        "macaddr8",
        "name",
        '"char"',
        "oid",
        "xid",
        "xid8",
        "money",
    ),
    *(f"{name} {zone} time zone" for name in ("time", "timestamp") for zone in ("with", "without")),
}
LIMITED = re.compile(r"(?:character varying|character|numeric)\((\d{1,4})[,)]")
# A value is written so that reading it again gives the same one, whatever the account's settings are.
EXACT = psycopg2.sql.SQL("SET LOCAL datestyle = 'ISO'; SET LOCAL extra_float_digits = 1; ")

Row = tuple[object, ...]


def rows_by_key(
    connection: database.Connection,
    relation: relations.Relation,
    columns: Sequence[str],
    keys: Sequence[Sequence[str]],
    *,
    key: Sequence[str] | None = None,
    cut: int | None = None,
) -> dict[tuple[str, ...], Row]:
    """Some columns of the rows with these keys, by the key as it was given; what is not there is not in the answer.

    A key is given as PostgreSQL's text of its values, in any spelling that the server takes. `key` names the columns
    where the relation has no key of its own, as a view; of several rows with one key it is then any. Values are whole,
    unless `cut` says how many characters of them are wanted. Raises CatalogError for a column that is not there, for a
    relation without a key, and for a text that is no value of the key's type.
    """
    key = relations.key(connection, relation) if key is None else key
    if not key:
        raise relations.CatalogError(f"{relation.label} has no key to find a row by.")
    found = relations.fields(connection, relation)
    wanted = relations.pick(relation, found, columns)
    terms = [ordering(field) for field in relations.pick(relation, found, key)]
    names = [psycopg2.sql.Identifier(f"k{number}") for number in range(len(terms))]
    answer: dict[tuple[str, ...], Row] = {}
    for start in range(0, len(keys), BATCH):
        batch = [tuple(values) for values in keys[start : start + BATCH]]
        for values in batch:
            if len(values) != len(terms):
                raise relations.CatalogError(f"A key of {relation.label} has {len(terms)} values, not {len(values)}.")
        statement = queries.compose(
            SQL.by_key,
            shown=listed([psycopg2.sql.SQL("wanted.n"), *(shown(field, cut) for field in wanted)]),
            keys=listed(
                psycopg2.sql.SQL("({})").format(
                    listed(
                        [
                            psycopg2.sql.Literal(n),
                            *(typed(v, kind) for v, (_, kind) in zip(values, terms, strict=True)),
                        ]
                    )
                )
                for n, values in enumerate(batch)
            ),
            names=listed([psycopg2.sql.Identifier("n"), *names]),
            relation=relation.identifier,
            matches=psycopg2.sql.SQL(" AND ").join(
                psycopg2.sql.SQL("{} = wanted.{}").format(expression, name)
                for (expression, _), name in zip(terms, names, strict=True)
            ),
        )
        for number, *row in read(connection, relation, statement, given=True):
            answer[batch[number]] = trimmed(row, cut)
    return answer


def read(
    connection: database.Connection,
    relation: relations.Relation,
    statement: psycopg2.sql.Composable,
    *,
    given: bool = False,
) -> list[tuple[Any, ...]]:
    """The rows of a statement of ours. `given`: it holds values that somebody gave, which may not be of their type.

    Raises CatalogError when the relation or a column is gone, or a given value is none.
    """
    with relations.translated(relation), connection.cursor() as cursor:
        try:
            cursor.execute(EXACT + statement)
        except psycopg2.DataError as error:
            if not given:
                raise
            said = error.diag.message_primary
            raise relations.CatalogError(f"There is no such place in {relation.label}: {said}.") from error
        except ValueError as error:  # psycopg2's, for a text with a NUL or half a surrogate pair
            raise relations.CatalogError(f"There is no such place in {relation.label}: {error}") from error
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def shown(field: relations.Field, cut: int | None) -> psycopg2.sql.Composable:
    """A column as it travels: natively, or as text, cut on the server to one character more than asked for.

    Bytes are their hex, as PostgreSQL writes it; of those that are cut the number is said behind the mark, as in
    `CUT_BYTES`.
    """
    if field.base in NATIVE:
        return field.expression
    if field.base == "bytea":
        form = HEX if cut is None else HEX_CUT
        parts = {"value": field.expression, "cut": psycopg2.sql.Literal(cut), "mark": psycopg2.sql.Literal(MARK)}
        return psycopg2.sql.SQL(form).format(**parts)
    text = psycopg2.sql.SQL("({})::text").format(field.expression)
    if cut is None or _is_short(field, cut):
        return text
    return psycopg2.sql.SQL("left({}, {})").format(text, psycopg2.sql.Literal(cut + 1))


def _is_short(field: relations.Field, cut: int) -> bool:
    """Whether no value of a column is as long as it would be cut: cutting costs more than reading, in a wide table."""
    if field.enum or field.base in SHORT_TYPES:
        return cut >= SHORT
    # Of numbers the sign and the point are not counted; those of a negative scale have more zeros than digits.
    limit = LIMITED.match(field.column.type)
    return limit is not None and "-" not in field.column.type and int(limit[1]) + 2 <= cut


def trimmed(row: Iterable[Any], cut: int | None) -> Row:
    """A row with its texts cut to `cut` characters and the mark: of one that was cut the server sent one more.

    Bytes that were cut have their mark already, and are longer.
    """
    if cut is None:
        return tuple(row)
    return tuple(value[:cut] + MARK if isinstance(value, str) and len(value) == cut + 1 else value for value in row)


def is_cut(value: object, cut: int = CUT) -> bool:
    """Whether a value of a page is only the beginning of what is stored."""
    return isinstance(value, str) and len(value) >= cut + len(MARK) and value.startswith(MARK, cut)


def ordering(field: relations.Field) -> tuple[psycopg2.sql.Composable, psycopg2.sql.Composable]:
    """What to compare and order by for a column, and the type to cast a text to that it is compared with.

    Types without an order of their own (json, xml, point and so on) go by their text.
    """
    if field.sortable:
        return field.expression, psycopg2.sql.SQL(field.base)
    return psycopg2.sql.SQL("({})::text").format(field.expression), psycopg2.sql.SQL("text")


def typed(text: str | None, kind: psycopg2.sql.Composable) -> psycopg2.sql.Composed:
    """A value given as text, as a value of its type."""
    return psycopg2.sql.SQL("{}::{}").format(psycopg2.sql.Literal(text), kind)


def listed(parts: Iterable[psycopg2.sql.Composable]) -> psycopg2.sql.Composed:
    """Several things with commas between them."""
    return psycopg2.sql.SQL(", ").join(parts)
