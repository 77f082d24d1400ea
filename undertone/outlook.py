"""What a page of rows will cost, as the server expects it: before anything is read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2.sql

from undertone import database, keyset, looks, queries, reading, relations, row_order

# In units of the planner, of which reading a page of a table in its order is one. A hundred thousand take about a
# second here; whoever has a slow disk has told the server so, or should have.
SLOW = 50_000.0
SECONDS = 5.0  # for what is to be known at once; planning over thousands of partitions takes some of them


@dataclass(frozen=True)
class Expected:
    """What EXPLAIN says of a statement: units of cost, in all and before its first row, and how it goes about it."""

    cost: float
    start: float
    sorted: bool  # all rows are read and sorted before the first one is known
    scanned: bool  # rows are read one after the other, and not found by an index

    @property
    def slow(self) -> bool:
        """Whether it takes a second or more, as far as the server can know."""
        return self.cost > SLOW


@dataclass(frozen=True)
class Outlook:
    """What is to be expected of a page. `rows` are those of the relation, about; None where nobody knows."""

    rows: int | None
    sorted: bool
    filtered: bool
    slow: bool

    @property
    def words(self) -> str:
        """What somebody should know before it starts; "" where there is nothing to say. It is plain text."""
        if not self.slow:
            return ""
        rows = "all rows" if self.rows is None else f"about {self.rows:,} rows"
        if self.sorted and not self.filtered:
            return f"No index has this order: {rows} are read and sorted before the first one can be shown."
        if self.filtered:
            return f"No index serves this filter: up to {rows} are looked through."
        return "These rows take long to make, even a few of them."


def outlook(
    connection: database.Connection,
    relation: relations.Relation,
    *,
    sorts: Sequence[looks.Sort] = (),
    where: psycopg2.sql.Composable | None = None,
    size: int = 50,
    known: row_order.About | None = None,
) -> Outlook:
    """What is to be expected of the first page in this order, under this condition.

    Raises CatalogError when the relation or a column is not there, PageTooSlow when somebody holds it.
    """
    known = known or row_order.about(connection, relation)
    if not known.fields:
        return Outlook(relation.rows, sorted=False, filtered=False, slow=False)
    order = row_order.terms(relation, known, sorts)
    rows = keyset.Rows(connection, relation, known.fields, known.fields, known.fields, order, where, None)
    with keyset.limited(connection, relation, SECONDS):
        if order[0].expression is keyset.CTID.expression:
            # Such rows are looked through in the order in which they lie, which the server is not asked to find.
            filtered = where is not None and _explained(rows, [where], keyset.ANY_ORDER, size).slow
            return Outlook(relation.rows, sorted=False, filtered=filtered, slow=filtered)
        found = expect(rows, None, False, size)
    return Outlook(relation.rows, found.sorted, where is not None, found.slow)


def expect(rows: keyset.Rows, cursor: keyset.Cursor | None, back: bool, limit: int) -> Expected:
    """How the server would find the next rows."""
    segment = next(iter(keyset.segments(rows.terms, cursor, back)))
    conditions = [*segment.conditions, *([rows.where] if rows.where is not None else [])]
    return _explained(rows, conditions, segment.order, limit)


def is_walkable(rows: keyset.Rows, cursor: keyset.Cursor | None, back: bool) -> bool:
    """Whether an index has the rows in their order, so that one can look through them from any place on."""
    segment = next(iter(keyset.segments(rows.terms, cursor, back)))
    found = _explained(rows, segment.conditions, segment.order, 1)
    return not found.sorted and found.cost < SLOW


def _explained(
    rows: keyset.Rows, conditions: Sequence[psycopg2.sql.Composable], order: psycopg2.sql.Composable, limit: int
) -> Expected:
    statement = queries.compose(
        keyset.SQL.expected,
        read=reading.listed(rows.columns()),
        relation=rows.relation.identifier,
        condition=keyset.where(conditions),
        order=order,
        limit=psycopg2.sql.Literal(limit),
    )
    ((text,),) = reading.read(rows.connection, rows.relation, statement, given=True)
    plan = (json.loads(text) if isinstance(text, str) else text)[0]["Plan"]
    kinds = {node["Node Type"] for node in _nodes(plan)}
    return Expected(plan["Total Cost"], plan["Startup Cost"], "Sort" in kinds, "Seq Scan" in kinds)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
