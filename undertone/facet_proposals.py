"""Which columns are worth a facet: categories, times and numbers; never keys, references or long texts.

Judged by what the last ANALYZE saw, else by a few rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg2
import psycopg2.sql

from undertone import database, facets, histograms, prose, queries, reading, relations, sampling

SQL = sampling.SQL
MOST_PROPOSED = 8
FEW_VALUES, SOME_VALUES = 30, 200  # that a category has; with more than the first only where each has many rows
FEW_NUMBERS = 12  # with more distinct values numbers get a histogram
LONG_WIDTH = 48.0  # bytes of a value: longer ones are no categories
SAMPLED, SAMPLED_COLUMNS, SAMPLED_SECONDS = 2_000, 80, 0.5  # where nothing has been analysed
UNLIKE = 0.95  # of the values: with more that differ, whole numbers tell rows apart
NEVER = ("json", "bytes")


@dataclass(frozen=True)
class Proposal:
    """A column that is worth a facet, and the kind of it. `distinct`: values that it has, about, if known."""

    column: str
    kind: str
    distinct: float | None = None


def propose(
    connection: database.Connection, relation: relations.Relation, fields: Sequence[relations.Field]
) -> list[Proposal]:
    """Up to MOST_PROPOSED columns that are worth a facet: categories, times, numbers; never keys or long texts.

    From statistics, else from a few rows; where reading those takes too long, by types alone. Raises CatalogError when
    the relation is gone.
    """
    key = relations.key(connection, relation)
    known = _analysed(connection, relation) or _sampled(connection, relation, fields)
    references = {row[0] for row in relations.SQL.references(connection, schema=relation.schema, name=relation.name)}
    found: dict[str, list[Proposal]] = {facets.VALUES: [], facets.TIMES: [], facets.NUMBERS: []}
    for field in fields:
        name = field.column.name
        # One column of a key of several may be a category, as the place in a table of places and days.
        if (name,) != key and (proposal := _worth(field, known, name in references or name in key)):
            found[proposal.kind].append(proposal)
    found[facets.VALUES].sort(key=lambda proposal: (proposal.distinct or 2) > FEW_VALUES)
    first = [*found[facets.VALUES][:4], *found[facets.TIMES][:1], *found[facets.NUMBERS][:2]]
    others = [*found[facets.VALUES][4:], *found[facets.TIMES][1:], *found[facets.NUMBERS][2:]]
    chosen = [*first, *others][:MOST_PROPOSED]
    return sorted(chosen, key=lambda proposal: (facets.VALUES, facets.TIMES, facets.NUMBERS).index(proposal.kind))


@dataclass(frozen=True)
class _Known:
    """What is known of a column: shares of the rows that have a value and of those that differ, values, their bytes."""

    filled: float
    unlike: float
    distinct: float
    width: float


def _worth(field: relations.Field, known: dict[str, _Known], linked: bool) -> Proposal | None:
    """What a column is worth, if anything. `linked`: it is part of a key, or refers to another table."""
    name, category = field.column.name, field.column.category
    guessed = _Known(1.0, 0.0, 2.0, 0.0) if category in ("boolean", "time") or field.enum else None
    about = known.get(name, guessed)
    if about is None or not about.distinct or (about.distinct < 2 and about.filled == 1.0):
        return None  # nothing is known, or all are alike
    if category == "time":
        return Proposal(name, facets.TIMES, about.distinct)
    if category == "boolean" or field.enum:
        return Proposal(name, facets.VALUES, about.distinct)
    if category == "number" and about.distinct > FEW_NUMBERS:
        identifies = (
            linked or prose.IDENTIFIER.search(name) or (about.unlike > UNLIKE and field.base in histograms.WHOLE)
        )
        return None if identifies else Proposal(name, facets.NUMBERS, about.distinct)
    if category in NEVER or not field.sortable or field.base.endswith("[]") or about.width > LONG_WIDTH:
        return None
    most = FEW_VALUES if about.unlike > 0.01 else SOME_VALUES
    return Proposal(name, facets.VALUES, about.distinct) if about.distinct <= most and about.unlike <= 0.5 else None


def _analysed(connection: database.Connection, relation: relations.Relation) -> dict[str, _Known]:
    """What the last ANALYZE saw of each column."""
    rows = float(max(relation.rows or 0, 1))
    found = {}
    for name, nulls, number, width in SQL.statistics(connection, schema=relation.schema, name=relation.name):
        filled = 1.0 - nulls
        distinct = number if number >= 0 else -number * rows
        found[name] = _Known(filled, min(1.0, distinct / max(filled * rows, 1.0)), distinct, width)
    return found


def _sampled(
    connection: database.Connection, relation: relations.Relation, fields: Sequence[relations.Field]
) -> dict[str, _Known]:
    """What a few rows say of each column; nothing where they take too long."""
    judged = [field for field in fields if field.sortable and field.column.category not in NEVER][:SAMPLED_COLUMNS]
    if not judged:
        return {}
    form = "count({0}), count(DISTINCT left(({0})::text, 100)), coalesce(avg(octet_length(({0})::text)), 0)::float8"
    source = sampling.first(relation, judged, SAMPLED)
    statement = queries.compose(
        SQL.few,
        counts=reading.listed(psycopg2.sql.SQL(form).format(field.expression) for field in judged),
        rows=source.rows,
    )
    try:
        with relations.within(connection, int(SAMPLED_SECONDS * 1000), lock=sampling.LOCK_MILLISECONDS):
            ((rows, *counts),) = reading.read(connection, relation, statement)
    except (psycopg2.errors.QueryCanceled, psycopg2.errors.LockNotAvailable):
        return {}
    found = {}
    for field, filled, distinct, width in zip(judged, counts[::3], counts[1::3], counts[2::3], strict=True):
        found[field.column.name] = _Known(filled / max(rows, 1), distinct / max(filled, 1), float(distinct), width)
    return found
