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


def terms(relation: relations.Relation, known: About, sorts: Sequence[looks.Sort]) -> list[keyset.Term]:
    """What rows are ordered by: the columns that somebody chose, then what tells rows apart.

    Raises CatalogError for a column that is not there.
    """
    chosen = list({sort.column: sort for sort in reversed(sorts)}.values())[::-1]
    down = chosen[-1].descending if chosen else False
    directions = {sort.column: sort.descending for sort in chosen} | {
        name: down for name in known.key if name not in {sort.column for sort in chosen}
    }
    found = [
        _term(field, directions[field.column.name], whole=field.column.name in known.key)
        for field in relations.pick(relation, known.fields, directions)
    ]
    if known.key:
        return found
    if known.physical:
        return [*found, dataclasses.replace(keyset.CTID, descending=down)]
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
