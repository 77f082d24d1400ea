"""What a database holds as a tree: schemas, their relations, and under each those that are parts of it.

Partitions stand under the table that they are parts of, and tables that inherit under the one that they inherit from.
Of what this account may not select nothing is said: a partition whose parent it may not select stands by itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import itertools
import operator
import time
from collections.abc import Mapping
from typing import Any

import psycopg2

from undertone import database, queries, relations

SQL = queries.load("tree")
SYSTEM = ("pg_catalog", "information_schema")
# Of a huge database the columns of the first tables can be searched; the rest are found by the names of their tables.
MOST_COLUMNS = 60_000
# Tables that were never analysed are counted if they are small and there is time, as in `relations`.
COUNT_BYTES, COUNT_SECONDS, COUNT_LOCK_MILLISECONDS = 1 << 20, 0.2, 20


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A column as far as it is searched for."""

    name: str
    type: str
    comment: str | None


@dataclasses.dataclass(frozen=True)
class Node:
    """A relation in the tree. `parent` is the number of the node above it in `Tree.nodes`; None under its schema.

    `columns` are empty for a partition, which has those of its parent, and beyond MOST_COLUMNS. `analysed`: when its
    statistics were last taken, if that is known.
    """

    relation: relations.Relation
    parent: int | None
    analysed: datetime.datetime | None
    columns: tuple[Column, ...] = ()


@dataclasses.dataclass(frozen=True)
class Tree:
    """All that this account may select from, people's own first. `complete`: whether all columns are here."""

    nodes: tuple[Node, ...]
    complete: bool = True

    @functools.cached_property
    def by_label(self) -> Mapping[str, relations.Relation]:
        """The relations by what they are called."""
        return {node.relation.label: node.relation for node in self.nodes}

    def search(self, words: str) -> list[Node]:
        """The nodes that have all of the words in their name, comment or columns; by their own name first."""
        wanted = words.casefold().split()
        named, found = [], []
        for node in self.nodes:
            own = f"{node.relation.schema}.{node.relation.name}".casefold()
            if all(word in own for word in wanted):
                named.append(node)
            elif all(word in f"{own} {_searched(node)}" for word in wanted):
                found.append(node)
        return named + found


def read(connection: database.Connection, *, system: bool = False) -> Tree:
    """The tree; with `system`, of pg_catalog and information_schema, too.

    Nothing waits for a table that somebody holds exclusively: its size is then the one that was last noted.
    """
    rows = _rows(connection, system)
    described = SQL.tree_columns(connection, system=system, most=MOST_COLUMNS)
    columns = {
        oid: tuple(Column(*about) for _, *about in group)
        for oid, group in itertools.groupby(described, key=operator.itemgetter(0))
    }
    numbers = {row[0]: number for number, row in enumerate(rows)}
    nodes = [
        Node(
            relations.Relation(*about),
            None if above is None else numbers.get(above),
            analysed,
            columns.get(oid, ()),
        )
        for oid, *about, analysed, above in rows
    ]
    _count(connection, nodes)
    return Tree(tuple(nodes), complete=len(described) < MOST_COLUMNS)


def _rows(connection: database.Connection, system: bool) -> list[tuple[Any, ...]]:
    try:
        with relations.within(connection, relations.MEASURE_MILLISECONDS, lock=relations.LOCK_MILLISECONDS):
            rows: list[tuple[Any, ...]] = SQL.tree(connection, system=system, measure=True)
    except (psycopg2.errors.LockNotAvailable, psycopg2.errors.QueryCanceled):
        rows = SQL.tree(connection, system=system, measure=False)
    return rows


def _count(connection: database.Connection, nodes: list[Node]) -> None:
    """Count small tables that were never analysed, as long as there is time."""
    deadline = time.monotonic() + COUNT_SECONDS
    for number, node in enumerate(nodes):
        relation = node.relation
        left = int((deadline - time.monotonic()) * 1000)
        if left <= 0:
            return
        if relation.rows is None and relation.bytes is not None and relation.bytes < COUNT_BYTES:
            with (
                contextlib.suppress(psycopg2.Error, relations.CatalogError),
                relations.within(connection, left, lock=COUNT_LOCK_MILLISECONDS),
            ):
                counted = dataclasses.replace(relation, rows=relations.count(connection, relation))
                nodes[number] = dataclasses.replace(node, relation=counted)


def _searched(node: Node) -> str:
    texts = [node.relation.comment or ""]
    texts += [f"{column.name} {column.comment or ''}" for column in node.columns]
    return " ".join(texts).casefold()
