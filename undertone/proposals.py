"""Values that somebody who filters by a column may mean: from the catalogue alone, no row is read."""

from __future__ import annotations

from undertone import database, queries, relations

SQL = queries.load("proposals")
MOST, LONGEST = 100, 200  # values; characters of one


def values(connection: database.Connection, relation: relations.Relation, field: relations.Field) -> tuple[str, ...]:
    """The texts of some values of a column, the likeliest first; all of them for a boolean or an enum; maybe none."""
    if field.base == "boolean":
        return ("true", "false")
    found = SQL.values(connection, schema=relation.schema, name=relation.name, column=field.column.name)
    fitting = [text for text in found or () if text is not None and len(text) <= LONGEST]
    return tuple(dict.fromkeys(fitting))[: None if field.enum else MOST]
