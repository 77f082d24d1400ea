"""In which order the rows of a relation come: the columns that somebody chose, then what tells rows apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import psycopg2.sql

from undertone import database, keyset, looks, reading, relations

# A long text that no index has in order is sorted by its beginning: a cursor has to fit into an address.
PREFIX = 200
# How many columns of a relation without a key are compared as what they are; the rest of them as one text.
COMPARED = 32


@dataclasses.dataclass(frozen=True)
class About:
    """What a page has to know of its relation: its columns, its key, and whether rows can be told apart by ctid."""

    fields: tuple[relations.Field, ...]
    key: tuple[str, ...]
    physical: bool


def about(connection: database.Connection, relation: relations.Relation) -> About:
    """Look it up, which takes a few milliseconds. Raises CatalogError when the relation is gone."""
    key, physical = relations.identity(connection, relation)
    return About(tuple(relations.fields(connection, relation)), key, physical)


def directions(sorts: Sequence[looks.Sort], key: Sequence[str]) -> dict[str, bool]:
    """The columns that rows are ordered by, the first one first, and whether each goes down.

    One that is named twice counts where it is named first. The key decides between equal rows, in the last direction.
    """
    found: dict[str, bool] = {}
    for sort in sorts:
        found.setdefault(sort.column, sort.descending)
    last = next(reversed(found.values()), False)
    for name in key:
        found.setdefault(name, last)
    return found


def terms(relation: relations.Relation, known: About, sorts: Sequence[looks.Sort]) -> list[keyset.Term]:
    """What rows are ordered by: the columns that somebody chose, then what tells rows apart.

    Raises CatalogError for a column that is not there.
    """
    wanted = directions(sorts, known.key)
    found = [
        _term(field, wanted[field.column.name], whole=field.column.name in known.key)
        for field in relations.pick(relation, known.fields, wanted)
    ]
    if known.key:
        return found
    if known.physical:
        return [*found, dataclasses.replace(keyset.CTID, descending=bool(found) and found[-1].descending)]
    return [*found, *_everything(known.fields)]


def _term(field: relations.Field, descending: bool, *, whole: bool) -> keyset.Term:
    expression, kind = reading.ordering(field)
    if not (whole or field.indexed):
        head = psycopg2.sql.SQL("left(({})::text, {})").format(field.expression, psycopg2.sql.Literal(PREFIX))
        if field.column.category == "text":
            # Back to its own type, which may have an order of its own, as citext does.
            expression = psycopg2.sql.SQL("{}::{}").format(head, kind)
        elif field.column.category == "json" or not field.sortable:
            expression, kind = head, psycopg2.sql.SQL("text")
        elif field.column.category == "bytes":
            part = psycopg2.sql.SQL("substring({} FROM 1 FOR {})")
            expression = part.format(field.expression, psycopg2.sql.Literal(PREFIX))
    return keyset.Term(expression, kind, field.column.nullable, descending)


def _everything(fields: Sequence[relations.Field]) -> list[keyset.Term]:
    found = [keyset.Term(*reading.ordering(field)) for field in fields[:COMPARED]]
    if rest := fields[COMPARED:]:
        text = psycopg2.sql.SQL("ROW({})::text").format(reading.listed(field.expression for field in rest))
        found.append(keyset.Term(text, psycopg2.sql.SQL("text")))
    return found
