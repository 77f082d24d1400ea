"""Which rows of a relation a look has: its conditions and its search as one condition of SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import psycopg2.sql

from undertone import conditions, looks, relations, searching

Where: TypeAlias = psycopg2.sql.Composed | None


def compose(
    fields: Sequence[relations.Field],
    look: looks.Look,
    *,
    relation: relations.Relation,
    search: searching.Search | None = None,
    zone: str | None = None,
) -> Where:
    """What `paging.page` takes as `where`; None where the look has every row.

    `search` is how the relation is searched (`searching.plan`); needed where the look has a search. `zone` is as of
    `conditions.compose`. Raises CatalogError for a column that is not there, and ConditionError and SearchError.
    """
    found = [conditions.compose(fields, look.where, relation=relation, zone=zone)]
    if look.search.strip():
        if search is None:
            raise ValueError("a look with a search needs the way to search")
        found.append(searching.compose(search, look.search))
    parts = [part for part in found if part is not None]
    return psycopg2.sql.SQL(" AND ").join(parts) if parts else None
