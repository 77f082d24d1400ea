"""The rows that somebody looks at as a statement for people: "Open as SQL", and what a download of all of them asks.

    SELECT id, subject
    FROM support_tickets
    WHERE status = 'open'
      AND opened_at >= '2026-03-01 00:00:00+01:00'::timestamp with time zone
    ORDER BY opened_at DESC NULLS LAST, id DESC

It is as any other statement of a person's, for the read-only lane (`console.py`), and holds all values in itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg2.sql

from undertone import conditions, database, looks, names, queries, reading, relations, row_order, searching

SQL = queries.load("row_statement")
WIDTH = 100  # characters of a line of columns


@dataclass(frozen=True)
class _Plain(relations.Field):
    """A field in a statement of one relation, which needs no other name there."""

    @property
    def expression(self) -> psycopg2.sql.Composed:
        """Its name, quoted only where SQL needs it."""
        return psycopg2.sql.Composed([psycopg2.sql.SQL(names.quoted(self.column.name))])


def statement(
    connection: database.Connection,
    relation: relations.Relation,
    fields: Sequence[relations.Field],
    look: looks.Look,
    search: searching.Search | None = None,
    *,
    zone: str | None = None,
    limit: int | None = None,
) -> str:
    """All rows of a look, wherever in them it is, in the order of its pages; with `limit` the first of them.

    Rows without a value come last and the key decides between equal ones, as in `paging`; where there is no key,
    nothing does. `search` is how the relation is searched, if that is known (`searching.plan`). `zone` is as of
    `conditions.compose`: times in the statement are absolute. Raises CatalogError where the relation or a column is not
    there, and ConditionError and SearchError as those who compose.
    """
    label, whole = _about(connection, relation)
    plain = [_plain(field) for field in fields]
    if look.columns or not whole:
        chosen = relations.pick(relation, plain, look.columns) if look.columns else plain
        listed = _listed([names.quoted(field.column.name) for field in chosen])
    else:
        listed = "*"
    rest = _where(connection, relation, plain, look, search, zone)
    if order := _order(connection, relation, plain, look.sorts):
        rest += psycopg2.sql.SQL("\nORDER BY ") + reading.listed(order)
    if limit is not None:
        rest += psycopg2.sql.SQL("\nLIMIT ") + psycopg2.sql.Literal(limit)
    return _text(connection, queries.compose(SQL.rows, columns=psycopg2.sql.SQL(listed), relation=label, rest=rest))


def count(
    connection: database.Connection,
    relation: relations.Relation,
    fields: Sequence[relations.Field],
    look: looks.Look,
    search: searching.Search | None = None,
    *,
    zone: str | None = None,
) -> str:
    """How many rows a look has, as a statement of one row and column; else as `statement`."""
    label, _ = _about(connection, relation)
    rest = _where(connection, relation, [_plain(field) for field in fields], look, search, zone)
    return _text(connection, queries.compose(SQL.count, relation=label, rest=rest))


def _about(connection: database.Connection, relation: relations.Relation) -> tuple[psycopg2.sql.Composable, bool]:
    """The relation as it has to be written here, and whether all of its columns may be selected."""
    about = SQL.about(connection, schema=relation.schema, name=relation.name, label=relation.label)
    if about is None:
        raise relations.gone(relation)
    unmistakable, whole = about
    full = f"{names.quoted(relation.schema)}.{names.quoted(relation.name)}"
    return psycopg2.sql.SQL(relation.label if unmistakable else full), whole


def _where(
    connection: database.Connection,
    relation: relations.Relation,
    fields: Sequence[_Plain],
    look: looks.Look,
    search: searching.Search | None,
    zone: str | None,
) -> psycopg2.sql.Composed:
    found = [conditions.compose(fields, part, relation=relation, zone=zone) for part in _parts(look.where)]
    if look.search.strip():
        found.append(searching.compose(_searched(search or searching.plan(connection, relation, fields)), look.search))
    if not (lines := [part for part in found if part is not None]):
        return psycopg2.sql.Composed([])
    return psycopg2.sql.SQL("\nWHERE {}").format(psycopg2.sql.SQL("\n  AND ").join(lines))


def _text(connection: database.Connection, composed: psycopg2.sql.Composed) -> str:
    return str(composed.as_string(connection)).strip()


def _plain(field: relations.Field) -> _Plain:
    return _Plain(**{one.name: getattr(field, one.name) for one in dataclasses.fields(field)})


def _searched(search: searching.Search) -> searching.Search:
    """The same search, of plain fields."""
    return dataclasses.replace(
        search,
        fields=tuple(_plain(field) for field in search.fields),
        vectors=tuple(
            dataclasses.replace(one, field=_plain(one.field)) if one.field is not None else one
            for one in search.vectors
        ),
        key=_plain(search.key) if search.key is not None else None,
    )


def _parts(group: conditions.Group) -> list[conditions.Group]:
    """The conditions that must all hold, each for a line."""
    return [group] if group.any else [conditions.Group((part,)) for part in group.parts]


def _order(
    connection: database.Connection,
    relation: relations.Relation,
    fields: Sequence[relations.Field],
    sorts: Sequence[looks.Sort],
) -> list[psycopg2.sql.Composable]:
    directions = row_order.directions(sorts, relations.key(connection, relation))
    found = []
    for field in relations.pick(relation, fields, directions):
        form = "{}"
        if directions[field.column.name]:
            form = "{} DESC NULLS LAST" if field.column.nullable else "{} DESC"
        found.append(psycopg2.sql.SQL(form).format(reading.ordering(field)[0]))
    return found


def _listed(columns: Sequence[str]) -> str:
    """Names with commas between them, on a line if they fit, else on as many as they need."""
    line = ", ".join(columns)
    if len(line) <= WIDTH:
        return line
    lines = [""]
    for number, name in enumerate(columns):
        piece = name + ("," if number < len(columns) - 1 else "")
        if lines[-1] and len(lines[-1]) + len(piece) > WIDTH:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + piece
    return "".join(f"\n    {one}" for one in lines)
