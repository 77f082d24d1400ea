"""How a relation is built: columns, constraints, indexes and their use, what refers to what, and all that hangs on it.

Only what this account may select is told. Of what is made from something that it may not, such as a foreign key to a
table that it may not read or a view over one, not even the definition is told, for it names that.
"""

from __future__ import annotations

from typing import Any

import psycopg2.errors

from undertone import database, queries, relations, structure_parts

SQL = queries.load("structure")
# Definitions wait for whoever holds the relation exclusively, but not for long.
MILLISECONDS, LOCK_MILLISECONDS = 20_000, 2_000
ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
FIRES = {"O": "origin", "A": "always", "R": "replica", "D": "disabled"}
IDENTITY = {"a": "always", "d": "by default", "": ""}
GENERATED = {"s": "stored", "v": "virtual", "": ""}

Structure = structure_parts.Structure
Hidden = set[tuple[str, int]]


class RelationHeld(relations.CatalogError):
    """Somebody holds the relation exclusively, and it cannot be looked at."""


def read(connection: database.Connection, relation: relations.Relation) -> Structure:
    """How a relation is built. Raises CatalogError when it is gone, RelationHeld when somebody holds it for seconds."""
    try:
        with relations.translated(relation), relations.within(connection, MILLISECONDS, lock=LOCK_MILLISECONDS):
            SQL.namespace(connection)
            return _read(connection, relation)
    except psycopg2.errors.LockNotAvailable as error:
        raise RelationHeld(
            f"{relation.label} is held by somebody who changes it at the moment; try again when they have ended."
        ) from error


def _read(connection: database.Connection, relation: relations.Relation) -> Structure:
    row = SQL.about(connection, schema=relation.schema, name=relation.name)
    if row is None:
        raise relations.gone(relation)
    values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in row]
    about = structure_parts.About(*values)
    oid = about.oid
    hidden: Hidden = set(SQL.hidden(connection, oid=oid))
    refers_to, referred_by = references(connection, relation)
    constraints = SQL.constraints(connection, oid=oid)
    constraints = [one for one in constraints if ("pg_constraint", one[0]) not in hidden]
    told = {one[0] for one in constraints}
    indexes = [
        one
        for one in SQL.indexes(connection, oid=oid)
        if ("pg_class", one[0]) not in hidden and (one[-1] is None or one[-1] in told)
    ]
    view, rule = None, None
    if about.kind in ("view", "materialised view"):
        rule = SQL.view_rule(connection, oid=oid)
        if ("pg_rewrite", rule) not in hidden:
            view = SQL.definition(connection, oid=oid)
    related = SQL.related(connection, oid=oid)
    return Structure(
        relation=relation,
        about=about,
        columns=tuple(_column(one, about, hidden) for one in SQL.columns(connection, oid=oid)),
        constraints=tuple(structure_parts.Constraint(*one[1:6]) for one in constraints),
        indexes=tuple(structure_parts.Index(*one[1:-1]) for one in indexes),
        refers_to=tuple(refers_to),
        referred_by=tuple(referred_by),
        triggers=tuple(
            structure_parts.Trigger(name, definition, FIRES.get(fires, fires))
            for number, name, definition, fires in SQL.triggers(connection, oid=oid)
            if ("pg_trigger", number) not in hidden
        ),
        rules=tuple(
            structure_parts.Definition(name, definition)
            for number, name, definition in SQL.rules(connection, oid=oid)
            if ("pg_rewrite", number) not in hidden
        ),
        policies=tuple(
            structure_parts.Policy(name, permissive, command, tuple(roles), condition, check)
            for number, name, permissive, command, roles, condition, check in SQL.policies(connection, oid=oid)
            if ("pg_policy", number) not in hidden
        ),
        statistics=tuple(
            structure_parts.Definition(name, definition)
            for number, name, definition in SQL.statistics_objects(connection, oid=oid)
            if ("pg_statistic_ext", number) not in hidden
        ),
        sequences=tuple(structure_parts.Sequence(*one) for one in SQL.sequences(connection, oid=oid)),
        above=tuple(_related(one) for one in related if one[0]),
        below=tuple(_related(one) for one in related if not one[0]),
        view=view,
        hides=bool(hidden) or not about.whole,
    )


def _column(row: Any, about: structure_parts.About, hidden: Hidden) -> structure_parts.Column:
    name, type, nullable, default, number, identity, generated, collation, storage, comment = row
    # Servers before version 15 do not note by its default what a column is generated from.
    if ("pg_attrdef", number) in hidden or (generated and not about.whole):
        default = None
    return structure_parts.Column(
        name, type, nullable, default, IDENTITY[identity], GENERATED[generated], collation, storage, comment
    )


def references(
    connection: database.Connection, relation: relations.Relation
) -> tuple[list[structure_parts.Reference], list[structure_parts.Reference]]:
    """The foreign keys of a relation, and those that refer to it, of which this account may read both ends.

    Raises CatalogError when it is gone.
    """
    oid = SQL.oid(connection, schema=relation.schema, name=relation.name)
    if oid is None:
        raise relations.gone(relation)
    found = SQL.references_of(connection, oids=[oid])
    return [reference(one) for one in found if one[2] == oid], [reference(one) for one in found if one[7] == oid]


def reference(row: Any) -> structure_parts.Reference:
    """A row of `references_of`."""
    _, name, _, schema, relation, kind, here, _, other_schema, other, other_kind, there, update, delete, validated = row
    return structure_parts.Reference(
        name,
        relations.Relation(schema, relation, kind, None, None, None),
        tuple(here),
        relations.Relation(other_schema, other, other_kind, None, None, None),
        tuple(there),
        ACTIONS[update],
        ACTIONS[delete],
        validated,
    )


def _related(row: Any) -> structure_parts.Related:
    _, schema, name, kind, bounds = row
    return structure_parts.Related(relations.Relation(schema, name, kind, None, None, None), bounds)
